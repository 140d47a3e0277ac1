"""The list of what was planted: for tests, never served."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from demo import days
from demo.health.faults import value
from demo.health.generator import generate
from demo.health.planted import plant
from demo.health.transport import troubles
from demo.planted import Seen, seen
from demo.window import Window

Line = dict[str, Any]


def manifest(
    window: Window, first: date, last: date, *, rate: float = 1.0, first_read: date | None = None
) -> Iterator[Line]:
    """The planted faults that show between two days, ordered by day and encounter.

    Args:
        window: The encounters, from the first day of the source to `last` at least.
        first: First day of faults.
        last: Last day of faults.
        rate: Factor on the number of faults.
        first_read: The first day that a reader looks at the source, who then reads every day;
            None is a reader from the source's first day on. What came before shows to it as
            far as the state of that day tells.

    Yields:
        One line an effect: `kind`, `day` (on which it was planted), `seen` (the day of the
        read that shows it), `encounter_id` (as given out, also where the resource does not
        show it), `start` and `last_updated` as sent (None for what is gone), `column`,
        `effect`; for the transport `what` was asked for instead of encounter and column.
    """
    planted = plant(window, generate(window), rate)
    for each in seen(planted, first_read or window.first, first, last):
        yield _line(each)
    start = first_read or first
    for day in days.days_from(start, (last - start).days + 1):
        text = day.isoformat()
        for what, trouble in troubles(day).items():
            yield {"kind": trouble, "day": text, "seen": text, "what": what, "effect": "retried"}


def _line(each: Seen) -> Line:
    shown = each.step.records[-1] if each.step.records else None
    return {
        "kind": each.planted.slot.kind,
        "day": each.day.isoformat(),
        "seen": each.seen.isoformat(),
        "encounter_id": each.planted.identifier,
        "start": value(shown, "start") if shown else None,
        "last_updated": value(shown, "lastUpdated") if shown else None,
        "column": each.effect.column,
        "effect": each.effect.outcome,
    }
