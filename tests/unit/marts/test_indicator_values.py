"""Every cell of the indicator marts against figures counted in plain Python."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.unit.marts import expected
from tests.unit.marts.conftest import Built
from tests.unit.marts.tiny_city import AREAS, AS_OF, BEFORE, REFORM

FEEDBACK = ("FB1", "FB1b", "FB2", "FB2r", "FB4", "FB5", "FB5a")
ADMINISTRATION = ("AD1", "AD2", "AD3", "AD4")
FIRST_DAY = {"FB": date(2025, 5, 12), "AD": date(2025, 5, 12), "AQ": date(2025, 6, 1)}
WINDOW = {"FB": 10, "AD": 10, "AQ": 5}
NO_RATIO = ("FB5", "FB5a", "AD2")
UNITS = [
    (code, start, end)
    for code, start, end, level, _ in AREAS
    if level == "district" or (level == "ward" and start == REFORM)
]


@pytest.fixture(scope="module")
def cells() -> expected.Cells:
    return expected.all_cells()


def mart(built: Built, name: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    rows = built.rows(f"SELECT * FROM mart_{name}_indicator")  # noqa: S608 - our own name
    keyed = {
        (
            row["indicator_code"],
            (row["area_code"], row["area_valid_from"]),
            row["period_start"],
        ): row
        for row in rows
    }
    assert len(keyed) == len(rows)
    return keyed


def months(code: str) -> list[date]:
    return [m for m in expected.MONTHS if expected.month_end(m) >= FIRST_DAY[code[:2]]]


def statuses(code: str, month: date, cell: expected.Cell | None, known: bool) -> list[str]:
    """What must hold, in order of precedence."""
    held = []
    counted = cell or expected.Cell()
    value = expected.value_of(code, counted)
    if known and value is None:
        held.append("M")
    if not known:
        held.append("L")
    if code not in NO_RATIO and value is not None and counted.numerator < expected.COUNTED:
        held.append("U")
    if counted.estimated:
        held.append("E")
    end = expected.month_end(month)
    partial = month < FIRST_DAY[code[:2]] or end > AS_OF
    if partial or end + timedelta(days=WINDOW[code[:2]]) > AS_OF:
        held.append("P")
    return held or ["A"]


def check(row: dict[str, Any], code: str, month: date, cell: expected.Cell, known: bool) -> None:
    held = statuses(code, month, cell, known)
    assert (row["obs_status"], row["obs_status_2"]) == (held[0], (held[1:] or [None])[0])
    assert row["n"] == cell.n
    if not known:
        assert (row["value"], row["numerator"], row["denominator"]) == (None, None, None)
        return
    assert row["value"] == expected.value_of(code, cell)
    if code == "FB5a":
        assert row["numerator"] == (int(cell.numerator) if cell.n else None)
    else:
        assert Fraction(row["numerator"]) == cell.numerator
    assert row["denominator"] == (
        None if code in NO_RATIO else Decimal(str(float(cell.denominator)))
    )


@pytest.mark.parametrize("code", [*FEEDBACK, *ADMINISTRATION, "AQ3"])
def test_the_city_counts_every_event(built: Built, cells: expected.Cells, code: str) -> None:
    found = {key: row for key, row in mart(built, "city").items() if key[0] == code}
    city = {month: ("T", REFORM if month >= REFORM else BEFORE) for month in months(code)}
    assert set(found) == {(code, area, month) for month, area in city.items()}
    for month, area in city.items():
        cell = cells.get((code, "city", month), expected.Cell())
        check(found[code, area, month], code, month, cell, known=True)


@pytest.mark.parametrize("code", [*FEEDBACK, *ADMINISTRATION, "AQ3"])
def test_units_count_what_lies_in_them(built: Built, cells: expected.Cells, code: str) -> None:
    found = {key: row for key, row in mart(built, "district").items() if key[0] == code}
    collected = {"D1", "D2", "A", "N1", "N2"} if code != "AQ3" else {"A", "D1", "D2"}
    wanted = {
        (code, (unit, start), month)
        for month in months(code)
        for unit, start, end in UNITS
        if start <= month and (end is None or end > month)
    }
    assert set(found) == wanted
    city = mart(built, "city")
    for key in wanted:
        cell = cells.get(key, expected.Cell())
        check(found[key], code, key[2], cell, known=key[1][0] in collected)
        whole = ("T", REFORM if key[2] >= REFORM else BEFORE)
        assert found[key]["city_value"] == city[code, whole, key[2]]["value"]


def test_hoa_lien_is_split_by_its_declared_shares(built: Built, cells: expected.Cells) -> None:
    july = date(2025, 7, 1)
    split = [cells["FB2", (unit, REFORM), july] for unit in ("N1", "N2")]
    assert all(cell.estimated for cell in split)
    assert all(cell.denominator.denominator > 1 for cell in split)
    found = mart(built, "district")
    for unit, cell in zip(("N1", "N2"), split, strict=True):
        row = found["FB2", (unit, REFORM), july]
        assert Fraction(row["denominator"]) == cell.denominator
        assert "E" in (row["obs_status"], row["obs_status_2"])


def test_unlocated_events_count_for_the_city_alone(built: Built, cells: expected.Cells) -> None:
    june = date(2025, 6, 1)
    assert cells["FB1b", None, june].n > 2
    unlocated = built.rows(
        "SELECT n, numerator FROM ind_service_request_due WHERE area_level = 'unlocated' "
        "AND indicator_code = 'FB1b' AND period_start = DATE '2025-06-01'"
    )
    cell = cells["FB1b", None, june]
    assert [(row["n"], Fraction(row["numerator"])) for row in unlocated] == [
        (cell.n, cell.numerator)
    ]


def test_sector_rows_are_the_city_by_group_and_agency(built: Built) -> None:
    rows = built.rows(
        "SELECT DISTINCT indicator_code, service_group, agency_code FROM mart_sector_indicator"
    )
    assert {(r["indicator_code"], r["service_group"], r["agency_code"]) for r in rows} == {
        *((code, 1, "desk") for code in FEEDBACK),
        *((code, 2, "shop") for code in ADMINISTRATION),
        ("AQ3", 4, "air"),
        ("SE1", 5, "desk"),
        ("AQ90", 4, "air"),
        *((code, 6, "fire") for code in ("EM1", "EM1p", "EM2", "EM80", "EM81")),
    }


def test_the_target_is_the_one_that_holds(built: Built) -> None:
    rows = built.rows(
        "SELECT period_start, target FROM mart_city_indicator WHERE indicator_code = 'FB5' "
        "ORDER BY period_start"
    )
    assert [int(row["target"]) for row in rows] == [90, 90, 60]


@pytest.mark.parametrize(
    ("code", "month", "days"),
    [
        pytest.param("FB1", date(2025, 5, 1), Fraction(20, 31), id="begins-with-the-data"),
        pytest.param("FB1", date(2025, 6, 1), Fraction(1), id="whole"),
        pytest.param("FB1", date(2025, 7, 1), Fraction(20, 31), id="ends-with-the-data"),
    ],
)
def test_coverage_is_the_share_of_days(
    built: Built, code: str, month: date, days: Fraction
) -> None:
    rows = built.rows(
        f"SELECT coverage_share FROM mart_city_indicator WHERE indicator_code = '{code}' "  # noqa: S608 - our own values
        f"AND period_start = DATE '{month}'"
    )
    assert rows == [{"coverage_share": expected.rounded(days, 6)}]


def test_large_amounts_do_not_overflow(built: Built) -> None:
    rows = built.rows(
        "SELECT small.value AS small, large.value AS large, large.numerator "
        "FROM mart_district_indicator AS small JOIN mart_district_indicator AS large "
        "USING (area_code, area_valid_from, period_start) "
        "WHERE small.indicator_code = 'AQ3' AND large.indicator_code = 'AQ90' "
        "AND small.value IS NOT NULL"
    )
    assert rows
    assert all(row["small"] == row["large"] for row in rows)
    assert max(row["numerator"] for row in rows) > 10**9
