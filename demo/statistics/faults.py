"""Faults of the statistics office, planted on guests of one area and day each.

So what a reader sees of a fault comes from it alone: the figure is published the next day and
not touched again but by the fault.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from demo import days
from demo.draw import shuffled
from demo.statistics.figures import (
    SHOWN,
    WITHDRAWN,
    Figure,
    Record,
    Version,
    at,
    guest_areas,
    guests,
)
from demo.window import Window

QUARANTINE = "quarantine"
FAULTS_A_DAY = 4
LATER_DAYS = 3  # from the publication to its revision or withdrawal
DIMENSIONS = ("FREQ", "REF_AREA", "INDICATOR", "SEX", "AGE", "TIME_PERIOD")


@dataclass(frozen=True)
class Fault:
    """A kind of fault that lies in one record.

    Attributes:
        column: The component in which it lies.
        text: What stands there; None is nothing.
    """

    column: str
    text: str | None


IN_ONE_RECORD = {
    "unknown_area": Fault("REF_AREA", "999"),
    "unknown_indicator": Fault("INDICATOR", "GUESTS"),
    "unknown_status": Fault("OBS_STATUS", "X9"),
    "value_not_number": Fault("OBS_VALUE", "n/a"),
    "missing_value": Fault("OBS_VALUE", None),
    "missing_indicator": Fault("INDICATOR", None),
    "future_period": Fault("TIME_PERIOD", "2031-01-15"),
    "impossible_period": Fault("TIME_PERIOD", "2025-02-30"),
    "negative_error": Fault("STD_ERROR", "-4.0"),
    "negative_sample": Fault("SAMPLE_SIZE", "-3"),
    "missing_status": Fault("OBS_STATUS", None),
    "missing_unit": Fault("UNIT_MEASURE", None),
    "impossible_multiplier": Fault("UNIT_MULT", "99"),
    "impossible_decimals": Fault("DECIMALS", "-1"),
    "impossible_update": Fault("UPDATED", "2025-02-30T08:00:00+07:00"),
}
KINDS = (*IN_ONE_RECORD, "repeated", "revised", "withdrawn")


@dataclass(frozen=True)
class Planted:
    """A figure with a fault.

    Attributes:
        kind: Of the fault.
        area: Area of the guests as it should stand.
        figure: All its versions.
    """

    kind: str
    area: str
    day: date
    figure: Figure


def plant(window: Window, rate: float) -> list[Planted]:
    """The faults of a window: some areas of every day, the kinds in turn."""
    found = []
    for day in window.days[:-1]:
        areas = guest_areas(day)
        count = min(len(areas), round(FAULTS_A_DAY * rate))
        order = shuffled(len(areas), window.seed, day.toordinal(), "faulty")[:count]
        for number, place in enumerate(order):
            kind = KINDS[(day.toordinal() * FAULTS_A_DAY + number) % len(KINDS)]
            found.append(_planted(window, kind, areas[place], day))
    return found


def _planted(window: Window, kind: str, area: str, day: date) -> Planted:
    # Of the versions of a quiet figure only the first is published.
    figure = next(guests(window.seed, day, area, day + timedelta(days=1)))
    return Planted(kind, area, day, tuple(_CHANGES.get(kind, _in_record(kind))(figure[0])))


Change = Callable[[Version], Iterator[Version]]


def _in_record(kind: str) -> Change:
    fault = IN_ONE_RECORD.get(kind)

    def change(version: Version) -> Iterator[Version]:
        assert fault is not None  # noqa: S101 - the kinds without one have a change of their own
        record: Record = {**version.records[0], fault.column: fault.text or ""}
        yield replace(version, records=(record,))

    return change


def _repeated(version: Version) -> Iterator[Version]:
    yield replace(version, records=version.records * 2)


def _revised(version: Version) -> Iterator[Version]:
    yield version
    day = days.day_of(version.recorded) + timedelta(days=LATER_DAYS)
    record = {
        **version.records[0],
        "OBS_VALUE": str(int(version.records[0]["OBS_VALUE"]) + 11),
        "OBS_STATUS": "A",
        "UPDATED": f"{day.isoformat()}T09:00:00+07:00",
    }
    yield Version(at(day, 9), SHOWN, (record,))


def _withdrawn(version: Version) -> Iterator[Version]:
    yield version
    day = days.day_of(version.recorded) + timedelta(days=LATER_DAYS)
    record = {name: version.records[0][name] for name in DIMENSIONS}
    record["UPDATED"] = f"{day.isoformat()}T10:00:00+07:00"
    yield Version(at(day, 10), WITHDRAWN, (record,))


_CHANGES: dict[str, Change] = {
    "repeated": _repeated,
    "revised": _revised,
    "withdrawn": _withdrawn,
}
EFFECTS = {"repeated": "duplicate", "revised": "changed", "withdrawn": "deleted"}
