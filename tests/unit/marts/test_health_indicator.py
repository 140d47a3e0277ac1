"""HE1 over the tiny city, against figures worked out by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.marts.conftest import Built
from tests.unit.marts.tiny_city import BEFORE, REFORM

MAY, JUNE, JULY = date(2025, 5, 1), date(2025, 6, 1), date(2025, 7, 1)


@pytest.fixture(scope="module")
def cells(built: Built) -> dict[tuple[str, date, date], dict[str, Any]]:
    """The rows of the mart by area and month."""
    assert built.run.returncode == 0, built.run.log.read_text(encoding="utf-8")
    rows = built.rows("SELECT * FROM mart_health_indicator")
    found = {(row["area_code"], row["area_valid_from"], row["period_start"]): row for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize(
    ("area", "month", "visits", "persons", "value", "statuses"),
    [
        # 30 + 5 + 25 + 3 that no area is known of, of 4,000 people counted in 2019.
        (("T", BEFORE), MAY, 63, 4000, "15.8", ("D", "P")),
        (("D1", BEFORE), MAY, 35, 1600, "21.9", ("P", None)),
        # Nobody knows how many people D2 has; nothing ever came from D3.
        (("D2", BEFORE), MAY, 25, None, None, ("L", "P")),
        (("D3", BEFORE), MAY, None, None, None, ("L", "P")),
        # The first month of another concept; the last day with data is the 20th.
        (("T", REFORM), JULY, 73, 5000, "14.6", ("B", "P")),
        (("A", REFORM), JULY, 12, 1700, "7.1", ("U", "P")),
        (("N1", REFORM), JULY, 40, None, None, ("M", "P")),
        (("N2", REFORM), JULY, 21, 1100, "19.1", ("P", None)),
    ],
)
def test_visits_per_thousand(
    cells: dict[tuple[str, date, date], dict[str, Any]],
    area: tuple[str, date],
    month: date,
    visits: int | None,
    persons: int | None,
    value: str | None,
    statuses: tuple[str, str | None],
) -> None:
    row = cells[(*area, month)]
    assert row["numerator"] == visits
    assert row["denominator"] == persons
    assert row["value"] == (None if value is None else Decimal(value))
    assert (row["obs_status"], row["obs_status_2"]) == statuses


def test_a_month_without_any_encounter_was_not_delivered(
    cells: dict[tuple[str, date, date], dict[str, Any]],
) -> None:
    row = cells[("T", BEFORE, JUNE)]
    assert (row["value"], row["numerator"], row["obs_status"]) == (None, None, "O")
    assert row["coverage_share"] == 0


def test_the_concept_stands_beside_the_rate(
    cells: dict[tuple[str, date, date], dict[str, Any]],
) -> None:
    old, new = cells[("T", BEFORE, MAY)], cells[("T", REFORM, JULY)]
    assert (old["population_concept"], old["population_reference_date"]) == (
        "census",
        date(2019, 4, 1),
    )
    assert (new["population_concept"], new["population_reference_date"]) == (
        "administrative",
        REFORM,
    )


def test_health_is_in_no_other_mart(built: Built) -> None:
    for mart in ("mart_city_indicator", "mart_district_indicator", "mart_sector_indicator"):
        assert built.rows(f"SELECT * FROM {mart} WHERE service_group = 10") == []  # noqa: S608 - our own name
