# ruff: noqa: S608 - the tests' own texts
"""PostgreSQL as a source, against a real server."""

import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql

from extract.errors import SourceError, TerminalError, TransientError
from extract.raw import RawStore
from extract.window import Window
from tests.unit.extract.postgres_server import CLERK, PASSWORD, Postgres
from warehouse.contract.model import RawColumn
from warehouse.paths import CityPaths

ARROW = {"kind": "arrow"}
ID_AND_LABEL = [RawColumn("id", "integer"), RawColumn("label")]


@pytest.fixture
def postgres(postgres_session: Postgres) -> Postgres:
    return postgres_session


@pytest.fixture
def table(postgres: Postgres) -> Iterator[str]:
    """Name of a table that the test makes; it is gone afterwards."""
    yield "entry"
    postgres.run("DROP TABLE IF EXISTS entry CASCADE")


class Source:
    """Opens streams over a table of the server."""

    def __init__(self, open_source: Any, uri: str) -> None:
        self._open = open_source
        self.uri = uri

    def __call__(self, columns: list[str | RawColumn], **given: Any) -> Any:
        options = {"uri_env": "DATABASE", "table": "entry", "key": "id", "backoff_seconds": 0.01}
        transport = {"kind": "postgres", **options, **given.pop("transport", {})}
        environ = {"DATABASE": given.pop("uri", self.uri)}
        return self._open(columns, transport=transport, format=ARROW, environ=environ, **given)


@pytest.fixture
def source(open_source: Any, postgres: Postgres) -> Source:
    return Source(open_source, postgres.uri)


def make_entries(postgres: Postgres, count: int = 10) -> None:
    postgres.run(
        "CREATE TABLE entry (id bigint PRIMARY KEY, label text)",
        f"INSERT INTO entry SELECT g, 'label ' || g FROM generate_series(1, {count}) g",
    )


# --- what arrives ------------------------------------------------------------------------------

TYPES = """
CREATE TYPE mood AS ENUM ('vui', 'buồn');
CREATE DOMAIN code AS varchar(8);
CREATE TABLE entry (
    id uuid PRIMARY KEY, word text, short varchar(5), fixed char(4), kind mood, local timestamp,
    body jsonb, named code, small smallint, whole integer, large bigint, exact numeric,
    scaled numeric(12,2), rough double precision, single real, yes boolean, day date,
    moment timestamptz
)
"""
FIRST = "11111111-1111-1111-1111-111111111111"
SECOND = "22222222-2222-2222-2222-222222222222"
VALUES = f"""
INSERT INTO entry VALUES
    ('{FIRST}', 'Đà Nẵng — 😀 ''x''', 'ế', 'ab', 'buồn',
     '2025-03-30 02:30:00.123456', '{{"a": "ỗ"}}', 'c-1', -5, 7, 9007199254740993,
     123456789012345678901234567890.000000000123, 0.10, 0.1, 0.1, true, '2025-06-30',
     '2025-06-30 23:59:59.999999+07');
INSERT INTO entry (id) VALUES ('{SECOND}')
"""
TYPED_COLUMNS: list[str | RawColumn] = [
    *("id", "word", "short", "fixed", "kind", "local", "body", "named"),
    *(RawColumn(name, "integer") for name in ("small", "whole", "large")),
    *(RawColumn(name, "number") for name in ("exact", "scaled", "rough", "single")),
    RawColumn("yes", "boolean"),
    RawColumn("day", "date"),
    RawColumn("moment", "timestamp"),
]


@pytest.fixture
def _types(postgres: Postgres, table: str) -> Iterator[None]:
    postgres.run(TYPES, VALUES)
    yield
    postgres.run("DROP TABLE entry", "DROP TYPE mood", "DROP DOMAIN code")


@pytest.mark.usefixtures("_types")
def test_every_type_arrives_as_it_is_declared(source: Source) -> None:
    opened = source(TYPED_COLUMNS).read()
    first, second = opened.rows()
    assert first == {
        "id": FIRST,
        "word": "Đà Nẵng — 😀 'x'",
        "short": "ế",
        "fixed": "ab",
        "kind": "buồn",
        "local": "2025-03-30 02:30:00.123456",
        "body": '{"a": "ỗ"}',
        "named": "c-1",
        "small": -5,
        "whole": 7,
        "large": 9007199254740993,
        "exact": "123456789012345678901234567890.000000000123",
        "scaled": "0.10",
        "rough": "0.1",
        "single": "0.1",
        "yes": True,
        "day": date(2025, 6, 30),
        "moment": datetime(2025, 6, 30, 16, 59, 59, 999999, tzinfo=UTC),
        "_raw_row": 0,
    }
    assert set(second.values()) == {SECOND, None, 1}
    assert {str(each) for each in opened.batches[0].records.schema.types} == {
        "string", "int64", "bool", "date32[day]", "timestamp[us, tz=UTC]",
    }  # fmt: skip


