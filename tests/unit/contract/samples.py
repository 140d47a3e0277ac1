"""Small contracts that tests break one line at a time."""

import shutil
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from warehouse.contract.compiler import CompiledStream, compile_stream
from warehouse.contract.model import (
    Column,
    Mapped,
    RawColumn,
    Rule,
    SourceContract,
    TableContract,
)
from warehouse.contract.read import LOGICAL_TYPES
from warehouse.duck import session

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]
AS_OF = date(2025, 7, 5)

CITY = """\
city: small
name: {vi: Thành phố nhỏ, en: Small city}
timezone: Asia/Ho_Chi_Minh
default_date: 2025-07-05
"""
AGENCIES = """\
agencies:
  - code: office
    name: {vi: Văn phòng, en: Office}
    level: city
    service_groups: [4]
    contact_role: {vi: Trực ban, en: Duty desk}
"""
SOURCE = """\
apiVersion: v3.1.0
kind: DataContract
id: air.stations
name: stations
version: 1.0.0
status: active
description:
  purpose: Trạm | Stations
customProperties:
  - {property: contractKind, value: source}
  - {property: agency, value: office}
  - {property: serviceGroup, value: 4}
  - {property: timezone, value: Asia/Ho_Chi_Minh}
  - {property: drift, value: freeze}
servers:
  - server: api
    type: custom
    customProperties:
      - property: transport
        value:
          kind: http
          url_env: STATIONS_URL
          token_env: STATIONS_TOKEN
      - property: format
        value: {kind: csv}
schema:
  - name: raw
    logicalType: object
    physicalType: raw
    properties:
      - {name: id, logicalType: string}
      - {name: label, logicalType: string}
      - {name: since, logicalType: string}
      - {name: lat, logicalType: number}
  - name: station
    logicalType: object
    physicalType: table
    properties:
      - name: station_id
        logicalType: string
        transformLogic: id
      - name: name
        logicalType: string
        transformLogic: label
      - name: latitude
        logicalType: number
        transformLogic: lat
        logicalTypeOptions: {minimum: 15.9, maximum: 16.3}
      - name: operating_from
        logicalType: date
        transformLogic: since
        customProperties:
          - {property: formats, value: ["%d/%m/%Y"]}
        quality:
          - name: not_ancient
            description: Không quá cũ | Not too old
            type: custom
            engine: citylake
            implementation: operating_from >= DATE '1975-04-30'
            severity: block
            customProperties:
              - {property: scope, value: row}
"""
SOURCE_PATH = Path("sources") / "air" / "stations.yaml"


def write_city(folder: Path, source: str = SOURCE) -> Path:
    """A city of one source; returns the source's file."""
    (folder / "city.yaml").write_text(CITY, encoding="utf-8")
    (folder / "agencies.yaml").write_text(AGENCIES, encoding="utf-8")
    path = folder / SOURCE_PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return path


def copied_table(folder: Path, name: str = "station") -> Path:
    """A copy of a packaged table contract."""
    path = folder / f"{name}.yaml"
    shutil.copy(REPOSITORY / "warehouse" / "tables" / path.name, path)
    return path


def broken(text: str, old: str, new: str) -> str:
    """The text with one change; the change must apply, or the test would test nothing."""
    assert old in text, f"{old!r} is not in the sample"
    return text.replace(old, new, 1)


def line_of(text: str, part: str) -> int:
    """Line (from 1) of the first line that holds the part."""
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


def column(name: str, sql_type: str = "VARCHAR", **options: Any) -> Column:
    """A column of a made table."""
    return Column(name=name, description={}, sql_type=sql_type, **options)


def stream(
    columns: list[Column],
    mapping: list[Mapped],
    raw: list[str],
    rules: tuple[Rule, ...] = (),
    version: str | None = None,
    **options: Any,
) -> CompiledStream:
    """A compiled stream of a made table; the first column is its key."""
    kinds = {each.name: each.sql_type.partition("(")[0] for each in columns}
    source = SourceContract(
        id="test.stream",
        path=Path("stream.yaml"),
        table="made",
        agency="office",
        service_group=1,
        mapping=tuple(
            replace(each, logical_type=LOGICAL_TYPES[kinds[each.column]]) for each in mapping
        ),
        **{
            "timezone": "Asia/Ho_Chi_Minh",
            "raw_columns": tuple(RawColumn(name) for name in raw),
            **options,
        },
    )
    table = TableContract(
        name="made",
        path=Path("made.yaml"),
        description={},
        columns=tuple(columns),
        key=(columns[0].name,),
        rules=rules,
        version_column=version,
    )
    return compile_stream(source, table)


def run(
    compiled: CompiledStream,
    records: list[dict[str, str | None]],
    as_of: date = AS_OF,
    **typed: pa.Array,
) -> list[dict[str, Any]]:
    """The split records in the order of their raw rows; `typed` columns replace their texts."""
    texts = {
        name: pa.array([each.get(name) for each in records], pa.string())
        for name in compiled.raw_columns
    }
    table = pa.table({"_raw_row": pa.array(range(len(records)), pa.int64()), **texts, **typed})
    with session(threads=1) as connection:
        connection.register("records", table)
        query = f"SELECT * FROM ({compiled.split_sql('records', as_of)}) ORDER BY _raw_row"  # noqa: S608 - a test's own text
        rows: list[dict[str, Any]] = connection.sql(query).to_arrow_table().to_pylist()
        return rows


def typed_texts(
    sql_type: str, texts: list[str | None], zone: str = "Asia/Ho_Chi_Minh", **mapped: Any
) -> list[tuple[Any, list[str]]]:
    """Value and reasons of each text, typed into a column `value`."""
    compiled = _one_column(sql_type, zone, tuple(mapped.items()))
    rows = run(compiled, [{"id": str(number), "raw": text} for number, text in enumerate(texts)])
    return [(row["value"], list(row["_reasons"])) for row in rows]


@cache
def _one_column(sql_type: str, zone: str, mapped: tuple[tuple[str, Any], ...]) -> CompiledStream:
    return stream(
        [column("id"), column("value", sql_type)],
        [Mapped("id", "id"), Mapped("value", "raw", **dict(mapped))],
        ["id", "raw"],
        timezone=zone,
    )
