# ruff: noqa: S608 - the tests' own texts
"""Pairs of transport and format that nothing was written for: they work by the contract alone."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from extract.errors import TerminalError
from extract.explain import raw_record
from extract.raw import RawStore
from extract.read import open_stream
from pipeline.ingest import window_of
from tests.unit.extract.dossier_source import SOURCE
from tests.unit.extract.postgres_server import Postgres
from tests.unit.extract.server import Answer, serve
from warehouse.city import TABLES
from warehouse.contract.compiler import CompiledStream, compile_stream
from warehouse.contract.problem import ContractError
from warehouse.contract.read import read_table
from warehouse.contract.read_source import read_source
from warehouse.duck import session
from warehouse.lake import Lake
from warehouse.load import LoadResult, load_stream
from warehouse.paths import CityPaths
from warehouse.views import quarantine_sql, relation_sql

DAY = date(2025, 7, 4)
PERMITS = """\
apiVersion: v3.1.0
kind: DataContract
id: public_services.permits
name: permits
version: 1.0.0
status: active
description:
  purpose: Giấy phép trong tệp nén | Permits in an archive
customProperties:
  - {property: contractKind, value: source}
  - {property: agency, value: office}
  - {property: serviceGroup, value: 2}
  - {property: timezone, value: Asia/Ho_Chi_Minh}
  - {property: drift, value: freeze}
  - {property: deletes, value: absence}
  - {property: maxDeleteShare, value: 0.9}
servers:
  - server: archive
    type: custom
    customProperties:
      - property: transport
        value: {kind: http, url_env: ARCHIVE, member: "permits/*.csv", attempts: 1}
      - property: format
        value: {kind: csv, delimiter: ";", encoding: auto}
schema:
  - name: permit
    logicalType: object
    physicalType: raw
    properties:
      - {name: Số hồ sơ, logicalType: string}
      - {name: Thủ tục, logicalType: string}
      - {name: Nộp, logicalType: string}
  - name: dossier
    logicalType: object
    physicalType: table
    properties:
      - {name: dossier_id, logicalType: string, transformLogic: '"Số hồ sơ"'}
      - {name: procedure_code, logicalType: string, transformLogic: '"Thủ tục"'}
      - {name: status, logicalType: string, transformLogic: "'received'"}
      - name: received_at
        logicalType: timestamp
        transformLogic: '"Nộp"'
        customProperties:
          - {property: formats, value: ["%d/%m/%Y %H:%M"]}
"""
# The contract of dossiers in columns, reading one column of texts in their place.
TEXTS = (
    SOURCE.replace("key: id,", "key: number, text_column: payload,")
    .replace("{kind: arrow}", "{kind: ndjson}")
    .replace("table: dossier, ", "table: message, ")
)
for _name in ("received", "due", "finished", "changed"):
    TEXTS = TEXTS.replace(
        f"{{name: {_name}, logicalType: timestamp}}", f"{{name: {_name}, logicalType: string}}"
    )
for _name, _raw in (
    ("received_at", "received"),
    ("due_at", "due"),
    ("completed_at", "finished"),
    ("updated_at", "changed"),
):
    _old = f"      - {{name: {_name}, logicalType: timestamp, transformLogic: {_raw}}}\n"
    assert _old in TEXTS
    TEXTS = TEXTS.replace(
        _old,
        f"      - name: {_name}\n        logicalType: timestamp\n        transformLogic: {_raw}\n"
        "        customProperties:\n          - {property: formats, value: [iso8601]}\n",
    )


class City:
    """A small lake that one contract feeds."""

    def __init__(self, folder: Path, text: str, environ: dict[str, str]) -> None:
        self.paths = CityPaths(folder / "home", "town")
        self.paths.create()
        self.lake, self.store = Lake(self.paths), RawStore(self.paths)
        self.stream = compiled(folder, text)
        self._environ = environ

    def load(self, day: date = DAY) -> LoadResult:
        source = self.stream.source
        snapshot = self.lake.snapshot("core", "dossier")
        window = window_of(source, day, snapshot.as_of(source.id) if snapshot else None)
        reader = open_stream(
            source, self.stream.raw_columns, self.store, window, self._environ, self.paths.root
        )
        return load_stream(
            self.lake, self.stream, reader, day,
            full_snapshot=source.cursor == "none", journal=self.paths.journal,
        )  # fmt: skip

    def rows(self, columns: str, *, quarantine: bool = False) -> list[tuple[Any, ...]]:
        snapshot = self.lake.snapshot("quarantine" if quarantine else "core", "dossier")
        assert snapshot is not None
        select = (
            quarantine_sql(snapshot)
            if quarantine
            else relation_sql(snapshot, self.stream.table, live=True)
        )
        with session() as connection:
            return connection.execute(f"SELECT {columns} FROM ({select}) ORDER BY 1").fetchall()


def compiled(folder: Path, text: str) -> CompiledStream:
    """The stream of a contract's text over the packaged table contract."""
    name = text.partition("\nname: ")[2].partition("\n")[0]
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return compile_stream(
        read_source(path, f"public_services.{name}"), read_table(TABLES / "dossier.yaml")
    )


