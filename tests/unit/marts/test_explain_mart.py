"""A mart's number, the events named for it and their core records are one story."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import duckdb
import pytest

from tests.unit.marts import tiny_city
from tests.unit.marts.conftest import Built
from warehouse.explain_mart import contributing_events

MARTS = ("mart_city_indicator", "mart_district_indicator", "mart_sector_indicator")
CODES = ("FB1", "FB1b", "FB2", "FB2r", "FB4", "FB5", "FB5a", "AD1", "AD2", "AD3", "AD4", "AQ3")


def events_of(
    connection: duckdb.DuckDBPyConnection, built: Built, row: dict[str, Any]
) -> list[dict[str, Any]]:
    return contributing_events(
        connection,
        built.registry.indicators[row["indicator_code"]],
        row["area_code"],
        row["area_valid_from"],
        row["period_start"],
    ).to_pylist()


def told(connection: duckdb.DuckDBPyConnection, built: Built, row: dict[str, Any]) -> list[Any]:
    events = events_of(connection, built, row)
    weights = [Fraction(event["weight"]) for event in events]
    numerators = [Fraction(event["numerator"]) for event in events]
    below = [Fraction(event["denominator"] or 0) for event in events]
    if row["indicator_code"] == "FB5a":
        return [len(events), max(numerators, default=None), 0]
    return [
        len(events),
        sum((w * x for w, x in zip(weights, numerators, strict=True)), Fraction(0)),
        sum((w * x for w, x in zip(weights, below, strict=True)), Fraction(0)),
    ]


@pytest.mark.parametrize("mart", MARTS)
@pytest.mark.parametrize("code", CODES)
def test_events_add_up_to_the_cell(
    built: Built, connection: duckdb.DuckDBPyConnection, mart: str, code: str
) -> None:
    rows = built.rows(
        f"SELECT * FROM {mart} WHERE indicator_code = '{code}' AND obs_status NOT IN ('L', 'O')"  # noqa: S608 - our own values
    )
    assert rows
    for row in rows:
        numerator = None if row["numerator"] is None else Fraction(row["numerator"])
        published = [row["n"], numerator, Fraction(row["denominator"] or 0)]
        assert told(connection, built, row) == published


def records_of(events: list[dict[str, Any]]) -> list[str]:
    """The records of all events in order; no event is made of none."""
    assert all(event["records"] for event in events)
    return sorted({record for event in events for record in event["records"]})


def hours_of(records: list[str], month: date) -> tuple[int, int]:
    """Valid and expected hours of a month, from the listed stations and values alone."""
    values = {
        f"air.tiny:{o.station}/{o.property}/{o.at:%Y-%m-%d %H:%M:%S}+00": o
        for o in tiny_city.observations()
    }
    stations = {f"air.tiny:{code}": rest for code, _, *rest in tiny_city.STATIONS}
    assert set(records) <= set(values) | set(stations)
    hours = {
        (values[name].station, values[name].at.replace(minute=0))
        for name in records
        if name in values and values[name].value is not None
    }
    days = 0
    for first, last in (stations[name] for name in records if name in stations):
        operating = range((min(last or tiny_city.AS_OF, tiny_city.AS_OF) - first).days + 1)
        days += sum((first + timedelta(number)).replace(day=1) == month for number in operating)
    return len(hours), 24 * days


@pytest.mark.parametrize("mart", MARTS)
def test_records_of_stations_give_the_cell(
    built: Built, connection: duckdb.DuckDBPyConnection, mart: str
) -> None:
    rows = built.rows(
        f"SELECT * FROM {mart} WHERE indicator_code = 'AQ3' AND n > 0"  # noqa: S608 - our own value
    )
    assert rows
    for row in rows:
        records = records_of(events_of(connection, built, row))
        told_hours = hours_of(records, row["period_start"])
        assert told_hours == (row["numerator"], row["denominator"])


@pytest.mark.parametrize("mart", MARTS)
def test_records_of_a_survey_give_the_cell(
    built: Built, connection: duckdb.DuckDBPyConnection, mart: str
) -> None:
    figures = {
        f"statistics.tiny:T:LFS/{f.area}/{f.indicator}/{f.freq}/{f.dimensions}/{f.period}": f
        for f in tiny_city.FIGURES
    }
    rows = built.rows(
        f"SELECT * FROM {mart} WHERE indicator_code = 'SE1' AND n > 0"  # noqa: S608 - our own value
    )
    assert rows
    for row in rows:
        listed = [figures[name] for name in records_of(events_of(connection, built, row))]
        sums = [
            sum(
                f.value * 10**f.multiplier
                for f in listed
                if f.indicator == kind and f.value is not None
            )
            for kind in ("UNE", "LF")
        ]
        assert sums == [row["numerator"], row["denominator"]]


@pytest.mark.parametrize(
    ("code", "source", "key"),
    [
        ("FB1", "feedback.tiny", "service_request_id"),
        ("AD2", "administration.tiny", "dossier_id"),
    ],
)
def test_an_event_of_one_record_names_it(
    built: Built, connection: duckdb.DuckDBPyConnection, code: str, source: str, key: str
) -> None:
    rows = built.rows(
        f"SELECT * FROM mart_city_indicator WHERE indicator_code = '{code}' AND n > 0"  # noqa: S608 - our own value
    )
    for row in rows:
        events = events_of(connection, built, row)
        assert events
        assert [event["records"] for event in events] == [[f"{source}:{e[key]}"] for e in events]
