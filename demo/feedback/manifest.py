"""The list of what was planted: for tests, never served."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from demo import days
from demo.feedback.generator import generate
from demo.feedback.planted import plant
from demo.planted import Seen, seen
from demo.trouble import SCHEDULED_PAGES, scheduled
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
    for each in seen(requests, first_read or window.first, first, last):
        yield _line(each)
    yield from _transport(first_read or first, last)


def _line(each: Seen) -> Line:
    shown = each.step.records[-1]
    return {
        "kind": each.planted.slot.kind,
        "day": each.day.isoformat(),
        "seen": each.seen.isoformat(),
        "service_request_id": each.planted.identifier,
        "requested_datetime": shown.get("requested_datetime"),
        "updated_datetime": shown.get("updated_datetime"),
        "column": each.effect.column,
        "effect": each.effect.outcome,
    }


def _transport(first: date, last: date) -> Iterator[Line]:
    for day in days.days_from(first, (last - first).days + 1):
        for page in range(1, SCHEDULED_PAGES + 1):
            kind = scheduled(day, page)
            if kind is not None:
                text = day.isoformat()
                yield {"kind": kind, "day": text, "seen": text, "page": page, "effect": "retried"}
