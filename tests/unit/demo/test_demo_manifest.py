"""The manifest against the records, both ways, by checks written here alone."""

import json
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from demo.feedback.changes import BETWEEN_DAYS
from demo.feedback.faults import WITHIN_ONE_DAY
from demo.feedback.feed import Feed, Query
from demo.feedback.manifest import manifest
from demo.window import Window

SEED = 11
FIRST = date(2025, 5, 1)
READ = date(2025, 6, 29)  # the bulk read; daily reads cross the reform
LAST = date(2025, 7, 5)
RATE = 4.0
WINDOW = Window(SEED, FIRST, (LAST - FIRST).days + 1, 0.05)
SERVICES = {
    *("garbage", "road", "lighting", "drainage", "noise", "construction", "water_supply"),
    *("traffic", "tree", "air", "market", "wifi"),
}


@pytest.fixture(scope="module")
def feed() -> Feed:
    return Feed(WINDOW, rate=RATE)


@pytest.fixture(scope="module")
def planted() -> list[dict[str, Any]]:
    lines = manifest(WINDOW, FIRST, LAST, rate=RATE, first_read=READ)
    return [line for line in lines if line["effect"] != "retried"]


def _records(feed: Feed, as_of: date) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    number = 1
    while page := json.loads(feed.page(as_of, Query(), number, 1_000, extended=True)):
        records += page
        number += 1
    return records


