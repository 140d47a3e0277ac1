"""Which records carry which fault: kinds take turns, so that none is ever left out."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from demo import days
from demo.draw import number, shuffled
from demo.window import Window

MONTH = timedelta(days=31)  # leads to another month from every day of the calendar

WITHIN_A_DAY = 36  # faults planted a day on scale 1 and rate 1
BETWEEN_A_DAY = 18
FEWEST_WITHIN = 3
FEWEST_BETWEEN = 2
LONGEST_DELAY = 25
SHORTEST_LATE = 3


@dataclass(frozen=True)
class Plan:
    """What a system plants.

    Attributes:
        within: Kinds of fault that a record shows by itself.
        between: Kinds that only show between two days; among them are `late`, `date_moved` (to
            the month before) and `corrected`.
        records_on: How many records a seed, a day and a scale have.
    """

    within: tuple[str, ...]
    between: tuple[str, ...]
    records_on: Callable[[int, date, float], int]


@dataclass(frozen=True)
class Slot:
    """One fault to be planted.

    Attributes:
        made: Day of the record that carries it.
        shown: Day on which it shows.
        place: Place of the record in its day.
        salt: Chooses among the forms of a fault.
    """

    kind: str
    made: date
    shown: date
    place: int
    salt: int


def slots(window: Window, rate: float, plan: Plan) -> list[Slot]:
    """The faults on the records of a window, by day of the record.

    The faults of a record's day do not depend on where the window ends.

    Args:
        window: Which records exist.
        rate: Factor on the number of faults; 1 is 54 a day for the whole city.
        plan: What is planted.

    Raises:
        ValueError: when a day has fewer than two records a fault.
    """
    by_day: dict[date, list[tuple[str, date]]] = defaultdict(list)
    for shown in days.days_from(window.first, window.count + LONGEST_DELAY):
        for kind, made in _turns(window, shown, rate, plan):
            if window.first <= made <= window.last:
                by_day[made].append((kind, shown))
    return [slot for day in window.days for slot in _placed(window, day, by_day[day], plan)]


def _turns(window: Window, shown: date, rate: float, plan: Plan) -> Iterator[tuple[str, date]]:
    """Kind and day of the record of each fault that shows on a day."""
    within = max(FEWEST_WITHIN, round(WITHIN_A_DAY * window.scale * rate))
    for kind in _kinds(window.seed, plan.within, shown, within):
        yield kind, shown
    between = max(FEWEST_BETWEEN, round(BETWEEN_A_DAY * window.scale * rate))
    for turn, kind in enumerate(_kinds(window.seed, plan.between, shown, between)):
        chance = number(window.seed, "delay", shown, turn)
        shortest = SHORTEST_LATE if kind == "late" else 1
        delay = shortest + chance % (LONGEST_DELAY + 1 - shortest)
        made = shown - timedelta(days=delay)
        if kind == "date_moved" and made - MONTH < window.first:
            kind = "corrected"  # there is no month before in this window
        yield kind, made


def _kinds(seed: int, kinds: tuple[str, ...], day: date, count: int) -> list[str]:
    order = shuffled(len(kinds), seed, "kinds", kinds[0])
    first = day.toordinal() * count
    return [kinds[order[(first + turn) % len(kinds)]] for turn in range(count)]


def _placed(
    window: Window, day: date, faults: list[tuple[str, date]], plan: Plan
) -> Iterator[Slot]:
    records = plan.records_on(window.seed, day, window.scale)
    if 2 * len(faults) > records:
        raise ValueError(f"{day}: {len(faults)} faults do not fit among {records} records")
    taken: set[int] = set()
    attempt = 0
    for kind, shown in faults:
        while (place := number(window.seed, "place", day, attempt) % records) in taken:
            attempt += 1
        taken.add(place)
        yield Slot(kind, day, shown, place, number(window.seed, "salt", day, place) % 2**31)
