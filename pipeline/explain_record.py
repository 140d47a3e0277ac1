# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""Where a source's record went: its row in core, its versions in quarantine, a verdict."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

import duckdb

from extract.explain import raw_record
from extract.raw import RawStore
from pipeline.context import Context
from warehouse.contract.model import Classification, Column, SourceContract, TableContract
from warehouse.duck import session
from warehouse.errors import CitylakeError
from warehouse.quarantined import OPEN, RESOLVED, quarantined_sql
from warehouse.sql import json_member, literal, quoted, quoted_list
from warehouse.views import relation_sql

SYSTEM_COLUMNS = ("_as_of", "_is_deleted", "_raw_digest", "_raw_row")
# Between the values of a compound key; the last column of the key may hold it.
SEPARATOR = "/"
LISTED_KEYS = 20


class UnknownReferenceError(CitylakeError):
    """What was asked for is not there."""


def explain_record(
    context: Context, source: SourceContract, reference: str, *, with_raw: bool = False
) -> dict[str, Any]:
    """Where every delivered version of a source record went.

    Args:
        context: The city.
        source: The record's stream.
        reference: The values of the key, in its order, joined by `/`; the first ones alone where
            several records may begin so.
        with_raw: Whether the record is shown as it was delivered, too.

    Returns:
        `source`, `table`, `key` and `verdict`; of one record `core` (its row, a tombstone too,
        with the raw object and row it came from) and `quarantine` (each broken version with
        reasons and state); with `with_raw` also `raw` (declared columns of the version in core).
        Of several, `records`: key and verdict of the first ones. Personal columns are left out,
        of a table on people's health also internal ones that are not its key; so are the raw
        columns that personal ones are made of.

    Raises:
        UnknownReferenceError: when neither core nor quarantine knows the record.
    """
    # As it holds for this source: it may have tightened a column to personal.
    table = context.compiled(source.id).table
    values = reference.split(SEPARATOR, len(table.key) - 1)
    with closing(session()) as connection:
        _create_views(connection, context, source, table, values)
        count, listed = _keys(connection, table)
        if not count:
            message = f"{source.id} has no record {reference} in core or quarantine"
            raise UnknownReferenceError(f"{message} ({_how(source, table)})")
        found: dict[str, Any] = {"source": source.id, "table": table.name}
        if count > 1 or len(values) < len(table.key):
            if _is_personal_key(table):
                raise UnknownReferenceError(
                    f"name a record by its whole key ({_how(source, table)})"
                )
            told = f"the keys of {count} records begin so; {_how(source, table)}"
            return {**found, "verdict": told, "records": listed}
        found["key"] = {name: listed[0][name] for name in _shown_key(table)}
        found["verdict"] = listed[0]["verdict"]
        found["core"] = _rows(connection, f"SELECT {quoted_list(_shown(table))} FROM stored")
        found["quarantine"] = _rows(
            connection,
            "SELECT reasons, state, as_of, raw_name, raw_row, raw_digest, record_hash "
            "FROM broken ORDER BY as_of, raw_row",
        )
    if with_raw:
        found["raw"] = _raw(context, source, table, found["core"])
    return found


def _create_views(
    connection: duckdb.DuckDBPyConnection,
    context: Context,
    source: SourceContract,
    table: TableContract,
    values: Iterable[str],
) -> None:
    """Views `stored` and `broken`: what core and quarantine hold of keys that begin so."""
    core = context.lake.snapshot("core", table.name)
    broken = quarantined_sql(connection, context.lake, table.name, table)
    keys = ", ".join(
        f"{_key_text(table.column(name))} AS {quoted(f'key_{name}')}" for name in table.key
    )
    named = list(zip(table.key, values, strict=False))
    stored = " AND ".join(f"CAST({quoted(name)} AS VARCHAR) = {literal(v)}" for name, v in named)
    begun = " AND ".join(f"{quoted(f'key_{name}')} = {literal(value)}" for name, value in named)
    connection.execute(
        f"CREATE VIEW stored AS SELECT * FROM ({relation_sql(core, table, live=False)}) "
        f"WHERE _source = {literal(source.id)} AND {stored}"
    )
    connection.execute(
        f"CREATE VIEW broken AS SELECT * FROM (SELECT *, {keys} FROM ({broken}) "
        f"WHERE source = {literal(source.id)}) WHERE {begun}"
    )


