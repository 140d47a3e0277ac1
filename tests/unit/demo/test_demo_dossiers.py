"""The dossiers of the demo city and what is planted in them, by checks written here alone."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl
import pytest

from demo import days
from demo.dossiers.calendar import dossiers_on, is_working
from demo.dossiers.changes import BETWEEN_DAYS
from demo.dossiers.faults import WITHIN_ONE_DAY
from demo.dossiers.generator import generate
from demo.dossiers.manifest import manifest
from demo.dossiers.planted import plant, rows_of
from demo.dossiers.procedures import PROCEDURES
from demo.dossiers.version import versions
from demo.places import NEW_AREAS, OLD_AREAS
from demo.window import Window

FIRST, LAST = date(2025, 5, 1), date(2025, 7, 5)
READ = date(2025, 6, 27)
WINDOW = Window(11, FIRST, (LAST - FIRST).days + 1, 0.05)
RATE = 2.0
ZONE = timezone(timedelta(hours=7))
CODES = {item.code for item in PROCEDURES}


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return generate(Window(7, days.FIRST_DAY, 120, 0.2))


def test_six_thousand_a_day_over_the_window() -> None:
    counts = [dossiers_on(2025, day, 1.0) for day in days.days_from(days.FIRST_DAY, 120)]
    assert sum(counts) == pytest.approx(720_000, rel=0.01)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2025, 3, 10), True),
        (date(2025, 3, 15), False),
        (date(2025, 4, 7), False),  # the Hùng kings
        (date(2025, 4, 26), True),  # a Saturday worked for the Friday after the holiday
        (date(2025, 5, 2), False),
        (date(2026, 2, 17), False),
        (date(2026, 2, 23), True),
    ],
    ids=str,
)
def test_working_days_and_holidays(day: date, works: bool) -> None:
    assert is_working(day) is works
    assert (dossiers_on(7, day, 1.0) > 4_000) is works


def test_what_comes_while_the_office_is_closed_is_online(frame: pl.DataFrame) -> None:
    closed = frame.filter(
        ~pl.col("day").is_in([day.toordinal() for day in days.days_from(days.FIRST_DAY, 120)
                              if is_working(day)])
    )  # fmt: skip
    assert closed.height > 1_000
    assert set(closed["channel"]) == {0}
    assert set(frame["channel"]) == {0, 1, 2}


def test_wards_are_those_of_their_day(frame: pl.DataFrame) -> None:
    old = {area.code for area in OLD_AREAS}
    new = {area.code for area in NEW_AREAS}
    shown = versions(frame, Window(7, days.FIRST_DAY, 120, 0.2))
    reform = days.starts_at(days.REFORM_DAY)
    assert set(shown.filter(pl.col("received_at") < reform)["ward_code"]) == old
    assert set(shown.filter(pl.col("received_at") >= reform)["ward_code"]) == new


def test_deadlines_are_working_days_and_most_are_kept(frame: pl.DataFrame) -> None:
    due = [days.day_of(instant) for instant in frame["due"].unique()]
    assert all(is_working(day) for day in due)
    over = frame.filter(pl.col("finished") < days.NEVER)
    assert 0.92 < (over["finished"] <= over["due_extended"]).mean() < 0.98
    assert (over["finished"] > over["received"]).all()


def test_same_seed_and_a_longer_window_give_the_same_rows() -> None:
    short = generate(Window(3, days.FIRST_DAY, 4, 0.05))
    assert generate(Window(3, days.FIRST_DAY, 4, 0.05)).equals(short)
    assert generate(Window(3, days.FIRST_DAY, 9, 0.05)).head(short.height).equals(short)
    assert not generate(Window(4, days.FIRST_DAY, 4, 0.05)).head(50).equals(short.head(50))


def test_versions_follow_each_other() -> None:
    shown = versions(generate(WINDOW), WINDOW)
    assert (shown["recorded_from"] < shown["recorded_to"]).all()
    assert (shown["updated_at"] == shown["recorded_from"]).all()
    standing = shown.filter(pl.col("recorded_to") >= days.ends_at(LAST))
    assert standing["dossier_id"].is_unique().all()
    follows = shown.with_columns(
        pl.col("recorded_to").shift(1).over("dossier_id").alias("before")
    ).drop_nulls("before")
    # what stood between is a version that no day's end showed
    assert (follows["before"] <= follows["recorded_from"]).all()


# What is planted.


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text and "infinity" not in text else None


def _shown(rows: list[dict[str, Any]], day: date) -> list[dict[str, Any]]:
    end = datetime(day.year, day.month, day.day, tzinfo=ZONE) + timedelta(days=1)
    found = []
    for row in rows:
        start, stop = _time(row["recorded_from"]), _time(row["recorded_to"])
        assert start is not None
        assert stop is not None
        if start < end <= stop:
            found.append(row)
    return found


def _fee_is_good(text: str | None) -> bool:
    try:
        fee = Decimal(text or "0")
    except InvalidOperation:
        return False
    return fee.is_finite() and fee == fee.to_integral_value() and 0 <= fee <= 10**9


def _bad_columns(row: dict[str, Any], day: date) -> set[str]:
    """Columns that are missing, impossible, out of order or not among the allowed values."""
    end = datetime(day.year, day.month, day.day, tzinfo=ZONE) + timedelta(days=1)
    received, due = _time(row["received_at"]), _time(row["due_at"])
    finished, updated = _time(row["finished_at"]), _time(row["updated_at"])
    is_open = row["status"] in ("received", "in_progress")
    good = {
        "dossier_id": bool(row["dossier_id"]) and row["dossier_id"].startswith("H17-2"),
        "procedure_code": row["procedure_code"] in CODES,
        "online_level": row["online_level"] in (None, "full", "partial"),
        "channel": row["channel"] in ("online", "one_stop", "post"),
        "status": is_open or row["status"] in ("completed", "rejected", "withdrawn"),
        "ward_code": len(row["ward_code"] or "") == 5 and row["ward_code"].isdigit(),
        "received_at": received is not None and received < end,
        "due_at": due is not None and (received is None or due >= received),
        "updated_at": updated is not None
        and (received is None or received >= end or updated >= received),
        "is_result_digital": row["is_result_digital"] != "True" or row["status"] != "rejected",
        "fee": _fee_is_good(row["fee"]),
        "finished_at": (row["status"] != "completed" or finished is not None)
        and (not is_open or row["finished_at"] is None)
        and (finished is None or finished < end)
        and (finished is None or received is None or finished >= received),
    }
    return {name for name, is_good in good.items() if not is_good}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return rows_of(plant(WINDOW, generate(WINDOW), RATE))


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    return list(manifest(WINDOW, FIRST, LAST, rate=RATE, first_read=READ))


def test_kinds_are_all_planted_in_the_default_window() -> None:
    window = Window(2025, date(2025, 3, 8), 120, 0.02)
    kinds = Counter(line["kind"] for line in manifest(window, window.first, window.last))
    assert {*WITHIN_ONE_DAY, *BETWEEN_DAYS} == set(kinds)
    assert min(kinds.values()) >= 2


def test_bad_rows_and_manifest_agree(
    rows: list[dict[str, Any]], lines: list[dict[str, Any]]
) -> None:
    broken = Counter(
        (row["received_at"], row["updated_at"], column)
        for row in _shown(rows, LAST)
        for column in _bad_columns(row, LAST)
    )
    listed = Counter(
        (line["received_at"], line["updated_at"], line["column"])
        for line in lines
        if line["effect"] == "quarantine"
    )
    assert broken == listed  # one column a row, each in the manifest
    assert sum(listed.values()) > 100


def test_numbers_that_stand_twice_are_in_the_manifest(
    rows: list[dict[str, Any]], lines: list[dict[str, Any]]
) -> None:
    counted = Counter(row["dossier_id"] for row in _shown(rows, LAST))
    several = {name for name, count in counted.items() if count > 1 and name and "-25" in name}
    listed = {line["dossier_id"] for line in lines if line["effect"] in ("duplicate", "superseded")}
    assert several == listed


def test_planted_changes_show_on_their_day(
    rows: list[dict[str, Any]], lines: list[dict[str, Any]]
) -> None:
    wanted = {
        (line["seen"], line["dossier_id"])
        for line in lines
        if line["effect"] in ("changed", "deleted") and line["day"] > READ.isoformat()
    }
    late = {
        (line["seen"], line["dossier_id"])
        for line in lines
        if line["kind"] == "late" and line["day"] > READ.isoformat()
    }
    bad = {line["dossier_id"] for line in lines if line["kind"] == "bad_update"}
    changed, appeared, before = set(), set(), _by_id(rows, READ)
    for number in range(1, (LAST - READ).days + 1):
        day = READ + timedelta(days=number)
        now = _by_id(rows, day)
        for name in now.keys() - bad:
            if name in before and now[name] != before[name]:
                changed.add((day.isoformat(), name))
            if name not in before and f"{day:%y%m%d}" not in name:
                appeared.add((day.isoformat(), name))
        before = now
    assert changed == wanted
    assert appeared == late
    assert len({line["kind"] for line in lines if line["effect"] == "changed"}) == 4


def _by_id(rows: list[dict[str, Any]], day: date) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in _shown(rows, day):
        if row["dossier_id"] and row["dossier_id"].startswith("H17-25"):
            found.setdefault(row["dossier_id"], []).append(row)
    return found


def test_a_change_carries_its_time(rows: list[dict[str, Any]]) -> None:
    """Otherwise a reader by updates would never meet it."""
    times = [
        (row["recorded_from"], row["updated_at"])
        for row in rows
        if row["updated_at"] and not _bad_columns(row, LAST)
    ]
    assert times
    for recorded, updated in times:
        start, moment = _time(recorded), _time(updated)
        assert start is not None
        assert moment is not None
        assert start.astimezone(ZONE).date() == moment.astimezone(ZONE).date()


def test_who_filed_a_deleted_dossier_goes_with_it(rows: list[dict[str, Any]]) -> None:
    deleted = [row for row in rows if row["is_deleted"] == "True"]
    assert deleted
    assert all(row["applicant_name"] is row["applicant_identity"] is None for row in deleted)


def test_faults_do_not_depend_on_the_end_of_the_window(lines: list[dict[str, Any]]) -> None:
    longer = Window(WINDOW.seed, FIRST, WINDOW.count + 10, WINDOW.scale)
    assert list(manifest(longer, FIRST, LAST, rate=RATE, first_read=READ)) == lines


def test_times_are_written_with_their_zone(lines: list[dict[str, Any]]) -> None:
    times = [_time(line["updated_at"]) for line in lines]
    assert {time.tzinfo for time in times if time} == {UTC}
