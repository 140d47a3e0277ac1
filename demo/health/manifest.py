"""The list of what was planted: for tests, never served."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from demo import days
from demo.health.faults import value
from demo.health.generator import generate
from demo.health.planted import Planted, plant
from demo.health.transport import troubles
from demo.planted import Effect, Step
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
    lines = [
        line
        for line in record_lines(planted, first_read or window.first)
        if first <= date.fromisoformat(line["day"]) <= last
    ]
    yield from sorted(lines, key=lambda line: (line["day"], line["encounter_id"]))
    start = first_read or first
    for day in days.days_from(start, (last - start).days + 1):
        text = day.isoformat()
        for what, trouble in troubles(day).items():
            yield {"kind": trouble, "day": text, "seen": text, "what": what, "effect": "retried"}


def record_lines(planted: Iterable[Planted], first_read: date) -> Iterator[Line]:
    """The lines of planted encounters, for a reader whose first read is on a day."""
    for each in planted:
        state = each.step_at(days.ends_at(first_read))
        for step, effect in each.effects():
            day = days.day_of(step.recorded)
            if day > first_read or (step is state and effect.standing):
                yield _line(each, step, effect, day, max(day, first_read))


def _line(planted: Planted, step: Step, effect: Effect, day: date, seen: date) -> Line:
    shown = step.records[-1] if step.records else None
    return {
        "kind": planted.slot.kind,
        "day": day.isoformat(),
        "seen": seen.isoformat(),
        "encounter_id": planted.encounter_id,
        "start": value(shown, "start") if shown else None,
        "last_updated": value(shown, "lastUpdated") if shown else None,
        "column": effect.column,
        "effect": effect.outcome,
    }
