"""Scratch folders of work in progress, which tell the living from the dead."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.files import scratch
from warehouse.paths import RESTRICTED_MODE, CityPaths

# dbt's parsed project, which runs hand on to each other.
DBT_CACHE = "dbt-cache"
# Builds that wait for their check and promotion.
PARKED = "parked"
_OPENING = "opening"
_WRITING = "writing"
_LOCK = "lock"


@contextmanager
def workspace(paths: CityPaths) -> Iterator[Path]:
    """A scratch folder, removed at the end; while it lasts, `any_writer` is true.

    The lock on it goes with the process, whatever ends the process, so that the folder of a
    killed run is known to be dead. It gets its name only once it is locked: a folder of that
    name without a lock was never alive.
    """
    opening = scratch(paths.work, _OPENING)
    opening.mkdir(mode=RESTRICTED_MODE)
    with (opening / _LOCK).open("wb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        folder = opening.rename(opening.with_name(opening.name.replace(_OPENING, _WRITING, 1)))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def any_writer(paths: CityPaths) -> bool:
    """Whether any process holds a workspace of the city; removes the folders of dead ones."""
    return any([_is_alive_or_removed(folder) for folder in paths.work.glob(f"{_WRITING}.*")])


def leftovers(paths: CityPaths) -> list[Path]:
    """What lies in the scratch folder and is not meant to stay, workspaces in use included."""
    return [
        path
        for path in sorted(paths.work.glob("*"))
        if path.name not in (DBT_CACHE, PARKED) and path.suffix not in (".lock", ".log")
    ]


def is_alive(folder: Path) -> bool:
    """Whether a process holds a workspace; one that is gone, or dead, is not alive."""
    try:
        with (folder / _LOCK).open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (FileNotFoundError, NotADirectoryError):
        # It ended by itself while we looked, or was never a workspace.
        pass
    return False


def _is_alive_or_removed(folder: Path) -> bool:
    if is_alive(folder):
        return True
    shutil.rmtree(folder, ignore_errors=True)
    return False
