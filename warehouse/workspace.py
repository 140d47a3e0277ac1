"""Scratch folders of work in progress, which tell the living from the dead."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from warehouse.files import scratch
from warehouse.paths import RESTRICTED_MODE, CityPaths

_PREFIX = "writing"
_LOCK = "lock"


@contextmanager
def workspace(paths: CityPaths) -> Iterator[Path]:
    """A scratch folder, removed at the end; while it lasts, `any_writer` is true.

    The lock on it goes with the process, whatever ends the process, so that the folder of a
    killed run is known to be dead.
    """
    folder = scratch(paths.work, _PREFIX)
    folder.mkdir(mode=RESTRICTED_MODE)
    with (folder / _LOCK).open("wb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(handle: BinaryIO) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def any_writer(paths: CityPaths) -> bool:
    """Whether any process holds a workspace of the city; removes the folders of dead ones."""
    alive = False
    for folder in paths.work.glob(f"{_PREFIX}.*"):
        try:
            with (folder / _LOCK).open("rb") as handle:
                dead = not _is_alive(handle)
        except FileNotFoundError:
            # Between its folder and its lock, or just gone: not ours to judge.
            alive = alive or folder.exists()
            continue
        if dead:
            shutil.rmtree(folder, ignore_errors=True)
        alive = alive or not dead
    return alive
