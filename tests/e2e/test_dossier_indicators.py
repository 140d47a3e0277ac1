"""AD1 to AD4 and the open dataset against figures counted in plain Python from the source itself.

The source has no faults here, so that every row of it counts. Places come from the city's own
table of areas: the district of a ward before the reform, the ward itself after it.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import duckdb
import pytest

from tests.e2e.cities import DANANG
from tests.e2e.one_stop import OneStop, Shop, one_stop

DAY = date(2025, 7, 3)
REFORM = date(2025, 7, 1)
ZONE = timezone(timedelta(hours=7))
MONTHS = [date(2025, month, 1) for month in range(3, 8)]
CITY = "48"

Row = dict[str, Any]
# Indicator, area and month to numerator, denominator and number of dossiers.
Cells = dict[tuple[str, str, date], tuple[int, int | None, int]]


@dataclass(frozen=True)
class World:
    """What the source says as of the day, and what was served of it."""

    rows: list[Row]
    shop: Shop

    def served(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the serving file."""
        path = str(self.shop.root / "serving" / "marts.duckdb")
        with duckdb.connect(path, read_only=True) as serving:
            return serving.execute(sql).fetchall()


@pytest.fixture(scope="module")
def world(seed: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with one_stop(OneStop(seed, 0.02, 118, faults=False)) as source:
        shop = Shop(tmp_path_factory.mktemp("indicators"), source)
        shop.run(DAY)
        yield World(source.ask(DAY, "SELECT * FROM dossier"), shop)


def _day(moment: datetime | None) -> date | None:
    return moment.astimezone(ZONE).date() if moment else None


def _closed(row: Row) -> date | None:
    if row["status"] == "withdrawn":  # the source gives no other time of its end
        return _day(row["updated_at"])
    return _day(row["finished_at"])


def _last(month: date) -> date:
    return min((month + timedelta(days=31)).replace(day=1) - timedelta(days=1), DAY)


def _districts() -> dict[str, str]:
    """District of each ward before the reform."""
    with (DANANG / "geography" / "area.csv").open(encoding="utf-8") as areas:
        return {
            row["code"]: row["parent_code"]
            for row in csv.DictReader(areas)
            if row["level"] != "district" and row["valid_to"] == REFORM.isoformat()
        }


def _cells(rows: list[Row], area: str) -> Cells:
    """Cells of the dossiers of one area, all of them counted where they were received."""
    cells: Cells = {}
    for month in MONTHS:
        end = _last(month)
        received = [row for row in rows if _day(row["received_at"]).replace(day=1) == month]  # type: ignore[union-attr]
        completed = [
            row
            for row in rows
            if row["status"] == "completed" and _day(row["finished_at"]).replace(day=1) == month  # type: ignore[union-attr]
        ]
        overdue = [
            row
            for row in rows
            if _day(row["due_at"]) <= end  # type: ignore[operator]
            and (_closed(row) is None or _closed(row) > end)  # type: ignore[operator]
        ]
        online = [row for row in received if row["channel"] == "online"]
        on_time = [row for row in completed if row["finished_at"] <= row["due_at"]]
        digital = [row for row in completed if row["is_result_digital"]]
        whole = len(completed) + len(overdue)
        cells["AD1", area, month] = (len(on_time), whole, whole)
        cells["AD2", area, month] = (
            len({row["procedure_code"] for row in online}), None, len(online),
        )  # fmt: skip
        cells["AD3", area, month] = (len(online), len(received), len(received))
        cells["AD4", area, month] = (len(digital), len(completed), len(completed))
    return cells


def _rounded(share: Fraction) -> Fraction:
    """A percentage with one decimal, halves away from zero."""
    return Fraction(int(share * 1000 + Fraction(1, 2)), 10)


def test_the_city_is_what_the_source_says(world: World) -> None:
    found = world.served(
        "SELECT indicator_code, period_start, numerator, denominator, n, value"
        " FROM mart_city_indicator WHERE service_group = 2"
    )
    wanted = _cells(world.rows, CITY)
    assert {
        (code, CITY, month): (above, below, n) for code, month, above, below, n, _ in found
    } == (wanted)
    for code, month, *_, value in found:
        above, below, _ = wanted[code, CITY, month]
        assert Fraction(value) == (_rounded(Fraction(above, below)) if below else above), code
    # the stock is in it: without it the share would be another
    assert all(wanted["AD1", CITY, each][1] > wanted["AD4", CITY, each][1] for each in MONTHS)  # type: ignore[operator]


def test_sector_rows_are_the_city_rows(world: World) -> None:
    columns = "indicator_code, period_start, agency_code, value, numerator, denominator, n"
    city, sector = (
        world.served(f"SELECT {columns} FROM mart_{name}_indicator WHERE service_group = 2 ORDER BY ALL")  # noqa: S608, E501 - our own text
        for name in ("city", "sector")
    )  # fmt: skip
    assert city == sector
    assert {row[2] for row in city} == {"trung_tam_hanh_chinh_cong"}


def test_districts_are_what_the_source_says_until_the_reform(world: World) -> None:
    districts = _districts()
    by_district: dict[str, list[Row]] = defaultdict(list)
    for row in world.rows:
        if _day(row["received_at"]) < REFORM:  # type: ignore[operator]
            by_district[districts[row["ward_code"]]].append(row)
    wanted: Cells = {}
    for district, rows in by_district.items():
        wanted |= _cells(rows, district)
    found = world.served(
        "SELECT indicator_code, area_code, period_start, numerator, denominator, n"
        " FROM mart_district_indicator WHERE service_group = 2 AND period_start < '2025-07-01'"
        " AND obs_status <> 'L'"
    )
    assert len(by_district) == 7
    assert {tuple(row[:3]): tuple(row[3:]) for row in found} == {
        key: cell for key, cell in wanted.items() if key[2] < REFORM
    }


def test_new_units_are_what_the_source_says_after_it(world: World) -> None:
    by_unit: dict[str, list[Row]] = defaultdict(list)
    for row in world.rows:
        if _day(row["received_at"]) >= REFORM:  # type: ignore[operator]
            by_unit[row["ward_code"]].append(row)
    found = world.served(
        "SELECT indicator_code, area_code, numerator, denominator, n FROM mart_district_indicator"
        " WHERE indicator_code IN ('AD2', 'AD3') AND period_start = '2025-07-01' AND n > 0"
    )
    wanted = {
        (code, unit): _cells(rows, unit)[code, unit, REFORM]
        for unit, rows in by_unit.items()
        for code in ("AD2", "AD3")
        if _cells(rows, unit)[code, unit, REFORM][2]
    }
    assert {(code, unit): (above, below, n) for code, unit, above, below, n in found} == wanted


def test_the_release_is_what_the_source_says(world: World) -> None:
    files = world.shop.root.glob("releases/dossier-district-monthly/*/*.parquet")
    (table,) = (path for path in files if path.name != "changes.parquet")
    found = duckdb.execute(
        "SELECT received_month, sum(dossiers_received), sum(dossiers_online),"  # noqa: S608 - our own path
        " sum(dossiers_completed), sum(dossiers_completed_on_time), sum(dossiers_completed_late),"
        f" sum(dossiers_digitised), sum(dossiers_overdue) FROM '{table}' GROUP BY 1"
    ).fetchall()
    wanted: dict[str, list[int]] = defaultdict(lambda: [0] * 7)
    for row in world.rows:
        is_done = row["status"] == "completed"
        adds = (
            1,
            row["channel"] == "online",
            is_done,
            is_done and row["finished_at"] <= row["due_at"],
            is_done and row["finished_at"] > row["due_at"],
            bool(row["is_result_digital"]),
            _closed(row) is None and _day(row["due_at"]) <= DAY,  # type: ignore[operator]
        )
        month = f"{row['received_at'].astimezone(ZONE):%Y-%m}"
        wanted[month] = [a + b for a, b in zip(wanted[month], adds, strict=True)]
    assert {row[0]: list(row[1:]) for row in found} == wanted
