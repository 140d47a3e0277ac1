# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""Removes what is old: superseded files, quarantined records, raw objects, promoted mart files.

Age is counted in processing days up to the day of the run, never by the clock, so that a run
of the past removes what it would have removed then.
"""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from pathlib import Path

from warehouse.boundary import reached
from warehouse.data_files import Rows, discard, write_files
from warehouse.duck import session
from warehouse.files import scratch
from warehouse.lake import Commit, CommitConflictError, Kind, Lake, Snapshot
from warehouse.load import retried
from warehouse.load_journal import RawList, raw_lists
from warehouse.paths import CityPaths
from warehouse.promotion_record import Record, latest, records
from warehouse.quarantine import QUARANTINE_COLUMNS
from warehouse.sql import date_literal, quoted_list, read_files
from warehouse.workspace import any_writer, workspace


@dataclass(frozen=True)
class DiskUse:
    """Bytes of one table.

    Attributes:
        on_disk: Of all data files in its folder.
        live: Of the files of its newest version.
        removed: Of the files that the vacuum removed.
    """

    on_disk: int
    live: int
    removed: int


def vacuum(
    lake: Lake, kind: Kind, table: str, *, pinned: Collection[int], as_of: date, days: int
) -> DiskUse:
    """Remove the data files that no version to keep needs.

    Kept are the newest version, the pinned ones, and every version that was still the newest
    `days` before `as_of`. The table gets no new version. Files that no version names are left
    from killed writers and go too, unless a writer is at work.

    Args:
        lake: The city's lake.
        kind: `core` or `quarantine`.
        table: Name of the table.
        pinned: Versions that a publication's last promotion, an open hold or a parked build was
            built from.
        as_of: Processing day of the run.
        days: Age in days from which a superseded file is removed.

    Returns:
        What is on disk afterwards.
    """
    folder = lake.folder(kind, table)
    # The order matters: a file listed now, of a writer that is gone by the next line, is
    # committed by the line after, or never.
    listed = _data_files(folder)
    writing = any_writer(lake.paths)
    newest = lake.snapshot(kind, table)
    if newest is None:
        return DiskUse(0, 0, 0)
    keep = _kept_versions(newest, pinned, as_of - timedelta(days=days))
    needed: set[Path] = set(newest.files())
    for version in keep - {newest.version}:
        snapshot = lake.snapshot(kind, table, version)
        needed |= set(snapshot.files()) if snapshot else set()
    spared = listed - _ever_named(folder) if writing else set()
    doomed = listed - needed - spared
    removed = sum(each.stat().st_size for each in doomed)
    reached("vacuum.before_unlink")
    for path in doomed:
        path.unlink(missing_ok=True)
    on_disk = sum(each.stat().st_size for each in _data_files(folder))
    return DiskUse(on_disk, sum(each.size for each in newest.data_files), removed)


def _data_files(folder: Path) -> set[Path]:
    return {each for each in folder.rglob("*.parquet") if "_delta_log" not in each.parts}


def _kept_versions(newest: Snapshot, pinned: Collection[int], floor: date) -> set[int]:
    """Versions whose successor was committed for a day after `floor`, and the pinned ones."""
    keep = {newest.version} | {each for each in pinned if 0 <= each <= newest.version}
    for commit in newest.commits():
        batch = commit.get("batch")
        if batch is None or date.fromisoformat(batch["as_of"]) > floor:
            keep.add(max(commit["version"] - 1, 0))
    return keep


def _ever_named(folder: Path) -> set[Path]:
    """Files that some commit added, whether they are live or not."""
    named = set()
    for log in (folder / "_delta_log").glob("*.json"):
        for line in log.read_text(encoding="utf-8").splitlines():
            action = json.loads(line)
            if "add" in action:
                named.add(folder / action["add"]["path"])
    return named


def forget_quarantine(lake: Lake, table: str, *, as_of: date, days: int) -> int:
    """Remove quarantined records of processing days more than `days` before `as_of`.

    Returns:
        How many records were removed; without any the table gets no new version.
    """
    floor = date_literal(as_of - timedelta(days=days))
    return retried(lambda: _forget(lake, table, floor, as_of))


def _forget(lake: Lake, table: str, floor: str, as_of: date) -> int:
    snapshot = lake.snapshot("quarantine", table)
    if snapshot is None or not snapshot.data_files:
        return 0
    rows = read_files(snapshot.files())
    with (
        workspace(lake.paths) as work,
        closing(session(lake.memory_limit, work / "spill")) as connection,
    ):
        counted = connection.execute(
            f"SELECT count(*) FROM {rows} WHERE _as_of < {floor}"
        ).fetchall()
        old = int(counted[0][0])
        if not old:
            return 0
        select = f"SELECT {quoted_list(QUARANTINE_COLUMNS)} FROM {rows} WHERE _as_of >= {floor}"
        added = write_files(connection, [Rows(select)], snapshot.folder, None, {})
        commit = Commit(metadata={"batch": {"source": None, "as_of": as_of.isoformat()}})
        try:
            lake.replace(snapshot, added, snapshot.select(), commit)
        except CommitConflictError:
            discard(snapshot.folder, added)
            raise
    return old


def forget_marts(paths: CityPaths, *, as_of: date, days: int) -> int:
    """Remove the promoted mart files that nothing needs any more.

    Kept are the file that the latest promotion record names, which is the base of the next build
    and what readers are served from, that of the record before, from which a promotion under way
    may still take rows, and every file that was still in force `days` before `as_of`: its successor
    was promoted from data of a later day. Files that no record names were left by
    promotions that were killed and go, too. A promotion under way loses nothing: a file is moved
    aside first and comes back where a record has named it by then, and a promotion writes its file
    again where it is gone after its record. Held candidates are promotion's own affair
    (`warehouse.promotion`). The caller has written the releases that are due, since these are
    written from the file that promoted them.

    Args:
        paths: Folders of the city.
        as_of: Processing day of the run.
        days: Age in days from which a superseded file is removed.

    Returns:
        Bytes removed.
    """
    listed = sorted(paths.marts.glob("*.duckdb"))
    known = records(paths)
    kept = _kept_marts(paths, known, as_of - timedelta(days=days))
    return sum(_forget_mart(paths, path) for path in listed if known and path not in kept)


def _forget_mart(paths: CityPaths, path: Path) -> int:
    """Remove one mart file, unless a promotion has just named it; bytes removed."""
    aside = scratch(paths.work, "old-mart")
    try:
        path.rename(aside)
    except FileNotFoundError:
        # Another run was first.
        return 0
    record = latest(paths)
    if record is not None and record.mart_file == path.name:
        aside.rename(path)
        return 0
    size = aside.stat().st_size
    aside.unlink()
    return size


def _kept_marts(paths: CityPaths, known: Sequence[Record], floor: date) -> set[Path]:
    """The files of the last two records, and those whose successor is of data after `floor`."""
    kept = {paths.marts / each.mart_file for each in known[-2:] if each.mart_file is not None}
    day = date.max
    for record in reversed(known):
        if record.mart_file is not None and day > floor:
            kept.add(paths.marts / record.mart_file)
        day = max((entry.data_as_of for entry in record.entries.values()), default=date.max)
    return kept


def forget_raw(
    journal: Path,
    stored: Iterable[tuple[str, Path]],
    *,
    as_of: date,
    days: Callable[[str], int | None],
    extracted: Iterable[RawList] = (),
) -> int:
    """Remove the raw objects whose last batch is of a day more than the kept days ago.

    An object that neither a batch nor an extraction names stays: it may belong to a run in
    progress.

    Args:
        journal: The journal folder, whose lists say which batch was read from what.
        stored: Digest and path of every raw object.
        as_of: Processing day of the run.
        days: Days that a stream's raw objects are kept, None for ever.
        extracted: What was extracted, to be loaded or loaded already.

    Returns:
        Bytes removed.
    """
    kept: set[str] = set()
    known: set[str] = set()
    for each in chain(raw_lists(journal), extracted):
        limit = days(each.source)
        known |= each.digests
        if limit is None or each.as_of >= as_of - timedelta(days=limit):
            kept |= each.digests
    old = known - kept
    removed = 0
    for digest, path in stored:
        if digest in old:
            removed += path.stat().st_size
            reached("raw.before_unlink")
            path.unlink(missing_ok=True)
    return removed
