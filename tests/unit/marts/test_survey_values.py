"""SE1 and the statistics beside it: what the survey says, and what it leaves open."""

from datetime import date
from decimal import Decimal
from math import sqrt
from typing import Any

import pytest

from tests.unit.marts.conftest import Built

FIRST, SECOND, THIRD = (date(2025, month, 1) for month in (1, 4, 7))


def _cells(built: Built, mart: str) -> dict[tuple[str, date], dict[str, Any]]:
    rows = built.rows(f"SELECT * FROM {mart} WHERE indicator_code = 'SE1'")  # noqa: S608 - fixed names
    return {(row["area_code"], row["period_start"]): row for row in rows}


def _interval(value: float, error: float) -> tuple[float, float]:
    return value - 1.959964 * error, value + 1.959964 * error


@pytest.mark.parametrize(
    ("area", "unemployed", "force", "error", "n"),
    [("D1", 300, 10_000, 45.5, 400), ("D2", 150, 6_000, 37.5, 250)],
)
def test_a_unit_carries_its_error(
    built: Built, area: str, unemployed: int, force: int, error: float, n: int
) -> None:
    row = _cells(built, "mart_district_indicator")[area, FIRST]
    assert row["period_kind"] == "quarter"
    assert row["value"] == Decimal(100 * unemployed) / force
    assert row["n"] == n
    assert float(row["standard_error"]) == pytest.approx(100 * error / force, abs=5e-5)
    assert float(row["coefficient_of_variation"]) == pytest.approx(
        100 * error / unemployed, abs=5e-5
    )
    low, high = _interval(100 * unemployed / force, 100 * error / force)
    assert float(row["interval_lower"]) == pytest.approx(low, abs=5e-5)
    assert float(row["interval_upper"]) == pytest.approx(high, abs=5e-5)


def test_the_city_adds_the_variances_of_its_units(built: Built) -> None:
    row = _cells(built, "mart_city_indicator")["T", FIRST]
    error = sqrt(45.5**2 + 37.5**2)
    assert (row["numerator"], row["denominator"], row["n"]) == (450, 16_000, 650)
    assert float(row["standard_error"]) == pytest.approx(100 * error / 16_000, abs=5e-5)


def test_without_units_the_city_stands_for_itself(built: Built) -> None:
    row = _cells(built, "mart_city_indicator")["T", THIRD]
    assert (row["numerator"], row["denominator"], row["n"]) == (480, 17_000, 700)
    districts = _cells(built, "mart_district_indicator")
    assert {status for (_, start), each in districts.items() if start == THIRD
            for status in [each["obs_status"]]} == {"L"}  # fmt: skip


def test_high_variation_is_unreliable(built: Built) -> None:
    districts = _cells(built, "mart_district_indicator")
    assert districts["D1", FIRST]["obs_status"] == "A"  # 15.2%
    assert districts["D2", FIRST]["obs_status"] == "U"  # 25%
    city = _cells(built, "mart_city_indicator")["T", THIRD]
    assert (city["obs_status"], city["obs_status_2"]) == ("U", "P")  # 20.9%


def test_a_quarter_that_was_not_delivered_has_no_value(built: Built) -> None:
    row = _cells(built, "mart_city_indicator")["T", SECOND]
    assert row["obs_status"] == "O"
    assert {row[name] for name in ("value", "standard_error", "interval_upper")} == {None}


def test_a_full_count_has_no_error(built: Built) -> None:
    rows = built.rows(
        "SELECT DISTINCT standard_error, coefficient_of_variation, interval_lower, interval_upper "
        "FROM mart_city_indicator WHERE indicator_code <> 'SE1'"
    )
    assert [set(row.values()) for row in rows] == [{None}]


def test_what_is_confidential_has_no_value(built: Built) -> None:
    (row,) = built.rows(
        "SELECT * FROM mart_socio_economic_indicator WHERE indicator_code = 'SECRET'"
    )
    assert (row["value"], row["obs_status"], row["conf_status"]) == (None, "Q", "C")


def test_missing_figures_say_so(built: Built) -> None:
    (row,) = built.rows("SELECT * FROM mart_socio_economic_indicator WHERE indicator_code = 'GONE'")
    assert (row["value"], row["obs_status"]) == (None, "O")
