"""Which version of a key wins, whatever order the batches come in."""

from pathlib import Path

import pytest

from tests.unit.lake.streams import (
    DAY_1,
    DAY_2,
    DAY_3,
    DAY_4,
    PlainStream,
    load,
    new_lake,
    record,
    request_source,
    request_table,
    rows,
)
from warehouse.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return new_lake(tmp_path)


@pytest.mark.parametrize("updated", ["2025-03-01", None], ids=["same-updated-time", "none"])
def test_a_then_b_then_a_ends_in_a(lake: Lake, updated: str | None) -> None:
    for day, status in ((DAY_1, "A"), (DAY_2, "B"), (DAY_3, "A")):
        result = load(lake, [record("k", status, updated=updated)], day)
    assert result.counts["changed"] == 1
    assert rows(lake, "status, _as_of") == [("A", DAY_3)]


def test_an_older_updated_time_loses_on_a_later_day(lake: Lake) -> None:
    load(lake, [record("k", "new", updated="2025-03-05")], DAY_1)
    result = load(lake, [record("k", "old", updated="2025-03-04")], DAY_2)
    assert result.counts["superseded"] == 1
    assert rows(lake, "status, _as_of") == [("new", DAY_1)]


def test_a_missing_updated_time_is_the_oldest(lake: Lake) -> None:
    load(lake, [record("k", "dated"), record("l", "undated", updated=None)], DAY_1)
    load(lake, [record("k", "undated", updated=None), record("l", "dated")], DAY_2)
    assert rows(lake, "request_id, status") == [("k", "dated"), ("l", "dated")]


def test_an_older_day_loses_at_an_equal_updated_time(lake: Lake) -> None:
    load(lake, [record("k", "B")], DAY_2)
    result = load(lake, [record("k", "A")], DAY_1)
    assert result.counts["superseded"] == 1
    assert rows(lake, "status") == [("B",)]


@pytest.mark.parametrize("first", [0, 1], ids=["forward", "backward"])
def test_equal_time_and_day_are_decided_by_content(tmp_path: Path, first: int) -> None:
    lake = new_lake(tmp_path)
    statuses = ("A", "B")
    load(lake, [record("k", statuses[first])], DAY_1)
    load(lake, [record("k", statuses[1 - first])], DAY_1)
    both = new_lake(tmp_path / "both")
    load(both, [record("k", "A"), record("k", "B")], DAY_1)
    assert rows(lake, "status") == rows(both, "status")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["live-first", "tombstone-first"])
@pytest.mark.parametrize(
    ("tombstone_updated", "deleted"),
    [("2025-03-07", True), ("2025-03-05", False)],
    ids=["tombstone-later", "tombstone-earlier"],
)
def test_a_tombstone_follows_the_same_order(
    lake: Lake, order: tuple[int, int], tombstone_updated: str, deleted: bool
) -> None:
    records = [
        record("k", "A", updated="2025-03-06"),
        record("k", "A", updated=tombstone_updated, deleted="yes"),
    ]
    for day, place in zip((DAY_1, DAY_2), order, strict=True):
        load(lake, [records[place]], day)
    assert rows(lake, "_is_deleted", live=False) == [(deleted,)]
    assert rows(lake, "status") == ([] if deleted else [("A",)])


def test_a_tombstone_of_the_same_version_and_day_wins(lake: Lake) -> None:
    keys = "abcdefgh"
    live, deleted = ([record(key, deleted=mark) for key in keys] for mark in (None, "yes"))
    load(lake, [*deleted, *live], DAY_1)
    load(lake, live, DAY_1)
    assert rows(lake, "_is_deleted", live=False) == [(True,)] * len(keys)


def test_a_deletion_is_counted_apart(lake: Lake) -> None:
    load(lake, [record("k")], DAY_1)
    result = load(lake, [record("k", updated="2025-03-02", deleted="yes")], DAY_2)
    assert (result.counts["changed"], result.deleted) == (1, 1)


def test_a_late_row_survives_the_replay_of_an_older_snapshot(lake: Lake) -> None:
    stream = PlainStream(request_source(deletes="absence"), request_table())
    old = [record("k"), record("l")]
    load(lake, old, DAY_1, stream=stream, full_snapshot=True)
    load(lake, [*old, record("late")], DAY_3, stream=stream, full_snapshot=True)
    result = load(lake, old, DAY_2, stream=stream, full_snapshot=True)
    assert result.deleted == 0
    assert "older than the stream's as-of" in (result.held_back or "")
    assert rows(lake, "request_id") == [("k",), ("l",), ("late",)]


def test_a_replay_does_not_move_the_as_of_back(lake: Lake) -> None:
    load(lake, [record("k")], DAY_3)
    load(lake, [record("l")], DAY_1)
    snapshot = lake.snapshot("core", "request")
    assert snapshot is not None
    assert (snapshot.as_of("feedback.requests"), snapshot.sequence("feedback.requests")) == (
        DAY_3,
        2,
    )


def test_a_key_that_changes_its_month_leaves_the_old_one(lake: Lake) -> None:
    load(lake, [record("k"), record("stays")], DAY_1)
    load(lake, [record("k", opened="2025-04-02", updated="2025-04-03")], DAY_2)
    assert rows(lake, "request_id, opened_month") == [("k", "2025-04"), ("stays", "2025-03")]


def test_a_key_that_leaves_its_month_empty(lake: Lake) -> None:
    load(lake, [record("k")], DAY_1)
    load(lake, [record("k", opened="2025-04-02", updated="2025-04-03")], DAY_2)
    assert rows(lake, "request_id, opened_month") == [("k", "2025-04")]


def test_streams_of_one_table_do_not_share_keys(lake: Lake) -> None:
    other = PlainStream(request_source("feedback.other"), request_table())
    load(lake, [record("k", "A")], DAY_1)
    load(lake, [record("k", "B")], DAY_1, stream=other)
    load(lake, [record("k", "C", updated="2025-03-02")], DAY_2, stream=other)
    assert rows(lake, "_source, status") == [("feedback.other", "C"), ("feedback.requests", "A")]
    snapshot = lake.snapshot("core", "request")
    assert snapshot is not None
    assert snapshot.sources == ("feedback.other", "feedback.requests")


def test_a_bad_update_leaves_the_last_good_row(lake: Lake) -> None:
    load(lake, [record("k", "A")], DAY_1)
    result = load(lake, [record("k", "broken", updated="2025-03-05")], DAY_2)
    assert result.counts["quarantined"] == 1
    assert rows(lake, "status") == [("A",)]
    assert rows(lake, "key_text, reasons, _as_of", kind="quarantine") == [
        ('{"request_id":"k"}', ["status:enum"], DAY_2)
    ]


def test_an_unpartitioned_table(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    stream = PlainStream(request_source(), request_table(partition_column=None))
    load(lake, [record("k", "A"), record("l", "A")], DAY_1, stream=stream)
    load(lake, [record("k", "B")], DAY_2, stream=stream)
    load(lake, [record("m", "A")], DAY_4, stream=stream)
    assert rows(lake, "request_id, status") == [("k", "B"), ("l", "A"), ("m", "A")]