def test_what_arrow_cannot_hold_comes_as_the_end_of_the_calendar(
    postgres: Postgres, table: str, source: Source
) -> None:
    postgres.run(
        "CREATE TABLE entry (id int PRIMARY KEY, day date, moment timestamptz, exact numeric)",
        "INSERT INTO entry VALUES (1, 'infinity', '-infinity', 'NaN'),"
        " (2, '0044-03-15 BC', '294276-12-31 00:00+00', '-Infinity')",
    )
    columns = [
        RawColumn("id", "integer"), RawColumn("day", "date"), RawColumn("moment", "timestamp"),
        RawColumn("exact", "number"),
    ]  # fmt: skip
    found = [tuple(row.values())[1:4] for row in source(columns).read().rows()]
    assert found == [
        (date(9999, 12, 31), datetime(1, 1, 2, tzinfo=UTC), "NaN"),
        (date(1, 1, 1), datetime(9999, 12, 31, tzinfo=UTC), "-Infinity"),
    ]


def test_raw_objects_hold_so_many_rows_each_and_are_the_same_when_read_again(
    postgres: Postgres, table: str, source: Source, store: RawStore
) -> None:
    make_entries(postgres, 25)
    opened = source(ID_AND_LABEL, transport={"object_rows": 10}).read()
    summary = opened.reader.summary
    assert [batch.records.num_rows for batch in opened.batches] == [10, 10, 5]
    assert summary.names == [f"public.entry page {number}" for number in (1, 2, 3)]
    assert opened.column("id") == list(range(1, 26))
    assert opened.column("_raw_row") == [*range(10), *range(10), *range(5)]
    again = source(ID_AND_LABEL, transport={"object_rows": 10}).read()
    assert again.reader.summary.digests == summary.digests
    assert {digest for digest, _ in store.stored()} == set(summary.digests)


@pytest.mark.parametrize("rows", [9, 10, 11], ids=["shorter", "exact", "longer"])
def test_the_end_of_a_table_may_be_the_end_of_an_object(
    postgres: Postgres, table: str, source: Source, rows: int
) -> None:
    make_entries(postgres, rows)
    opened = source(ID_AND_LABEL, transport={"object_rows": 10}).read()
    assert opened.column("id") == list(range(1, rows + 1))
    assert opened.reader.summary.objects == (2 if rows > 10 else 1)


def test_an_empty_table_is_an_object_without_records(
    postgres: Postgres, table: str, source: Source
) -> None:
    make_entries(postgres, 0)
    summary = source(ID_AND_LABEL).read().reader.summary
    assert (summary.objects, summary.records) == (1, 0)


def test_a_view_and_another_schema(postgres: Postgres, table: str, source: Source) -> None:
    make_entries(postgres, 3)
    postgres.run(
        'CREATE SCHEMA "một cửa"',
        'CREATE VIEW "một cửa"."Hồ sơ" AS SELECT id, label FROM entry WHERE id > 1',
    )
    try:
        transport = {"schema": "một cửa", "table": "Hồ sơ"}
        assert source(ID_AND_LABEL, transport=transport).read().column("id") == [2, 3]
    finally:
        postgres.run('DROP SCHEMA "một cửa" CASCADE')


def test_one_state_is_read_whatever_others_commit(
    postgres: Postgres, table: str, source: Source
) -> None:
    make_entries(postgres, 200_000)
    opened = source(ID_AND_LABEL, transport={"object_rows": 1_000})
    first = next(opened.reader)
    postgres.run(
        "UPDATE entry SET label = 'late'", "DELETE FROM entry WHERE id % 2 = 0",
        "INSERT INTO entry VALUES (200001, 'late')",
    )  # fmt: skip
    opened.batches.append(first)
    opened.read()
    assert opened.column("label") == [f"label {number}" for number in range(1, 200_001)]


