"""Quantiles in every cell against plain Python, and the dbt tests that guard them."""

import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from tests.unit.marts.conftest import Built
from tests.unit.marts.expected import month_of, parts, rounded
from tests.unit.marts.tiny_city import AS_OF, Trip, local_day, requests, trips
from warehouse.dbt_build import attach_inputs
from warehouse.duck import session
from warehouse.explain_mart import contributing_events

PERCENTILES = {"EM1": 50, "EM1p": 90, "EM80": 50, "EM81": 91}
DIVISORS = {"EM1": 60, "EM1p": 60, "EM80": 7, "EM81": 7}
DIGITS = {"EM1": 1, "EM1p": 1, "EM80": 2, "EM81": 2}
Place = tuple[str, date] | str | None


@dataclass
class Sample:
    """Weighted values of one cell."""

    values: list[tuple[int, Fraction]] = field(default_factory=list)

    def quantile(self, percentile: int) -> int:
        """The smallest value that at least so many in 100 do not exceed."""
        total, reached = sum(weight for _, weight in self.values), Fraction(0)
        for value, weight in sorted(self.values):
            reached += weight
            if 100 * reached >= percentile * total:
                return value
        raise AssertionError


def calls() -> dict[str, list[Trip]]:
    """The trips of each call."""
    found: dict[str, list[Trip]] = defaultdict(list)
    for trip in trips():
        found[trip.call].append(trip)
    return found


def arrival(units: list[Trip]) -> datetime | None:
    """When the first unit was on scene."""
    return min((each.on_scene for each in units if each.on_scene), default=None)


def responses() -> Iterator[tuple[str | None, date, date, int]]:
    """Area, day of the event, anchor day and seconds of each call that was reached."""
    for units in calls().values():
        first, day = arrival(units), local_day(units[0].received)
        assert day
        if first is not None:
            seconds = int((first - units[0].received).total_seconds())
            yield units[0].area, day, day, seconds


def closings() -> Iterator[tuple[str | None, date, date, int]]:
    """Area, day of the event, anchor day and days to close of each closed request."""
    for each in requests():
        opened, closed = local_day(each.requested), local_day(each.closed)
        if opened and closed and closed <= AS_OF:
            yield each.area, opened, closed, (closed - opened).days


@pytest.fixture(scope="module")
def samples() -> dict[tuple[str, Place, date], Sample]:
    found: dict[tuple[str, Place, date], Sample] = defaultdict(Sample)
    for codes, events in ((("EM1", "EM1p"), responses()), (("EM80", "EM81"), closings())):
        for area, happened, anchor, value in events:
            places = [("city", Fraction(1)), *parts(area, happened, anchor)]
            for place, weight in places:
                for code in codes:
                    found[code, place, month_of(anchor)].values.append((value, weight))
    return found


@pytest.mark.parametrize("code", PERCENTILES)
@pytest.mark.parametrize("mart", ["city", "district", "sector"])
def test_every_cell_holds_the_quantile_of_its_events(
    built: Built, samples: dict[tuple[str, Place, date], Sample], mart: str, code: str
) -> None:
    rows = built.rows(f"SELECT * FROM mart_{mart}_indicator WHERE indicator_code = '{code}'")  # noqa: S608 - our own names
    met = 0
    for row in rows:
        place = (row["area_code"], row["area_valid_from"]) if mart == "district" else "city"
        sample = samples.get((code, place, row["period_start"]))
        assert row["denominator"] is None
        if sample is None:
            assert (row["value"], row["numerator"], row["n"]) == (None, None, 0)
            assert row["obs_status"] in ("M", "L")
            continue
        met += 1
        exact = sample.quantile(PERCENTILES[code])
        assert (row["numerator"], row["n"]) == (Decimal(exact), len(sample.values))
        assert row["value"] == rounded(Fraction(exact, DIVISORS[code]), DIGITS[code])
        assert "U" not in (row["obs_status"], row["obs_status_2"])
        if any(weight < 1 for _, weight in sample.values):
            assert "E" in (row["obs_status"], row["obs_status_2"])
    wanted = {key for key in samples if key[0] == code and _is_in(key[1], mart)}
    assert met == len(wanted) > 0


