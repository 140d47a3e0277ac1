# ruff: noqa: S608 - the tests' own texts
"""Dossiers from a real PostgreSQL server into core: what is there equals what the table says."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from extract.errors import TerminalError, TransientError
from extract.explain import raw_record
from extract.raw import RawStore
from extract.read import open_stream
from pipeline.ingest import window_of
from tests.unit.extract.dossier_source import SOURCE, TABLE_SQL, compiled, windowed
from tests.unit.extract.postgres_server import Postgres
from warehouse.contract.compiler import CompiledStream
from warehouse.contract.problem import ContractError
from warehouse.duck import session
from warehouse.lake import Lake
from warehouse.load import LoadResult, load_stream
from warehouse.paths import CityPaths
from warehouse.views import quarantine_sql, relation_sql

DAY = date(2025, 7, 4)
COUNT = 2_000
FILL = f"""
INSERT INTO one_stop.dossier
SELECT 'HS-' || lpad(g::text, 6, '0'), 'TT' || g % 7, (ARRAY['full', 'partial', NULL])[1 + g % 3],
    'Sở ' || g % 5, (ARRAY['online', 'counter', 'post'])[1 + g % 3],
    CASE WHEN g % 2 = 0 THEN 'completed' ELSE 'in_progress' END, received,
    received + interval '5 days', CASE WHEN g % 2 = 0 THEN received + g * interval '1 minute' END,
    received + g * interval '1 minute', '20' || 194 + g % 3, CASE WHEN g % 2 = 0 THEN g % 4 = 0 END,
    (g % 9) * 50000, 'Nguyễn Văn ' || g, '0905' || g, '0490' || g
FROM (SELECT g, timestamptz '2025-06-01 00:00+07' + g * interval '15 minutes' AS received
    FROM generate_series(1, {COUNT}) g) AS numbered
