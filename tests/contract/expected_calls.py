"""What the fire calls must show, from the publisher's file alone: none of the project's code."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

CALLS = "f_emergency_sea_traffic/sf_fire_calls_20161231_20170107.csv.gz"
ZONE = ZoneInfo("America/Los_Angeles")
FORMAT = "%m/%d/%Y %I:%M:%S %p"
FIRE = {"Structure Fire", "Outside Fire", "Vehicle Fire", "Smoke Investigation (Outside)"}
TARGETS = {"3": 360, "2": 1200}
TIMES = (
    "Received",
    "Entry",
    "Dispatch",
    "Response",
    "On Scene",
    "Transport",
    "Hospital",
    "Available",
)


@dataclass(frozen=True)
class Unit:
    """One row of the file: a unit sent to a call."""

    row: dict[str, str]

    @property
    def id(self) -> str:
        """RowID, the key."""
        return self.row["RowID"]

    @property
    def call(self) -> str:
        """Number of the call."""
        return self.row["Call Number"]

    @property
    def district(self) -> str | None:
        """Area of harbour, None where the file says `None`."""
        number = self.row["Supervisor District"]
        return None if number == "None" else f"D{int(number):02}"

    def at(self, name: str) -> datetime | None:
        """One of the times, with its zone."""
        text = self.row[f"{name} DtTm"]
        return datetime.strptime(text, FORMAT).replace(tzinfo=ZONE) if text else None

    @property
    def faults(self) -> set[str]:
        """Why the row must be set aside."""
        on_scene, found = self.at("On Scene"), set()
        if on_scene:
            for name, reason in (
                ("Transport", "transport_at:transport_not_before_on_scene"),
                ("Hospital", "hospital_at:hospital_not_before_on_scene"),
            ):
                later = self.at(name)
                if later and later < on_scene:
                    found.add(reason)
            response = self.at("Response")
            if response and on_scene < response:
                found.add("on_scene_at:on_scene_not_before_response")
        return found


@dataclass(frozen=True)
class Call:
    """A call with the units that are not set aside."""

    units: tuple[Unit, ...]

    @property
    def received(self) -> datetime:
        """Receipt, the same in every unit's row."""
        (found,) = {each.at("Received") for each in self.units}
        assert found
        return found

    @property
    def month(self) -> date:
        """First day of the local month of receipt."""
        return self.received.date().replace(day=1)

    @property
    def district(self) -> str | None:
        """The call's area, the same in every unit's row."""
        (found,) = {each.district for each in self.units}
        return found

    @property
    def seconds(self) -> int | None:
        """From receipt to the first unit on scene; None where none arrived."""
        arrivals = [found for each in self.units if (found := each.at("On Scene"))]
        return int((min(arrivals) - self.received).total_seconds()) if arrivals else None

    @property
    def is_fire(self) -> bool:
        """Whether the call reports a fire."""
        return self.units[0].row["Call Type"] in FIRE

    @property
    def is_within_target(self) -> bool:
        """Whether the first unit arrived within the declared target."""
        return (
            self.seconds is not None
            and self.seconds <= TARGETS[self.units[0].row["Final Priority"]]
        )


def read_units(data: Path) -> list[Unit]:
    """Every row of the file."""
    with gzip.open(data / CALLS, "rt", encoding="utf-8", newline="") as stream:
        return [Unit(row) for row in csv.DictReader(stream)]


def calls_of(units: Iterable[Unit]) -> dict[str, Call]:
    """The calls of some units, by number."""
    held: dict[str, list[Unit]] = defaultdict(list)
    for each in units:
        held[each.call].append(each)
    return {number: Call(tuple(rows)) for number, rows in held.items()}


def quantile(values: Sequence[int], percentile: int) -> int:
    """The smallest value that at least so many in 100 do not exceed."""
    ordered = sorted(values)
    position = -(-percentile * len(ordered) // 100)
    return ordered[position - 1]


def minutes(seconds: int) -> Decimal:
    """Minutes with one decimal, halves away from zero."""
    return (Decimal(seconds) / 60).quantize(Decimal("0.1"), ROUND_HALF_UP)