def _is_in(place: Place, mart: str) -> bool:
    return isinstance(place, tuple) if mart == "district" else place == "city"


def test_weights_decide_some_quantile(samples: dict[tuple[str, Place, date], Sample]) -> None:
    """The case is worth its name: without the weights a cell would hold another value."""
    unweighted = [
        Sample([(value, Fraction(1)) for value, _ in sample.values]).quantile(PERCENTILES[code])
        != sample.quantile(PERCENTILES[code])
        for (code, place, _), sample in samples.items()
        if isinstance(place, tuple)
    ]
    assert any(unweighted)


def test_the_histogram_holds_every_call_once(built: Built) -> None:
    rows = built.rows("SELECT * FROM int_duration_histogram WHERE histogram = 'EM1'")
    reached = sum(arrival(units) is not None for units in calls().values())
    assert sum(row["events"] for row in rows) == reached
    assert sum(row["censored"] for row in rows) == len(calls()) - reached > 0
    followed = [
        int(
            (
                max(each.available or each.received for each in units) - units[0].received
            ).total_seconds()
        )
        for units in calls().values()
        if arrival(units) is None
    ]
    censored = [row["value"] for row in rows for _ in range(row["censored"])]
    assert sorted(censored) == sorted(followed)


def test_fire_calls_within_target(built: Built) -> None:
    for row in built.rows("SELECT * FROM mart_city_indicator WHERE indicator_code = 'EM2'"):
        fire = [
            units
            for units in calls().values()
            if units[0].category == "fire"
            and month_of(local_day(units[0].received) or AS_OF) == row["period_start"]
        ]
        within = [
            first is not None and (first - units[0].received).total_seconds() <= 300
            for units in fire
            for first in [arrival(units)]
        ]
        assert (row["numerator"], row["denominator"]) == (sum(within), len(fire))


@pytest.mark.parametrize("mart", ["mart_city_indicator", "mart_district_indicator"])
@pytest.mark.parametrize("code", PERCENTILES)
def test_the_events_named_give_the_quantile(
    built: Built, connection: duckdb.DuckDBPyConnection, mart: str, code: str
) -> None:
    rows = built.rows(
        f"SELECT * FROM {mart} WHERE indicator_code = '{code}' AND value IS NOT NULL"  # noqa: S608 - our own names
    )
    assert rows
    for row in rows:
        events = contributing_events(
            connection,
            built.registry.indicators[code],
            row["area_code"],
            row["area_valid_from"],
            row["period_start"],
        ).to_pylist()
        values = [(int(each["numerator"]), Fraction(each["weight"])) for each in events]
        assert Sample(values).quantile(PERCENTILES[code]) == row["numerator"]
        assert len(events) == row["n"]


def test_a_call_names_the_records_it_is_made_of(
    built: Built, connection: duckdb.DuckDBPyConnection
) -> None:
    rows = built.rows("SELECT * FROM mart_city_indicator WHERE indicator_code = 'EM1' AND n > 0")
    found = {
        event["call_id"]: event["records"]
        for row in rows
        for event in contributing_events(
            connection,
            built.registry.indicators["EM1"],
            row["area_code"],
            row["area_valid_from"],
            row["period_start"],
        ).to_pylist()
    }
    assert found == {
        call: sorted(f"emergency.tiny:{each.id}" for each in units)
        for call, units in calls().items()
        if arrival(units) is not None
    }