"""


@pytest.fixture
def postgres(postgres_session: Postgres) -> Iterator[Postgres]:
    postgres_session.run("CREATE SCHEMA one_stop", TABLE_SQL, FILL)
    yield postgres_session
    postgres_session.run("DROP SCHEMA one_stop CASCADE")


class City:
    """A small lake that is fed from the server."""

    def __init__(self, folder: Path, postgres: Postgres, text: str = SOURCE) -> None:
        self.paths = CityPaths(folder / "home", "town")
        self.paths.create()
        self.lake = Lake(self.paths)
        self.store = RawStore(self.paths)
        self.stream: CompiledStream = compiled(folder, text)
        self._uri = postgres.uri

    def load(self, day: date = DAY) -> LoadResult:
        source = self.stream.source
        snapshot = self.lake.snapshot("core", "dossier")
        window = window_of(source, day, snapshot.as_of(source.id) if snapshot else None)
        environ = {"ONE_STOP": self._uri}
        reader = open_stream(
            source, self.stream.raw_columns, self.store, window, environ, self.paths.root
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
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(f"SELECT {columns} FROM ({select}) ORDER BY 1").fetchall()

    def hold(self, postgres: Postgres) -> None:
        """Core holds exactly what the table says, read by a plain client."""
        with psycopg.connect(postgres.uri) as connection:
            expected = [
                (*row[:6], *(each and each.astimezone(UTC) for each in row[6:10]), *row[10:])
                for row in connection.execute(
                    "SELECT id, procedure, level, office, channel, status, received, due, finished,"
                    " changed, ward, digital, fee, (received AT TIME ZONE 'Asia/Ho_Chi_Minh')::date"
                    " FROM one_stop.dossier ORDER BY id"
                ).fetchall()
            ]
        found = self.rows(
            "dossier_id, procedure_code, procedure_level, agency_responsible, channel, status,"
            " received_at, due_at, completed_at, updated_at, area_code, is_digitised_result,"
            " fee_vnd, received_date"
        )
        assert [
            (*row[:6], *(each and each.astimezone(UTC) for each in row[6:10]), *row[10:])
            for row in found
        ] == expected


def test_core_equals_the_table_and_reading_twice_changes_nothing(
    postgres: Postgres, tmp_path: Path
) -> None:
    city = City(tmp_path, postgres)
    first = city.load()
    assert (first.records_in, first.counts["new"], first.counts["quarantined"]) == (COUNT, COUNT, 0)
    city.hold(postgres)
    second = city.load()
    assert second.counts == {**dict.fromkeys(first.counts, 0), "unchanged": COUNT}
    assert second.version_after == first.version_after
    assert second.raw_digests == first.raw_digests
    stored = [city.store.open(digest).read() for digest, _ in city.store.stored()]
    assert not any("Nguyễn".encode() in each or b"0905" in each for each in stored)


def test_a_snapshot_notices_what_is_gone_and_what_changed(
    postgres: Postgres, tmp_path: Path
) -> None:
    city = City(tmp_path, postgres)
    city.load()
    postgres.run(
        "DELETE FROM one_stop.dossier WHERE id = 'HS-000007'",
        "UPDATE one_stop.dossier SET status = 'withdrawn', changed = changed + interval '1 day'"
        " WHERE id = 'HS-000009'",
        "INSERT INTO one_stop.dossier (id, procedure, channel, status, received, changed)"
        " VALUES ('Hồ sơ ''mới''', 'TT1', 'post', 'received', '2025-07-03', '2025-07-03')",
    )
    result = city.load(DAY + timedelta(days=1))
    assert (result.deleted, result.counts["changed"], result.counts["new"]) == (1, 1, 1)
    city.hold(postgres)
    postgres.run("DELETE FROM one_stop.dossier")
    assert city.load(DAY + timedelta(days=2)).held_back
    assert len(city.rows("dossier_id")) == COUNT


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM one_stop.dossier", "no good record"),
        ("DELETE FROM one_stop.dossier WHERE id > 'HS-000999'", "more than the share 0.5"),
        ("UPDATE one_stop.dossier SET id = id || '-moi'", "more than the share 0.5"),
        ("UPDATE one_stop.dossier SET received = 'infinity', finished = NULL", "no good record"),
    ],
    ids=["empty", "over the share", "other keys", "nothing good"],
)
def test_a_snapshot_that_is_not_to_be_trusted_deletes_nothing(
    postgres: Postgres, tmp_path: Path, statement: str, says: str
) -> None:
    city = City(tmp_path, postgres)
    city.load()
    before = set(city.rows("dossier_id"))
    postgres.run(statement)
    result = city.load(DAY + timedelta(days=1))
    assert result.deleted == 0
    assert says in (result.held_back or "")
    assert before <= set(city.rows("dossier_id"))


def test_an_older_snapshot_deletes_nothing_and_a_row_may_come_back(
    postgres: Postgres, tmp_path: Path
) -> None:
    city = City(tmp_path, postgres)
    city.load(DAY + timedelta(days=1))
    gone = "WHERE id BETWEEN 'HS-000005' AND 'HS-000007'"
    postgres.run(
        f"CREATE TABLE one_stop.kept AS SELECT * FROM one_stop.dossier {gone}",
        f"DELETE FROM one_stop.dossier {gone}",
    )
    replayed = city.load(DAY)
    assert replayed.deleted == 0
    assert "is older than" in (replayed.held_back or "")
    assert len(city.rows("dossier_id")) == COUNT
    assert city.load(DAY + timedelta(days=2)).deleted == 3
    city.hold(postgres)
    postgres.run("INSERT INTO one_stop.dossier SELECT * FROM one_stop.kept")
    assert city.load(DAY + timedelta(days=3)).counts["changed"] == 3
    city.hold(postgres)


LOST = {
    "a column": (
        "ALTER TABLE one_stop.dossier DROP COLUMN changed",
        "missing_column",
        "missing columns: 'changed'",
    ),
    "the table": (
        "ALTER TABLE one_stop.dossier RENAME TO ho_so",
        "missing_table",
        "there is no such table",
    ),
    "a type": (
        "ALTER TABLE one_stop.dossier ALTER received TYPE text",
        "type",
        "declared as timestamp, but the table has text",
    ),
}


@pytest.mark.parametrize(("statement", "rule", "says"), LOST.values(), ids=LOST)
def test_a_table_that_lost_something_leaves_core(
    postgres: Postgres, tmp_path: Path, statement: str, rule: str, says: str
) -> None:
    city = City(tmp_path, postgres)
    city.load()
    before = city.rows("dossier_id, status, _as_of")
    postgres.run("CREATE TABLE one_stop.kept AS SELECT * FROM one_stop.dossier", statement)
    with pytest.raises(TerminalError) as caught:
        city.load(DAY + timedelta(days=1))
    assert caught.value.rule == rule
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert city.rows("dossier_id, status, _as_of") == before
    postgres.run(
        "DROP TABLE IF EXISTS one_stop.dossier, one_stop.ho_so",
        "ALTER TABLE one_stop.kept RENAME TO dossier",
        "DELETE FROM one_stop.dossier WHERE id = 'HS-000001'",
    )
    assert city.load(DAY + timedelta(days=1)).deleted == 1
    city.hold(postgres)


def _ended_after_the_first_object(
    monkeypatch: pytest.MonkeyPatch, postgres: Postgres, happens: int = 1
) -> list[str]:
    """End the reading session once an object is stored; the names of what was stored."""
    put, stored = RawStore.put, []

    def putting(store: RawStore, *arguments: Any, **options: Any) -> Any:
        raw = put(store, *arguments, **options)
        stored.append(raw.name)
        if len(stored) <= happens:
            ended = postgres.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'citylake'"
            )
            assert ended == [(True,)]
        return raw

    monkeypatch.setattr(RawStore, "put", putting)
    return stored


MANY = 60_000
LARGE = f"""
INSERT INTO one_stop.dossier (id, procedure, office, channel, status, received, changed)
SELECT 'HT-' || lpad(g::text, 6, '0'), 'TT1', repeat('x', 500), 'post', 'received',
    '2025-07-01', '2025-07-01' FROM generate_series(1, {MANY}) g
