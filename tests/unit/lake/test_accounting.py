# ruff: noqa: S608 - the tests' own texts
"""Every record ends in exactly one outcome, and the order of batches does not matter."""

import random
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.lake.streams import DAY_1, DAY_2, Record, batch, load, new_lake, record, rows
from warehouse.duck import session
from warehouse.load import LoadResult
from warehouse.records import RejectedRecord

records = st.builds(
    record,
    st.sampled_from(["a", "b", "c", None]),
    st.sampled_from(["open", "closed", "broken", None, ""]),
    opened=st.sampled_from(["2025-02-01", "2025-03-01"]),
    updated=st.sampled_from(["2025-03-01", "2025-03-02", None]),
    deleted=st.sampled_from([None, "yes"]),
)
Days = list[tuple[int, list[Record]]]
days = st.lists(st.tuples(st.integers(0, 3), st.lists(records, max_size=5)), min_size=1, max_size=5)


def journalled(result: LoadResult) -> list[tuple[str, int, str, list[str]]]:
    assert result.record_file is not None
    with session() as connection:
        return connection.execute(
            f"SELECT raw_digest, raw_row, outcome, reasons FROM '{result.record_file}' ORDER BY ALL"
        ).fetchall()


@settings(max_examples=8)
@given(days=days)
def test_each_record_has_one_outcome_and_totals_match(days: Days) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake = new_lake(Path(folder))
        for place, (day, delivered) in enumerate(days):
            one, two = batch(delivered, f"{place}a"), batch(delivered[:2], f"{place}b")
            result = load(lake, [one, two], DAY_1 + timedelta(days=day))
            listed = journalled(result)
            assert [(digest, row) for digest, row, *_ in listed] == [
                *((f"{place}a", row) for row in range(len(delivered))),
                *((f"{place}b", row) for row in range(len(delivered[:2]))),
            ]
            outcomes = Counter(outcome for _, _, outcome, _ in listed)
            assert outcomes == Counter({k: n for k, n in result.counts.items() if n})
            assert result.records_in == len(listed)
            bad = {(each[0] is None or each[1] == "broken") for each in delivered}
            assert all(
                (outcome == "quarantined") == bool(reasons) for *_, outcome, reasons in listed
            )
            assert ("quarantined" in outcomes) == (True in bad)
            keys = [key for (key,) in rows(lake, "request_id", live=False)]
            assert len(keys) == len(set(keys))


@settings(max_examples=8)
@given(days=days, order=st.randoms(use_true_random=False))
def test_any_order_of_batches_ends_in_the_same_content(days: Days, order: random.Random) -> None:
    shuffled = list(days)
    order.shuffle(shuffled)
    ends = []
    for each_order in (days, shuffled):
        with tempfile.TemporaryDirectory() as folder:
            lake = new_lake(Path(folder))
            for day, delivered in each_order:
                load(lake, delivered, DAY_1 + timedelta(days=day))
            core = rows(lake, "request_id, status, opened_at, updated_at, _is_deleted", live=False)
            ends.append((core, rows(lake, "raw_record", kind="quarantine")))
    assert ends[0] == ends[1]


@pytest.mark.parametrize(
    "order", [(0, 1, 2), (0, 2, 1), (2, 0, 1), (2, 1, 0)], ids=lambda order: str(order)
)
def test_a_row_seen_again_unchanged_outlives_the_replay_of_a_day_between(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    lake = new_lake(tmp_path)
    statuses = ("A", "B", "A")
    for place in order:
        load(lake, [record("k", statuses[place])], DAY_1 + timedelta(days=place))
    assert rows(lake, "status") == [("A",)]


def test_duplicates_and_older_versions_are_told_apart(tmp_path: Path) -> None:
    old, new = record("k", updated="2025-03-01"), record("k", updated="2025-03-02")
    result = load(new_lake(tmp_path), [old, new, old, new, new], DAY_1)
    assert [outcome for _, _, outcome, _ in journalled(result)] == [
        "superseded",
        "new",
        "duplicate",
        "duplicate",
        "duplicate",
    ]


def test_a_rejected_record_is_accounted_by_its_row(tmp_path: Path) -> None:
    rejected = [RejectedRecord(1, "{", "row:json")]
    one = batch([record("a")], "aa", rejected=rejected, ignored={"blank": 2})
    two = batch([record("b")], "bb")
    result = load(new_lake(tmp_path), [one, two], DAY_1)
    assert journalled(result) == [
        ("aa", 0, "new", []),
        ("aa", 1, "quarantined", ["row:json"]),
        ("bb", 0, "new", []),
    ]
    assert result.ignored == {"blank": 2}
    assert result.raw_digests == ("aa", "bb")


def test_an_unchanged_record_names_its_row(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    load(lake, [record("a")], DAY_1)
    result = load(lake, [record("a")], DAY_2)
    with session() as connection:
        (asked,) = connection.execute(f"SELECT row_hash FROM '{result.record_file}'").fetchall()
    assert rows(lake, "_row_hash, _as_of") == [(*asked, DAY_1)]
