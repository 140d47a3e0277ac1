"""The processes of a keeper, as the system lists them."""

import json
import os
import socket
from contextlib import suppress
from pathlib import Path

import psutil


def keeper(home: Path) -> int:
    """Process id of the keeper of a home, which is that of its session."""
    return int(json.loads((home / "airflow" / "keeper.json").read_text())["pid"])


def session_members(session: int) -> list[str]:
    """Command lines of the processes of a session that have not ended."""
    found = []
    for each in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getsid(each.pid) == session and each.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(each.cmdline()))
    return found


def is_open(port: int) -> bool:
    """Whether something listens on a port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def children_named(home: Path, component: str) -> list[int]:
    """Process ids of a component that the keeper of a home started itself."""
    return [each.pid for each in _keeper(home).children() if component in " ".join(each.cmdline())]


def task_process(home: Path, instance: str) -> psutil.Process | None:
    """The process of a task instance, which names itself after it; None where there is none."""
    for each in _keeper(home).children(recursive=True):
        with suppress(psutil.Error):
            if " ".join(each.cmdline()).strip() == f"airflow worker -- {instance}":
                return each
    return None


def _keeper(home: Path) -> psutil.Process:
    return psutil.Process(keeper(home))


def memory(home: Path) -> int:
    """Bytes that the keeper and everything below it take up, shared pages counted once."""
    tree = [_keeper(home), *_keeper(home).children(recursive=True)]
    return sum(each.memory_full_info().pss for each in tree)