# CSV in a zip over HTTP


def archive(members: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return held.getvalue()


MEMBERS = {
    "README.txt": b"not a table",
    "permits/2025-06.csv": (
        "Số hồ sơ;Thủ tục;Nộp\nA1;XD;01/06/2025 08:00\nA2;XD;31/02/2025 08:00\n"
    ).encode("utf-16"),
    "permits/2025-07.csv": '\ufeffSố hồ sơ;Thủ tục;Nộp\nB1;"X;D";02/07/2025 08:00\n'.encode(),
}


def test_csv_in_a_zip_over_http(tmp_path: Path) -> None:
    with serve(lambda asked, before: Answer(archive(MEMBERS))) as server:
        city = City(tmp_path, PERMITS, {"ARCHIVE": f"{server.url}/permits.zip"})
        first, second = city.load(), city.load(DAY + timedelta(days=1))
    plain = {
        row["Số hồ sơ"]: row["Thủ tục"]
        for name in ("permits/2025-06.csv", "permits/2025-07.csv")
        for row in csv.DictReader(
            io.StringIO(MEMBERS[name].decode("utf-16" if "06" in name else "utf-8-sig")),
            delimiter=";",
        )
        if not row["Nộp"].startswith("31/02")
    }
    assert dict(city.rows("dossier_id, procedure_code")) == plain == {"A1": "XD", "B1": "X;D"}
    assert (first.counts["new"], first.counts["quarantined"]) == (2, 1)
    assert city.rows("reasons", quarantine=True) == [(["received_at:type"],)]
    assert second.counts["unchanged"] == 2
    assert len(first.raw_digests) == 2


BROKEN_ARCHIVES = {
    "no-member": (archive({"other.csv": b"a\n1\n"}), "zip"),
    "cut": (archive(MEMBERS)[:150], "zip"),
    "a-page-in-its-place": (b"<!doctype html><html></html>", "html"),
    "a-member-without-a-column": (archive({"permits/x.csv": b"a;b\n1;2\n"}), "missing_column"),
}


@pytest.mark.parametrize(("body", "rule"), BROKEN_ARCHIVES.values(), ids=BROKEN_ARCHIVES)
def test_a_broken_archive_loads_nothing(tmp_path: Path, body: bytes, rule: str) -> None:
    with serve(lambda asked, before: Answer(body)) as server:
        city = City(tmp_path, PERMITS, {"ARCHIVE": f"{server.url}/permits.zip"})
        with pytest.raises(TerminalError) as caught:
            city.load()
    assert caught.value.rule == rule
    assert "public_services.permits" in str(caught.value)
    assert city.lake.snapshot("core", "dossier") is None


# NDJSON from a text column of PostgreSQL


def document(number: int, **changes: Any) -> dict[str, Any]:
    found = {
        "id": f"HS-{number:04d}",
        "procedure": "TT1",
        "level": None,
        "office": "Sở Xây dựng\n“Một cửa”",
        "channel": "online",
        "status": "received",
        "received": "2025-07-01T08:00:00+07:00",
        "due": None,
        "finished": None,
        "changed": f"2025-07-02T08:00:{number % 60:02d}+07:00",
        "ward": "20194",
        "digital": None,
        "fee": 9_007_199_254_740_993,
    }
    return {**found, **changes}


@pytest.fixture
def postgres(postgres_session: Postgres) -> Iterator[Postgres]:
    postgres_session.run(
        "CREATE SCHEMA one_stop",
        "CREATE TABLE one_stop.message (number bigint PRIMARY KEY, payload text, secret text,"
        " changed timestamptz NOT NULL DEFAULT '2025-07-02 08:00+07')",
    )
    yield postgres_session
    postgres_session.run("DROP SCHEMA one_stop CASCADE")


def put(postgres: Postgres, *texts: str | None) -> None:
    with psycopg.connect(postgres.uri, autocommit=True) as connection:
        for text in texts:
            connection.execute(
                "INSERT INTO one_stop.message (number, payload, secret)"
                " SELECT coalesce(max(number), 0) + 1, %s, 'bí mật' FROM one_stop.message",
                (text,),
            )


@pytest.mark.parametrize("kind", ["text", "varchar", "json", "jsonb"])
def test_ndjson_from_a_column_of_postgresql(postgres: Postgres, tmp_path: Path, kind: str) -> None:
    postgres.run(f"ALTER TABLE one_stop.message ALTER payload TYPE {kind} USING payload::{kind}")
    texts = [
        json.dumps(document(number), indent=2 if number % 2 else None, ensure_ascii=number % 3 == 0)
        for number in range(1_200)
    ]
    put(postgres, *texts)
    city = City(tmp_path, TEXTS, {"ONE_STOP": postgres.uri})
    first, second = city.load(), city.load(DAY + timedelta(days=1))
    expected = [
        (one["id"], one["office"], one["fee"], one["area"])
        for one in ({**json.loads(text), "area": "20194"} for text in texts)
    ]
    assert city.rows("dossier_id, agency_responsible, fee_vnd, area_code") == expected
    assert first.counts["new"] == second.counts["unchanged"] == 1_200
    assert len(first.raw_digests) == 3
    stored = b"".join(city.store.open(digest).read() for digest, _ in city.store.stored())
    assert stored.count(b"\n") == 1_200
    assert "bí mật".encode() not in stored
    found = raw_record(city.stream.source, city.store, first.raw_digests[1], 7)
    assert isinstance(found, dict)
    assert found["id"] == "HS-0507"


def test_texts_that_are_no_record_are_accounted_for(postgres: Postgres, tmp_path: Path) -> None:
    good = json.dumps(document(1))
    put(postgres, good, None, "", "{", "[1]", "no json", json.dumps(document(2, channel="fax")))
    city = City(tmp_path, TEXTS, {"ONE_STOP": postgres.uri})
    result = city.load()
    assert (result.counts["new"], result.counts["quarantined"]) == (1, 4)
    reasons = sorted(reason for (each,) in city.rows("reasons", quarantine=True) for reason in each)
    assert reasons == ["channel:enum", "row:json", "row:json", "row:json"]


def test_a_column_of_texts_without_rows(postgres: Postgres, tmp_path: Path) -> None:
    city = City(tmp_path, TEXTS, {"ONE_STOP": postgres.uri})
    assert city.load().records_in == 0
    put(postgres, json.dumps(document(1)))
    assert city.load(DAY + timedelta(days=1)).counts["new"] == 1
    postgres.run("DELETE FROM one_stop.message")
    assert city.load(DAY + timedelta(days=2)).held_back
    assert city.rows("dossier_id") == [("HS-0001",)]


BY_UPDATE = TEXTS
for _old, _new in {
    "  - {property: deletes, value: absence}\n": "  - {property: cursor, value: window}\n",
    "text_column: payload,": "text_column: payload, cursor_column: changed,",
    "        value: {kind: ndjson}\n": "        value: {kind: ndjson}\n"
    "      - property: protocol\n        value: {kind: updated_range}\n",
}.items():
    assert _old in BY_UPDATE
    BY_UPDATE = BY_UPDATE.replace(_old, _new)


def test_texts_are_read_by_the_time_of_update(postgres: Postgres, tmp_path: Path) -> None:
    put(postgres, json.dumps(document(1)), json.dumps(document(2)))
    city = City(tmp_path, BY_UPDATE, {"ONE_STOP": postgres.uri})
    assert city.load().counts["new"] == 2
    later = json.dumps(document(2, status="in_progress", changed="2025-07-05T09:00:00+07:00"))
    postgres.run(
        f"UPDATE one_stop.message SET changed = '2025-07-05 09:00+07', payload = '{later}'"
        " WHERE number = 2"
    )
    second = city.load(DAY + timedelta(days=1))
    assert (second.records_in, second.counts["changed"]) == (1, 1)
    assert city.rows("dossier_id, status")[1] == ("HS-0002", "in_progress")


def test_texts_go_on_where_the_server_went_away(postgres: Postgres, tmp_path: Path) -> None:
    put(postgres, *(json.dumps(document(number, office="x" * 9_000)) for number in range(1_500)))
    stream = compiled(tmp_path, TEXTS)
    store = RawStore(CityPaths(tmp_path / "home", "town"))
    window = window_of(stream.source, DAY, None)
    reader = open_stream(
        stream.source, stream.raw_columns, store, window, {"ONE_STOP": postgres.uri}, tmp_path
    )
    ids = [row["id"] for row in next(reader).records.to_pylist()]
    postgres.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'citylake'"
    )
    ids += [row["id"] for batch in reader for row in batch.records.to_pylist()]
    assert sorted(set(ids)) == [f"HS-{number:04d}" for number in range(1_500)]
    assert len(ids) == 1_501  # the row at which the next session begins comes again


