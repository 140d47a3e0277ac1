"""Loads one batch of one stream into quarantine and core."""

from collections.abc import Callable, Collection, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from warehouse.core_rows import (
    arrow_schema,
    core_columns,
    partitions_to_write,
    rows_to_write,
)
from warehouse.data_files import LostRowsError, check_rows, discard, write_files
from warehouse.difference import Difference, compare, select_winners
from warehouse.duck import session
from warehouse.lake import Commit, CommitConflictError, Lake, Snapshot
from warehouse.load_journal import record_file, write_digests, write_records
from warehouse.quarantine import add_to_quarantine
from warehouse.records import RecordBatch
from warehouse.set_aside import SetAside, set_aside
from warehouse.staging import Compiled, Staged, stage
from warehouse.workspace import workspace

# How often a commit that another writer overtook is decided anew.
ATTEMPTS = 5

T = TypeVar("T")


@dataclass(frozen=True)
class LoadResult:
    """What became of one batch.

    Attributes:
        source: Id of the stream.
        table: Name of the core table.
        records_in: Records read; the counts add up to it.
        counts: Records by outcome: new, changed, unchanged, superseded, duplicate,
            quarantined.
        deleted: Live rows that became tombstones, by the source's word or by absence.
        held_back: Why rows that are absent from a full snapshot were not deleted, or None.
        version_before, version_after: Versions of the core table; None where there was none.
        sequence: Number of the stream's last committed batch.
        raw_digests: Digest of every raw object read, each once.
        ignored: Raw units that the format left out, by reason.
        record_file: The journal's file with the outcome of every record.
        set_aside: The rules that quarantined records broke, most frequent first.
    """

    source: str
    table: str
    records_in: int
    counts: dict[str, int]
    deleted: int
    held_back: str | None
    version_before: int | None
    version_after: int
    sequence: int
    raw_digests: tuple[str, ...]
    ignored: dict[str, int] = field(default_factory=dict)
    record_file: Path | None = None
    set_aside: tuple[SetAside, ...] = ()


def load_stream(
    lake: Lake,
    compiled: Compiled,
    batches: Iterable[RecordBatch],
    as_of: date,
    *,
    full_snapshot: bool,
    journal: Path,
    earlier: Collection[str] | None = None,
) -> LoadResult:
    """Load the batches of one stream as one batch of processing day `as_of`.

    Nothing is committed before the last batch is read. Quarantine is committed first, then
    core, whose commit carries the stream's as-of and sequence; a batch that changes nothing
    and does not move the as-of forward makes no version of any table.

    Args:
        lake: The city's lake.
        compiled: The stream's compiled contracts.
        batches: Records in the order of reading.
        as_of: Processing day D.
        full_snapshot: Whether the batches are all that the source holds; only then, and only
            where the contract says so, does absence delete.
        journal: The journal folder; `records/` and `batches/` below it are written.
        earlier: Where the batch was loaded before, by an earlier contract: digests of the
            raw objects of the batches before it, which were all loaded again. Rows that came
            of the batch are then older readings of the same objects, not rival versions.

    Returns:
        What became of the records.

    Raises:
        CommitConflictError: when other writers overtook this one too often.
        LostRowsError: when the files written lack rows; core is not committed then.
        Exception: whatever reading a batch raises; nothing is committed then.
    """
    with workspace(lake.paths) as work, closing(session(lake.memory_limit, work / "spill")) as con:
        con.execute("SET preserve_insertion_order = false")
        staged = stage(con, compiled, batches, as_of)
        select_winners(staged)
        retried(lambda: add_to_quarantine(lake, staged))
        path = record_file(journal, staged)
        raw = write_digests(journal, staged, work)

        before = lake.snapshot("core", compiled.table.name)

        def attempt() -> LoadResult:
            base = _base(lake, staged)
            difference = compare(
                staged, base, journal, full_snapshot=full_snapshot, earlier=earlier
            )
            write_records(path, staged, difference.outcomes, work)
            after = _commit(lake, staged, base, difference, raw)
            return _result(staged, difference, before, after, path)

        return retried(attempt)


def _base(lake: Lake, staged: Staged) -> Snapshot:
    table = staged.compiled.table
    schema = arrow_schema(staged, core_columns(table))
    return lake.ensure("core", table.name, schema, table.partition_column)


def retried(attempt: Callable[[], T]) -> T:
    """What `attempt` returns, tried anew while other writers commit first.

    Raises:
        CommitConflictError: when that happened `ATTEMPTS` times.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except CommitConflictError:
            continue
    return attempt()


def _commit(
    lake: Lake, staged: Staged, base: Snapshot, difference: Difference, raw: str
) -> Snapshot:
    stored = base.as_of(staged.compiled.source.id)
    if difference.is_empty and stored is not None and stored >= staged.as_of:
        return base
    commit = _core_commit(staged, base, difference, raw)
    if difference.is_empty:
        return lake.advance(base, commit)
    table = staged.compiled.table
    added = write_files(
        staged.connection,
        rows_to_write(staged, base, difference),
        base.folder,
        table.partition_column,
        partitions_to_write(staged, base, difference),
    )
    removed = base.select(difference.rewritten) if difference.rewritten else []
    try:
        check_rows(
            f"core table {table.name}",
            added,
            difference.outcomes["new"] + sum(each.rows for each in removed),
        )
        return lake.replace(base, added, removed, commit)
    except (CommitConflictError, LostRowsError):
        discard(base.folder, added)
        raise


def _core_commit(staged: Staged, base: Snapshot, difference: Difference, raw: str) -> Commit:
    source = staged.compiled.source.id
    stored = base.as_of(source)
    as_of = max(stored, staged.as_of) if stored else staged.as_of
    sequence = base.sequence(source) + 1
    stream = {"as_of": as_of.isoformat(), "sequence": sequence}
    return Commit(
        transactions={f"{source}/as_of": as_of.toordinal(), f"{source}/sequence": sequence},
        metadata={
            "streams": {**base.streams, source: stream},
            "batch": {
                "source": source,
                "as_of": staged.as_of.isoformat(),
                "sequence": sequence,
                "raw": raw,
                "objects": len(staged.digests),
                "records": staged.records,
                "outcomes": {**difference.outcomes, "quarantined": staged.quarantined},
                "deleted": difference.deleted,
            },
        },
    )


def _result(
    staged: Staged,
    difference: Difference,
    before: Snapshot | None,
    after: Snapshot,
    path: Path,
) -> LoadResult:
    source = staged.compiled.source.id
    return LoadResult(
        source=source,
        table=staged.compiled.table.name,
        records_in=staged.records,
        counts={**difference.outcomes, "quarantined": staged.quarantined},
        deleted=difference.deleted,
        held_back=difference.held_back,
        version_before=before.version if before else None,
        version_after=after.version,
        sequence=after.sequence(source),
        raw_digests=tuple(staged.digests),
        ignored=dict(staged.ignored),
        record_file=path,
        set_aside=set_aside(staged),
    )
