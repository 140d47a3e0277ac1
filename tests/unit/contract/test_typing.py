"""Text to values: what is taken, what is refused, and why."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.contract.samples import typed_texts
from warehouse.contract.zones import zone

GOOD: list[str] = []
UNREAD = ["value:type"]
LOCAL = ("%Y-%m-%d %H:%M:%S",)
FIRST, LAST = (
    datetime.fromisoformat(text) for text in ("1902-01-01T00:00:00", "2098-12-31T00:00:00")
)
ZONES = ("America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Ho_Chi_Minh", "UTC")
CASES = {
    "integer": ("BIGINT", {}, "12", 12, GOOD),
    "integer_sign": ("BIGINT", {}, "-12", -12, GOOD),
    "integer_blanks": ("BIGINT", {}, "  12 ", 12, GOOD),
    "integer_zeros": ("BIGINT", {}, "0012", 12, GOOD),
    "integer_fraction": ("BIGINT", {}, "1.6", None, UNREAD),
    "integer_zero_fraction": ("BIGINT", {}, "1.0", None, UNREAD),
    "integer_exponent": ("BIGINT", {}, "1e3", None, UNREAD),
    "integer_hexadecimal": ("BIGINT", {}, "0x10", None, UNREAD),
    "integer_nan": ("BIGINT", {}, "nan", None, UNREAD),
    "integer_infinity": ("BIGINT", {}, "inf", None, UNREAD),
    "integer_underscore": ("BIGINT", {}, "1_000", None, UNREAD),
    "integer_words": ("BIGINT", {}, "12 m", None, UNREAD),
    "integer_other_digits": ("BIGINT", {}, "١٢", None, UNREAD),
    "integer_too_great": ("INTEGER", {}, "2147483648", None, UNREAD),
    "integer_true": ("INTEGER", {}, "true", None, UNREAD),
    "blank": ("BIGINT", {}, " \t", None, GOOD),
    "empty": ("BIGINT", {}, "", None, GOOD),
    "absent": ("BIGINT", {}, None, None, GOOD),
    "sentinel": ("BIGINT", {"sentinels": ("-999",)}, "-999", None, GOOD),
    "no_sentinel": ("BIGINT", {"sentinels": ("-999",)}, "-99", -99, GOOD),
    "other_sentinel": ("BIGINT", {"sentinels": ("-999",)}, "NA", None, UNREAD),
    "decimal": ("DECIMAL(6,2)", {}, "12.30", Decimal("12.30"), GOOD),
    "decimal_trailing_zeros": ("DECIMAL(6,2)", {}, "12.3000", Decimal("12.30"), GOOD),
    "decimal_no_digit_lost": ("DECIMAL(6,2)", {}, "1.239", None, UNREAD),
    "decimal_leading_point": ("DECIMAL(6,2)", {}, "-.5", Decimal("-0.50"), GOOD),
    "decimal_integer": ("DECIMAL(6,2)", {}, "7", Decimal("7.00"), GOOD),
    "decimal_exponent": ("DECIMAL(6,2)", {}, "1e3", None, UNREAD),
    "decimal_nan": ("DECIMAL(6,2)", {}, "NaN", None, UNREAD),
    "decimal_comma": ("DECIMAL(6,2)", {}, "1,5", None, UNREAD),
    "decimal_too_great": ("DECIMAL(6,2)", {}, "10000", None, UNREAD),
    "decimal_scale_zero": ("DECIMAL(6,0)", {}, "12.0", Decimal(12), GOOD),
    "decimal_scale_zero_fraction": ("DECIMAL(6,0)", {}, "12.5", None, UNREAD),
    "boolean": ("BOOLEAN", {}, "true", True, GOOD),
    "boolean_declared": (
        "BOOLEAN",
        {"true_values": ("Có",), "false_values": ("Không",)},
        "Không",
        False,
        GOOD,
    ),
    "boolean_undeclared": ("BOOLEAN", {}, "1", None, UNREAD),
    "boolean_case": ("BOOLEAN", {}, "True", None, UNREAD),
    "date": ("DATE", {"formats": ("%d/%m/%Y",)}, "28/02/2015", date(2015, 2, 28), GOOD),
    "date_that_is_none": ("DATE", {"formats": ("%d/%m/%Y",)}, "31/02/2015", None, UNREAD),
    "date_second_format": (
        "DATE",
        {"formats": ("%Y-%m-%d", "%d/%m/%Y")},
        "01/02/2015",
        date(2015, 2, 1),
        GOOD,
    ),
    "date_with_rest": ("DATE", {"formats": ("%d/%m/%Y",)}, "01/02/2015 x", None, UNREAD),
    "date_short_year": ("DATE", {"formats": ("%d/%m/%Y",)}, "01/02/15", None, UNREAD),
    "date_iso": ("DATE", {"formats": ("iso8601",)}, "2024-02-29", date(2024, 2, 29), GOOD),
    "date_iso_that_is_none": ("DATE", {"formats": ("iso8601",)}, "2023-02-29", None, UNREAD),
    "date_iso_infinity": ("DATE", {"formats": ("iso8601",)}, "infinity", None, UNREAD),
    "time_iso_offset": (
        "TIMESTAMPTZ",
        {"formats": ("iso8601",)},
        "2025-03-08T10:00:00+07:00",
        datetime(2025, 3, 8, 3, tzinfo=UTC),
        GOOD,
    ),
    "time_iso_z": (
        "TIMESTAMPTZ",
        {"formats": ("iso8601",)},
        "2025-03-08T10:00:00.250Z",
        datetime(2025, 3, 8, 10, 0, 0, 250000, tzinfo=UTC),
        GOOD,
    ),
    "time_iso_without_offset": (
        "TIMESTAMPTZ",
        {"formats": ("iso8601",)},
        "2025-03-08T10:00:00",
        None,
        UNREAD,
    ),
    "time_iso_that_is_none": (
        "TIMESTAMPTZ",
        {"formats": ("iso8601",)},
        "2025-02-31T08:30:00+07:00",
        None,
        UNREAD,
    ),
    "time_iso_hour_25": (
        "TIMESTAMPTZ",
        {"formats": ("iso8601",)},
        "2025-06-12T25:61:00+07:00",
        None,
        UNREAD,
    ),
    "time_iso_words": ("TIMESTAMPTZ", {"formats": ("iso8601",)}, "trong tuần", None, UNREAD),
    "time_offset_format": (
        "TIMESTAMPTZ",
        {"formats": ("%d/%m/%Y %H:%M %z",)},
        "08/03/2025 10:00 +0700",
        datetime(2025, 3, 8, 3, tzinfo=UTC),
        GOOD,
    ),
    "time_local": (
        "TIMESTAMPTZ",
        {"formats": LOCAL},
        "2025-03-08 10:00:00",
        datetime(2025, 3, 8, 3, tzinfo=UTC),
        GOOD,
    ),
    "time_other_zone": (
        "TIMESTAMPTZ",
        {"formats": LOCAL, "timezone": "Europe/London"},
        "2025-07-01 10:00:00",
        datetime(2025, 7, 1, 9, tzinfo=UTC),
        GOOD,
    ),
    "time_before_1900": ("TIMESTAMPTZ", {"formats": LOCAL}, "1899-12-31 10:00:00", None, UNREAD),
    "time_after_2099": ("TIMESTAMPTZ", {"formats": LOCAL}, "2100-01-01 10:00:00", None, UNREAD),
    "text": ("VARCHAR", {}, " as it came ", " as it came ", GOOD),
    "text_blank": ("VARCHAR", {}, "  ", None, GOOD),
    "text_sentinel": ("VARCHAR", {"sentinels": ("n/a",)}, "n/a", None, GOOD),
}


@pytest.mark.parametrize(
    ("sql_type", "mapped", "text", "value", "reasons"), CASES.values(), ids=CASES.keys()
)
def test_a_text_is_typed(
    sql_type: str, mapped: dict[str, object], text: str | None, value: object, reasons: list[str]
) -> None:
    assert typed_texts(sql_type, [text], **mapped) == [(value, reasons)]


@pytest.mark.parametrize(
    ("rule", "hour", "reasons"),
    [("earlier", 5, GOOD), ("later", 6, GOOD), ("quarantine", None, ["value:repeated"])],
    ids=["earlier", "later", "quarantine"],
)
def test_a_repeated_hour_follows_its_rule(rule: str, hour: int | None, reasons: list[str]) -> None:
    found = typed_texts(
        "TIMESTAMPTZ", ["2015-11-01 01:30:00"], "America/New_York", formats=LOCAL, ambiguous=rule
    )
    value = None if hour is None else datetime(2015, 11, 1, hour, 30, tzinfo=UTC)
    assert found == [(value, reasons)]


def test_a_skipped_hour_is_a_gap() -> None:
    texts = ["2015-03-08 01:59:59", "2015-03-08 02:30:00", "2015-03-08 03:00:00"]
    found = typed_texts("TIMESTAMPTZ", list(texts), "America/New_York", formats=LOCAL)
    assert [reasons for _, reasons in found] == [GOOD, ["value:gap"], GOOD]
    assert [value for value, _ in found] == [
        datetime(2015, 3, 8, 6, 59, 59, tzinfo=UTC),
        None,
        datetime(2015, 3, 8, 7, tzinfo=UTC),
    ]


def expected_local(clock: datetime, name: str) -> tuple[datetime | None, list[str]]:
    """UTC of a local time by zoneinfo's two folds and the way back; quarantine where repeated."""
    place = zone(name)
    folds = {clock.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1)}
    real = {each for each in folds if each.astimezone(place).replace(tzinfo=None) == clock}
    if len(real) == 1:
        return real.pop(), GOOD
    return None, ["value:repeated" if real else "value:gap"]


