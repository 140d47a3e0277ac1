"""The list of what was planted: for tests, never served."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from demo import days
from demo.statistics.faults import DIMENSIONS, EFFECTS, IN_ONE_RECORD, QUARANTINE, Planted, plant
from demo.trouble import scheduled
from demo.window import Window

Line = dict[str, Any]


def manifest(
    window: Window, first: date, last: date, *, rate: float = 1.0, first_read: date | None = None
) -> Iterator[Line]:
    """The planted faults that show between two days, ordered by day.

    Args:
        window: From the first day of the source to `last` at least.
        first: First day of faults.
        last: Last day of faults.
        rate: Factor on the number of faults.
        first_read: The first day that a reader looks at the source, who then reads every day;
            None is a reader from the source's first day on.

    Yields:
        One line an effect: `kind`, `day` (on which it was published), `seen` (the day of the read
        that shows it), `key` (the dimensions and the period as sent), `updated` as sent,
        `column`, `effect`; for the transport no key and no column.
    """
    start = first_read or window.first
    lines = [line for each in plant(window, rate) for line in _lines(each, start)]
    shown = [line for line in lines if first <= date.fromisoformat(line["day"]) <= last]
    yield from sorted(shown, key=lambda line: (line["day"], line["key"]))
    reads = first_read or first
    for day in days.days_from(reads, (last - reads).days + 1):
        kind = scheduled(day, 1)
        if kind is not None:
            text = day.isoformat()
            yield {"kind": kind, "day": text, "seen": text, "effect": "retried"}


def _lines(planted: Planted, first_read: date) -> Iterator[Line]:
    effect = EFFECTS.get(planted.kind, QUARANTINE)
    # A revision or withdrawal shows to who has read the figure before.
    follows = len(planted.figure) > 1
    version = planted.figure[-1]
    day = days.day_of(version.recorded)
    if follows and day <= first_read:
        return
    record = version.records[-1]
    fault = IN_ONE_RECORD.get(planted.kind)
    yield {
        "kind": planted.kind,
        "day": day.isoformat(),
        "seen": max(day, first_read).isoformat(),
        "key": [record[name] for name in DIMENSIONS],
        "updated": record["UPDATED"],
        "column": fault.column if fault else None,
        "effect": effect,
    }
