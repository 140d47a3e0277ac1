"""Whether delivered records ended as they had to, told from the records alone: the reverse way.

That what is planted ended as planted is one way. The other is that nothing else did: what ended as
`changed` was sent with another content than before, and what was not planted carries a later time
of update; what ended as `new` was not there before, and what was not planted is of that day.
"""

import json
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import polars as pl

TAKEN = ("new", "changed", "unchanged")


class Delivered(NamedTuple):
    """One delivered record and what became of it.

    Attributes:
        identity: What its key is made of; None where it lost it.
        updated: When the source updated it, as sent.
        content: All that was sent, as text.
        outcome: How it ended.
        read_on: The day of the read.
    """

    identity: Hashable
    updated: str | None
    content: str
    outcome: str
    read_on: str


class Untrue(NamedTuple):
    """A record that ended otherwise than it had to, and why."""

    why: str
    record: Delivered


def untrue(
    delivered: Iterable[Delivered],
    planted: Collection[tuple[Hashable, str]],
    is_of: Callable[[Delivered], str],
) -> list[Untrue]:
    """The records that ended as new, changed or unchanged and must not have.

    Args:
        delivered: Every record of every read.
        planted: Identity and day of the read of all that is planted and ends as new, changed or
            deleted.
        is_of: The day on which a record that is not planted first shows.
    """
    before: dict[Hashable, Delivered] = {}
    found: list[Untrue] = []
    by_read = groupby(sorted(delivered, key=_read_on), key=_read_on)
    for number, (_, records) in enumerate(by_read):
        taken = [each for each in records if each.outcome in TAKEN]
        for each in taken:
            is_planted = (each.identity, each.read_on) in planted
            first = number == 0 or is_planted or is_of(each) == each.read_on
            why = _why(each, before.get(each.identity), is_planted=is_planted, is_first=first)
            found += [Untrue(why, each)] if why else []
        twice = len(taken) - len({each.identity for each in taken})
        assert twice == 0, f"{twice} keys were taken twice from one read"
        before |= {each.identity: each for each in taken}
    return found


def _read_on(each: Delivered) -> str:
    return each.read_on


def _why(
    each: Delivered, before: Delivered | None, *, is_planted: bool, is_first: bool
) -> str | None:
    """Why a record must have ended otherwise; None where it had to end so."""
    if each.outcome == "new":
        if before is not None:
            return "was there before"
        return None if is_first else "is neither planted nor of this day"
    if before is None:
        return "was not there before"
    if each.outcome == "unchanged":
        return None if each.updated == before.updated else "was updated"
    if each.content == before.content:
        return "says what it said before"
    is_later = (each.updated or "") > (before.updated or "")
    return None if is_planted or is_later else "is neither planted nor updated later"


def core_rows(root: Path, name: str) -> pl.DataFrame:
    """The rows of a core table's newest version, by the files that its log leaves standing."""
    table = root / "core" / name
    files: set[str] = set()
    for log in sorted((table / "_delta_log").glob("*.json")):
        for action in map(json.loads, log.read_text().splitlines()):
            files |= {action["add"]["path"]} if "add" in action else set()
            files -= {action["remove"]["path"]} if "remove" in action else set()
    return pl.concat([pl.read_parquet(table / unquote(each)) for each in files], how="diagonal")


def tombstones(root: Path, name: str, *columns: str) -> list[Hashable]:
    """The keys of all that a core table holds as deleted, each as often as it stands there."""
    rows = core_rows(root, name).filter(pl.col("_is_deleted")).select(columns)
    return sorted(row[0] if len(columns) == 1 else row for row in rows.iter_rows())


def as_text(record: object) -> str:
    """A record as one text, whatever the order of its fields."""
    return json.dumps(record, sort_keys=True, default=str, ensure_ascii=False)


def pairs(found: Iterable[Delivered], outcome: str) -> Iterator[tuple[Hashable, str]]:
    """Identity and day of the read of all that ended in one way."""
    return ((each.identity, each.read_on) for each in found if each.outcome == outcome)
