"""The doctor's checks of a city's lake; nothing in it is changed, created or repaired."""

import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pipeline.finding import Finding, Health, judged
from pipeline.status import verification_problems
from warehouse.lake import Kind, Lake, Snapshot
from warehouse.paths import RESTRICTED_MODE, CityPaths
from warehouse.workspace import is_alive, leftovers

KINDS: tuple[Kind, ...] = ("core", "quarantine")


def check_tables(paths: CityPaths) -> Finding:
    """Whether every Delta table can be read by its file list, and its files are there."""
    lake = Lake(paths)
    found: list[Snapshot] = []
    problems: list[str] = []
    for kind, name in [(each, table) for each in KINDS for table in lake.tables(each)]:
        try:
            snapshot = lake.snapshot(kind, name)
            problems += _table_problems(snapshot) if snapshot else ()
            found += [snapshot] if snapshot else []
        except Exception as error:  # noqa: BLE001 - a table that does not open is what is looked for
            problems.append(f"{kind} table {name} cannot be opened ({type(error).__name__})")
    versions = sorted({each.protocol_versions for each in found})
    told = ", ".join(f"reader {reader} writer {writer}" for reader, writer in versions)
    return judged("tables", problems, f"{len(found)} tables ({told or 'no lake yet'})")


def _table_problems(snapshot: Snapshot) -> Iterator[str]:
    name = f"{snapshot.kind} table {snapshot.table}"
    if snapshot.unsupported_features:
        yield f"{name} uses {', '.join(snapshot.unsupported_features)}, which the lake refuses"
    missing = len(snapshot.missing_files())
    if missing:
        yield f"{name}: {missing} files of version {snapshot.version} are gone"


def check_permissions(paths: CityPaths) -> Finding:
    """Whether the folders that may hold personal data are closed to others, and ours to use."""
    problems = []
    for folder in (paths.raw, paths.core, paths.quarantine, paths.work):
        if not folder.exists():
            continue
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode != RESTRICTED_MODE:
            problems.append(f"{folder.name}/ has mode {mode:04o}, not {RESTRICTED_MODE:04o}")
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            problems.append(f"{folder.name}/ cannot be written by this user")
    return judged("permissions", problems, "raw, core, quarantine and work are 0700")


def check_lock(paths: CityPaths) -> Finding:
    """Whether a run is on."""
    if _is_locked(paths.lock):
        return Finding("run lock", Health.WARN, ("a run of this city is on",))
    return Finding("run lock", Health.OK, ("free",))


def _is_locked(path: Path) -> bool:
    if not path.exists():
        return False
    with path.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def check_scratch(paths: CityPaths) -> Finding:
    """Whether a run that was ended left scratch behind; the next run removes it."""
    if _is_locked(paths.lock):
        return Finding("scratch", Health.OK, ("in use by a run",))
    left = [path for path in leftovers(paths) if _files(path) and not is_alive(path)]
    if not left:
        return Finding("scratch", Health.OK, ("nothing is left over",))
    size = sum(each.stat().st_size for path in left for each in _files(path))
    told = f"{len(left)} left over in work/, {size / 1e6:.1f} MB: the next run removes them"
    return Finding("scratch", Health.WARN, (told,))


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]


def check_evidence(paths: CityPaths) -> Finding:
    """Whether ledger and releases are as they were written."""
    problems = verification_problems(paths)
    return judged("ledger and releases", problems, "unchanged")
