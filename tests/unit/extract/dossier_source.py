"""A source contract of dossiers in PostgreSQL, and the table that it reads."""

from pathlib import Path

from warehouse.city import TABLES
from warehouse.contract.compiler import CompiledStream, compile_stream
from warehouse.contract.read import read_table
from warehouse.contract.read_source import read_source

TABLE_SQL = """
CREATE TABLE one_stop.dossier (
    id text PRIMARY KEY, procedure text NOT NULL, level text, office text, channel text NOT NULL,
    status text NOT NULL, received timestamptz NOT NULL, due timestamptz, finished timestamptz,
    changed timestamptz NOT NULL, ward char(5), digital boolean, fee bigint,
    applicant_name text, applicant_phone text, applicant_identity text
)
"""
SOURCE = """\
apiVersion: v3.1.0
kind: DataContract
id: public_services.dossiers
name: dossiers
version: 1.0.0
status: active
description:
  purpose: Hồ sơ một cửa | One-stop dossiers
customProperties:
  - {property: contractKind, value: source}
  - {property: agency, value: office}
  - {property: serviceGroup, value: 2}
  - {property: timezone, value: Asia/Ho_Chi_Minh}
  - {property: drift, value: discard}
  - {property: deletes, value: absence}
  - {property: maxDeleteShare, value: 0.5}
servers:
  - server: one_stop
    type: custom
    customProperties:
      - property: transport
        value:
          {kind: postgres, uri_env: ONE_STOP, schema: one_stop, table: dossier, key: id,
           object_rows: 500}
      - property: format
        value: {kind: arrow}
schema:
  - name: dossier
    logicalType: object
    physicalType: raw
    properties:
      - {name: id, logicalType: string}
      - {name: procedure, logicalType: string}
      - {name: level, logicalType: string}
      - {name: office, logicalType: string}
      - {name: channel, logicalType: string}
      - {name: status, logicalType: string}
      - {name: received, logicalType: timestamp}
      - {name: due, logicalType: timestamp}
      - {name: finished, logicalType: timestamp}
      - {name: changed, logicalType: timestamp}
      - {name: ward, logicalType: string}
      - {name: digital, logicalType: boolean}
      - {name: fee, logicalType: integer}
  - name: dossier
    logicalType: object
    physicalType: table
    properties:
      - {name: dossier_id, logicalType: string, transformLogic: id}
      - {name: procedure_code, logicalType: string, transformLogic: procedure}
      - {name: procedure_level, logicalType: string, transformLogic: level}
      - {name: agency_responsible, logicalType: string, transformLogic: office}
      - {name: channel, logicalType: string, transformLogic: channel}
      - {name: status, logicalType: string, transformLogic: status}
      - {name: received_at, logicalType: timestamp, transformLogic: received}
      - {name: due_at, logicalType: timestamp, transformLogic: due}
      - {name: completed_at, logicalType: timestamp, transformLogic: finished}
      - {name: updated_at, logicalType: timestamp, transformLogic: changed}
      - {name: area_code, logicalType: string, transformLogic: ward}
      - {name: is_digitised_result, logicalType: boolean, transformLogic: digital}
      - {name: fee_vnd, logicalType: integer, transformLogic: fee}
"""
BY_WINDOW = {
    "  - {property: deletes, value: absence}\n": "",
    "  - {property: drift, value: discard}\n": (
        "  - {property: drift, value: discard}\n"
        "  - {property: cursor, value: window}\n"
        "  - {property: overlapDays, value: 1}\n"
    ),
    "key: id,": "key: id, cursor_column: changed,",
    "        value: {kind: arrow}\n": (
        "        value: {kind: arrow}\n"
        "      - property: protocol\n"
        "        value: {kind: updated_range}\n"
    ),
}


def windowed() -> str:
    """The contract, reading by the time of update."""
    text = SOURCE
    for old, new in BY_WINDOW.items():
        assert old in text
        text = text.replace(old, new)
    return text


def compiled(folder: Path, text: str = SOURCE) -> CompiledStream:
    """The stream of a contract's text over the packaged table contract."""
    path = folder / "dossiers.yaml"
    path.write_text(text, encoding="utf-8")
    source = read_source(path, "public_services.dossiers")
    return compile_stream(source, read_table(TABLES / "dossier.yaml"))
