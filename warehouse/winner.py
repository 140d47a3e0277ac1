# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""Which record of a key wins: within the batch, and against the lake."""

from datetime import date

from warehouse.contract.model import SourceContract, TableContract
from warehouse.sql import date_literal, literal, quoted, quoted_list, same

# The law for both: source's updated time (none is oldest), then the day of extraction, then
# the content hash. Never the order of arrival.


def lost_sql(table: TableContract) -> str:
    """SELECT of the good records that another record of the same batch beats.

    Columns: `_rowid` of `staged`, `outcome` (`duplicate`: the same content was there already;
    `superseded`: the key has a later version in the batch). All records of a batch share their
    as-of, so only updated time and content hash decide.
    """
    key = quoted_list(table.key)
    version = f"{quoted(table.version_column)} DESC NULLS LAST, " if table.version_column else ""
    return f"""
        WITH clash AS (
            SELECT _key_hash FROM staged WHERE _is_good GROUP BY _key_hash HAVING count(*) > 1
        ), ranked AS (
            SELECT rowid AS _rowid,
                row_number() OVER (
                    PARTITION BY {key}, _row_hash ORDER BY _record, rowid
                ) AS copy,
                row_number() OVER (
                    PARTITION BY {key} ORDER BY {version}_row_hash DESC, _record, rowid
                ) AS place
            FROM staged
            WHERE _is_good AND _key_hash IN (SELECT _key_hash FROM clash)
        )
        SELECT _rowid, CASE WHEN copy > 1 THEN 'duplicate' ELSE 'superseded' END AS outcome
        FROM ranked WHERE place > 1
        """


def met_sql(
    table: TableContract, relation: str, source: SourceContract, as_of: date, *, again: bool = False
) -> str:
    """SELECT of the batch's winners whose key is in the lake already, with their outcome.

    Columns: `_rowid` of `staged`, the key, `_home` (partition where the key lives),
    `outcome` (`unchanged`, `changed`, `superseded`), `is_deletion` (a live row becomes a
    tombstone).

    Reads table `seen` of the session (`load_journal.seen_sql`).

    Args:
        table: The core table.
        relation: Table expression over the core files where the keys live.
        source: The stream.
        as_of: Processing day of the batch.
        again: Whether the batch was loaded before, by an earlier contract.
    """
    later = is_later(table, as_of)
    if again:
        later = f"{_is_own(source, as_of)} OR {later}"
    home = f"l.{quoted(table.partition_column)}" if table.partition_column else "NULL::VARCHAR"
    return f"""
        SELECT s.rowid AS _rowid, {quoted_list(table.key, "s.")}, {home} AS _home,
            CASE WHEN s._row_hash = l._row_hash THEN 'unchanged'
                WHEN {later} THEN 'changed'
                ELSE 'superseded' END AS outcome,
            s._is_deleted AND NOT l._is_deleted AS is_deletion
        FROM {relation} l
        JOIN staged s ON {same("s", "l", table.key)}
        ANTI JOIN lost ON lost._rowid = s.rowid
        LEFT JOIN seen ON seen.row_hash = l._row_hash
        WHERE l._source = {literal(source.id)} AND s._is_good
        """


def _is_own(source: SourceContract, as_of: date) -> str:
    """SQL condition: the stored row came of this batch, by a contract that has changed since.

    It is then no rival version but an older reading of the same objects. A row that absence
    deleted keeps its object, but not its day: it is not the batch's own.
    """
    lives = "NOT l._is_deleted AND " if source.deletes == "absence" else ""
    own = f"l._as_of = {date_literal(as_of)} AND l._raw_digest IN (SELECT digest FROM object)"
    return f"({lives}{own})"


def is_later(table: TableContract, as_of: date) -> str:
    """SQL condition: record `s` of a day is a later version than core row `l`.

    `seen` (`load_journal.seen_sql`) is joined to `l`; null where the two are as late.
    """
    day = date_literal(as_of)
    stored = "greatest(l._as_of, seen.as_of)"
    by_day = f"({day} > {stored} OR ({day} = {stored} AND s._row_hash > l._row_hash))"
    if table.version_column is None:
        return by_day
    new, old = f"s.{quoted(table.version_column)}", f"l.{quoted(table.version_column)}"
    return (
        f"CASE WHEN {new} IS DISTINCT FROM {old} "
        f"THEN {new} IS NOT NULL AND ({old} IS NULL OR {new} > {old}) ELSE {by_day} END"
    )
