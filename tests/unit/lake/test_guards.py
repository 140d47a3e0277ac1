"""What a load refuses to do."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, TableFeatures

from tests.unit.lake.streams import (
    DAY_1,
    DAY_2,
    DAY_3,
    PlainStream,
    Record,
    batch,
    load,
    new_lake,
    record,
    request_source,
    request_table,
    rows,
)
from warehouse.data_files import Rows, write_files
from warehouse.duck import session
from warehouse.lake import Commit, CommitConflictError, Lake
from warehouse.load import load_stream
from warehouse.records import RecordBatch, RejectedRecord
from warehouse.views import UnreadableTableError, relation_sql

SNAPSHOTS = PlainStream(request_source(deletes="absence"), request_table())


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = new_lake(tmp_path)
    four = [record(key) for key in "abcd"]
    load(lake, four, DAY_1, stream=SNAPSHOTS, full_snapshot=True)
    return lake


def test_absence_deletes_and_a_later_snapshot_returns_the_row(lake: Lake) -> None:
    three = [record(key) for key in "abc"]
    result = load(lake, three, DAY_2, stream=SNAPSHOTS, full_snapshot=True)
    assert (result.deleted, result.held_back) == (1, None)
    assert rows(lake, "request_id, _is_deleted, _as_of", live=False)[-1] == ("d", True, DAY_2)
    again = load(lake, three, DAY_2, stream=SNAPSHOTS, full_snapshot=True)
    assert again.version_after == result.version_after
    load(lake, [*three, record("d")], DAY_3, stream=SNAPSHOTS, full_snapshot=True)
    assert [key for (key,) in rows(lake, "request_id")] == list("abcd")


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ([], "no good record"),
        ([record("a", "broken")], "no good record"),
        ([record("a")], "more than the share 0.5"),
        ([record("a"), record("b"), record("c"), record(None)], "cannot be read"),
    ],
    ids=["empty", "nothing-good", "over-the-share", "unreadable-key"],
)
def test_a_snapshot_that_is_not_to_be_trusted_deletes_nothing(
    lake: Lake, records: list[Record], says: str
) -> None:
    result = load(lake, records, DAY_2, stream=SNAPSHOTS, full_snapshot=True)
    assert result.deleted == 0
    assert says in (result.held_back or "")
    assert len(rows(lake, "1")) == 4


def test_a_record_that_could_not_be_split_holds_deletions_back(lake: Lake) -> None:
    rejected = [RejectedRecord(3, "d;;;", "row:field_count")]
    three = batch([record(key) for key in "abc"], rejected=rejected)
    result = load(lake, [three], DAY_2, stream=SNAPSHOTS, full_snapshot=True)
    assert "cannot be read" in (result.held_back or "")
    assert (result.records_in, result.counts["quarantined"]) == (4, 1)
    assert rows(lake, "raw_record, reasons, key_text", kind="quarantine") == [
        ("d;;;", ["row:field_count"], None)
    ]


def test_a_bad_record_is_not_absent(lake: Lake) -> None:
    records = [record("a"), record("b"), record("c"), record("d", "broken")]
    result = load(lake, records, DAY_2, stream=SNAPSHOTS, full_snapshot=True)
    assert (result.deleted, result.held_back) == (0, None)


def test_absence_deletes_nothing_of_another_stream(lake: Lake) -> None:
    other = PlainStream(request_source("feedback.other", deletes="absence"), request_table())
    load(lake, [record("z")], DAY_2, stream=other, full_snapshot=True)
    assert len(rows(lake, "1")) == 5


@pytest.mark.parametrize(
    ("deletes", "full_snapshot"), [("none", True), ("absence", False)], ids=["none", "window"]
)
def test_absence_means_nothing_otherwise(lake: Lake, deletes: str, full_snapshot: bool) -> None:
    stream = PlainStream(request_source(deletes=deletes), request_table())
    result = load(lake, [record("a")], DAY_2, stream=stream, full_snapshot=full_snapshot)
    assert (result.deleted, result.held_back) == (0, None)
    assert len(rows(lake, "1")) == 4


def test_reading_that_fails_midway_commits_nothing(lake: Lake) -> None:
    def cut() -> Iterator[RecordBatch]:
        yield batch([record("new"), record("bad", "broken")])
        raise ConnectionError("page 2: connection cut")

    with pytest.raises(ConnectionError, match="page 2"):
        load_stream(lake, SNAPSHOTS, cut(), DAY_2, full_snapshot=True, journal=lake.paths.journal)
    assert len(rows(lake, "1")) == 4
    assert lake.snapshot("quarantine", "request") is None
    assert not list(lake.paths.work.glob("writing.*"))


def test_the_second_of_two_writers_is_refused_and_no_row_is_lost(lake: Lake) -> None:
    first, second = lake.snapshot("core", "request"), lake.snapshot("core", "request")
    assert first is not None
    assert second is not None
    load(lake, [record("e")], DAY_2, stream=SNAPSHOTS)
    with session() as connection:
        kept = relation_sql(second, request_table(), live=False)
        added = write_files(connection, [Rows(kept)], second.folder, "opened_month", {"2025-03": 5})
    with pytest.raises(CommitConflictError):
        lake.replace(second, added, second.select(), Commit())
    with pytest.raises(CommitConflictError):
        lake.append(first, added, Commit())
    with pytest.raises(CommitConflictError):
        lake.advance(first, Commit({"feedback.requests/as_of": 1}))
    assert [key for (key,) in rows(lake, "request_id")] == list("abcde")


@pytest.mark.parametrize(
    "feature", [TableFeatures.DeletionVectors, TableFeatures.ColumnMapping], ids=str
)
def test_views_refuse_what_a_file_list_cannot_show(lake: Lake, feature: TableFeatures) -> None:
    delta = DeltaTable(lake.folder("core", "request"))
    delta.alter.add_feature(feature, allow_protocol_versions_increase=True)
    snapshot = lake.snapshot("core", "request")
    with pytest.raises(UnreadableTableError, match=r"(?i)deletionVectors|columnMapping"):
        relation_sql(snapshot, request_table())


def test_a_view_of_no_table_is_typed_and_empty() -> None:
    with session() as connection:
        empty = connection.sql(relation_sql(None, request_table())).to_arrow_table()
    assert empty.num_rows == 0
    assert empty.schema.field("opened_at").type == pa.timestamp("us", "UTC")