def test_the_session_says_who_reads_and_can_write_nothing(
    postgres: Postgres, table: str, source: Source
) -> None:
    make_entries(postgres, 200_000)
    opened = source(ID_AND_LABEL, transport={"object_rows": 1_000})
    next(opened.reader)
    sessions = postgres.run(
        "SELECT state, wait_event_type FROM pg_stat_activity WHERE application_name = 'citylake'"
    )
    opened.reader.close()
    assert len(sessions) == 1
    postgres.run(
        "CREATE FUNCTION writes() RETURNS text LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO entry VALUES (0, 'written'); RETURN 'x'; END $$",
        "CREATE VIEW trap AS SELECT 1 AS id, writes() AS label",
    )
    try:
        with pytest.raises(TerminalError, match=r"the query fails while it runs \[query\]"):
            source(ID_AND_LABEL, transport={"table": "trap"}).read()
    finally:
        postgres.run("DROP VIEW trap", "DROP FUNCTION writes")
    assert postgres.run("SELECT count(*) FROM entry") == [(200_000,)]


# --- windows -----------------------------------------------------------------------------------

SINCE, UNTIL = "2025-06-30 17:00:00+00", "2025-07-01 17:00:00+00"
MOMENTS = {
    "before the overlap": "2025-06-29 16:59:59.999999+00",
    "start of the overlap": "2025-06-29 17:00:00+00",
    "last known": SINCE,
    "inside": "2025-07-01 03:00:00+00",
    "last instant": "2025-07-01 16:59:59.999999+00",
    "end": UNTIL,
    "no time": None,
    "endless": "infinity",
}


def make_moments(postgres: Postgres) -> None:
    postgres.run("CREATE TABLE entry (id text PRIMARY KEY, updated_at timestamptz)")
    with psycopg.connect(postgres.uri) as connection:
        connection.cursor().executemany("INSERT INTO entry VALUES (%s, %s)", list(MOMENTS.items()))


def window(since: str | None) -> Window:
    start = datetime.fromisoformat(since) if since else None
    return Window(date(2025, 7, 1), start, datetime.fromisoformat(UNTIL))


@pytest.mark.parametrize(
    ("since", "left_out"),
    [(SINCE, {"before the overlap", "end"}), (None, {"end"})],
    ids=["daily", "first"],
)
def test_a_window_is_half_open_and_reaches_back_by_the_overlap(
    postgres: Postgres, table: str, source: Source, since: str | None, left_out: set[str]
) -> None:
    make_moments(postgres)
    opened = source(
        ["id", RawColumn("updated_at", "timestamp")],
        transport={"cursor_column": "updated_at"},
        protocol={"kind": "updated_range"},
        cursor="window",
        overlap_seconds=86_400,
        window=window(since),
    ).read()
    assert set(opened.column("id")) == set(MOMENTS) - left_out


@pytest.mark.parametrize(
    "contract",
    [
        {"transport": {"cursor_column": "updated_at"}},
        {"protocol": {"kind": "updated_range"}, "cursor": "window"},
        {"protocol": {"kind": "updated_range"}, "transport": {"cursor_column": "updated_at"}},
        {"transport": {"key": "none"}},
        {"transport": {"key": []}},
        {"transport": {"table": ""}},
        {"transport": {"cursor_column": "none"}},
        {"transport": {"object_rows": 0}},
        {"transport": {"table": "a\0b"}},
        {"transport": {"query": "SELECT 1"}},
    ],
    ids=[
        "cursor without range", "range without cursor", "range of a snapshot", "unknown key",
        "no key", "no table", "unknown cursor", "no rows", "null character", "free SQL",
    ],
)  # fmt: skip
def test_a_contract_that_cannot_be_followed(
    postgres: Postgres, table: str, source: Source, contract: dict[str, Any]
) -> None:
    make_moments(postgres)
    with pytest.raises(TerminalError, match=r"source feedback\.test.*: .*\[contract\]"):
        source(["id", RawColumn("updated_at", "timestamp")], **contract).read()


# --- failures ----------------------------------------------------------------------------------


def failure(opened_by: Any) -> SourceError:
    """The error of a reading; no part of what a logger could print of it holds the password."""
    with pytest.raises(SourceError) as caught:
        opened_by()
    told = "".join(traceback.format_exception(caught.value, chain=True))
    error: BaseException | None = caught.value
    while error is not None:
        told += repr(error) + repr(error.args)
        error = error.__cause__ or error.__context__
    assert PASSWORD not in told
    assert f"{CLERK}:" not in told
    assert str(caught.value).startswith("source feedback.test")
    assert "\n" not in str(caught.value)
    return caught.value


