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
from tests.contract.expected_encounters import Encounter, bulk_encounters, bundle_encounters
from tests.contract.expected_harbour import (
    Air,
    Case,
    read_hours,
    read_stations,
    rounded,
)
from tests.contract.expected_permits import Permit
from tests.contract.expected_statistics import SDMX, generic_observations
from tests.shared_data import shared_path

COUNT = 20
FIRE_CALLS = "emergency.sf_fire_calls"
BOSTON = ZoneInfo("America/New_York")
TORONTO = ZoneInfo("America/Toronto")
STATIONS, HOURS = "air_water.stations:", "air_water.beijing_prsa:"
INDICATORS = ("AQ3", "EM1", "EM1p", "EM2", "FB1b", "FB5", "FB5a")
STATISTICS = {
    "socioeconomic.ecb_exchange_rate": "ECB_EXR__1__M.USD.EUR.SP00.A.xml.gz",
    "socioeconomic.insee_production": "INSEE__IPI-2010-A21.xml.gz",
}
Explain = Callable[..., dict[str, Any]]
Cell = dict[str, Any]


@pytest.fixture(scope="module")
def explain(harbour: Path, harbour_environment: dict[str, str]) -> Explain:
    """The command's answer; the lake is there."""
    assert harbour.exists()

    def explain_(reference: str, *, with_raw: bool = True) -> dict[str, Any]:
        done = CliRunner().invoke(
            app,
            ["explain", "--city", str(CITY), reference, "--json", *(["--raw"] if with_raw else [])],
            env=harbour_environment,
        )
        assert done.exit_code == 0, (reference, done.output, done.exception)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return explain_


@pytest.fixture(scope="module")
def cells(marts: duckdb.DuckDBPyConnection, seed: int) -> list[Cell]:
    """Two cells of every indicator, four more of the fire calls, two of the sector mart."""
    columns = "indicator_code, area_code, period_start, value, numerator, denominator, n"
    places = {"city": "area_code", "district": "area_code", "sector": "agency_code"}
    rows: dict[str, list[Cell]] = {}
    for mart, place in places.items():
        found = marts.execute(
            f"SELECT {columns}, {place} AS place FROM mart_{mart}_indicator "  # noqa: S608 - fixed names
            "WHERE value IS NOT NULL ORDER BY ALL"
        ).fetchall()
        names = [*columns.split(", "), "place"]
        rows[mart] = [dict(zip(names, row, strict=True)) for row in found]
    draw = random.Random(seed)  # noqa: S311 - test data
    placed = [*rows["district"], *rows["city"]]
    of = {code: [row for row in placed if row["indicator_code"] == code] for code in INDICATORS}
    assert sum(map(len, of.values())) == len(placed)
    drawn = [row for code in INDICATORS for row in draw.sample(of[code], 2)]
    calls = [row for row in placed if row["indicator_code"][:2] == "EM" and row not in drawn]
    drawn += [*draw.sample(calls, 4), *draw.sample(rows["sector"], 2)]
    assert len(drawn) == COUNT
    return drawn


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
    """Valid and expected hours and station days, from the stations and values that are listed."""
    listed = {
        (each["station_id"], each["observed_property"], date.fromisoformat(each["observed_date"]))
        for each in events
    }
    assert len(listed) == len(events)
    names = {name for each in events for name in each["records"]}
    valid = sum(_hour(name)[1] != "NA" for name in names if name.startswith(HOURS))
    assert valid == sum(air.valid[each] for each in listed)
    stations = read_stations(CITY)
    start, days = cell["period_start"], 0
    for name in names:
        if not name.startswith(HOURS):
            first, last = stations[name.removeprefix(STATIONS)]
            month = [start + timedelta(day) for day in range((_month_end(start) - start).days + 1)]
            days += sum(first <= day <= last for day in month)
    return valid, 24 * days, days


def _hour(record: str) -> tuple[dict[str, str], str]:
    """The file's row that a value's record names, and its text."""
    station, property_, moment = record.removeprefix(HOURS).split("/")
    row = read_hours(shared_path(""), station)[datetime.fromisoformat(moment)]
    return row, row[property_]


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
    reference = f"{cell['indicator_code']}/{cell['place']}/{cell['period_start']:%Y-%m}"
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


KEYS = {
    "emergency_trip": ("emergency_trip_id",),
    "dossier": ("dossier_id",),
    "service_request": ("service_request_id",),
    "station": ("station_id",),
    "sensor_observation": ("station_id", "observed_property", "observed_at"),
    "indicator_observation": (
        "dataflow", "ref_area", "indicator", "freq", "dimension_key", "time_period",
    ),
    "encounter": ("encounter_id",),
}  # fmt: skip


