"""Days of SDMX time periods, against the calendar of the standard library."""

from datetime import date, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.contract.time_period import period_end, period_month, period_start

YEARS = st.integers(1900, 2099)


def _days(text: str | None) -> tuple[date | None, date | None, str | None]:
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT {period_start('t')}, {period_end('t')}, {period_month('t')} "  # noqa: S608 - our own expressions
            "FROM (SELECT ?::VARCHAR AS t)",
            [text],
        ).fetchall()
    return found[0]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2025", date(2025, 1, 1), date(2025, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2025-03-08", date(2025, 3, 8), date(2025, 3, 8)),
        ("2025-A1", date(2025, 1, 1), date(2025, 12, 31)),
        ("2025-S2", date(2025, 7, 1), date(2025, 12, 31)),
        ("2025-T2", date(2025, 5, 1), date(2025, 8, 31)),
        ("2025-Q3", date(2025, 7, 1), date(2025, 9, 30)),
        ("2025-M11", date(2025, 11, 1), date(2025, 11, 30)),
        ("2025-W01", date(2024, 12, 30), date(2025, 1, 5)),
        ("2024-D366", date(2024, 12, 31), date(2024, 12, 31)),
    ],
)
def test_a_period_has_its_days(text: str, first: date, last: date) -> None:
    assert _days(text) == (first, last, f"{first:%Y-%m}")


@pytest.mark.parametrize(
    "text",
    [None, "", "25", "2025-13", "2025-00", "2025-02-30", "2025-Q5", "2025-Q0", "2025-S3", "2025-T4"]
    + ["2025-A2", "2025-M13", "2025-W00", "2025-W53", "2025-D366", "2025-D000", "2025-q1", "1899"]
    + ["2100", "0000", "9999-W52", "2025-Q1 ", "2025-03-08T00:00:00", "2025-Q1/P1M"],
)
def test_what_is_no_period_has_no_day(text: str | None) -> None:
    assert _days(text) == (None, None, None)


@settings(max_examples=60)
@given(year=YEARS, week=st.integers(0, 60))
def test_weeks_are_those_of_iso_8601(year: int, week: int) -> None:
    try:
        first = date.fromisocalendar(year, week, 1)
    except ValueError:
        assert _days(f"{year}-W{week:02}") == (None, None, None)
        return
    assert _days(f"{year}-W{week:02}")[:2] == (first, first + timedelta(days=6))


@settings(max_examples=60)
@given(year=YEARS, quarter=st.integers(1, 4))
def test_quarters_share_out_the_year(year: int, quarter: int) -> None:
    first, last, _ = _days(f"{year}-Q{quarter}")
    assert first is not None
    assert last is not None
    following = f"{year}-Q{quarter + 1}" if quarter < 4 else f"{year + 1}"
    if year < 2099 or quarter < 4:
        assert _days(following)[0] == last + timedelta(days=1)
