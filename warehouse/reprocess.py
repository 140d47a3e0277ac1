# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""What today's contract makes of the records that the lake took in by an earlier one."""

from collections.abc import Callable, Collection, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from warehouse.core_rows import core_columns
from warehouse.data_files import LostRowsError, Rows, check_rows, discard, write_files
from warehouse.duck import session
from warehouse.lake import Commit, CommitConflictError, Lake, Snapshot
from warehouse.load_journal import seen_sql
from warehouse.records import RecordBatch
from warehouse.sql import (
    date_literal,
    literal,
    quoted,
    quoted_list,
    read_files,
    same,
    stored_rows,
)
from warehouse.staging import OBJECT_BITS, ROW_MASK, Compiled, stage
from warehouse.views import quarantine_sql, relation_sql
from warehouse.winner import is_later
from warehouse.workspace import workspace

Read = Callable[[Collection[str]], Iterable[RecordBatch]]


@dataclass(frozen=True)
class Moves:
    """What would become of what the lake holds of a stream.

    Every row of core is counted in exactly one of `changed`, `unchanged`, `refused` and
    `rows_without_raw`; every quarantined record in one of `good`, `settled`,
    `still_quarantined` and `quarantined_without_raw`.

    Attributes:
        good: Quarantined records that break no rule today and are later than what core holds.
        settled: Quarantined records that break no rule today; core holds them, or later ones.
        still_quarantined: Quarantined records that still break a rule.
        refused: Core rows whose record breaks a rule today.
        changed: Core rows whose record has other values today.
        unchanged: Core rows whose record gives the same row today.
        rows_without_raw, quarantined_without_raw: Those whose raw object is gone.
        leaving: Keys of the rows that their record does not give any more: it is refused, or
            has another key.
        version: Version of the core table that was looked at.
    """

    good: int
    settled: int
    still_quarantined: int
    refused: int
    changed: int
    unchanged: int
    rows_without_raw: int
    quarantined_without_raw: int
    leaving: pa.Table
    version: int

    @property
    def total(self) -> int:
        """How many records would move."""
        return self.good + self.refused + self.changed


def find_moves(lake: Lake, compiled: Compiled, read: Read, stored: Collection[str]) -> Moves | None:
    """Read again the record of every row and every quarantined record; nothing is written.

    Each is typed as of its own processing day.

    Args:
        lake: The city's lake.
        compiled: The stream's contracts as they are today.
        read: Gives the record batches of raw objects by digest.
        stored: Digests of the raw objects that are still there.

    Returns:
        What would move; None where the stream's table does not exist yet.

    Raises:
        Exception: whatever reading an object raises.
    """
    name = compiled.table.name
    core = lake.snapshot("core", name)
    if core is None:
        return None
    with workspace(lake.paths) as work, closing(session(lake.memory_limit, work / "spill")) as con:
        con.execute("SET preserve_insertion_order = false")
        _create_tables(con, lake, compiled, core)
        days = con.execute(
            "SELECT _as_of, list(DISTINCT _raw_digest ORDER BY _raw_digest) FROM "
            "(SELECT _as_of, _raw_digest FROM own UNION ALL SELECT _as_of, _raw_digest FROM held)"
            " GROUP BY _as_of ORDER BY _as_of"
        ).fetchall()
        for day, digests in days:
            kept = [each for each in digests if each in stored]
            if kept:
                _judge(con, lake, compiled, read(kept), day)
        return _moves(con, compiled, core.version)


def _create_tables(
    con: duckdb.DuckDBPyConnection, lake: Lake, compiled: Compiled, core: Snapshot
) -> None:
    """Tables `own` (the stream's core rows), `held` (its quarantined records), and their fates."""
    source, table = compiled.source, compiled.table
    mine = f"_source = {literal(source.id)}"
    held = quarantine_sql(lake.snapshot("quarantine", table.name))
    extra = [table.version_column] if table.version_column not in (None, *table.key) else []
    columns = quoted_list([*table.key, *(each for each in extra if each)])
    con.execute(
        f"""
        CREATE TABLE own AS SELECT {columns}, _row_hash, _raw_digest, _raw_row, _as_of, _is_deleted
        FROM ({relation_sql(core, table, live=False)}) WHERE {mine};
        CREATE TABLE held AS SELECT _record_hash, key_text, _raw_digest, _raw_row, _as_of
        FROM ({held}) WHERE {mine};
        CREATE TABLE fate (id BIGINT, fate VARCHAR);
        CREATE TABLE held_fate (id BIGINT, fate VARCHAR);
        """
    )