@pytest.fixture(scope="module")
def drawn(harbour: Path, seed: int) -> list[tuple[str, dict[str, Any]]]:
    """Rows of core with their table, from every table."""
    draw = random.Random(seed)  # noqa: S311 - test data
    shares = {
        "emergency_trip": 4,
        "dossier": 4,
        "service_request": 4,
        "station": 1,
        "sensor_observation": 3,
        "indicator_observation": 2,
        "encounter": 2,
    }
    assert sum(shares.values()) == COUNT
    assert shares.keys() == {path.name for path in (harbour / "core").iterdir()}
    found = []
    for table, count in shares.items():
        rows = pl.read_parquet(harbour / f"core/{table}/**/*.parquet").sort(KEYS[table])
        if table == "indicator_observation":
            rows = rows.filter(pl.col("_source").is_in(list(STATISTICS)))
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


def _key_text(value: Any) -> str:
    """A part of a key as references spell it."""
    return f"{value:%Y-%m-%d %H:%M:%S}+00" if isinstance(value, datetime) else str(value)


def _value_row(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What core must say of a value, and the file's row."""
    record = "/".join(_key_text(row[name]) for name in KEYS["sensor_observation"])
    whole, text = _hour(HOURS + record)
    value = None if text == "NA" else str(Decimal(text).quantize(Decimal("0.001")))
    return {"value": value, "unit": "ug/m3"}, whole


def _figure_row(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What core must say of a figure, and the message's observation."""
    (whole,) = (
        each
        for each in generic_observations(shared_path(f"{SDMX}/{STATISTICS[row['_source']]}"))
        if (each["FREQ"], each["TIME_PERIOD"]) == (row["freq"], row["time_period"])
        and row["indicator"] in (each.get("PRODUIT"), f"EXR.{each.get('EXR_TYPE')}")
        and all(
            each[name] == value
            for name, _, value in (part.partition("=") for part in row["dimension_key"].split(";"))
        )
    )
    value = Decimal(whole["OBS_VALUE"]).quantize(Decimal("1e-15"))
    return {"obs_value": f"{value:f}", "obs_status": whole.get("OBS_STATUS")}, whole


def _encounter_row(row: dict[str, Any]) -> dict[str, Any]:
    """All that may be shown of an encounter, as its file has it."""
    data = shared_path("")
    files: dict[str, list[Encounter]] = {
        "health.bulk_encounters": bulk_encounters(data),
        "health.bundle_encounters": bundle_encounters(data)[0],
    }
    (one,) = (each for each in files[row["_source"]] if each.identifier == row["encounter_id"])
    return {
        "encounter_id": one.identifier,
        "status": one.status,
        "class_code": one.class_code,
        "area_code": None,
        "started_date": f"{one.started.astimezone(BOSTON):%Y-%m-%d}",
        "started_month": f"{one.started.astimezone(BOSTON):%Y-%m}",
        "ended_date": f"{one.ended.astimezone(BOSTON):%Y-%m-%d}",
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
    key = "/".join(_key_text(row[name]) for name in KEYS[table])
    if table == "encounter":
        found = explain(f"{row['_source']}:{key}", with_raw=False)
        (core,) = found["core"]
        assert {each: core[each] for each in core if each[0] != "_"} == _encounter_row(row)
        assert found.keys() == {"source", "table", "key", "verdict", "core", "quarantine"}
        return
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
    elif table == "sensor_observation":
        told, whole = _value_row(row)
    elif table == "indicator_observation":
        told, whole = _figure_row(row)
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


def test_a_count_of_a_dataset_names_its_cases(
    explain: Explain, marts: duckdb.DuckDBPyConnection, kept: list[Case], seed: int
) -> None:
    rows = marts.execute(
        "SELECT requested_month, area_code, service_code, requests_closed_late "
        "FROM mart_service_request_monthly ORDER BY ALL"
    ).fetchall()
    unlocated = [row for row in rows if row[1] == "_X"]
    late = [row for row in rows if row[3] > 2]
    draw = random.Random(seed)  # noqa: S311 - test data
    for month, area, kind, count in (draw.choice(unlocated), draw.choice(late)):
        found = explain(f"service-request-monthly/{month}/{area}/{kind}/requests_closed_late")
        wanted = {
            f"feedback.boston_311:{case.number}"
            for case in kept
            if (f"{case.opened:%Y-%m}", case.ward or "_X", case.kind) == (month, area, kind)
            and case.closed
            and case.due
            and case.closed > case.due
        }
        assert {name for each in found["events"] for name in each["records"]} == wanted
        assert len(found["events"]) == len(wanted) == count


def test_a_days_mean_of_a_dataset_names_its_values(
    explain: Explain, marts: duckdb.DuckDBPyConnection, seed: int
) -> None:
    rows = marts.execute(
        "SELECT station_id, observed_property, observed_date, mean_value "
        "FROM mart_air_quality_daily WHERE mean_value IS NOT NULL ORDER BY ALL"
    ).fetchall()
    station, name, day, mean = random.Random(seed).choice(rows)  # noqa: S311 - test data
    (event,) = explain(f"air-quality-daily/{station}/{name}/{day}/mean_value")["events"]
    first, *values = event["records"]
    assert (first, len(values)) == (STATIONS + station, 24)
    known = [Decimal(text) for value in values if (text := _hour(value)[1]) != "NA"]
    assert rounded(sum(known, Decimal(0)) / len(known), 1) == mean
