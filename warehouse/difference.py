# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""What a staged batch would change in a core table, looked up by key."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from warehouse.contract.model import TableContract
from warehouse.lake import Snapshot
from warehouse.load_journal import NOTHING_SEEN, seen_sql
from warehouse.sql import (
    date_literal,
    json_member,
    literal,
    month_of,
    quoted,
    quoted_list,
    read_files,
    same,
    stored_rows,
)
from warehouse.staging import Staged
from warehouse.winner import lost_sql, met_sql

# A partition with this many files is rewritten into one when it is next touched.
MOST_FILES = 32
# So many days at most lie between the dates that two zones of the world give one instant.
_ZONE_DAYS = 2


@dataclass(frozen=True)
class Difference:
    """What a batch changes, beside the tables `met` and `absent` of the session.

    Attributes:
        outcomes: Number of good records by outcome.
        deleted: Live rows that become tombstones.
        held_back: Why rows that are absent from the snapshot were not deleted, or None.
        rewritten: Partition values whose files are replaced.
    """

    outcomes: dict[str, int]
    deleted: int
    held_back: str | None
    rewritten: frozenset[str | None]

    @property
    def is_empty(self) -> bool:
        """Whether core stays as it is."""
        return not (self.outcomes["new"] or self.outcomes["changed"] or self.deleted)


def select_winners(staged: Staged) -> None:
    """Create table `lost`: the good records that another record of the batch beats."""
    staged.connection.execute(f"CREATE TABLE lost AS {lost_sql(staged.compiled.table)}")


def compare(
    staged: Staged,
    snapshot: Snapshot,
    journal: Path,
    *,
    full_snapshot: bool,
    earlier: Collection[str] | None = None,
) -> Difference:
    """Compare the staged records with a version of the core table.

    Args:
        staged: The batch, with its `lost` table.
        snapshot: The version to compare with.
        journal: The journal folder, read when an older batch is replayed.
        full_snapshot: Whether the batch is all that the source holds.
        earlier: Where the batch is loaded again, the raw objects of the batches before it.

    Returns:
        The difference. Tables `met` (see `met_sql`) and `absent` (keys and `_home` of rows to
        delete) are made anew.
    """
    table, source = staged.compiled.table, staged.compiled.source
    columns = ", ".join(f"{quoted(name)} {table.column(name).sql_type}" for name in table.key)
    staged.connection.execute(
        f"""
        CREATE OR REPLACE TABLE met
            (_rowid BIGINT, {columns}, _home VARCHAR, outcome VARCHAR, is_deletion BOOLEAN);
        CREATE OR REPLACE TABLE absent ({columns}, _home VARCHAR);
        """
    )
    stored = snapshot.as_of(source.id)
    is_replay = stored is not None and stored >= staged.as_of
    seen = seen_sql(journal, source.id, staged.as_of) if is_replay else NOTHING_SEEN
    staged.connection.execute(f"CREATE OR REPLACE TABLE seen AS {seen}")
    files = _files_of_keys(staged, snapshot)
    if files:
        again = earlier is not None
        # The version may be a column that is younger than these files.
        rows = stored_rows({each.name: each.sql_type for each in table.columns}, files)
        query = met_sql(table, rows, source, staged.as_of, again=again)
        staged.connection.execute(f"INSERT INTO met {query}")
    held_back = None
    if full_snapshot and source.deletes == "absence" and snapshot.data_files:
        held_back = _find_absent(staged, snapshot, earlier)
    return _summary(staged, snapshot, held_back)


def _partition_follows_key(table: TableContract) -> bool:
    if table.partition_column is None:
        return False
    derived = table.column(table.partition_column).derived or ""
    return derived.partition("(")[2].rstrip(")") in table.key


def _files_of_keys(staged: Staged, snapshot: Snapshot) -> list[Path]:
    """The files in which keys of the batch may live.

    Where the partition is a function of the key, those are the batch's own partitions, and those
    that a clock of another zone would have put it in: the contract's zone may have changed. Where
    it is not, the key columns of every partition are read to find where each key lives now; the
    same key of another source at most adds a file, and to ask whose it is costs a column more.
    """
    table = staged.compiled.table
    files = snapshot.files()
    if table.partition_column is None or not files:
        return files
    partition = quoted(table.partition_column)
    if _partition_follows_key(table):
        day = table.partition_date
        query = f"SELECT DISTINCT {partition} FROM staged WHERE _is_good"
        if day and (table.column(day).derived or "").startswith("localDate"):
            near = month_of(f"day + unnest([-{_ZONE_DAYS}, 0, {_ZONE_DAYS}])")
            days = f"SELECT DISTINCT {quoted(day)} AS day FROM staged WHERE _is_good"
            query = f"SELECT DISTINCT {near} FROM ({days})"
    else:
        query = f"""
            SELECT DISTINCT l.{partition} FROM {read_files(files)} l
            SEMI JOIN staged s ON {same("s", "l", table.key)}
            """
    return snapshot.files({home for (home,) in staged.connection.execute(query).fetchall()})


