"""The processes of a keeper, as the system lists them."""

import json
from contextlib import suppress
from pathlib import Path

import psutil


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
    return psutil.Process(json.loads((home / "airflow" / "keeper.json").read_text())["pid"])


def memory(home: Path) -> int:
    """Bytes that the keeper and everything below it take up, shared pages counted once."""
    keeper = _keeper(home)
    tree = [keeper, *keeper.children(recursive=True)]
    return sum(each.memory_full_info().pss for each in tree)