def _key_text(column: Column) -> str:
    """A member of a quarantined record's key, spelled as core spells it where it can be read."""
    member = json_member('"key"', column.name)
    return f"coalesce(CAST(TRY_CAST({member} AS {column.sql_type}) AS VARCHAR), {member})"


def _keys(
    connection: duckdb.DuckDBPyConnection, table: TableContract
) -> tuple[int, list[dict[str, Any]]]:
    """How many keys there are, and the first ones with what became of each."""
    in_core = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in table.key)
    in_quarantine = ", ".join(f"{quoted(f'key_{name}')} AS {quoted(name)}" for name in table.key)
    keys = quoted_list(table.key)
    rows = _rows(
        connection,
        f"""
        SELECT {keys}, bool_or(is_live) AS is_live, bool_or(is_stored) AS is_stored,
            count(*) FILTER (WHERE state = '{OPEN}') AS open,
            count(*) FILTER (WHERE state = '{RESOLVED}') AS resolved, count(state) AS broken,
            count(*) OVER () AS keys
        FROM (
            SELECT {in_core}, NOT _is_deleted AS is_live, true AS is_stored, NULL AS state
            FROM stored
            UNION ALL
            SELECT {in_quarantine}, false, false, coalesce(state, 'unknown') FROM broken
        ) GROUP BY {keys} ORDER BY {keys} LIMIT {LISTED_KEYS}
        """,
    )
    listed = [{**{name: row[name] for name in table.key}, "verdict": _verdict(row)} for row in rows]
    return (rows[0]["keys"] if rows else 0), listed


def _verdict(row: Mapping[str, Any]) -> str:
    """What became of a record, in words."""
    if row["is_live"]:
        if row["open"]:
            return "in core by its last good version; a later one is in quarantine"
        return "in core" + ("; what was broken came good" if row["resolved"] else "")
    if row["is_stored"]:
        return "deleted by its source; its tombstone is in core"
    return "in quarantine alone; nothing is counted of it"


def _rows(connection: duckdb.DuckDBPyConnection, select: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = connection.sql(select).to_arrow_table().to_pylist()
    return rows


def _shown(table: TableContract) -> list[str]:
    """The columns of a core row that are shown."""
    internal = set(table.key) if table.health else {column.name for column in table.columns}
    names = [
        column.name
        for column in table.columns
        if column.classification is Classification.OPEN
        or (column.classification is Classification.INTERNAL and column.name in internal)
    ]
    return [*names, *SYSTEM_COLUMNS]


def _shown_key(table: TableContract) -> list[str]:
    personal = Classification.PERSONAL
    return [name for name in table.key if table.column(name).classification is not personal]


def _is_personal_key(table: TableContract) -> bool:
    return len(_shown_key(table)) < len(table.key)


def _how(source: SourceContract, table: TableContract) -> str:
    return f"a record is named {source.id}:<{f'>{SEPARATOR}<'.join(table.key)}>"


def _raw(
    context: Context, source: SourceContract, table: TableContract, core: list[dict[str, Any]]
) -> Any:
    """The version in core as it was delivered, or None where core has none."""
    for row in core:
        digest, place = row["_raw_digest"], row["_raw_row"]
        try:
            raw = raw_record(source, RawStore(context.paths), digest, place)
        except FileNotFoundError as error:
            message = f"raw object {digest[:12]} is gone: past its retention"
            raise UnknownReferenceError(message) from error
        return _without_personal(raw, source, table)
    return None


def _without_personal(raw: Any, source: SourceContract, table: TableContract) -> Any:
    """The raw columns that no personal column is made of."""
    personal = {
        each.expression
        for each in source.mapping
        if table.column(each.column).classification is Classification.PERSONAL
    }
    if not isinstance(raw, Mapping):
        return None
    return {
        name: value
        for name, value in raw.items()
        if not any(name in expression for expression in personal)
    }
