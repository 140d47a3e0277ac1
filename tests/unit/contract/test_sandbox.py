"""Expressions: what may be said in a contract, and that nothing else runs."""

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.contract.sandbox import FUNCTIONS, ExpressionError, Sandbox
from warehouse.duck import sandbox_session, session

COLUMNS = {"label": "VARCHAR", "a.b": "VARCHAR", "Mixed": "VARCHAR", "day": "DATE"}
REFUSED = {
    "aggregate": "max(label)",
    "count": "count(*)",
    "window": "lag(label) OVER ()",
    "unnest": "unnest([label])",
    "subquery": "(SELECT label)",
    "in_subquery": "label IN (SELECT 'x')",
    "exists": "EXISTS (SELECT 1)",
    "volatile": "label || random()",
    "uuid": "uuid()",
    "clock": "label || now()",
    "clock_word": "label || current_date",
    "clock_timestamp": "current_timestamp",
    "local_clock": "localtimestamp",
    "today": "today()",
    "file": "read_text('/etc/hostname')",
    "environment": "getenv('HOME')",
    "setting": "current_setting('TimeZone')",
    "user": "current_user",
    "version": "version()",
    "error": "error('stop')",
    "sequence": "nextval('s')",
    "query": "query('SELECT 1')",
    "sleep": "sleep_ms(1000)",
    "undeclared": "nickname",
    "unquoted_dots": "a.b",
    "star": "*",
    "columns": "COLUMNS(*)",
    "parameter": "$1",
    "position": "#1",
    "lambda": "list_transform([label], lambda x: x)",
    "struct": "{'a': label}",
    "list": "[label]",
    "slice": "label[1:2]",
    "session_zone": "CAST(label AS TIMESTAMPTZ)",
    "zone": "day AT TIME ZONE 'UTC'",
    "own_try": "TRY(CAST(label AS INTEGER))",
    "schema": "main.lower(label)",
    "two_expressions": "label, day",
    "two_statements": "label; DROP TABLE x",
    "from_clause": "label FROM x",
    "brackets": "label) FROM (SELECT 1",
    "incomplete": "label +",
    "empty": "",
    "does_not_bind": "label + day",
    "collation": "label COLLATE nocase",
}
ACCEPTED = {
    "column": ("label", ("label",), "VARCHAR"),
    "other_case": ("mixed", ("Mixed",), "VARCHAR"),
    "dotted": ('"a.b"', ("a.b",), "VARCHAR"),
    "case": ("CASE label WHEN 'x' THEN 'y' END", ("label",), "VARCHAR"),
    "functions": ('lower(trim(label)) || "a.b"', ("label", "a.b"), "VARCHAR"),
    "cast": ("CAST(label AS DECIMAL(9,2))", ("label",), "DECIMAL(9,2)"),
    "rule": ("day >= DATE '2025-01-01' AND label IS NOT NULL", ("day", "label"), "BOOLEAN"),
    "between": ("label BETWEEN 'a' AND 'b' OR label IN ('c')", ("label",), "BOOLEAN"),
    "constant": ("'ug/m3'", (), "VARCHAR"),
    "like": ("label LIKE 'a%'", ("label",), "BOOLEAN"),
    "date_part": ("extract(year FROM day)", ("day",), "BIGINT"),
    "comment": ("label --) FROM x", ("label",), "VARCHAR"),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as opened:
        yield opened


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_refused(sandbox: Sandbox, text: str) -> None:
    with pytest.raises(ExpressionError):
        sandbox.check(text, COLUMNS)


@pytest.mark.parametrize(("text", "columns", "sql_type"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(sandbox: Sandbox, text: str, columns: tuple[str, ...], sql_type: str) -> None:
    found = sandbox.check(text, COLUMNS)
    assert (found.columns, found.sql_type) == (columns, sql_type)


def test_only_a_bare_column_counts_as_one(sandbox: Sandbox) -> None:
    assert sandbox.check("label", COLUMNS).is_column
    assert not sandbox.check("lower(label)", COLUMNS).is_column


@pytest.mark.parametrize(
    "word", ["day", "Day", "_x1", "date", "current_date", "user", "type", "left", "order", "select"]
)
@pytest.mark.parametrize("kind", ["DATE", "decimal(9,2)"])
def test_a_name_is_the_column_where_duckdb_says_so(sandbox: Sandbox, word: str, kind: str) -> None:
    columns = {"label": "VARCHAR", word: kind}
    with session() as connection:
        connection.execute(f'CREATE TABLE record (label VARCHAR, "{word}" {kind})')
        try:
            (column,) = connection.execute(f"SELECT {word} FROM record").description  # noqa: S608 - the words above
        except duckdb.Error:
            with pytest.raises(ExpressionError):
                sandbox.check(word, columns)
            return
    found = sandbox.check(word, columns)
    assert (found.columns, found.is_column) == ((word,), True)
    assert found.sql_type == str(column[1])


@given(text=st.text(alphabet="label()',;-*/ \n\"SELECTFROMx1", max_size=40))
def test_no_text_escapes_its_brackets(sandbox: Sandbox, text: str) -> None:
    try:
        found = sandbox.check(text, COLUMNS)
    except ExpressionError:
        return
    with session() as connection:
        fields = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in COLUMNS.items())
        rows = connection.execute(
            f"SELECT ({found.sql}) AS value, 1 AS one FROM (SELECT {fields})"  # noqa: S608 - the text under test
        ).fetchall()
    assert len(rows) == 1
    assert rows[0][1] == 1


def test_allowed_functions_give_the_same_again() -> None:
    with session() as connection:
        rows = connection.execute(
            "SELECT function_name, stability FROM duckdb_functions() WHERE function_type = 'scalar'"
        ).fetchall()
    stability = {(name, kind) for name, kind in rows if name in FUNCTIONS}
    assert {kind for _, kind in stability} == {"CONSISTENT"}
    assert len(stability) > 60


def test_the_session_reaches_nothing_outside() -> None:
    with sandbox_session() as connection:
        for statement in (
            "SELECT * FROM read_text('/etc/hostname')",
            "COPY (SELECT 1) TO '/tmp/sandbox_was_left.csv'",
            "SET enable_external_access = true",
            "SET threads = 2",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(statement)