def _find_absent(staged: Staged, snapshot: Snapshot, earlier: Collection[str] | None) -> str | None:
    """Fill table `absent`; where deletions are refused it stays empty and the reason is given.

    A batch that is loaded again is older than the stream's as-of. What it lacks of the batches
    before it was gone on its day; what came of a later one it cannot know.
    """
    table, source = staged.compiled.table, staged.compiled.source
    stored = snapshot.as_of(source.id)
    if earlier is None and stored is not None and stored > staged.as_of:
        return f"the snapshot of {staged.as_of} is older than the stream's as-of {stored}"
    if not staged.records - staged.quarantined:
        return "the snapshot holds no good record"
    unreadable = _number(staged, f"SELECT count(*) FROM bad WHERE {_key_is_unreadable(table)}")
    if unreadable:
        return f"the key of {unreadable} records of the snapshot cannot be read"
    home = f"l.{quoted(table.partition_column)}" if table.partition_column else "NULL"
    live = f"{read_files(snapshot.files())} l"
    mine = f"l._source = {literal(source.id)} AND NOT l._is_deleted"
    known = f"l._as_of <= {date_literal(staged.as_of)}"
    if earlier is not None:
        known = _came_before(staged, earlier)
    staged.connection.execute(
        f"""
        INSERT INTO absent SELECT {quoted_list(table.key, "l.")}, {home} FROM {live}
        WHERE {mine} AND {known}
            AND NOT EXISTS (SELECT 1 FROM staged s WHERE {same("s", "l", table.key)})
        """
    )
    absent = _number(staged, "SELECT count(*) FROM absent")
    rows = _number(staged, f"SELECT count(*) FROM {live} WHERE {mine}")
    if absent <= source.max_delete_share * rows:
        return None
    staged.connection.execute("DELETE FROM absent")
    return (
        f"{absent} of {rows} rows are absent from the snapshot, "
        f"more than the share {source.max_delete_share} that may be deleted at once"
    )


def _came_before(staged: Staged, earlier: Collection[str]) -> str:
    """SQL condition: row `l` came of the batch that is loaded again or of one before it."""
    day = date_literal(staged.as_of)
    objects = ", ".join(map(literal, sorted(earlier))) or "NULL"
    return (
        f"(l._as_of < {day} OR (l._as_of = {day} AND (l._raw_digest IN ({objects})"
        " OR l._raw_digest IN (SELECT digest FROM object))))"
    )


def _key_is_unreadable(table: TableContract) -> str:
    return "key_text IS NULL OR " + " OR ".join(
        f"{json_member('key_text', name)} IS NULL" for name in table.key
    )


def _number(staged: Staged, query: str) -> int:
    return int(staged.connection.execute(query).fetchall()[0][0])


def _summary(staged: Staged, snapshot: Snapshot, held_back: str | None) -> Difference:
    connection = staged.connection
    counted = connection.execute(
        "SELECT outcome, count(*) FROM (FROM lost SELECT outcome UNION ALL FROM met SELECT outcome)"
        " GROUP BY outcome"
    ).fetchall()
    outcomes = {"new": 0, "changed": 0, "unchanged": 0, "superseded": 0, "duplicate": 0}
    outcomes.update(counted)
    outcomes["new"] = staged.records - staged.quarantined - sum(outcomes.values())
    deleted = _number(
        staged,
        "SELECT (SELECT count(*) FROM met WHERE outcome = 'changed' AND is_deletion)"
        " + (SELECT count(*) FROM absent)",
    )
    homes = connection.execute(
        "SELECT DISTINCT _home FROM met WHERE outcome = 'changed'"
        " UNION SELECT DISTINCT _home FROM absent"
    ).fetchall()
    rewritten = {home for (home,) in homes} | _crowded(staged, snapshot)
    return Difference(outcomes, deleted, held_back, frozenset(rewritten))


def _crowded(staged: Staged, snapshot: Snapshot) -> set[str | None]:
    """Partitions that get new rows and already have many files."""
    table = staged.compiled.table
    if table.partition_column is None:
        return {None} if len(snapshot.data_files) >= MOST_FILES else set()
    files = Counter(each.partition[table.partition_column] for each in snapshot.data_files)
    crowded = {value for value, number in files.items() if number >= MOST_FILES}
    if not crowded:
        return set()
    touched = staged.connection.execute(
        f"SELECT DISTINCT {quoted(table.partition_column)} FROM staged WHERE _is_good"
        " AND rowid NOT IN (SELECT _rowid FROM lost UNION ALL SELECT _rowid FROM met"
        " WHERE outcome <> 'changed')"
    ).fetchall()
    return crowded & {value for (value,) in touched}