def _by_id(records: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        found.setdefault(str(record.get("service_request_id")), []).append(record)
    return found


def _time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _time_problems(fields: dict[str, Any], end: str) -> set[str]:
    """Columns whose times are impossible, out of order or in the future."""
    times = {name: _time(fields.get(name)) for name in fields if name.endswith("_datetime")}
    bad = {name for name, time in times.items() if time is None and fields[name] is not None}
    requested, expected = times.get("requested_datetime"), times["expected_datetime"]
    closed, status = times["closed_datetime"], fields.get("status")
    if requested is None or requested.isoformat() >= end:
        bad.add("requested_datetime")
    if requested and expected and expected < requested:
        bad.add("expected_datetime")
    if closed and ((requested and closed < requested) or closed.isoformat() >= end):
        bad.add("closed_datetime")
    if (status == "closed" and closed is None) or (status == "open" and closed is not None):
        bad.add("closed_datetime")
    return bad


def _value_problems(fields: dict[str, Any]) -> set[str]:
    """Columns whose value is missing, of a wrong kind or not among the allowed ones."""
    identifier, area = fields.get("service_request_id"), fields.get("area_code")
    good = {
        "service_request_id": isinstance(identifier, str) and identifier.startswith("DN-"),
        "status": fields.get("status") in {"open", "closed", "deleted"},
        "service_code": fields.get("service_code") in SERVICES,
        "area_code": isinstance(area, str) and len(area) == 5 and area.isdigit(),
        "channel": fields["channel"] in {"app", "hotline_1022", "web", "zalo"},
        "satisfaction": fields["satisfaction"] in {None, "satisfied", "neutral", "dissatisfied"},
        "within_competence": isinstance(fields["within_competence"], bool),
        "reopened": isinstance(fields["reopened"], bool),
        "lat": isinstance(fields["lat"], float) and 15.9 < fields["lat"] < 16.3,
        "long": isinstance(fields["long"], float) and 107.8 < fields["long"] < 108.4,
    }
    return {name for name, is_good in good.items() if not is_good}


def _problems(record: dict[str, Any], as_of: date) -> set[str]:
    fields = {**record, **record["extended_attributes"]}
    end = f"{as_of + timedelta(days=1)}T00:00:00+07:00"
    return _value_problems(fields) | _time_problems(fields, end)


def _mark(record: dict[str, Any]) -> tuple[Any, Any]:
    return record.get("requested_datetime"), record.get("updated_datetime")


def test_kinds_are_all_planted_in_the_default_window() -> None:
    window = Window(2025, date(2025, 3, 8), 120, 0.02)
    kinds = Counter(line["kind"] for line in manifest(window, window.first, window.last))
    expected = {*WITHIN_ONE_DAY, *BETWEEN_DAYS}
    assert expected <= set(kinds)
    assert min(kinds[kind] for kind in expected) >= 2


def test_bad_records_and_manifest_agree(feed: Feed, planted: list[dict[str, Any]]) -> None:
    broken = [
        (*_mark(record), column)
        for record in _records(feed, LAST)
        for column in _problems(record, LAST)
    ]
    listed = [
        (line["requested_datetime"], line["updated_datetime"], line["column"])
        for line in planted
        if line["effect"] == "quarantine"
    ]
    assert Counter(broken) == Counter(listed)  # one column a record, each in the manifest
    assert len(listed) > 100


def test_bad_records_carry_the_number_in_the_manifest(
    feed: Feed, planted: list[dict[str, Any]]
) -> None:
    shown = _by_id(_records(feed, LAST))
    for line in planted:
        if line["column"] != "service_request_id":
            marks = [_mark(record) for record in shown[line["service_request_id"]]]
            assert line["effect"] != "quarantine" or len(marks) == 1
        elif line["effect"] == "quarantine":
            assert line["service_request_id"] not in shown


def test_repeated_records_and_manifest_agree(feed: Feed, planted: list[dict[str, Any]]) -> None:
    several = {
        identifier: records
        for identifier, records in _by_id(_records(feed, LAST)).items()
        if len(records) > 1 and identifier != "None"
    }
    listed = {
        line["service_request_id"]: line["effect"]
        for line in planted
        if line["effect"] in {"duplicate", "superseded"}
    }
    assert several.keys() == listed.keys()
    for identifier, (first, second) in several.items():
        assert (first == second) == (listed[identifier] == "duplicate")
        if listed[identifier] == "superseded":
            assert first["updated_datetime"] > second["updated_datetime"]


def _daily(lines: list[dict[str, Any]], *effects: str) -> dict[tuple[str, str], str]:
    return {
        (line["seen"], line["service_request_id"]): line["kind"]
        for line in lines
        if line["effect"] in effects and line["day"] > READ.isoformat()
    }


def test_planted_changes_show_on_their_day(feed: Feed, planted: list[dict[str, Any]]) -> None:
    expected = _daily(planted, "changed", "deleted", "unchanged")
    carriers = {request.identifier: request for request in feed.planted}
    between = {identifier for identifier, one in carriers.items() if one.slot.kind in BETWEEN_DAYS}
    found = set()
    before = _by_id(_records(feed, READ))
    for number in range(1, (LAST - READ).days + 1):
        day = READ + timedelta(days=number)
        now = _by_id(_records(feed, day))
        for identifier in between & now.keys() & before.keys():
            if now[identifier] != before[identifier]:
                found.add((day.isoformat(), identifier))
        before = now
    bad = _daily(planted, "quarantine").keys()
    visible = {mark for mark, kind in expected.items() if kind != "redelivered"}
    assert {mark for mark in found if mark not in bad} == visible
    assert set(expected.values()) >= {*BETWEEN_DAYS} - {"late", "bad_update"}


def test_late_records_first_show_on_their_day(feed: Feed, planted: list[dict[str, Any]]) -> None:
    late = {mark for mark, kind in _daily(planted, "new").items() if kind == "late"}
    crossing = {mark for mark in late if mark[1] < "DN-250701" and mark[0] >= "2025-07-01"}
    assert crossing
    for seen, identifier in late:
        day = date.fromisoformat(seen)
        assert identifier in _by_id(_records(feed, day))
        assert identifier not in _by_id(_records(feed, day - timedelta(days=1)))


def test_there_and_back_ends_where_it_began(feed: Feed) -> None:
    kinds = {"a_b_a": False, "a_b_a_same_time": True}
    for request in feed.planted:
        if request.slot.kind in kinds:
            first, there, back = (step.records[0] for step in request.steps)
            areas = [record["extended_attributes"]["area_code"] for record in (first, there, back)]
            times = {record["updated_datetime"] for record in (first, there, back)}
            assert areas[0] == areas[2] != areas[1]
            assert (len(times) == 1) == kinds[request.slot.kind]


def test_deleted_requests_stay_as_tombstones(feed: Feed, planted: list[dict[str, Any]]) -> None:
    shown = _by_id(_records(feed, LAST))
    deleted = {line["service_request_id"] for line in planted if line["effect"] == "deleted"}
    tombstones = {
        identifier
        for identifier, records in shown.items()
        if any(record.get("status") == "deleted" for record in records)
    }
    assert tombstones == deleted
    assert all(shown[one][0]["extended_attributes"]["contact_name"] is None for one in deleted)


def test_moved_dates_lead_to_another_month(feed: Feed) -> None:
    moved = [request for request in feed.planted if request.slot.kind == "date_moved"]
    for request in moved:
        before, after = (step.records[0]["requested_datetime"][:7] for step in request.steps)
        assert before != after
        assert after >= FIRST.isoformat()[:7]
    assert moved


def test_without_faults_nothing_is_wrong() -> None:
    records = _records(Feed(WINDOW, faults=False), LAST)
    assert len(records) == len(_by_id(records))
    assert not any(_problems(record, LAST) for record in records)


def test_faults_do_not_depend_on_the_end_of_the_window() -> None:
    longer = Window(SEED, FIRST, WINDOW.count + 10, 0.05)
    assert list(manifest(longer, FIRST, LAST)) == list(manifest(WINDOW, FIRST, LAST))


def test_transport_faults_are_listed() -> None:
    lines = [line for line in manifest(WINDOW, LAST, LAST) if line["effect"] == "retried"]
    assert {line["kind"] for line in lines} == {
        "server_error",
        "too_many_requests",
        "cut_connection",
    }
    assert {line["page"] for line in lines} == {1, 2, 3}


def test_too_many_faults_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Feed(Window(SEED, FIRST, 2, 0.01), rate=200.0)
