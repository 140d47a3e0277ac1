"""Fewer files, the same rows, whoever else is at work and whatever ends it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from tests.unit.lake.streams import DAY_1, load, new_lake, record, rows
from warehouse import compaction
from warehouse.compaction import compact
from warehouse.data_files import LostRowsError, Rows
from warehouse.lake import CommitConflictError, Lake
from warehouse.retention import vacuum

LAST = DAY_1 + timedelta(days=11)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Twelve days that each add a file to March, and a bad record; the last adds one to May."""
    lake = new_lake(tmp_path)
    for day in range(12):
        opened = "2025-05-01" if day == 11 else "2025-03-01"
        fresh = [record(f"k{day}", opened=opened), record(f"b{day}", "broken")]
        load(lake, fresh, DAY_1 + timedelta(days=day))
    return lake


def files(lake: Lake, kind: str) -> list[str]:
    return sorted(DeltaTable(lake.paths.root / kind / "request").file_uris())


def content(lake: Lake) -> tuple[Any, Any]:
    return rows(lake, "*", live=False), rows(lake, "*", kind="quarantine")


def test_many_files_of_a_partition_become_one(lake: Lake) -> None:
    before = content(lake)
    months = [uri.split("opened_month=")[1][:7] for uri in files(lake, "core")]
    assert (months.count("2025-03"), months.count("2025-05")) == (11, 1)
    assert len(files(lake, "quarantine")) == 12
    may = [uri for uri in files(lake, "core") if "2025-05" in uri]
    assert compact(lake, "core", "request", as_of=LAST) == 10
    assert compact(lake, "quarantine", "request", as_of=LAST) == 11
    assert len(files(lake, "core")) == 2
    assert set(may) <= set(files(lake, "core"))
    assert len(files(lake, "quarantine")) == 1
    assert content(lake) == before
    for kind in ("core", "quarantine"):
        log = DeltaTable(lake.paths.root / kind / "request")
        newest = sorted((lake.paths.root / kind / "request" / "_delta_log").glob("*.json"))[-1]
        assert '"dataChange":true' not in newest.read_text("utf-8")
        assert log.version() == 13


def test_a_second_time_and_small_tables_are_left_alone(lake: Lake, tmp_path: Path) -> None:
    compact(lake, "core", "request", as_of=LAST)
    version = DeltaTable(lake.paths.root / "core" / "request").version()
    assert compact(lake, "core", "request", as_of=LAST) == 0
    assert compact(lake, "core", "absent", as_of=LAST) == 0
    assert DeltaTable(lake.paths.root / "core" / "request").version() == version


def test_streams_and_retention_go_on_as_before(lake: Lake) -> None:
    compact(lake, "core", "request", as_of=LAST)
    snapshot = lake.snapshot("core", "request")
    assert snapshot is not None
    assert (snapshot.as_of("feedback.requests"), snapshot.sequence("feedback.requests")) == (
        LAST,
        12,
    )
    assert snapshot.sources == ("feedback.requests",)
    load(lake, [record("k0", "closed", updated="2025-03-20")], LAST + timedelta(days=1))
    assert ("k0", "closed") in rows(lake, "request_id, status")
    use = vacuum(lake, "core", "request", pinned=(), as_of=LAST + timedelta(days=40), days=30)
    assert use.on_disk == use.live


def test_a_load_in_between_is_not_overwritten(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    write, loads = compaction.write_files, [record("late")]

    def interrupted(*given: Any) -> Any:
        written = write(*given)
        if loads:
            load(lake, [loads.pop()], LAST + timedelta(days=1))
        return written

    monkeypatch.setattr("warehouse.compaction.write_files", interrupted)
    assert compact(lake, "core", "request", as_of=LAST) == 11
    assert {key for (key,) in rows(lake, "request_id")} == {
        *(f"k{day}" for day in range(12)),
        "late",
    }


@pytest.mark.parametrize("failure", [LostRowsError, CommitConflictError])
def test_nothing_is_committed_where_rows_do_not_add_up(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    before, listed = content(lake), files(lake, "core")
    on_disk = set((lake.paths.root / "core").rglob("*.parquet"))
    if failure is LostRowsError:
        write = compaction.write_files
        monkeypatch.setattr(
            "warehouse.compaction.write_files",
            lambda con, rows, *rest: write(con, [Rows(f"{rows[0].select} LIMIT 3")], *rest),
        )
    else:

        def overtaken(*given: Any, **named: Any) -> Any:
            raise CommitConflictError("overtaken")

        monkeypatch.setattr(Lake, "replace", overtaken)
    with pytest.raises(failure):
        compact(lake, "core", "request", as_of=LAST)
    assert (content(lake), files(lake, "core")) == (before, listed)
    assert set((lake.paths.root / "core").rglob("*.parquet")) == on_disk
