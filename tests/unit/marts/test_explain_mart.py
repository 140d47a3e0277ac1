"""A mart's number and the events named for it are one story."""

from fractions import Fraction
from typing import Any

import duckdb
import pytest

from tests.unit.marts.conftest import Built
from warehouse.explain_mart import contributing_events

CODES = ("FB1", "FB1b", "FB2", "FB2r", "FB4", "FB5", "FB5a", "AD1", "AD2", "AD3", "AD4", "AQ3")


def told(connection: duckdb.DuckDBPyConnection, built: Built, row: dict[str, Any]) -> list[Any]:
    events = contributing_events(
        connection,
        built.registry.indicators[row["indicator_code"]],
        row["area_code"],
        row["area_valid_from"],
        row["period_start"],
    ).to_pylist()
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


@pytest.mark.parametrize("mart", ["mart_city_indicator", "mart_district_indicator"])
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
