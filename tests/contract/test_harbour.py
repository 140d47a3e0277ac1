"""Harbour: real publications through the whole pipeline, by configuration only."""

import json
from calendar import monthrange
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.contract.expected_harbour import STATIONS, Air, Case, rounded, share
from tests.release_folder import (
    assert_frictionless_accepts,
    assert_sums_cover,
    assert_the_pointer_names,
    release_folders,
)

MONTHS_2015 = [date(2015, month, 1) for month in range(1, 13)]
DATASETS = ["air-quality-daily", "service-request-monthly"]
WARDS = [f"W{number:02}" for number in range(1, 23)]


def _indicator(
    marts: duckdb.DuckDBPyConnection, code: str, mart: str = "mart_district_indicator"
) -> dict[tuple[str, date], tuple[Any, ...]]:
    rows = marts.execute(
        f"SELECT area_code, period_start, value, numerator, denominator FROM {mart} "  # noqa: S608 - fixed names
        "WHERE indicator_code = ?",
        [code],
    ).fetchall()
    return {(area, start): tuple(rest) for area, start, *rest in rows}


def _accounts(harbour: Path) -> dict[str, Counter[str]]:
    """Outcomes of every record by source, from the journal's record files."""
    accounts: dict[str, Counter[str]] = {}
    for path in (harbour / "journal" / "records").glob("*.parquet"):
        source = path.name.rsplit("_2026", 1)[0]
        accounts[source] = Counter(pl.read_parquet(path)["outcome"].to_list())
    return accounts


def test_the_files_are_those_that_were_measured(cases: list[Case], air: Air) -> None:
    assert len(cases) == len({case.number for case in cases}) == 121_145
    assert sum(case.closed is None for case in cases) == 19_873
    assert sum(case.closed is not None and case.closed < case.opened for case in cases) == 197
    assert air.rows == 420_768
    assert air.missing["PM2.5"] == 8_739


def test_every_record_is_accounted_for(harbour: Path, kept: list[Case]) -> None:
    accounts = _accounts(harbour)
    assert accounts["feedback.boston_311"] == {"new": 120_948, "quarantined": 197}
    assert accounts["air_water.beijing_prsa"] == {"new": 841_536}
    assert len(kept) == 120_948


def test_quarantine_holds_what_was_closed_before_it_was_opened(
    harbour: Path, cases: list[Case]
) -> None:
    wrong = {case.number for case in cases if case.closed is not None and case.closed < case.opened}
    frames = [
        pl.read_parquet(path) for path in (harbour / "quarantine/service_request").glob("*.parquet")
    ]
    rows = pl.concat(frames)
    found = {json.loads(text)["CASE_ENQUIRY_ID"] for text in rows["raw_record"]}
    assert found == wrong
    assert {tuple(each) for each in rows["reasons"]} == {("closed_at:closed_not_before_requested",)}


def test_open_cases_stay_open(marts: duckdb.DuckDBPyConnection, kept: list[Case]) -> None:
    sums = marts.execute(
        "SELECT sum(requests_opened), sum(requests_closed) FROM mart_service_request_monthly"
    ).fetchall()[0]
    assert sums == (120_948, sum(case.closed is not None for case in kept))
    assert sums[0] - sums[1] == 19_873


@pytest.mark.parametrize("ward", WARDS)
def test_due_and_on_time_by_ward_and_month(
    marts: duckdb.DuckDBPyConnection, kept: list[Case], ward: str
) -> None:
    found = _indicator(marts, "FB1b")
    for start in MONTHS_2015:
        due = [
            case
            for case in kept
            if case.ward == ward and case.due and case.due.date().replace(day=1) == start
        ]
        on_time = sum(bool(case.closed and case.due and case.closed <= case.due) for case in due)
        assert found[ward, start] == (share(on_time, len(due)), on_time, len(due))


@pytest.mark.parametrize("start", MONTHS_2015, ids=str)
def test_overdue_backlog_by_ward_and_month(
    marts: duckdb.DuckDBPyConnection, kept: list[Case], start: date
) -> None:
    last = start.replace(day=monthrange(start.year, start.month)[1])
    count, age = _indicator(marts, "FB5"), _indicator(marts, "FB5a")
    for ward in WARDS:
        overdue = [
            case
            for case in kept
            if case.ward == ward
            and case.due
            and case.due.date() <= last
            and (case.closed is None or case.closed.date() > last)
        ]
        oldest = max(((last - case.opened.date()).days for case in overdue), default=None)
        assert count[ward, start][0] == len(overdue)
        assert age[ward, start][0] == oldest


def test_the_city_counts_what_has_no_ward(
    marts: duckdb.DuckDBPyConnection, kept: list[Case]
) -> None:
    found = _indicator(marts, "FB1b", "mart_city_indicator")
    for start in MONTHS_2015:
        due = sum(bool(case.due and case.due.date().replace(day=1) == start) for case in kept)
        assert found["H", start][2] == due


@pytest.mark.parametrize("station", STATIONS)
def test_data_capture_by_station_and_month(
    marts: duckdb.DuckDBPyConnection, air: Air, station: str
) -> None:
    found = _indicator(marts, "AQ3")
    months = [
        date(year, month, 1)
        for year in range(2013, 2018)
        for month in range(1, 13)
        if (2013, 3) <= (year, month) <= (2017, 2)
    ]
    for start in months:
        days = monthrange(start.year, start.month)[1]
        valid = sum(air.valid[station, "PM2.5", start.replace(day=day + 1)] for day in range(days))
        cell = found[STATIONS[station], start]
        assert cell == (share(valid, days * 24), valid, days * 24)


def test_daily_means_of_the_release(harbour: Path, air: Air) -> None:
    folder = _newest(harbour, "air-quality-daily")
    rows = pl.read_parquet(folder / "air-quality-daily.parquet")
    assert rows.height == 2 * 12 * 1461
    for row in rows.iter_rows(named=True):
        key = row["station_id"], row["observed_property"], row["observed_date"]
        assert row["valid_hours"] == air.valid[key]
        mean = rounded(air.total[key] / air.valid[key], 1) if air.valid[key] else None
        assert row["mean_value"] == mean


def test_monthly_requests_of_the_release(harbour: Path, kept: list[Case]) -> None:
    folder = _newest(harbour, "service-request-monthly")
    rows = pl.read_parquet(folder / "service-request-monthly.parquet")
    found = {
        (row["requested_month"], row["area_code"], row["service_code"]): row["requests_opened"]
        for row in rows.iter_rows(named=True)
    }
    expected = Counter((f"{case.opened:%Y-%m}", case.ward or "_X", case.kind) for case in kept)
    assert found == expected


def _newest(harbour: Path, dataset: str) -> Path:
    latest = json.loads((harbour / "releases" / dataset / "latest.json").read_text())
    return harbour / "releases" / dataset / str(latest["version"])


@pytest.mark.parametrize("dataset", DATASETS)
def test_frictionless_accepts_every_package(harbour: Path, dataset: str) -> None:
    (folder,) = release_folders(harbour, dataset)
    assert_frictionless_accepts(folder)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_sums_cover_every_file(harbour: Path, dataset: str) -> None:
    assert {path.name for path in (harbour / "releases").iterdir()} == set(DATASETS)
    (folder,) = release_folders(harbour, dataset)
    assert_sums_cover(folder)
    assert_the_pointer_names(folder)


def test_values_are_decimals(marts: duckdb.DuckDBPyConnection) -> None:
    assert all(isinstance(row[0], Decimal | None) for row in _indicator(marts, "FB1b").values())
