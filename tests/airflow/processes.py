"""The processes of a keeper, as the system lists them."""

import json
from pathlib import Path

import psutil


def children_named(home: Path, component: str) -> list[int]:
    """Process ids of a component that the keeper of a home started itself."""
    keeper = json.loads((home / "airflow" / "keeper.json").read_text())["pid"]
    return [
        each.pid
        for each in psutil.Process(keeper).children()
        if component in " ".join(each.cmdline())
    ]


def memory(home: Path) -> int:
    """Bytes that the keeper and everything below it take up, shared pages counted once."""
    keeper = psutil.Process(json.loads((home / "airflow" / "keeper.json").read_text())["pid"])
    tree = [keeper, *keeper.children(recursive=True)]
    return sum(each.memory_full_info().pss for each in tree)