"""


def test_a_session_that_is_ended_leaves_core_and_the_next_run_completes(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = City(
        tmp_path, postgres, SOURCE.replace("object_rows: 500", "object_rows: 500, attempts: 1")
    )
    city.load()
    before = city.rows("dossier_id, _as_of")
    postgres.run("DELETE FROM one_stop.dossier WHERE id = 'HS-000007'", LARGE)
    with monkeypatch.context() as patch:
        _ended_after_the_first_object(patch, postgres)
        with pytest.raises(TransientError) as caught:
            city.load(DAY + timedelta(days=1))
    assert caught.value.rule in ("cut_connection", "connection")
    assert str(caught.value).startswith("source public_services.dossiers, file one_stop.dossier: ")
    assert "\n" not in str(caught.value)
    assert city.rows("dossier_id, _as_of") == before
    result = city.load(DAY + timedelta(days=1))
    assert (result.deleted, result.counts["new"]) == (1, MANY)
    city.hold(postgres)


def test_a_session_that_is_ended_is_taken_up_and_deletes_what_is_gone_alone(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = City(
        tmp_path,
        postgres,
        SOURCE.replace("object_rows: 500", "object_rows: 500, backoff_seconds: 0.01"),
    )
    city.load()
    postgres.run("DELETE FROM one_stop.dossier WHERE id = 'HS-000007'", LARGE)
    with monkeypatch.context() as patch:
        stored = _ended_after_the_first_object(patch, postgres)
        result = city.load(DAY + timedelta(days=1))
    assert len(stored) > MANY / 500
    assert (result.deleted, result.counts["new"], result.held_back) == (1, MANY, None)
    # What was received last comes once more, and nothing else does.
    assert 0 < result.counts["duplicate"] <= 2
    city.hold(postgres)


def test_a_window_brings_what_was_updated(postgres: Postgres, tmp_path: Path) -> None:
    city = City(tmp_path, postgres, windowed())
    late = "INSERT INTO one_stop.dossier (id, procedure, channel, status, received, changed) VALUES"
    assert city.load().records_in == COUNT
    postgres.run(
        f"{late} ('tomorrow', 'TT1', 'post', 'received', '2025-07-03', '2025-07-06 00:00+07')",
        f"{late} ('overlap', 'TT1', 'post', 'received', '2025-07-03', '2025-07-04 00:00+07')",
        "UPDATE one_stop.dossier SET fee = 7, changed = '2025-07-05 12:00+07'"
        " WHERE id = 'HS-000001'",
    )
    second = city.load(DAY + timedelta(days=1))
    assert (second.records_in, second.counts["new"], second.counts["changed"]) == (2, 1, 1)
    third = city.load(DAY + timedelta(days=2))
    assert (third.counts["new"], third.counts["unchanged"]) == (1, 1)
    city.hold(postgres)


BAD = {
    "channel:enum": "channel = 'fax'",
    "completed_at:completed_not_before_received": "finished = received - interval '1 minute'",
    "completed_at:completed_has_completed_at": "finished = NULL",
    "completed_at:open_has_no_completed_at": "status = 'received', digital = NULL",
    "completed_at:completed_not_in_future": "finished = '2025-07-05 00:00+07'",
    "completed_at:type": "finished = 'infinity'",
    "due_at:due_not_before_received": "due = received - interval '1 second'",
    "received_at:received_not_in_future": (
        "received = '2025-07-05 00:00+07', changed = '2025-07-05 00:00+07', due = NULL,"
        " finished = NULL, status = 'received', digital = NULL"
    ),
    "received_at:type": "received = '-infinity'",
    "updated_at:updated_not_before_received": "changed = received - interval '1 second'",
    "is_digitised_result:result_needs_completion": "status = 'rejected', digital = true",
    "fee_vnd:range": "fee = -1",
}


def test_each_rule_sets_its_record_aside(postgres: Postgres, tmp_path: Path) -> None:
    ids = [f"HS-{2 * number + 2:06d}" for number in range(len(BAD))]
    changes = (
        f"UPDATE one_stop.dossier SET {change} WHERE id = '{name}'"
        for name, change in zip(ids, BAD.values(), strict=True)
    )
    postgres.run(*changes)
    city = City(tmp_path, postgres)
    result = city.load()
    found = {
        json.loads(text)["dossier_id"]: tuple(reasons)
        for text, reasons in city.rows("key_text, reasons", quarantine=True)
    }
    assert found == dict(zip(ids, ((reason,) for reason in BAD), strict=True))
    assert result.counts["quarantined"] == len(BAD)


def test_numbers_that_do_not_fit_are_set_aside_one_by_one(
    postgres: Postgres, tmp_path: Path
) -> None:
    postgres.run("ALTER TABLE one_stop.dossier ALTER fee TYPE numeric")
    values = ["NaN", "Infinity", "1e30", "9223372036854775808", "1.5", "50000.00", "7"]
    for number, value in enumerate(values):
        postgres.run(
            f"UPDATE one_stop.dossier SET fee = '{value}' WHERE id = 'HS-00000{number + 1}'"
        )
    text = SOURCE.replace("{name: fee, logicalType: integer}", "{name: fee, logicalType: number}")
    city = City(tmp_path, postgres, text)
    result = city.load()
    reasons = Counter(
        reason for (each,) in city.rows("reasons", quarantine=True) for reason in each
    )
    assert reasons == {"fee_vnd:type": 6}
    assert result.counts["new"] == COUNT - 6
    assert ("HS-000007", 7) in city.rows("dossier_id, fee_vnd")


def test_a_record_is_found_again_without_the_server(postgres: Postgres, tmp_path: Path) -> None:
    postgres.run("UPDATE one_stop.dossier SET finished = 'infinity' WHERE id = 'HS-000002'")
    city = City(tmp_path, postgres)
    result = city.load()
    found = raw_record(city.stream.source, city.store, result.raw_digests[0], 1)
    assert isinstance(found, dict)
    assert (found["id"], found["finished"]) == ("HS-000002", datetime(9999, 12, 31, tzinfo=UTC))


CONTRADICTIONS = {
    "another format": ("{kind: arrow}", "{kind: csv}", "transport postgres delivers format arrow"),
    "range without cursor": ("cursor_column: changed,", "", "need each other"),
    "range of a snapshot": ("  - {property: cursor, value: window}\n", "", "needs cursor: window"),
    "unknown key": ("key: id,", "key: ident,", "no column 'ident'"),
    "cursor of another type": ("cursor_column: changed", "cursor_column: ward", "column 'ward'"),
    "free SQL": ("key: id,", "key: id, query: SELECT 1,", "query"),
    "an address": ("uri_env: ONE_STOP", "uri_env: 'postgresql://a:b@c/d'", "uri_env"),
}


@pytest.mark.parametrize(("old", "new", "told"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_contract_that_contradicts_itself(tmp_path: Path, old: str, new: str, told: str) -> None:
    compiled(tmp_path, windowed())
    assert old in windowed()
    with pytest.raises(ContractError) as caught:
        compiled(tmp_path, windowed().replace(old, new, 1))
    assert any(told in str(each) for each in caught.value.problems)
