"""Harbour's fire calls: every unit row accounted for, response times from calls."""

import json
from datetime import date
from pathlib import Path
from statistics import median_low
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.contract.expected_calls import Call, Unit, calls_of, minutes, quantile
from tests.contract.expected_harbour import share

DISTRICTS = [f"D{number:02}" for number in range(1, 12)]
MONTHS = [date(2016, 12, 1), date(2017, 1, 1)]
AREAS = ["H", *DISTRICTS]


@pytest.fixture(scope="module")
def good(units: list[Unit]) -> list[Unit]:
    """The units that are not set aside."""
    return [each for each in units if not each.faults]


@pytest.fixture(scope="module")
def calls(good: list[Unit]) -> dict[str, Call]:
    return calls_of(good)


@pytest.fixture(scope="module")
def core(harbour: Path) -> dict[str, dict[str, Any]]:
    """Core's rows by key; after one run every file is live."""
    rows = pl.read_parquet(harbour / "core/emergency_trip/**/*.parquet").to_dicts()
    found = {row["emergency_trip_id"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def _of(calls: dict[str, Call], area: str, month: date) -> list[Call]:
    return [call for call in calls.values() if call.month == month and area in ("H", call.district)]


def _cell(marts: duckdb.DuckDBPyConnection, code: str, area: str, month: date) -> tuple[Any, ...]:
    kind = "city" if area == "H" else "district"
    rows = marts.execute(
        f"SELECT value, numerator, denominator, n, unit FROM mart_{kind}_indicator "  # noqa: S608 - fixed names
        "WHERE indicator_code = ? AND area_code = ? AND period_start = ?",
        [code, area, month],
    ).fetchall()
    assert len(rows) == 1
    return tuple(rows[0])


def test_the_file_is_the_one_that_was_measured(units: list[Unit]) -> None:
    assert len(units) == len({each.id for each in units}) == 7_704
    assert len(calls_of(units)) == 3_560
    assert sum(each.at("On Scene") is None for each in units) == 1_554
    assert sum(each.row["Original Priority"] in "AE" for each in units) == 179
    changed = [each.row["Original Priority"] != each.row["Final Priority"] for each in units]
    assert sum(changed) == 408


def test_every_unit_is_in_core_or_in_quarantine(
    harbour: Path, units: list[Unit], good: list[Unit], core: dict[str, dict[str, Any]]
) -> None:
    assert set(core) == {each.id for each in good}
    (path,) = (harbour / "journal/records").glob("emergency.sf_fire_calls_*.parquet")
    journal = pl.read_parquet(path).sort("raw_row")
    found = [
        (outcome, set(reasons)) for outcome, reasons in journal.select("outcome", "reasons").rows()
    ]
    assert found == [("quarantined" if each.faults else "new", each.faults) for each in units]


def test_quarantine_says_why(harbour: Path, units: list[Unit]) -> None:
    rows = pl.read_parquet(harbour / "quarantine/emergency_trip/*.parquet").to_dicts()
    found = {json.loads(row["key_text"])["emergency_trip_id"]: set(row["reasons"]) for row in rows}
    assert found == {each.id: each.faults for each in units if each.faults}
    assert len(found) == 4


def test_core_holds_what_the_rows_say(good: list[Unit], core: dict[str, dict[str, Any]]) -> None:
    for each in good:
        row = core[each.id]
        assert (row["call_id"], row["unit_id"]) == (each.call, each.row["Unit ID"])
        assert row["priority_initial"] == each.row["Original Priority"]
        assert row["priority_final"] == each.row["Final Priority"]
        assert row["area_code"] == each.district
        assert row["postal_code"] == (each.row["Zipcode of Incident"] or None)
        for column, name in (
            ("received_at", "Received"),
            ("entry_at", "Entry"),
            ("dispatch_at", "Dispatch"),
            ("response_at", "Response"),
            ("on_scene_at", "On Scene"),
            ("transport_at", "Transport"),
            ("hospital_at", "Hospital"),
            ("available_at", "Available"),
        ):
            assert row[column] == each.at(name)


def test_units_that_never_arrived_stay(units: list[Unit], core: dict[str, dict[str, Any]]) -> None:
    assert sum(row["on_scene_at"] is None for row in core.values()) == 1_554
    assert sum(row["priority_initial"] in ("A", "E") for row in core.values()) == sum(
        each.row["Original Priority"] in "AE" for each in units if not each.faults
    )


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize(("code", "percentile"), [("EM1", 50), ("EM1p", 90)])
def test_response_time_is_that_of_calls(
    marts: duckdb.DuckDBPyConnection, calls: dict[str, Call], area: str, code: str, percentile: int
) -> None:
    for month in MONTHS:
        seconds = [call.seconds for call in _of(calls, area, month) if call.seconds is not None]
        assert seconds
        exact = quantile(seconds, percentile)
        if percentile == 50:
            assert exact == median_low(seconds)
        found = _cell(marts, code, area, month)
        assert found == (minutes(exact), exact, None, len(seconds), "min")


def test_a_unit_row_is_no_call(marts: duckdb.DuckDBPyConnection, good: list[Unit]) -> None:
    """Counting units instead of calls, or averaging the districts, gives other figures."""
    month = MONTHS[1]
    value, exact, _, n, _ = _cell(marts, "EM1", "H", month)
    waits = [
        int((arrival - received).total_seconds())
        for each in good
        if (received := each.at("Received")) and (arrival := each.at("On Scene"))
        if received.date().replace(day=1) == month
    ]
    assert n < len(waits)
    assert exact != quantile(waits, 50)
    parts = [_cell(marts, "EM1", area, month)[0] for area in DISTRICTS]
    assert value != sum(parts) / len(parts)


@pytest.mark.parametrize("area", AREAS)
def test_fire_calls_within_target(
    marts: duckdb.DuckDBPyConnection, calls: dict[str, Call], area: str
) -> None:
    for month in MONTHS:
        fire = [call for call in _of(calls, area, month) if call.is_fire]
        within = sum(call.is_within_target for call in fire)
        value = share(within, len(fire)) if fire else None
        assert _cell(marts, "EM2", area, month) == (value, within, len(fire), len(fire), "%")


def test_the_city_counts_calls_outside_every_district(calls: dict[str, Call]) -> None:
    assert sum(call.district is None for call in calls.values()) > 0


def test_the_sector_mart_holds_the_city_figure(marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute(
        "SELECT indicator_code, period_start, value, agency_code FROM mart_sector_indicator "
        "WHERE service_group = 6 AND value IS NOT NULL"
    ).fetchall()
    assert len(rows) == 6
    for code, month, value, agency in rows:
        assert (value, agency) == (_cell(marts, code, "H", month)[0], "fire_department")


def test_no_address_leaves_core(harbour: Path, units: list[Unit]) -> None:
    """Neither in marts and releases nor in the journal and what a check shows."""
    addresses = {each.row["Address"].encode() for each in units}
    looked_at = 0
    for folder in ("serving", "marts", "releases", "promotions", "journal", "ledger"):
        for path in (harbour / folder).rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                looked_at += 1
                assert not [each for each in addresses if each in content], path
    assert looked_at > 20
