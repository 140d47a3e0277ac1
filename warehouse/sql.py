# ruff: noqa: S608 - names and values come quoted
"""Pieces of SQL text that several modules write."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quoted_list(names: Iterable[str], prefix: str = "") -> str:
    """The names as a comma-separated list, each with `prefix` (for example `l.`) before it."""
    return ", ".join(prefix + quoted(name) for name in names)


def literal(value: str) -> str:
    """The text as an SQL string."""
    return "'" + value.replace("'", "''") + "'"


def enumeration(values: Iterable[str]) -> str:
    """The SQL type of texts of which there are few: written at the cost of a number."""
    return f"ENUM ({', '.join(literal(value) for value in values)})"


def literal_list(values: Iterable[str]) -> str:
    """The texts as an SQL list of strings."""
    return "[" + ", ".join(literal(value) for value in values) + "]"


def json_member(text: str, name: str) -> str:
    """The text of one member of the JSON object that an SQL expression holds."""
    # A pointer, not a path: a column name may hold any character but `/` and `~`.
    return f"json_extract_string({text}, {literal('/' + name)})"


def month_of(day: str) -> str:
    """The month of a DATE expression as text `YYYY-MM`."""
    return f"left(CAST({day} AS VARCHAR), 7)"


def date_literal(day: date) -> str:
    """The day as an SQL date."""
    return f"DATE '{day.isoformat()}'"


def read_files(files: Iterable[str | Path]) -> str:
    """A table function call that reads Parquet files of one Delta table version."""
    names = literal_list(str(file) for file in files)
    return (
        f"read_parquet({names}, hive_partitioning = true, "
        "hive_types_autocast = false, union_by_name = true)"
    )


def empty_select(columns: Mapping[str, str]) -> str:
    """SELECT of no rows with columns given by name and DuckDB type."""
    typed = ", ".join(f"NULL::{kind} AS {quoted(name)}" for name, kind in columns.items())
    return f"SELECT {typed} WHERE false"


def stored_rows(columns: Mapping[str, str], files: Iterable[str | Path]) -> str:
    """A relation of the rows of Parquet files with at least the columns given by name and type.

    A column that the contract got after a file was written is null in its rows.
    """
    return f"({empty_select(columns)} UNION ALL BY NAME SELECT * FROM {read_files(files)})"


def same(left: str, right: str, columns: Iterable[str]) -> str:
    """A join condition: the columns of two relations are equal."""
    return " AND ".join(f"{left}.{quoted(name)} = {right}.{quoted(name)}" for name in columns)