# What is spoilt, and which dbt test must see it.
SPOILT = {
    "value": (
        "UPDATE candidate.mart_city_indicator SET value = value + 0.1 WHERE indicator_code = 'EM1'",
        "indicator_value_is_recomputed",
    ),
    "not divided": (
        "UPDATE candidate.mart_sector_indicator SET value = numerator WHERE indicator_code = 'EM1'",
        "indicator_value_is_recomputed",
    ),
    "above": (
        "UPDATE candidate.mart_city_indicator SET numerator = numerator + 1"
        " WHERE indicator_code = 'EM1p'",
        "indicator_quantile_is_reached",
    ),
    "below": (
        "UPDATE candidate.mart_city_indicator SET numerator = numerator - 1"
        " WHERE indicator_code = 'EM81'",
        "indicator_quantile_is_reached",
    ),
    "missing": (
        "UPDATE candidate.mart_city_indicator SET numerator = NULL WHERE indicator_code = 'EM1'",
        "indicator_quantile_is_reached",
    ),
    "no cell": (
        "DELETE FROM candidate.mart_city_indicator WHERE indicator_code = 'EM1'",
        "indicator_quantile_is_reached",
    ),
    "number of events": (
        "UPDATE candidate.mart_city_indicator SET n = n + 1 WHERE indicator_code = 'EM1'",
        "indicator_quantile_is_reached",
    ),
    "outside its parts": (
        "UPDATE candidate.mart_district_indicator SET numerator = 5000"
        " WHERE indicator_code = 'EM1' AND numerator IS NOT NULL;"
        "DELETE FROM candidate.ind_duration_quantile WHERE area_level = 'unlocated'",
        "indicator_quantile_is_between_parts",
    ),
    "no parts": (
        "DELETE FROM candidate.mart_district_indicator WHERE indicator_code = 'EM1';"
        "DELETE FROM candidate.ind_duration_quantile WHERE area_level = 'unlocated'",
        "indicator_quantile_is_between_parts",
    ),
    "a lost call": (
        "DELETE FROM candidate.int_duration_histogram WHERE rowid ="
        " (SELECT min(rowid) FROM candidate.int_duration_histogram WHERE histogram = 'EM1')",
        "emergency_calls_are_kept",
    ),
    "a lost call never reached": (
        "UPDATE candidate.int_duration_histogram SET censored = 0",
        "emergency_calls_are_kept",
    ),
    "two times of receipt": (
        "received_at: received_at + to_seconds(rowid)",
        "emergency_calls_agree",
    ),
    "two areas": ("area_code: area_code || rowid", "emergency_calls_agree"),
    "two categories": ("call_category: call_category || rowid", "emergency_calls_agree"),
    "two priorities": ("priority_final: 'P' || rowid", "emergency_calls_agree"),
    "two targets": (
        "response_target_seconds: CAST(rowid AS INTEGER)",
        "emergency_calls_agree",
    ),
    "hospital before transport": (
        "hospital_at: transport_at - to_seconds(1)",
        "emergency_hospital_before_transport_warn",
    ),
}


@pytest.fixture
def spoilable(built: Built, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the finished candidate that can be written, with its inputs."""
    copy = tmp_path / "candidate.duckdb"
    shutil.copyfile(built.inputs.candidate, copy)
    with session() as connection:
        attach_inputs(connection, built.inputs)
        connection.execute(f"ATTACH '{copy}' AS candidate")
        yield connection


@pytest.mark.parametrize(("change", "test"), SPOILT.values(), ids=SPOILT)
def test_each_dbt_test_refuses(
    built: Built, spoilable: duckdb.DuckDBPyConnection, change: str, test: str
) -> None:
    sql = _compiled(built, test)
    assert spoilable.execute(sql).fetchall() == []
    column, _, expression = change.partition(": ")
    if expression:
        _replace_trips(spoilable, column, expression)
    else:
        spoilable.execute(change)
    assert spoilable.execute(sql).fetchall()


def _compiled(built: Built, test: str) -> str:
    """The text of a dbt test as it ran in the build."""
    (path,) = built.run.manifest.parent.glob(f"compiled/**/{test}.sql")
    return path.read_text(encoding="utf-8")


def _replace_trips(connection: duckdb.DuckDBPyConnection, column: str, expression: str) -> None:
    """Core's trips with one column spoilt; every trip has a time of transport."""
    connection.execute(
        "CREATE TABLE trips AS SELECT * REPLACE (received_at + to_minutes(50) AS transport_at)"
        " FROM lake.core.emergency_trip"
    )
    spoilt = f"SELECT * REPLACE ({expression} AS {column}) FROM memory.trips"  # noqa: S608 - our own text
    connection.execute(f"CREATE OR REPLACE VIEW lake.core.emergency_trip AS {spoilt}")
