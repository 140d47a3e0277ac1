"""The calendar of the demo city: local days, its rhythm, Tết and the reform of 2025.

Instants are whole seconds since 1970 (UTC). The city keeps UTC+7 the whole year, so a local
day is always 86,400 seconds long.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache

from demo.draw import uniform

FIRST_DAY = date(2025, 3, 8)
REFORM_DAY = date(2025, 7, 1)  # the district tier ends, the new units begin
OFFSET_SECONDS = 7 * 3600
DAY_SECONDS = 86_400
CITY_ZONE = timezone(timedelta(seconds=OFFSET_SECONDS))
NEVER = 2**50  # an instant after every other; keeps the columns free of nulls

# First day of the lunar year (Tết Nguyên đán): Giáp Thìn, Ất Tỵ, Bính Ngọ, Đinh Mùi.
TET = (date(2024, 2, 10), date(2025, 1, 29), date(2026, 2, 17), date(2027, 2, 6))
PUBLIC_HOLIDAYS = frozenset({(1, 1), (4, 30), (5, 1), (9, 2)})
HOLIDAY_FACTOR = 0.6
WEEKDAY_FACTORS = (1.14, 1.10, 1.07, 1.05, 1.06, 0.86, 0.72)  # Monday first
# People report when they leave home, in the late morning and after work.
HOUR_WEIGHTS = (
    (6, 4, 3, 3, 4, 12, 34, 62, 84, 90, 82, 62)  # 00-11
    + (44, 56, 72, 78, 76, 70, 62, 60, 52, 36, 20, 10)  # 12-23
)
REQUESTS_A_DAY = 3_000
FEWEST_REQUESTS = 30  # room for the planted faults of a day on a small scale
TET_SHIFTS = (
    # (first and last day counted from Tết, factor): haste before, silence, then the backlog
    (-12, -4, 1.15),
    (-3, -1, 0.62),
    (0, 3, 0.28),
    (4, 6, 0.55),
    (7, 16, 1.28),
)


def starts_at(day: date) -> int:
    """The instant of local midnight at which the day begins."""
    return (day - date(1970, 1, 1)).days * DAY_SECONDS - OFFSET_SECONDS


def ends_at(day: date) -> int:
    """The instant of 24:00 local; what was recorded before it is known at the day's end."""
    return starts_at(day) + DAY_SECONDS


def day_of(instant: int) -> date:
    """The local day of an instant."""
    return date(1970, 1, 1) + timedelta(days=(instant + OFFSET_SECONDS) // DAY_SECONDS)


def local_time(instant: int) -> str:
    """An instant in the city's local time, in ISO 8601 with its offset."""
    return datetime.fromtimestamp(instant, UTC).astimezone(CITY_ZONE).isoformat()


def days_from(first: date, count: int) -> list[date]:
    """`count` consecutive days."""
    return [first + timedelta(days=number) for number in range(count)]


def tet_factor(day: date) -> float:
    """How much more (or less) than usual people report around Tết; 1 on other days."""
    for tet in TET:
        distance = (day - tet).days
        for first, last, factor in TET_SHIFTS:
            if first <= distance <= last:
                return factor
    return 1.0


@cache
def requests_on(seed: int, day: date, scale: float) -> int:
    """How many requests are made on a day: weekday, holidays, Tết and 6% of chance."""
    factor = WEEKDAY_FACTORS[day.weekday()] * tet_factor(day)
    if (day.month, day.day) in PUBLIC_HOLIDAYS:
        factor *= HOLIDAY_FACTOR
    chance = 0.94 + 0.12 * uniform(seed, day.toordinal(), "requests")
    return max(FEWEST_REQUESTS, round(REQUESTS_A_DAY * scale * factor * chance))