def _judge(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    compiled: Compiled,
    batches: Iterable[RecordBatch],
    day: date,
) -> None:
    """Add the fates of what one processing day left."""
    table, source = compiled.table, compiled.source
    stage(con, compiled, batches, day)
    seen = seen_sql(lake.paths.journal, source.id, day)
    place = f"o.digest AS _digest, (_record & {ROW_MASK})::BIGINT AS _row"
    joined = f"JOIN object o ON o.id = (_record >> {OBJECT_BITS})"
    at_place = "s._digest = l._raw_digest AND s._row = l._raw_row"
    # What an unpivoted record shares with its siblings is its place: the key tells them apart.
    same_bad = " AND s.key_text IS NOT DISTINCT FROM l.key_text" if source.unpivot else ""
    con.execute(
        f"""
        CREATE OR REPLACE TABLE seen AS {seen};
        CREATE TABLE good AS SELECT s.*, {place} FROM staged s {joined} WHERE _is_good;
        CREATE TABLE broken AS SELECT DISTINCT {place}, key_text FROM bad {joined};
        INSERT INTO fate
        SELECT l.rowid, CASE WHEN bool_or(s._row_hash = l._row_hash) THEN 'unchanged'
                WHEN count(s._row_hash) > 0 THEN 'changed'
                WHEN bool_or(b._row IS NOT NULL) THEN 'refused' ELSE 'rekeyed' END
        FROM own l LEFT JOIN good s ON {at_place} AND {same("s", "l", table.key)}
        LEFT JOIN (SELECT DISTINCT _digest, _row FROM broken) b
            ON b._digest = l._raw_digest AND b._row = l._raw_row
        WHERE l._as_of = {date_literal(day)} AND l._raw_digest IN (SELECT digest FROM object)
        GROUP BY l.rowid;
        INSERT INTO held_fate
        SELECT h.id, CASE WHEN bool_or(h.broken) OR count(s._row) = 0 THEN 'still'
                WHEN bool_or(l._row_hash IS NULL OR
                    (s._row_hash <> l._row_hash AND {is_later(table, day)})) THEN 'good'
                ELSE 'settled' END
        FROM (
            SELECT l.rowid AS id, l._raw_digest, l._raw_row, EXISTS (
                SELECT 1 FROM broken s WHERE {at_place}{same_bad}) AS broken
            FROM held l
            WHERE l._as_of = {date_literal(day)} AND l._raw_digest IN (SELECT digest FROM object)
        ) h
        LEFT JOIN good s ON s._digest = h._raw_digest AND s._row = h._raw_row
        LEFT JOIN own l ON {same("s", "l", table.key)}
        LEFT JOIN seen ON seen.row_hash = l._row_hash
        GROUP BY h.id;
        DROP TABLE good; DROP TABLE broken; DROP TABLE staged; DROP TABLE bad; DROP TABLE object;
        DROP TYPE raw_digest;
        """
    )


def _moves(con: duckdb.DuckDBPyConnection, compiled: Compiled, version: int) -> Moves:
    # A row that absence deleted has the day of the snapshot that lacked it, not its record's.
    by_absence = "l._is_deleted" if compiled.source.deletes == "absence" else "false"
    rows: dict[str, int] = dict(
        con.execute(
            f"SELECT CASE WHEN {by_absence} THEN 'unchanged' ELSE coalesce(f.fate, 'gone') END,"
            " count(*) FROM own l LEFT JOIN fate f ON f.id = l.rowid GROUP BY ALL"
        ).fetchall()
    )
    held: dict[str, int] = dict(
        con.execute(
            "SELECT coalesce(f.fate, 'gone'), count(*) FROM held h"
            " LEFT JOIN held_fate f ON f.id = h.rowid GROUP BY ALL"
        ).fetchall()
    )
    leaving = con.sql(
        f"SELECT {quoted_list(compiled.table.key, 'l.')} FROM own l JOIN fate f ON f.id = l.rowid"
        f" WHERE f.fate IN ('refused', 'rekeyed') AND NOT {by_absence}"
    ).to_arrow_table()
    return Moves(
        good=held.get("good", 0),
        settled=held.get("settled", 0),
        still_quarantined=held.get("still", 0),
        refused=rows.get("refused", 0),
        changed=rows.get("changed", 0) + rows.get("rekeyed", 0),
        unchanged=rows.get("unchanged", 0),
        rows_without_raw=rows.get("gone", 0),
        quarantined_without_raw=held.get("gone", 0),
        leaving=leaving,
        version=version,
    )


def withdraw(lake: Lake, compiled: Compiled, moves: Moves) -> None:
    """Take the rows out of core that their record does not give any more.

    No application transaction is touched: the cursor and the sequence of the stream stay.

    Raises:
        CommitConflictError: when the table moved on since the moves were found.
    """
    table = compiled.table
    base = lake.snapshot("core", table.name)
    if not moves.leaving.num_rows or base is None:
        return
    if base.version != moves.version:
        raise CommitConflictError(f"core table {table.name} moved past version {moves.version}")
    with workspace(lake.paths) as work, closing(session(lake.memory_limit, work / "spill")) as con:
        con.register("told", moves.leaving)
        # Files are written by cursors of their own, which do not see what is only registered.
        con.execute("CREATE TABLE leaving AS SELECT * FROM told")
        goes = f"l._source = {literal(compiled.source.id)} AND {same('r', 'l', table.key)}"
        homes = _homes(con, base, goes)
        removed = base.select(homes)
        stored = stored_rows(core_columns(table), (base.folder / each.path for each in removed))
        select = f"SELECT l.* FROM {stored} l ANTI JOIN leaving r ON {goes}"
        rows: dict[str | None, int] = {}
        for each in removed:
            value = next(iter(each.partition.values()), None)
            rows[value] = rows.get(value, 0) + each.rows
        added = write_files(con, [Rows(select)], base.folder, table.partition_column, rows)
        stay = sum(each.rows for each in removed) - moves.leaving.num_rows
        commit = Commit(metadata={"withdrawn": moves.leaving.num_rows, "streams": base.streams})
        try:
            check_rows(f"core table {table.name}", added, stay)
            lake.replace(base, added, removed, commit)
        except (CommitConflictError, LostRowsError):
            discard(base.folder, added)
            raise


def _homes(con: duckdb.DuckDBPyConnection, base: Snapshot, goes: str) -> set[str | None] | None:
    """Partitions in which leaving rows live; None stands for the whole table."""
    if not base.partition_columns:
        return None
    home = quoted(base.partition_columns[0])
    found = con.execute(
        f"SELECT DISTINCT l.{home} FROM {read_files(base.files())} l SEMI JOIN leaving r ON {goes}"
    ).fetchall()
    return {value for (value,) in found}
