"""The list of what was planted: for tests, never served."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from demo import days
from demo.feedback.generator import generate
from demo.feedback.planted import Planted, plant
from demo.feedback.transport import SCHEDULED_PAGES, scheduled
from demo.planting import Effect, Step
from demo.window import Window

Line = dict[str, Any]


def manifest(
    window: Window, first: date, last: date, *, rate: float = 1.0, first_read: date | None = None
) -> Iterator[Line]:
    """The planted faults that show between two days, ordered by day and request.

    Args:
        window: The requests, from the first day of the source to `last` at least.
        first: First day of faults.
        last: Last day of faults.
        rate: Factor on the number of faults.
        first_read: The first day that a reader looks at the source, who then reads every day;
            None is a reader from the source's first day on. What came before shows to it as
            far as the state of that day tells.

    Yields:
        One line an effect: `kind`, `day` (on which it was planted), `seen` (the day of the
        read that shows it), `service_request_id` (as given out, also where the record does
        not show it), `requested_datetime` and `updated_datetime` as sent, `column`,
        `effect`; for the transport `page` instead of request and column.
    """
    requests = plant(window, generate(window), rate)
    lines = [
        line
        for line in record_lines(requests, first_read or window.first)
        if first <= date.fromisoformat(line["day"]) <= last
    ]
    yield from sorted(lines, key=lambda line: (line["day"], line["service_request_id"]))
    yield from _transport(first_read or first, last)


def record_lines(requests: Iterable[Planted], first_read: date) -> Iterator[Line]:
    """The lines of planted requests, for a reader whose first read is on a day."""
    for request in requests:
        state = request.step_at(days.ends_at(first_read))
        for step, effect in request.effects():
            day = days.day_of(step.recorded)
            if day > first_read or (step is state and effect.standing):
                yield _line(request, step, effect, day, max(day, first_read))


def _line(request: Planted, step: Step, effect: Effect, day: date, seen: date) -> Line:
    shown = step.records[-1]
    return {
        "kind": request.slot.kind,
        "day": day.isoformat(),
        "seen": seen.isoformat(),
        "service_request_id": request.service_request_id,
        "requested_datetime": shown.get("requested_datetime"),
        "updated_datetime": shown.get("updated_datetime"),
        "column": effect.column,
        "effect": effect.outcome,
    }


def _transport(first: date, last: date) -> Iterator[Line]:
    for day in days.days_from(first, (last - first).days + 1):
        for page in range(1, SCHEDULED_PAGES + 1):
            kind = scheduled(day, page)
            if kind is not None:
                text = day.isoformat()
                yield {"kind": kind, "day": text, "seen": text, "page": page, "effect": "retried"}