ADDRESSES = {
    "wrong password": (f"postgresql://{CLERK}:{PASSWORD}x@/postgres?host={{socket}}", "account"),
    "no password": (f"postgresql://{CLERK}@/postgres?host={{socket}}", "account"),
    "unknown role": (f"postgresql://nobody:{PASSWORD}@/postgres?host={{socket}}", "account"),
    "unknown database": (f"postgresql://{CLERK}:{PASSWORD}@/none?host={{socket}}", "account"),
    "no address": (" ", "url"),
    "another scheme": (f"http://{CLERK}:{PASSWORD}@host/postgres", "url"),
    "key and value": (f"host=/tmp password={PASSWORD}", "url"),
    "open bracket": (f"postgresql://{CLERK}:{PASSWORD}@[::1/postgres", "url"),
    "blank in it": (f"postgresql://{CLERK}:{PASSWORD} x@/postgres", "url"),
    "unknown parameter": (f"postgresql://{CLERK}:{PASSWORD}@/postgres?hosts=/tmp", "url"),
    "wrong escape": (f"postgresql://{CLERK}:{PASSWORD}%zz@/postgres", "url"),
    "wrong port": (f"postgresql://{CLERK}:{PASSWORD}@host:port/postgres", "url"),
}


@pytest.mark.parametrize(("address", "rule"), ADDRESSES.values(), ids=ADDRESSES)
def test_an_address_that_will_never_do(
    postgres: Postgres, table: str, source: Source, address: str, rule: str
) -> None:
    make_entries(postgres)
    uri = address.format(socket=postgres.socket)
    error = failure(lambda: source(ID_AND_LABEL, uri=uri).read())
    assert isinstance(error, TerminalError)
    assert error.rule == rule


def test_the_right_password_is_taken(postgres: Postgres, table: str, source: Source) -> None:
    make_entries(postgres)
    postgres.run(f"GRANT SELECT ON entry TO {CLERK}")
    assert len(source(ID_AND_LABEL, uri=postgres.clerk_uri()).read().rows()) == 10


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://{CLERK}:{PASSWORD}@/postgres?host=/nowhere",
        f"postgresql://{CLERK}:{PASSWORD}@127.0.0.1:1/postgres",
        # The client takes what follows the first @ for the host, and its message says it.
        f"postgresql://{CLERK}:not@{PASSWORD}@nowhere.invalid/postgres",
    ],
    ids=["socket", "host", "password that holds the sign before a host"],
)
def test_a_server_that_is_away_is_tried_again(source: Source, address: str) -> None:
    opened = source(ID_AND_LABEL, uri=address, transport={"attempts": 3})
    error = failure(opened.read)
    assert isinstance(error, TransientError)
    assert error.rule == "connection"
    assert "attempt 3 of 3" in str(error)


def test_a_query_that_takes_too_long(postgres: Postgres, table: str, source: Source) -> None:
    make_entries(postgres, 1)
    postgres.run("CREATE VIEW slow AS SELECT id, label || pg_sleep(5)::text AS label FROM entry")
    transport = {"table": "slow", "attempts": 2, "statement_timeout_seconds": 0.1}
    error = failure(source(ID_AND_LABEL, transport=transport).read)
    assert isinstance(error, TransientError)
    assert error.rule == "timeout"


MISFITS = {
    "missing table": ("ALTER TABLE entry RENAME TO other", "missing_table", "no such table"),
    "missing column": ("ALTER TABLE entry DROP label", "missing_column", "'label'"),
    "renamed column": (
        "ALTER TABLE entry RENAME label TO title",
        "missing_column",
        "missing columns: 'label'; undeclared columns: 'title'",
    ),
    "integer to text": ("ALTER TABLE entry ALTER id TYPE text", "type", "id: declared as integer"),
    "integer to numeric": ("ALTER TABLE entry ALTER id TYPE numeric", "type", "has numeric"),
    "text to integer": (
        "ALTER TABLE entry ALTER label TYPE int USING id::int",
        "type",
        "label: declared as string, but the table has integer",
    ),
    "text to bytes": (
        "ALTER TABLE entry ALTER label TYPE bytea USING label::bytea",
        "type",
        "has bytea",
    ),
    "text to array": (
        "ALTER TABLE entry ALTER label TYPE text[] USING ARRAY[label]",
        "type",
        "has ARRAY",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "rule", "told"), MISFITS.values(), ids=MISFITS)
