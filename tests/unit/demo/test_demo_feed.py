"""What the feedback system shows as of a day."""

import json
from datetime import date
from typing import Any

import pytest

from demo import days
from demo.feedback.feed import Feed, Query
from demo.feedback.generator import generate
from demo.feedback.record import lines, place_of, request_id
from demo.window import Window

FIRST = date(2025, 6, 20)
WINDOW = Window(5, FIRST, 16, 0.05)
LAST = WINDOW.last
ALL = Query()


@pytest.fixture(scope="module")
def feed() -> Feed:
    return Feed(WINDOW)


def _records(feed: Feed, as_of: date, query: Query = ALL, size: int = 1_000) -> list[Any]:
    records: list[Any] = []
    number = 1
    while page := json.loads(feed.page(as_of, query, number, size, extended=True)):
        records += page
        number += 1
    return records


def _identifiers(records: list[Any]) -> set[str]:
    return {
        str(record["service_request_id"]) for record in records if "service_request_id" in record
    }


def test_same_seed_same_bytes(feed: Feed) -> None:
    twin = Feed(Window(5, FIRST, 12, 0.05))  # a shorter window shows the same of its days
    day = FIRST.replace(day=28)
    for number in (1, 2, 3):
        page = feed.page(day, ALL, number, 500, extended=True)
        assert page == feed.page(day, ALL, number, 500, extended=True)
        assert page == twin.page(day, ALL, number, 500, extended=True)


def test_other_seed_other_bytes(feed: Feed) -> None:
    other = Feed(Window(6, FIRST, 3, 0.05))
    assert other.page(FIRST, ALL, 1, 9, extended=True) != feed.page(FIRST, ALL, 1, 9, extended=True)


def test_nothing_known_disappears(feed: Feed) -> None:
    known: set[str] = set()
    for day in WINDOW.days:
        now = _identifiers(_records(feed, day))
        assert known <= now
        known = now


def test_nothing_is_known_before_it_was_recorded() -> None:
    feed = Feed(WINDOW, faults=False)
    for day in (FIRST, LAST):
        for record in _records(feed, day):
            updated = record["updated_datetime"]
            assert record["requested_datetime"] <= updated
            assert updated[:10] <= day.isoformat()


@pytest.mark.parametrize("size", [7, 250, 1_000])
def test_pages_hold_each_record_once(feed: Feed, size: int) -> None:
    day = FIRST.replace(day=24)
    assert _records(feed, day, size=size) == _records(feed, day)
    assert len(_records(feed, day)) == feed.count(day, ALL)


def test_windows_of_recording_add_up_to_the_changes_of_a_day(feed: Feed) -> None:
    before, after = days.starts_at(LAST), days.ends_at(LAST)
    changed = _records(feed, LAST, Query(updated_after=before))
    noon = before + days.DAY_SECONDS // 2
    parts = [
        *_records(feed, LAST, Query(updated_after=before, updated_before=noon)),
        *_records(feed, LAST, Query(updated_after=noon, updated_before=after)),
    ]
    assert sorted(map(str, parts)) == sorted(map(str, changed))
    # what was not recorded on the last day looks the same as the day before
    texts = {json.dumps(record) for record in changed}
    old = {json.dumps(record) for record in _records(feed, date.fromordinal(LAST.toordinal() - 1))}
    assert {json.dumps(record) for record in _records(feed, LAST)} <= old | texts


def test_requests_of_a_period_and_status() -> None:
    feed = Feed(Window(5, FIRST, 6, 0.05), faults=False)
    start, end = days.starts_at(FIRST), days.ends_at(FIRST) - 1
    day = FIRST.replace(day=25)
    found = _records(feed, day, Query(start=start, end=end))
    assert {record["requested_datetime"][:10] for record in found} == {"2025-06-20"}
    by_status = [
        _records(feed, day, Query(start=start, end=end, status=s)) for s in ("open", "closed")
    ]
    assert all(by_status)
    assert sum(map(len, by_status)) == len(found)
    assert {record["status"] for record in by_status[0]} == {"open"}


def test_life_of_a_request_shows_step_by_step() -> None:
    feed = Feed(Window(5, FIRST, 16, 0.05), faults=False)
    seen: dict[str, list[Any]] = {}
    for day in WINDOW.days:
        for record in _records(feed, day):
            seen.setdefault(record["service_request_id"], []).append(record)
    shapes = {
        (record["status"], record["extended_attributes"]["reopened"],
         record["extended_attributes"]["closed_datetime"] is not None)
        for versions in seen.values() for record in versions
    }  # fmt: skip
    assert shapes == {
        ("open", False, False),
        ("closed", False, True),
        ("open", True, False),
        ("closed", True, True),
    }
    for versions in seen.values():
        updated = [record["updated_datetime"] for record in versions]
        assert updated == sorted(updated)


def test_caller_is_there_to_be_kept_out(feed: Feed) -> None:
    record = _records(feed, FIRST)[0]
    extension = record["extended_attributes"]
    assert record["description"]
    assert record["address"].endswith("Đà Nẵng")
    assert len(extension["contact_name"].split()) == 3
    assert extension["contact_phone"].startswith("+8400")


def test_records_without_extension(feed: Feed) -> None:
    page = json.loads(feed.page(LAST, ALL, 1, 1_000, extended=False))
    assert len(page) == 1_000
    assert not any("extended_attributes" in record for record in page)


def test_texts_need_no_escapes() -> None:
    window = Window(9, FIRST, 14, 0.1)
    for text in lines(generate(window), days.ends_at(window.last), extended=True):
        assert json.dumps(json.loads(text), ensure_ascii=False) == text


def test_single_request(feed: Feed) -> None:
    text = feed.single(LAST, request_id(FIRST, 0), extended=True)
    assert text is not None
    assert json.loads(text)[0]["requested_datetime"].startswith("2025-06-20")
    assert feed.single(LAST, "DN-250619-00001", extended=True) is None
    assert feed.single(LAST, "nonsense", extended=True) is None


def test_receipt_numbers_read_back() -> None:
    assert place_of(request_id(FIRST, 41)) == (FIRST.toordinal(), 41)
    assert place_of("DN-251301-00001") is None
