"""The list of what was planted in the one-stop shop: for tests, never served."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from demo.dossiers.changes import written
from demo.dossiers.generator import generate
from demo.dossiers.planted import plant
from demo.planted import Seen, seen
from demo.window import Window


def manifest(
    window: Window, first: date, last: date, *, rate: float = 1.0, first_read: date | None = None
) -> Iterator[dict[str, Any]]:
    """The planted faults that show between two days, ordered by day and dossier.

    Args:
        window: The dossiers, from the first day of the source to `last` at least.
        first: First day of faults.
        last: Last day of faults.
        rate: Factor on the number of faults.
        first_read: The first day that a reader looks at the source, who then reads every day;
            None is a reader from the source's first day on.

    Yields:
        One line an effect: `kind`, `day` (on which it was planted), `seen` (the day of the
        read that shows it), `dossier_id` (as given out, also where the row does not show it),
        `received_at` and `updated_at` as shown, `column`, `effect`.
    """
    planted = plant(window, generate(window), rate)
    for each in seen(planted, first_read or window.first, first, last):
        yield _line(each)


def _line(each: Seen) -> dict[str, Any]:
    shown = each.step.records[-1]
    return {
        "kind": each.planted.slot.kind,
        "day": each.day.isoformat(),
        "seen": each.seen.isoformat(),
        "dossier_id": each.planted.identifier,
        "received_at": written(shown["received_at"]),
        "updated_at": written(shown["updated_at"]),
        "column": each.effect.column,
        "effect": each.effect.outcome,
    }