def near_changes(name: str) -> list[datetime]:
    """Local times around every change of the zone's clock in some years."""
    place = zone(name)
    hours = [
        datetime(2010, 1, 1, tzinfo=UTC) + timedelta(hours=number) for number in range(6 * 8766)
    ]
    changed = [
        after
        for before, after in zip(hours, hours[1:], strict=False)
        if before.astimezone(place).utcoffset() != after.astimezone(place).utcoffset()
    ]
    minutes = range(-180, 181, 15)
    return [
        each.astimezone(place).replace(tzinfo=None) + timedelta(minutes=minute)
        for each in changed
        for minute in minutes
    ]


@pytest.mark.parametrize("name", ZONES)
def test_local_times_near_changes_agree_with_zoneinfo(name: str) -> None:
    clocks = near_changes(name) or [FIRST]
    texts: list[str | None] = [clock.strftime("%Y-%m-%d %H:%M:%S") for clock in clocks]
    found = typed_texts("TIMESTAMPTZ", texts, name, formats=LOCAL)
    assert found == [expected_local(clock, name) for clock in clocks]


@settings(max_examples=25)
@given(
    name=st.sampled_from([*ZONES, "Africa/Casablanca", "America/Sao_Paulo"]),
    clocks=st.lists(
        st.datetimes(FIRST, LAST).map(lambda clock: clock.replace(microsecond=0)),
        min_size=1,
        max_size=200,
    ),
)
def test_any_local_time_agrees_with_zoneinfo(name: str, clocks: list[datetime]) -> None:
    texts: list[str | None] = [clock.isoformat(" ") for clock in clocks]
    found = typed_texts("TIMESTAMPTZ", texts, name, formats=LOCAL)
    assert found == [expected_local(clock, name) for clock in clocks]


