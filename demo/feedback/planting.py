"""Which requests carry which fault: kinds take turns, so that none is ever left out."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from demo import days
from demo.draw import number, shuffled
from demo.feedback.changes import BETWEEN_DAYS, MONTH
from demo.feedback.faults import WITHIN_ONE_DAY
from demo.window import Window

WITHIN_A_DAY = 36  # faults planted a day on scale 1 and rate 1
BETWEEN_A_DAY = 18
FEWEST_WITHIN = 3
FEWEST_BETWEEN = 2
LONGEST_DELAY = 25
SHORTEST_LATE = 3


@dataclass(frozen=True)
class Slot:
    """One fault to be planted.

    Attributes:
        requested: Day of the request that carries it.
        shown: Day on which it shows.
        place: Place of the request in its day.
        salt: Chooses among the forms of a fault.
    """

    kind: str
    requested: date
    shown: date
    place: int
    salt: int


def slots(window: Window, rate: float) -> list[Slot]:
    """The faults on the requests of a window, by day of the request.

    The faults of a request's day do not depend on where the window ends.

    Args:
        window: Which requests exist.
        rate: Factor on the number of faults; 1 is 54 a day for the whole city.

    Raises:
        ValueError: when a day has fewer than two requests a fault.
    """
    by_day: dict[date, list[tuple[str, date]]] = defaultdict(list)
    for shown in days.days_from(window.first, window.count + LONGEST_DELAY):
        for kind, requested in _turns(window, shown, rate):
            if window.first <= requested <= window.last:
                by_day[requested].append((kind, shown))
    return [slot for day in window.days for slot in _placed(window, day, by_day[day])]


def _turns(window: Window, shown: date, rate: float) -> Iterator[tuple[str, date]]:
    """Kind and day of the request of each fault that shows on a day."""
    within = max(FEWEST_WITHIN, round(WITHIN_A_DAY * window.scale * rate))
    for kind in _kinds(window.seed, tuple(WITHIN_ONE_DAY), shown, within):
        yield kind, shown
    between = max(FEWEST_BETWEEN, round(BETWEEN_A_DAY * window.scale * rate))
    for turn, kind in enumerate(_kinds(window.seed, tuple(BETWEEN_DAYS), shown, between)):
        chance = number(window.seed, "delay", shown, turn)
        shortest = SHORTEST_LATE if kind == "late" else 1
        delay = shortest + chance % (LONGEST_DELAY + 1 - shortest)
        requested = shown - timedelta(days=delay)
        if kind == "date_moved" and requested - MONTH < window.first:
            kind = "corrected"  # there is no month before in this window
        yield kind, requested


def _kinds(seed: int, kinds: tuple[str, ...], day: date, count: int) -> list[str]:
    order = shuffled(len(kinds), seed, "kinds", kinds[0])
    first = day.toordinal() * count
    return [kinds[order[(first + turn) % len(kinds)]] for turn in range(count)]


def _placed(window: Window, day: date, faults: list[tuple[str, date]]) -> Iterator[Slot]:
    requests = days.requests_on(window.seed, day, window.scale)
    if 2 * len(faults) > requests:
        raise ValueError(f"{day}: {len(faults)} faults do not fit among {requests} requests")
    taken: set[int] = set()
    attempt = 0
    for kind, shown in faults:
        while (place := number(window.seed, "place", day, attempt) % requests) in taken:
            attempt += 1
        taken.add(place)
        yield Slot(kind, day, shown, place, number(window.seed, "salt", day, place) % 2**31)
