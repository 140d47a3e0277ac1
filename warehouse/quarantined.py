# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""What lies in quarantine, and whether its source has sent something later since."""

import duckdb

from warehouse.contract.model import TableContract
from warehouse.lake import Lake, Snapshot
from warehouse.load_journal import NOTHING_SEEN, seen_sql
from warehouse.sql import json_member, literal, quoted
from warehouse.views import quarantine_sql, relation_sql

OPEN, RESOLVED = "open", "resolved"
# What a SELECT of quarantined records gives, whatever their table.
COLUMNS = (
    "table",
    "source",
    "record_hash",
    "state",
    "reasons",
    "key",
    "as_of",
    "raw_name",
    "raw_row",
    "raw_digest",
    "raw_record",
)


def quarantined_sql(
    connection: duckdb.DuckDBPyConnection, lake: Lake, name: str, table: TableContract | None
) -> str:
    """SELECT of a quarantine table's records, with their state.

    A record is `resolved` when core holds the record itself (a changed contract took it in), or
    a version of its key, of the same source, that is later by the law of versions (source's
    updated time, then the last day on which the source said so), and `open` when core holds
    none or an earlier one. Where both are as late, or the
    key cannot be read, core does not tell and the state is null. An updated time that itself
    broke a rule is not believed; the day decides then.

    Args:
        connection: Session that the SELECT will run in; it is asked how far back to look.
        lake: The city's lake.
        name: Name of the table.
        table: Its contract, or None where the city has no such table any more: no state then.

    Returns:
        SELECT text with the columns `COLUMNS`.
    """
    records = quarantine_sql(lake.snapshot("quarantine", name))
    state = "NULL::VARCHAR"
    joined = ""
    if table is not None:
        core = lake.snapshot("core", name)
        state = _state(table)
        joined = _joined(table, core, _seen(connection, lake, records))
    return f"""
        SELECT {literal(name)} AS "table", q._source AS source, q._record_hash AS record_hash,
            {state} AS state, q.reasons, q.key_text AS key, q._as_of AS as_of,
            q._raw_name AS raw_name, q._raw_row AS raw_row, q._raw_digest AS raw_digest,
            q.raw_record
        FROM ({records}) q {joined}
        """


def _seen(connection: duckdb.DuckDBPyConnection, lake: Lake, records: str) -> str:
    """SELECT of the rows that a source delivered again unchanged: _source, row_hash, as_of."""
    first = connection.execute(
        f"SELECT _source, min(_as_of) FROM ({records}) GROUP BY _source ORDER BY _source"
    ).fetchall()
    parts = [
        f"SELECT {literal(source)} AS _source, row_hash, as_of FROM "
        f"({seen_sql(lake.paths.journal, source, day)})"
        for source, day in first
    ]
    return " UNION ALL ".join(parts) or f"SELECT '' AS _source, * FROM ({NOTHING_SEEN})"


def _joined(table: TableContract, core: Snapshot | None, seen: str) -> str:
    keys = " AND ".join(f"l.{quoted(each)} = {_key_part(table, each)}" for each in table.key)
    return f"""
        LEFT JOIN ({relation_sql(core, table, live=False)}) l
            ON l._source = q._source AND {keys}
        LEFT JOIN ({seen}) seen ON seen._source = l._source AND seen.row_hash = l._row_hash
        """


def _key_part(table: TableContract, name: str) -> str:
    return f"TRY_CAST({json_member('q.key_text', name)} AS {table.column(name).sql_type})"


def _state(table: TableContract) -> str:
    unreadable = " OR ".join(f"{_key_part(table, each)} IS NULL" for each in table.key)
    stored = "greatest(l._as_of, seen.as_of)"
    settled = f"WHEN {stored} > q._as_of THEN '{RESOLVED}' WHEN {stored} < q._as_of THEN '{OPEN}'"
    by_day = f"CASE {settled} END"
    told = by_day
    if table.version_column is not None:
        stored_version = f"l.{quoted(table.version_column)}"
        broken = f"starts_with(reason, {literal(table.version_column + ':')})"
        told = f"""
            CASE WHEN q.version_at IS NULL OR q.version_at = {stored_version}
                OR len(list_filter(q.reasons, lambda reason: {broken})) > 0 THEN {by_day}
            WHEN {stored_version} > q.version_at THEN '{RESOLVED}' ELSE '{OPEN}' END
            """
    itself = "l._raw_digest = q._raw_digest AND l._raw_row = q._raw_row AND l._as_of = q._as_of"
    return (
        f"CASE WHEN {unreadable} THEN NULL WHEN l._source IS NULL THEN '{OPEN}' "
        f"WHEN {itself} THEN '{RESOLVED}' ELSE {told} END"
    )