NUMBER_LIKE = st.text(alphabet="0123456789+-.eExXnaNif_ ,", min_size=1, max_size=9)


@settings(max_examples=25)
@given(texts=st.lists(NUMBER_LIKE, min_size=1, max_size=100))
def test_integers_are_digits_and_nothing_else(texts: list[str]) -> None:
    found = typed_texts("INTEGER", list(texts))
    for text, (value, reasons) in zip(texts, found, strict=True):
        if re.fullmatch(r"[+-]?[0-9]+", text.strip()) and abs(int(text)) < 2**31:
            assert (value, reasons) == (int(text), GOOD)
        else:
            assert (value, reasons) == (None, UNREAD if text.strip() else GOOD)


@settings(max_examples=25)
@given(texts=st.lists(NUMBER_LIKE, min_size=1, max_size=100))
def test_decimals_lose_no_digit(texts: list[str]) -> None:
    found = typed_texts("DECIMAL(7,3)", list(texts))
    for text, (value, reasons) in zip(texts, found, strict=True):
        plain = re.fullmatch(r"[+-]?([0-9]+([.][0-9]+)?|[.][0-9]+)", text.strip())
        exact = Decimal(text.strip()) if plain else None
        if exact is not None and exact == round(exact, 3) and abs(exact) < 10_000:
            assert (value, reasons) == (exact, GOOD)
        else:
            assert (value, reasons) == (None, UNREAD if text.strip() else GOOD)


@settings(max_examples=25)
@given(
    days=st.lists(
        st.tuples(st.integers(1, 31), st.integers(1, 12), st.integers(1900, 2099)),
        min_size=1,
        max_size=100,
    )
)
def test_only_days_of_the_calendar_are_dates(days: list[tuple[int, int, int]]) -> None:
    texts: list[str | None] = [f"{day:02d}/{month:02d}/{year}" for day, month, year in days]
    found = typed_texts("DATE", texts, formats=("%d/%m/%Y",))
    for (day, month, year), (value, reasons) in zip(days, found, strict=True):
        try:
            expected: tuple[date | None, list[str]] = (date(year, month, day), GOOD)
        except ValueError:
            expected = (None, UNREAD)
        assert (value, reasons) == expected
