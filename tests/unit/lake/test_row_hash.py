# ruff: noqa: S608 - the tests' own texts
"""The content hash tells every two different rows apart and never moves."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.contract.model import Column
from warehouse.duck import session
from warehouse.row_hash import row_hash

TYPES = {
    "name": "VARCHAR",
    "note": "VARCHAR",
    "seen_at": "TIMESTAMPTZ",
    "day": "DATE",
    "amount": "DECIMAL(9,6)",
    "wide": "DECIMAL(30,4)",
    "count": "BIGINT",
    "is_open": "BOOLEAN",
    "ratio": "DOUBLE",
}
COLUMNS = tuple(Column(name, {}, kind) for name, kind in TYPES.items())
ROW: dict[str, Any] = {
    "name": "a",
    "note": "bc",
    "seen_at": datetime(2025, 3, 8, 1, 2, 3, tzinfo=UTC),
    "day": date(2025, 3, 8),
    "amount": Decimal("1.5"),
    "wide": Decimal("1.5"),
    "count": 7,
    "is_open": True,
    "ratio": 0.25,
}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with session(threads=1) as connection:
        yield connection


def hashed(
    connection: duckdb.DuckDBPyConnection, row: dict[str, Any], deleted: str = "false"
) -> int:
    typed = ", ".join(f"?::{TYPES[name]} AS {name}" for name in TYPES)
    query = f"SELECT {row_hash(COLUMNS, deleted)} FROM (SELECT {typed})"
    return int(connection.execute(query, [row[name] for name in TYPES]).fetchall()[0][0])


def test_the_hash_of_a_known_row_never_moves(connection: duckdb.DuckDBPyConnection) -> None:
    assert hashed(connection, ROW) == -8722071806096359584


@pytest.mark.parametrize("column", TYPES)
def test_null_differs_from_every_value(connection: duckdb.DuckDBPyConnection, column: str) -> None:
    assert hashed(connection, {**ROW, column: None}) != hashed(connection, ROW)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "ab", "note": "c"},
        {"name": "abc", "note": ""},
        {"name": "abc", "note": None},
        {"name": "", "note": "abc"},
        {"name": None, "note": "abc"},
        {"name": "bc", "note": "a"},
        {"seen_at": datetime(2025, 3, 8, 1, 2, 4, tzinfo=UTC)},
        {"day": date(2025, 3, 9)},
        {"amount": Decimal("1.500001")},
        {"wide": Decimal("1.5001")},
        {"count": 8},
        {"count": -7},
        {"is_open": False},
        {"ratio": 0.5},
    ],
    ids=str,
)
def test_one_cell_changes_the_hash(
    connection: duckdb.DuckDBPyConnection, change: dict[str, Any]
) -> None:
    assert hashed(connection, {**ROW, **change}) != hashed(connection, ROW)


def test_a_tombstone_sorts_above_every_live_row(connection: duckdb.DuckDBPyConnection) -> None:
    assert hashed(connection, ROW) < 0 <= hashed(connection, ROW, "true")


def test_a_column_added_without_values_leaves_the_hash(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    wider = (*COLUMNS[:2], Column("added", {}, "BIGINT"))
    query = "SELECT {} FROM (SELECT 'a' AS name, 'b' AS note, NULL::BIGINT AS added)"
    hashes = {
        connection.execute(query.format(row_hash(columns, "false"))).fetchall()[0][0]
        for columns in (wider, COLUMNS[:2])
    }
    assert len(hashes) == 1


texts = st.one_of(st.none(), st.text(alphabet="ab|\x1f,", max_size=3))


@given(one=st.tuples(texts, texts), two=st.tuples(texts, texts))
def test_texts_hash_alike_only_when_they_are_alike(
    connection: duckdb.DuckDBPyConnection,
    one: tuple[str | None, str | None],
    two: tuple[str | None, str | None],
) -> None:
    hashes = [hashed(connection, {**ROW, "name": name, "note": note}) for name, note in (one, two)]
    assert (hashes[0] == hashes[1]) == (one == two)
