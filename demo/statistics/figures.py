"""What the statistics office publishes, from a seed: every figure with all its versions.

The labour force survey comes by month (the third of the second month after it, revised a month
later), budget revenue by month (flash on the third of the next month, revised on the fifth), the
plan by year, businesses by quarter, guests by day (provisional the day after, final in a week).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from demo import days
from demo.draw import uniform
from demo.places import DISTRICTS, NEW_UNITS
from demo.statistics.codes import CITY, DISTRICT_CODES

Record = dict[str, str]
FIRST_MONTH = date(2025, 1, 1)
PUBLISHING_HOUR = 8
WITHDRAWN = "D"
SHOWN = "I"
DESIGN_EFFECT = 1.4  # of a sample drawn in clusters, against one drawn person by person


@dataclass(frozen=True)
class Version:
    """One publication of a figure.

    Attributes:
        recorded: Instant (seconds since 1970) from which readers see it.
        action: `I`, or `D` where the figure is withdrawn.
        records: What stands in the data for it: one record, two where it stands there twice.
    """

    recorded: int
    action: str
    records: tuple[Record, ...]


Figure = tuple[Version, ...]


@dataclass(frozen=True)
class _Value:
    """A figure's value at one publication."""

    day: date
    text: str
    status: str
    further: tuple[tuple[str, str], ...] = ()


def at(day: date, hour: int = PUBLISHING_HOUR) -> int:
    """The instant of a local hour."""
    return days.starts_at(day) + hour * 3600


def month_after(month: date, count: int = 1) -> date:
    """The first day of the month `count` months later."""
    months = month.year * 12 + month.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def natural(seed: int, last: date) -> Iterator[Figure]:
    """Every figure that is published by the end of a day, without faults."""
    month = FIRST_MONTH
    while month <= last:
        yield from _labour(seed, month, last)
        yield from _revenue(seed, month, last)
        if month.month % 3 == 1:
            yield from _businesses(seed, month, last)
        if month.month == 1:
            value = _Value(month + timedelta(days=1), "31600.0", "A")
            yield from _figure("A", CITY, "REVENUE_PLAN", str(month.year), _VND, (value,), last)
        month = month_after(month)


_PERSONS = (("UNIT_MEASURE", "PS"), ("UNIT_MULT", "0"), ("DECIMALS", "0"))
_VND = (("UNIT_MEASURE", "VND"), ("UNIT_MULT", "9"), ("DECIMALS", "1"))
_BUSINESSES = (("UNIT_MEASURE", "ENT"), ("UNIT_MULT", "0"), ("DECIMALS", "0"))


def guests(seed: int, day: date, area: str, last: date) -> Iterator[Figure]:
    """The guests of one area on one day, by the end of another."""
    number = round(900 * (0.7 + 0.6 * uniform(seed, day.toordinal(), area, "guests")))
    later = round(number * (0.98 + 0.04 * uniform(seed, day.toordinal(), area, "final")))
    values = (
        _Value(day + timedelta(days=1), str(number), "P"),
        _Value(day + timedelta(days=8), str(later), "A"),
    )
    yield from _figure("D", area, "VISITORS", day.isoformat(), _PERSONS, values, last)


def guest_areas(day: date) -> list[str]:
    """The areas whose guests are counted on a day: districts, since the reform the new units."""
    if day < days.REFORM_DAY:
        return list(DISTRICT_CODES)
    return [code for code, *_ in NEW_UNITS]


def _figure(
    freq: str,
    area: str,
    indicator: str,
    period: str,
    unit: tuple[tuple[str, str], ...],
    values: tuple[_Value, ...],
    last: date,
    sex: str = "_Z",
    age: str = "_Z",
) -> Iterator[Figure]:
    """The figure with the versions that are published by a day; nothing before the first."""
    versions = []
    for value in values:
        if value.day > last:
            break
        record = {
            "FREQ": freq,
            "REF_AREA": area,
            "INDICATOR": indicator,
            "SEX": sex,
            "AGE": age,
            "TIME_PERIOD": period,
            "OBS_VALUE": value.text,
            **dict(unit),
            "OBS_STATUS": value.status,
            "CONF_STATUS": "F",
            **dict(value.further),
            "UPDATED": f"{value.day.isoformat()}T{PUBLISHING_HOUR:02}:00:00+07:00",
        }
        versions.append(Version(at(value.day), SHOWN, (record,)))
    if versions:
        yield tuple(versions)