SERVER_SIDE = {
    "no-column": ("text_column: payload", "text_column: content", "missing_column"),
    "no-key": ("key: number", "key: id", "missing_column"),
    "no-text": ("text_column: payload", "text_column: changed", "type"),
    "no-table": ("table: message", "table: letter", "missing_table"),
}


@pytest.mark.parametrize(("old", "new", "rule"), SERVER_SIDE.values(), ids=SERVER_SIDE)
def test_a_table_without_such_texts(
    postgres: Postgres, tmp_path: Path, old: str, new: str, rule: str
) -> None:
    assert old in TEXTS
    city = City(tmp_path, TEXTS.replace(old, new), {"ONE_STOP": postgres.uri})
    with pytest.raises(TerminalError) as caught:
        city.load()
    assert caught.value.rule == rule


def test_a_cursor_that_is_no_instant(postgres: Postgres, tmp_path: Path) -> None:
    text = BY_UPDATE.replace("cursor_column: changed", "cursor_column: secret")
    city = City(tmp_path, text, {"ONE_STOP": postgres.uri})
    with pytest.raises(TerminalError) as caught:
        city.load()
    assert caught.value.rule == "type"


REFUSED = {
    "texts as arrow": ("{kind: ndjson}", "{kind: arrow}"),
    "texts as csv": ("{kind: ndjson}", "{kind: csv}"),
    "columns as ndjson": ("text_column: payload,", ""),
}


@pytest.mark.parametrize(("old", "new"), REFUSED.values(), ids=REFUSED)
def test_a_contract_that_pairs_what_does_not_fit(tmp_path: Path, old: str, new: str) -> None:
    assert old in TEXTS
    with pytest.raises(ContractError) as caught:
        compiled(tmp_path, TEXTS.replace(old, new))
    assert any("with text_column, format ndjson" in str(each) for each in caught.value.problems)
