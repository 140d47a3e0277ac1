"""What harbour must show, from the agencies' files alone: plain Python, none of the project."""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

BOSTON = "a_citizen_feedback/boston_311_2015.csv.gz"
BEIJING = "d_environment/beijing_prsa_hourly"
BEIJING_ZONE = ZoneInfo("Asia/Shanghai")
BOSTON_TIME = "%m/%d/%Y %I:%M:%S %p"
STATIONS = {  # station codes stand in alphabetical order of the stations' names
    name: f"S{number:02}"
    for number, name in enumerate(
        (
            "Aotizhongxin",
            "Changping",
            "Dingling",
            "Dongsi",
            "Guanyuan",
            "Gucheng",
            "Huairou",
            "Nongzhanguan",
            "Shunyi",
            "Tiantan",
            "Wanliu",
            "Wanshouxigong",
        ),
        start=1,
    )
}


@dataclass(frozen=True)
class Case:
    """One case of the Boston file."""

    number: str
    kind: str
    opened: datetime
    due: datetime | None
    closed: datetime | None
    ward: str | None


@dataclass
class Air:
    """What the Beijing files hold: counts and sums by station, property and day."""

    rows: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    valid: Counter[tuple[str, str, date]] = field(default_factory=Counter)
    total: defaultdict[tuple[str, str, date], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _time(text: str) -> datetime | None:
    return datetime.strptime(text, BOSTON_TIME) if text else None  # noqa: DTZ007 - one local zone


def _ward(text: str) -> str | None:
    number = text.removeprefix("Ward ").strip()
    return f"W{int(number):02}" if number.isdigit() else None


def read_cases(data: Path) -> list[Case]:
    """Every case, those closed before they were opened included."""
    cases = []
    for row in _rows(data / BOSTON):
        opened = _time(row["OPEN_DT"])
        assert opened is not None
        due, closed = _time(row["TARGET_DT"]), _time(row["CLOSED_DT"])
        ward = _ward(row["ward"])
        cases.append(Case(row["CASE_ENQUIRY_ID"], row["TYPE"], opened, due, closed, ward))
    return cases


def read_air(data: Path) -> Air:
    """All hours of the twelve stations."""
    air = Air()
    for path in sorted((data / BEIJING).glob("*.csv.gz")):
        for row in _rows(path):
            air.rows += 1
            day = date(int(row["year"]), int(row["month"]), int(row["day"]))
            for name in ("PM2.5", "PM10"):
                if row[name] == "NA":
                    air.missing[name] += 1
                else:
                    air.valid[row["station"], name, day] += 1
                    air.total[row["station"], name, day] += Decimal(row[name])
    return air


@cache
def read_hours(data: Path, station: str) -> dict[datetime, dict[str, str]]:
    """Every row of a station by the instant of its hour."""
    (path,) = (data / BEIJING).glob(f"PRSA_Data_{station}_*.csv.gz")
    return {
        datetime(
            int(row["year"]), int(row["month"]), int(row["day"]), int(row["hour"]),
            tzinfo=BEIJING_ZONE,
        ).astimezone(UTC): row
        for row in _rows(path)
    }  # fmt: skip


def read_stations(city: Path) -> dict[str, tuple[date, date]]:
    """First and last day of operation of every station, from the city's own list."""
    with (city / "sources/air_water/stations.csv").open(encoding="utf-8", newline="") as stream:
        return {
            row["station_id"]: (
                date.fromisoformat(row["operating_from"]), date.fromisoformat(row["operating_to"]),
            )
            for row in csv.DictReader(stream)
        }  # fmt: skip


def rounded(value: Decimal, places: int) -> Decimal:
    """Halves away from zero."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def share(numerator: int, denominator: int) -> Decimal:
    """A percentage with one decimal."""
    return rounded(Decimal(100 * numerator) / denominator, 1)
