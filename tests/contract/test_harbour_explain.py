"""`explain` on harbour: its records, computed anew from the raw files alone, give what is shown.

Cells and rows are drawn by the seed that the test run prints.
"""

import json
import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from tests.contract.conftest import CITY
from tests.contract.expected_calls import Unit, calls_of, quantile
from tests.contract.expected_harbour import Air, Case
from tests.contract.expected_permits import Permit

COUNT = 20
FIRE_CALLS = "emergency.sf_fire_calls"
BOSTON = ZoneInfo("America/New_York")
TORONTO = ZoneInfo("America/Toronto")
Explain = Callable[[str], dict[str, Any]]
Cell = dict[str, Any]


@pytest.fixture(scope="module")
def explain(harbour: Path, harbour_environment: dict[str, str]) -> Explain:
    """The command's answer; the lake is there."""
    assert harbour.exists()

    def explain_(reference: str) -> dict[str, Any]:
        done = CliRunner().invoke(
            app,
            ["explain", "--city", str(CITY), reference, "--raw", "--json"],
            env=harbour_environment,
        )
        assert done.exit_code == 0, (reference, done.output, done.exception)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return explain_


@pytest.fixture(scope="module")
def cells(marts: duckdb.DuckDBPyConnection, seed: int) -> list[Cell]:
    """Half of the cells from the fire calls, half from the other sources."""
    columns = "indicator_code, area_code, period_start, value, numerator, denominator, n"
    found = marts.execute(
        f"SELECT {columns} FROM mart_district_indicator WHERE value IS NOT NULL UNION ALL "  # noqa: S608 - fixed names
        f"SELECT {columns} FROM mart_city_indicator WHERE value IS NOT NULL ORDER BY ALL"
    ).fetchall()
    rows = [dict(zip(columns.split(", "), row, strict=True)) for row in found]
    calls = [row for row in rows if row["indicator_code"].startswith("EM")]
    rest = [row for row in rows if not row["indicator_code"].startswith("EM")]
    draw = random.Random(seed)  # noqa: S311 - test data
    return [*draw.sample(calls, COUNT // 2), *draw.sample(rest, COUNT - COUNT // 2)]


def _month_end(start: date) -> date:
    return (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _from_calls(cell: Cell, events: list[dict[str, Any]], units: list[Unit]) -> tuple[Any, ...]:
    """Numerator, denominator and number of events, from the unit rows that are listed."""
    listed = {name for each in events for name in each["records"]}
    calls = calls_of(each for each in units if f"{FIRE_CALLS}:{each.id}" in listed)
    assert set(calls) == {each["call_id"] for each in events}
    if cell["indicator_code"] == "EM2":
        assert all(call.is_fire for call in calls.values())
        return sum(call.is_within_target for call in calls.values()), len(calls), len(calls)
    seconds = [call.seconds for call in calls.values() if call.seconds is not None]
    percentile = {"EM1": 50, "EM1p": 90}[cell["indicator_code"]]
    return quantile(seconds, percentile), None, len(calls)


def _from_cases(cell: Cell, events: list[dict[str, Any]], cases: list[Case]) -> tuple[Any, ...]:
    listed = {each["service_request_id"] for each in events}
    rows = [case for case in cases if case.number in listed]
    assert len(rows) == len(events)
    if cell["indicator_code"] == "FB1b":
        on_time = [bool(case.closed and case.due and case.closed <= case.due) for case in rows]
        return sum(on_time), len(rows), len(rows)
    last = _month_end(cell["period_start"])
    overdue = [
        case
        for case in rows
        if case.due
        and case.due.date() <= last
        and (case.closed is None or case.closed.date() > last)
    ]
    if cell["indicator_code"] == "FB5":
        return len(overdue), None, len(rows)
    return max((last - case.opened.date()).days for case in overdue), None, len(rows)


def _from_air(cell: Cell, events: list[dict[str, Any]], air: Air) -> tuple[Any, ...]:
    listed = {
        (each["station_id"], each["observed_property"], date.fromisoformat(each["observed_date"]))
        for each in events
    }
    assert len(listed) == len(events)
    return sum(air.valid[each] for each in listed), 24 * len(listed), len(listed)


@pytest.mark.parametrize("number", range(COUNT))
def test_the_records_of_a_cell_give_its_numerator(
    explain: Explain,
    cells: list[Cell],
    units: list[Unit],
    cases: list[Case],
    air: Air,
    number: int,
) -> None:
    cell = cells[number]
    reference = f"{cell['indicator_code']}/{cell['area_code']}/{cell['period_start']:%Y-%m}"
    found = explain(reference)
    events = found["events"]
    assert all(Decimal(each["weight"]) == 1 for each in events)
    assert Decimal(found["cell"]["value"]) == cell["value"]
    group = cell["indicator_code"][:2]
    if group == "EM":
        told = _from_calls(cell, events, units)
    elif group == "FB":
        told = _from_cases(cell, events, cases)
    else:
        told = _from_air(cell, events, air)
    assert told == (cell["numerator"], cell["denominator"], cell["n"]), reference


@pytest.fixture(scope="module")
def drawn(harbour: Path, seed: int) -> list[tuple[str, dict[str, Any]]]:
    """Rows of core with their table, from each source whose record has one row."""
    draw = random.Random(seed)  # noqa: S311 - test data
    shares = {"emergency_trip": 7, "dossier": 7, "service_request": 5, "station": 1}
    assert sum(shares.values()) == COUNT
    found = []
    for table, count in shares.items():
        rows = pl.read_parquet(harbour / f"core/{table}/**/*.parquet").sort(pl.first())
        found += [
            (table, rows.row(each, named=True)) for each in draw.sample(range(len(rows)), count)
        ]
    return found


def _utc(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """The instant of a local time as `explain` prints it."""
    if moment is None:
        return None
    local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return str(local.astimezone(ZoneInfo("UTC")))


def _unit_row(unit: Unit) -> dict[str, Any]:
    received = unit.at("Received")
    assert received
    return {
        "emergency_trip_id": f"{unit.row['Call Number']}-{unit.row['Unit ID']}",
        "call_id": unit.row["Call Number"],
        "unit_sequence": int(unit.row["Unit sequence in call dispatch"]),
        "received_at": _utc(received, BOSTON),
        "on_scene_at": _utc(unit.at("On Scene"), BOSTON),
        "available_at": _utc(unit.at("Available"), BOSTON),
        "received_date": str(received.date()),
        "area_code": unit.district,
    }


def _permit_row(permit: Permit) -> dict[str, Any]:
    return {
        "dossier_id": permit.key,
        "received_date": str(permit.applied),
        "completed_at": _utc(datetime.combine(permit.issued, time()), TORONTO),
        "procedure_code": permit.row["FOLDERTYPE"][:2],
    }


def _case_row(case: Case) -> dict[str, Any]:
    return {
        "service_request_id": case.number,
        "requested_at": _utc(case.opened, BOSTON),
        "closed_date": str(case.closed.date()) if case.closed else None,
        "area_code": case.ward,
    }


@pytest.mark.parametrize("number", range(COUNT))
def test_a_core_row_is_what_its_raw_record_says(
    explain: Explain,
    drawn: list[tuple[str, dict[str, Any]]],
    units: list[Unit],
    cases: list[Case],
    permits: list[Permit],
    number: int,
) -> None:
    table, row = drawn[number]
    key = row[next(iter(row))]
    found = explain(f"{row['_source']}:{key}")
    (core,) = found["core"]
    raw, place = found["raw"], row["_raw_row"]
    assert (core["_raw_digest"], core["_raw_row"]) == (row["_raw_digest"], place)
    assert found["quarantine"] == []
    if table == "station":
        assert (raw["station_id"], raw["area_code"]) == (core["station_id"], core["area_code"])
        return
    told: dict[str, Any]
    if table == "emergency_trip":
        told, whole = _unit_row(units[place]), units[place].row
        assert not {"Address", "Location"} & set(raw)
        assert not {"address", "latitude", "longitude"} & set(core)
    elif table == "dossier":
        told, whole = _permit_row(permits[place]), permits[place].row
    else:
        told, whole = _case_row(cases[place]), {"CASE_ENQUIRY_ID": cases[place].number}
    assert {name: core[name] for name in told} == told
    delivered = {name: value or "" for name, value in raw.items() if name in whole}
    assert delivered
    assert delivered == {name: whole[name] for name in delivered}


def test_a_unit_that_was_set_aside_says_why(explain: Explain, units: list[Unit]) -> None:
    for unit in units:
        if unit.faults:
            found = explain(f"emergency.sf_fire_calls:{unit.id}")
            assert found["core"] == []
            assert {reason for each in found["quarantine"] for reason in each["reasons"]} == (
                unit.faults
            )