@dataclass(frozen=True)
class _Survey:
    """What the survey finds in one area: persons, and the answers behind them."""

    force: int
    unemployed: int
    sample: int
    variance: float


def _surveyed(seed: int, month: date, place: int, sex: str, *, final: bool) -> _Survey:
    """One district's men or women."""
    parts = (seed, month.isoformat(), place, sex)
    force = round(DISTRICTS[place].persons * 0.29 * (0.97 + 0.06 * uniform(*parts, "force")))
    rate = 0.020 + 0.018 * uniform(*parts, "rate")
    rate *= 1.0 if final else 0.97 + 0.06 * uniform(*parts, "first")
    sample = round(force / 90)
    variance = DESIGN_EFFECT * rate * (1 - rate) / sample * force**2
    return _Survey(force, round(force * rate), sample, variance)


def _sum(parts: list[_Survey]) -> _Survey:
    return _Survey(
        sum(each.force for each in parts),
        sum(each.unemployed for each in parts),
        sum(each.sample for each in parts),
        sum(each.variance for each in parts),
    )


def _labour(seed: int, month: date, last: date) -> Iterator[Figure]:
    """The survey of a month: by district while the city has them, the city, by sex."""
    first, second = (month_after(month, count) + timedelta(days=2) for count in (2, 3))
    releases = ((first, "P"), (second, "A"))
    found: dict[tuple[str, str], list[_Survey]] = {}
    for _, status in releases:
        by_area: dict[tuple[str, str], _Survey] = {}
        for place, code in enumerate(DISTRICT_CODES):
            for sex in ("M", "F"):
                by_area[code, sex] = _surveyed(seed, month, place, sex, final=status == "A")
            by_area[code, "_T"] = _sum([by_area[code, sex] for sex in ("M", "F")])
        for sex in ("_T", "M", "F"):
            by_area[CITY, sex] = _sum([by_area[code, sex] for code in DISTRICT_CODES])
        for key, survey in by_area.items():
            found.setdefault(key, []).append(survey)
    for (area, sex), surveys in found.items():
        if area != CITY and month >= days.REFORM_DAY:
            continue
        for indicator in ("LF", "UNE"):
            values = tuple(
                _survey_value(indicator, survey, *release)
                for survey, release in zip(surveys, releases, strict=True)
            )
            yield from _figure(
                "M", area, indicator, f"{month:%Y-%m}", _PERSONS, values, last, sex, "Y_GE15"
            )


def _survey_value(indicator: str, survey: _Survey, day: date, status: str) -> _Value:
    """The labour force comes from the register: only the unemployed carry an error."""
    sample = ("SAMPLE_SIZE", str(survey.sample))
    if indicator == "LF":
        return _Value(day, str(survey.force), status, (sample,))
    error = ("STD_ERROR", f"{math.sqrt(survey.variance):.1f}")
    return _Value(day, str(survey.unemployed), status, (error, sample))


def _revenue(seed: int, month: date, last: date) -> Iterator[Figure]:
    final = 26_000 + round(4_000 * uniform(seed, month.isoformat(), "revenue"))
    flash = round(final * (0.97 + 0.06 * uniform(seed, month.isoformat(), "flash")))
    after = month_after(month)
    values = (
        _Value(after + timedelta(days=2), f"{flash / 10:.1f}", "P"),
        _Value(after + timedelta(days=4), f"{final / 10:.1f}", "A"),
    )
    yield from _figure("M", CITY, "REVENUE", f"{month:%Y-%m}", _VND, values, last)


def _businesses(seed: int, month: date, last: date) -> Iterator[Figure]:
    period = f"{month.year}-Q{month.month // 3 + 1}"
    day = month_after(month, 3) + timedelta(days=3)
    numbers = {
        code: round(district.persons / 40 * (0.9 + 0.2 * uniform(seed, period, code)))
        for code, district in zip(DISTRICT_CODES, DISTRICTS, strict=True)
    }
    shown = {CITY: sum(numbers.values())}
    if month < days.REFORM_DAY:
        shown |= numbers
    for area, number in shown.items():
        values = (_Value(day, str(number), "A"),)
        yield from _figure("Q", area, "BUSINESS", period, _BUSINESSES, values, last)
