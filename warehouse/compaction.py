# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""Fewer files: what many batches added to a partition is written into one file."""

from collections import Counter
from contextlib import closing
from datetime import date

from warehouse.data_files import LostRowsError, Rows, check_rows, discard, write_files
from warehouse.duck import session
from warehouse.lake import Commit, CommitConflictError, DataFile, Kind, Lake, Snapshot
from warehouse.load import retried
from warehouse.sql import read_files
from warehouse.workspace import workspace

# A partition with more files than this is written anew. Loading does it by itself at more
# (`difference.MOST_FILES`, `quarantine.MOST_FILES`), where a partition is touched anyway.
MANY_FILES = 8


def compact(lake: Lake, kind: Kind, table: str, *, as_of: date) -> int:
    """Write every partition of a table that has many files into one; its rows stay as they are.

    The old files stay until `retention.vacuum` finds that no version to keep needs them.

    Args:
        lake: The city's lake.
        kind: `core` or `quarantine`.
        table: Name of the table.
        as_of: Processing day of the run, from which the age of the old files counts.

    Returns:
        How many files fewer the newest version has; without any there is no new version.

    Raises:
        CommitConflictError: when other writers overtook this one too often.
        LostRowsError: when rows were lost or doubled on the way.
    """
    return retried(lambda: _compact(lake, kind, table, as_of))


def _compact(lake: Lake, kind: Kind, table: str, as_of: date) -> int:
    snapshot = lake.snapshot(kind, table)
    crowded = _crowded(snapshot) if snapshot else []
    if snapshot is None or not crowded:
        return 0
    column = snapshot.partition_columns[0] if snapshot.partition_columns else None
    rows: Counter[str | None] = Counter()
    for each in crowded:
        rows[each.partition[column] if column else None] += each.rows
    with (
        workspace(lake.paths) as work,
        closing(session(lake.memory_limit, work / "spill")) as connection,
    ):
        select = f"SELECT * FROM {read_files(snapshot.folder / each.path for each in crowded)}"
        added = write_files(connection, [Rows(select)], snapshot.folder, column, rows)
        try:
            check_rows(f"{kind} table {table}", added, rows.total())
            batch = {"source": None, "as_of": as_of.isoformat()}
            commit = Commit(metadata={"batch": batch, "streams": snapshot.streams})
            lake.replace(snapshot, added, crowded, commit, data_change=False)
        except (CommitConflictError, LostRowsError):
            discard(snapshot.folder, added)
            raise
    return len(crowded) - len(added)


def _crowded(snapshot: Snapshot) -> list[DataFile]:
    """The files of the partitions that have many."""
    places = Counter(tuple(each.partition.items()) for each in snapshot.data_files)
    return [
        each for each in snapshot.data_files if places[tuple(each.partition.items())] > MANY_FILES
    ]