def test_a_table_that_is_not_as_declared(
    postgres: Postgres, table: str, source: Source, change: str, rule: str, told: str
) -> None:
    make_entries(postgres)
    postgres.run(change)
    try:
        error = failure(source(ID_AND_LABEL, drift="discard").read)
    finally:
        postgres.run("DROP TABLE IF EXISTS other")
    assert isinstance(error, TerminalError)
    assert error.rule == rule
    assert error.file == "public.entry"
    assert told in str(error)


@pytest.mark.parametrize(
    ("declared", "has", "fits"),
    [
        ("date", "timestamptz", False), ("timestamp", "date", False),
        ("timestamp", "timestamp", False), ("timestamp", "timestamptz", True),
        ("string", "timestamp", True), ("string", "timestamptz", False),
        ("boolean", "text", False), ("number", "text", False), ("number", "int", True),
        ("number", "numeric", True), ("integer", "float8", False),
    ],
)  # fmt: skip
def test_which_types_hold_what(
    postgres: Postgres, table: str, source: Source, declared: str, has: str, fits: bool
) -> None:
    postgres.run(f"CREATE TABLE entry (id int PRIMARY KEY, value {has})")
    opened = source([RawColumn("id", "integer"), RawColumn("value", declared)])
    if fits:
        assert opened.read().rows() == []
    else:
        assert failure(opened.read).rule == "type"


@pytest.mark.parametrize("grant", [None, "id"], ids=["nothing", "one column"])
def test_what_the_account_may_not_read(
    postgres: Postgres, table: str, source: Source, grant: str | None
) -> None:
    make_entries(postgres)
    if grant:
        postgres.run(f"GRANT SELECT ({grant}) ON entry TO {CLERK}")
    error = failure(source(ID_AND_LABEL, uri=postgres.clerk_uri()).read)
    assert isinstance(error, TerminalError)
    assert error.rule == ("missing_column" if grant else "missing_table")


@pytest.mark.parametrize("drift", ["evolve", "discard", "freeze"])
def test_an_undeclared_column_follows_the_drift_mode(
    postgres: Postgres, table: str, source: Source, store: RawStore, drift: str
) -> None:
    make_entries(postgres)
    postgres.run("ALTER TABLE entry ADD phone text DEFAULT '0905 000 111'")
    opened = source(ID_AND_LABEL, drift=drift)
    if drift == "freeze":
        assert failure(opened.read).rule == "undeclared_column"
        assert list(store.stored()) == []
        return
    opened.read()
    assert opened.reader.summary.undeclared == {"phone"}
    assert len(opened.rows()) == 10
    # Nobody declared it, so that it is not even in what is kept.
    assert all(b"0905" not in store.open(digest).read() for digest, _ in store.stored())


def test_a_column_that_need_not_be_there(postgres: Postgres, table: str, source: Source) -> None:
    make_entries(postgres, 2)
    columns = [*ID_AND_LABEL, RawColumn("fee", "integer", required=False)]
    assert source(columns).read().column("fee") == [None, None]


NAMES = ['a"; drop table entry; --', "b'; drop table entry; --", "c$$", "%s {} \\", "Tên  cột", "t"]


def test_names_are_names(postgres: Postgres, table: str, source: Source) -> None:
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(each)) for each in NAMES)
    values = [f"'{name}' \\" for name in NAMES]
    evil = 'x"; drop table entry; --'
    with psycopg.connect(postgres.uri) as connection:
        connection.execute("CREATE TABLE entry (id int)")
        connection.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(evil), columns))
        marks = sql.SQL(", ").join(sql.Placeholder() * len(NAMES))
        insert = sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(evil), marks)
        connection.execute(insert, values)
    try:
        opened = source(list(NAMES), transport={"table": evil, "key": [*NAMES]}).read()
        assert [list(row.values())[:-1] for row in opened.rows()] == [values]
        transport = {"table": "none' OR '1'='1", "schema": "public' OR true --"}
        assert failure(source(["id"], transport=transport).read).rule == "missing_table"
    finally:
        with psycopg.connect(postgres.uri) as connection:
            connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(evil)))
    assert postgres.run("SELECT count(*) FROM entry") == [(0,)]


# --- a server that goes away -------------------------------------------------------------------

LONG_LABEL = "INSERT INTO entry SELECT g, repeat('x', 500) || g FROM generate_series(1, {}) g"
ROWS = 60_000


