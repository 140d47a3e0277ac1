"""How many encounters a day has, and at what hours they begin."""

from datetime import date
from functools import cache

from demo import days
from demo.draw import uniform

ENCOUNTERS_A_DAY = 9_000
FEWEST_ENCOUNTERS = 30  # room for the planted faults of a day on a small scale
HOLIDAY_FACTOR = 0.45
# On a day that is no holiday there are more than on the mean day, which has a share of them.
ORDINARY_FACTOR = 1.0127
WEEKDAY_FACTORS = (1.26, 1.14, 1.09, 1.06, 1.05, 0.82, 0.58)  # Monday first
# Clinics fill in the early morning and after noon; at night there are emergencies only.
HOUR_WEIGHTS = (
    (5, 4, 3, 3, 4, 8, 30, 96, 110, 98, 84, 48)  # 00-11
    + (26, 62, 80, 72, 56, 34, 22, 18, 14, 11, 9, 7)  # 12-23
)


@cache
def encounters_on(seed: int, day: date, scale: float) -> int:
    """How many encounters begin on a day: weekday, holidays, Tết and 6% of chance."""
    factor = ORDINARY_FACTOR * WEEKDAY_FACTORS[day.weekday()] * days.tet_factor(day)
    if (day.month, day.day) in days.PUBLIC_HOLIDAYS:
        factor *= HOLIDAY_FACTOR
    chance = 0.94 + 0.12 * uniform(seed, day.toordinal(), "encounters")
    return max(FEWEST_ENCOUNTERS, round(ENCOUNTERS_A_DAY * scale * factor * chance))
