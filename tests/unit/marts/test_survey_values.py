"""SE1 and the statistics beside it: what the survey says, and what it leaves open."""

from datetime import date
from decimal import Decimal
from math import sqrt
from typing import Any

import pytest

from tests.unit.marts.conftest import Built
from tests.unit.marts.tiny_city import BEFORE

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
    assert (row["numerator"], row["denominator"], row["n"]) == (4_800, 170_000, 700)
    assert float(row["standard_error"]) == pytest.approx(100 * 1_003 / 170_000, abs=5e-5)
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


@pytest.mark.parametrize(
    ("area", "value", "error", "variation", "low", "high", "sample", "status"),
    [
        ("D1", "300", "45.5", "15.1667", "210.8216", "389.1784", 400, "A"),
        ("D2", "150", "37.5", "25", "76.5014", "223.4987", 250, "U"),
        ("T", "450", "58.961", "13.1024", "334.4386", "565.5614", 650, "A"),
    ],
)
def test_an_ordinary_row_says_all_that_its_source_says(
    built: Built, area: str, value: str, error: str, variation: str, low: str, high: str,
    sample: int, status: str,
) -> None:  # fmt: skip
    (row,) = built.rows(
        f"SELECT * FROM mart_socio_economic_indicator WHERE area_code = '{area}'"  # noqa: S608 - fixed names
        " AND indicator_code = 'UNE' AND time_period = '2025-Q1'"
        " AND dimension_key = 'SEX=_T;AGE=Y_GE15'"
    )
    assert row == {
        "dataflow": "T:LFS",
        "area_code": area,
        "area_valid_from": BEFORE,
        "area_name_vi": f"{area} vi",
        "area_name_en": f"{area} en",
        "indicator_code": "UNE",
        "indicator_name_vi": "UNE vi",
        "indicator_name_en": "UNE en",
        "freq": "Q",
        "dimension_key": "SEX=_T;AGE=Y_GE15",
        "time_period": "2025-Q1",
        "period_start": date(2025, 1, 1),
        "period_end": date(2025, 3, 31),
        "value": Decimal(value),
        "unit_measure": "PS",
        "unit_mult": 0,
        "decimals": 1,
        "standard_error": Decimal(error),
        "coefficient_of_variation": Decimal(variation),
        "interval_lower": Decimal(low),
        "interval_upper": Decimal(high),
        "sample_size": sample,
        "obs_status": status,
        "obs_status_2": None,
        "conf_status": "F",
    }


def test_what_is_confidential_has_no_value(built: Built) -> None:
    (row,) = built.rows(
        "SELECT * FROM mart_socio_economic_indicator WHERE indicator_code = 'SECRET'"
    )
    assert (row["value"], row["obs_status"], row["conf_status"]) == (None, "Q", "C")


def test_missing_figures_say_so(built: Built) -> None:
    (row,) = built.rows("SELECT * FROM mart_socio_economic_indicator WHERE indicator_code = 'GONE'")
    assert (row["value"], row["obs_status"]) == (None, "O")
