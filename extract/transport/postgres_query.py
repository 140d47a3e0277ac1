# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""The SQL that reads one declared table of a PostgreSQL server; nothing here talks to one.

Every name and value is quoted; the session has `standard_conforming_strings` on, so that a quote
is the only character with a meaning inside a literal.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from warehouse.contract.model import RawColumn
from warehouse.sql import literal, quoted

_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_TEXTS = frozenset({"character varying", "json", "jsonb", "text"})
# Raw type -> the server's types that hold it (`data_type` of information_schema.columns). A local
# time is text to us: only the contract knows its zone and the gaps of its clock.
_HOLDERS: Mapping[str, frozenset[str]] = {
    "string": frozenset(
        {
            "USER-DEFINED",
            "character",
            "character varying",
            "cidr",
            "inet",
            "json",
            "jsonb",
            "name",
            "text",
            "time without time zone",
            "timestamp without time zone",
            "uuid",
            "xml",
        }
    ),
    "integer": _INTEGERS,
    "number": _INTEGERS | {"numeric", "real", "double precision"},
    "boolean": frozenset({"boolean"}),
    "date": frozenset({"date"}),
    "timestamp": frozenset({"timestamp with time zone"}),
}
# What Arrow delivers of a raw type. A number travels as its exact text.
_CASTS = {"string": "text", "number": "text", "integer": "bigint"}
# PostgreSQL's infinity and its years beyond Arrow's would wrap around: they are read as the ends
# of Python's calendar, which the typing refuses.
_ENDS = {
    "date": ("DATE '0001-01-01'", "DATE '9999-12-31'"),
    "timestamp": ("TIMESTAMPTZ '0001-01-02 00:00:00+00'", "TIMESTAMPTZ '9999-12-31 00:00:00+00'"),
}


@dataclass(frozen=True)
class Bounds:
    """Half-open range of the cursor column, as ISO 8601 texts with an offset; None is open."""

    column: str
    start: str | None
    end: str | None


def catalog_sql(schema: str, table: str) -> str:
    """SELECT of name and type of each column that the account may read, in table order."""
    return f"""
        SELECT column_name::text AS name, data_type::text AS type
        FROM information_schema.columns
        WHERE table_schema = {literal(schema)} AND table_name = {literal(table)}
        ORDER BY ordinal_position
        """


def holds(column: RawColumn, data_type: str) -> bool:
    """Whether a column of the server's type can be what the contract declares."""
    return data_type in _HOLDERS[column.logical_type]


def holds_text(data_type: str) -> bool:
    """Whether a column of the server's type holds texts that are records themselves."""
    return data_type in _TEXTS


def holds_instant(data_type: str) -> bool:
    """Whether a column of the server's type can bound what was updated."""
    return data_type in _HOLDERS["timestamp"]


def select_sql(
    schema: str,
    table: str,
    columns: Sequence[RawColumn],
    key: Collection[str],
    bounds: Bounds | None,
    after: Sequence[Any] | None,
) -> str:
    """SELECT of the columns in the order of the key.

    Args:
        schema: Schema of the table.
        table: Table or view.
        columns: What to read; each is in the table.
        key: Columns that identify a row.
        bounds: Range of the cursor column, or None for all rows. Rows whose cursor is null or
            infinite are in no range; they are read each time, so that a rule can judge them.
        after: Key of the last row that was received, or None for the beginning. That row comes
            again: a key that is not unique after all must not lose its other rows.
    """
    listed = ", ".join(f"{_value(each)} AS {quoted(each.name)}" for each in columns)
    place = f"{quoted(schema)}.{quoted(table)} AS t"
    row = ", ".join(_column(name) for name in key)
    conditions = [] if bounds is None else [_within(bounds)]
    if after is not None:
        values = ", ".join(_literal(value) for value in after)
        conditions.append(f"((({row}) >= ({values})) IS NOT FALSE)")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {listed} FROM {place}{where} ORDER BY {row}"


def _column(name: str) -> str:
    # Qualified, so that ORDER BY means the table's column and not the cast one of that name.
    return f"t.{quoted(name)}"


def _value(column: RawColumn) -> str:
    name = _column(column.name)
    if column.logical_type in _ENDS:
        first, last = _ENDS[column.logical_type]
        beyond = f"WHEN {name} > {last} THEN {last} WHEN {name} < {first} THEN {first}"
        return f"CASE {beyond} ELSE {name} END"
    kind = _CASTS.get(column.logical_type)
    return f"{name}::{kind}" if kind else name


def _within(bounds: Bounds) -> str:
    name = _column(bounds.column)
    limits = []
    if bounds.start is not None:
        limits.append(f"{name} >= {literal(bounds.start)}::timestamptz")
    if bounds.end is not None:
        limits.append(f"{name} < {literal(bounds.end)}::timestamptz")
    within = " AND ".join(limits) or "true"
    return f"({within} OR {name} IS NULL OR {name} IN ('infinity', '-infinity'))"


def _literal(value: Any) -> str:
    """A value as the server reads it for any type: text in quotes."""
    return literal(value.isoformat() if isinstance(value, date) else str(value))
