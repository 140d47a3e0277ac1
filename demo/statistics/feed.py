"""What the statistics office shows as of a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from demo import days
from demo.statistics.codes import CITY
from demo.statistics.faults import Planted, plant
from demo.statistics.figures import (
    FIRST_MONTH,
    WITHDRAWN,
    Figure,
    Record,
    guest_areas,
    guests,
    natural,
)
from demo.window import Window


@dataclass(frozen=True)
class Shown:
    """One record of an answer, with the action that it is sent for."""

    action: str
    record: Record


class Feed:
    """The figures of a window as the office knew them on each of its days."""

    def __init__(self, window: Window, *, faults: bool = True, rate: float = 1.0) -> None:
        self.window = window
        self.planted: list[Planted] = plant(window, rate) if faults else []
        self._figures = list(_figures(window, self.planted))

    def knows(self, as_of: date) -> bool:
        """Whether the day lies in the window."""
        return self.window.first <= as_of <= self.window.last

    def shown(self, as_of: date, updated_after: int | None) -> Iterator[Shown]:
        """What stands at a day's end, or what of it was published since an instant.

        Args:
            as_of: The day.
            updated_after: Seconds since 1970; what was withdrawn since is then told, too.
        """
        until = days.ends_at(as_of)
        for figure in self._figures:
            known = [version for version in figure if version.recorded < until]
            if not known:
                continue
            version = known[-1]
            is_gone = version.action == WITHDRAWN
            if updated_after is None and is_gone:
                continue
            if updated_after is not None and version.recorded < updated_after:
                continue
            for record in version.records:
                yield Shown(version.action, record)


def _figures(window: Window, planted: list[Planted]) -> Iterator[Figure]:
    yield from natural(window.seed, window.last)
    faulty = {(each.area, each.day) for each in planted}
    day = FIRST_MONTH.toordinal()
    for number in range(day, window.last.toordinal()):
        each = date.fromordinal(number)
        for area in (CITY, *guest_areas(each)):
            if (area, each) not in faulty:
                yield from guests(window.seed, each, area, window.last)
    yield from (each.figure for each in planted)