@pytest.mark.parametrize("how", ["stopped", "session ended"])
def test_a_read_that_breaks_is_taken_up_where_it_broke(
    postgres: Postgres, table: str, source: Source, store: RawStore, how: str
) -> None:
    make_entries(postgres, 0)
    postgres.run(LONG_LABEL.format(ROWS))
    opened = source(
        ID_AND_LABEL, transport={"object_rows": 5_000, "attempts": 10, "backoff_seconds": 0.1}
    )
    opened.batches.append(next(opened.reader))
    before = {digest for digest, _ in store.stored()}
    if how == "stopped":
        postgres.stop()
        postgres.start()
    else:
        postgres.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'citylake'"
        )
    opened.read()
    summary = opened.reader.summary
    assert before <= set(summary.digests) == {digest for digest, _ in store.stored()}
    # The row that was received last comes again.
    assert sorted(set(opened.column("id"))) == list(range(1, ROWS + 1))
    assert ROWS < summary.records <= ROWS + 2
    assert summary.names == [f"public.entry page {n + 1}" for n in range(summary.objects)]


def test_a_server_that_stays_away_leaves_what_was_stored(
    postgres: Postgres, table: str, source: Source, store: RawStore
) -> None:
    make_entries(postgres, 0)
    postgres.run(LONG_LABEL.format(ROWS))
    opened = source(ID_AND_LABEL, transport={"object_rows": 5_000, "attempts": 3})
    next(opened.reader)
    postgres.stop()
    try:
        error = failure(opened.read)
    finally:
        postgres.start()
    assert isinstance(error, TransientError)
    assert error.rule in ("connection", "cut_connection")
    stored = {digest for digest, _ in store.stored()}
    assert stored
    again = source(ID_AND_LABEL, transport={"object_rows": 5_000}).read()
    assert stored <= set(again.reader.summary.digests)
    assert again.column("id") == list(range(1, ROWS + 1))


@pytest.mark.parametrize("key", [["part", "id"], ["part"]], ids=["two columns", "not unique"])
def test_any_key_can_be_taken_up(
    postgres: Postgres, table: str, source: Source, key: list[str]
) -> None:
    postgres.run(
        "CREATE TABLE entry (part date, id text, label text)",
        "INSERT INTO entry SELECT CASE WHEN g % 90 > 0 THEN DATE '2025-01-01' + g % 90 END,"
        f" 'ô''' || g, repeat('x', 500) FROM generate_series(1, {ROWS}) g",
    )
    columns = [RawColumn("part", "date"), "id", "label"]
    opened = source(columns, transport={"object_rows": 5_000, "key": key})
    opened.batches.append(next(opened.reader))
    postgres.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'citylake'"
    )
    opened.read()
    assert set(opened.column("id")) == {f"ô'{number}" for number in range(1, ROWS + 1)}
    assert opened.reader.summary.records < 2 * ROWS


# --- memory ------------------------------------------------------------------------------------

PEAK_MEGABYTES = 300
READ_ALL = """
import re, sys
from datetime import UTC, date, datetime
from pathlib import Path
from extract.raw import RawStore
from extract.read import open_stream
from extract.window import Window
from warehouse.contract.model import RawColumn, SourceContract
from warehouse.paths import CityPaths

transport = {
    "kind": "postgres", "uri_env": "DB", "table": "entry", "key": "id"
}
source = SourceContract(
    "a.b", Path("x"), "t", "a", 1, "UTC", (RawColumn("id", "integer"), RawColumn("label")), (),
    transport=transport, format={"kind": "arrow"},
)
window = Window(date(2025, 7, 1), None, datetime(2025, 7, 1, tzinfo=UTC))
store = RawStore(CityPaths(Path(sys.argv[2]), "city"))
reader = open_stream(
    source, ("id", "label"), store, window, {"DB": sys.argv[1]}, Path(sys.argv[2])
)
rows = size = 0
for batch in reader:
    rows += batch.records.num_rows
    size += batch.records.nbytes
# Not ru_maxrss: that starts at the size of the process that started this one.
status = Path("/proc/self/status").read_text()
print(rows, size >> 20, int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) >> 10)
"""


def test_memory_is_bounded_whatever_the_size_of_the_table(
    postgres: Postgres, table: str, paths: CityPaths
) -> None:
    postgres.run(
        "CREATE TABLE entry (id bigint PRIMARY KEY, label text)",
        "INSERT INTO entry SELECT g, repeat(md5(g::text), 128) FROM generate_series(1, 100000) g",
    )
    ended = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", READ_ALL, postgres.uri, str(paths.root)],
        env={**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"},
        capture_output=True,
        check=True,
    )
    records, megabytes, peak = map(int, ended.stdout.split())
    assert records == 100_000
    assert megabytes > PEAK_MEGABYTES
    assert peak <= PEAK_MEGABYTES
