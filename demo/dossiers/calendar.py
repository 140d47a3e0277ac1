"""Working days of the one-stop shop, and how many dossiers come on a day."""

from datetime import date, timedelta
from functools import cache

from demo import days
from demo.draw import uniform

DOSSIERS_A_DAY = 6_000
FEWEST_DOSSIERS = 30  # room for the planted faults of a day on a small scale
WEEKDAY_FACTORS = (1.47, 1.42, 1.39, 1.36, 1.38, 0.22, 0.10)  # Monday first
OFF_FACTOR = 0.08  # of a public holiday: what is filed online
BACKLOG_FACTOR = 1.22  # of the week after Tết
# Anniversary of the Hùng kings (10th of the third lunar month).
HUNG_KINGS = (date(2024, 4, 18), date(2025, 4, 7), date(2026, 4, 26), date(2027, 4, 16))
# Days that 2025 swapped: one off beside a holiday, worked on a Saturday before.
SWAPPED_OFF = frozenset({date(2025, 5, 2)})
SWAPPED_ON = frozenset({date(2025, 4, 26)})
TET_OFF = range(-2, 5)  # days off, counted from the first day of the lunar year
TET_BACKLOG = range(5, 12)


def _from_tet(day: date) -> list[int]:
    return [(day - tet).days for tet in days.TET]


def is_holiday(day: date) -> bool:
    """Whether offices are closed on what would be a working day otherwise."""
    if (day.month, day.day) in days.PUBLIC_HOLIDAYS or day in HUNG_KINGS or day in SWAPPED_OFF:
        return True
    return any(distance in TET_OFF for distance in _from_tet(day))


def is_working(day: date) -> bool:
    """Whether offices are open."""
    return day in SWAPPED_ON or (day.weekday() < 5 and not is_holiday(day))


def working_days(first: date, count: int) -> list[date]:
    """The first `count` working days from a day on, that day included."""
    found: list[date] = []
    day = first
    while len(found) < count:
        if is_working(day):
            found.append(day)
        day += timedelta(days=1)
    return found


@cache
def dossiers_on(seed: int, day: date, scale: float) -> int:
    """How many dossiers are filed on a day: working days, holidays, Tết and 6% of chance."""
    factor = WEEKDAY_FACTORS[0 if day in SWAPPED_ON else day.weekday()]
    if is_holiday(day):
        factor = OFF_FACTOR
    elif any(distance in TET_BACKLOG for distance in _from_tet(day)):
        factor *= BACKLOG_FACTOR
    chance = 0.94 + 0.12 * uniform(seed, day.toordinal(), "dossiers")
    return max(FEWEST_DOSSIERS, round(DOSSIERS_A_DAY * scale * factor * chance))
