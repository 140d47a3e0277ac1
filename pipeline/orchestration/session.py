"""Finds and ends every process of a session, whatever process group it made for itself.

Airflow gives each task a process group of its own; the session stays that of the keeper. What runs
in the background belongs to a folder: a mark with its path tells its processes from others, and a
state file says which they are.
"""

import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

PROCESSES = Path("/proc")
LOOK_SECONDS = 0.1
_STATE, _SESSION = 0, 3
_GONE = {"Z", "X"}
_MARK = "CITYLAKE_KEPT_IN"


def marked(folder: Path) -> dict[str, str]:
    """What the environment of every process says that belongs to a folder."""
    # A program that writes its own title would else write it over its environment.
    return {_MARK: str(folder), "SPT_NOENV": "1"}


def mark_of(folder: Path) -> str:
    """The same as one text, `NAME=value`, as `members` and `end_all` take it."""
    return f"{_MARK}={folder}"


def read_state(place: Path) -> dict[str, Any] | None:
    """What a state file says; None where there is none, or none that was written to its end."""
    try:
        found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found


def is_free(address: str, port: int) -> bool:
    """Whether a server can listen on a port of this machine."""
    with socket.socket() as probe:
        # A server that ended a moment ago leaves connections behind; they are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def say(text: str) -> None:
    """Tell whoever started it, or its log, one line of progress."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def members(session: int, mark: str) -> list[int]:
    """Processes of a session that were started with a mark in their environment.

    Args:
        session: Id of the session: that of the process that leads it.
        mark: `NAME=value` of an environment variable, so that a session of the same number that
            is somebody else's is left alone.

    Returns:
        Process ids, without this one.
    """
    found = []
    for folder in PROCESSES.glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            # The name of the program stands in brackets and may hold anything.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            is_member = fields[_STATE] not in _GONE and int(fields[_SESSION]) == session
            if is_member and mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return sorted(set(found) - {os.getpid()})


def end_all(session: int, mark: str, seconds: float) -> list[int]:
    """Ask every member to end, and end by force what has not after some seconds.

    Returns:
        What was left when it was asked, by process id.
    """
    left = members(session, mark)
    asked = list(left)
    until = time.monotonic() + seconds
    number = signal.SIGTERM
    while left:
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, number)
        time.sleep(LOOK_SECONDS)
        left = members(session, mark)
        if time.monotonic() > until:
            number = signal.SIGKILL
    return asked
