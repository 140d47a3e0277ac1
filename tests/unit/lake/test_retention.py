"""What is removed, what must stay, and what it leaves on disk."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.lake.streams import (
    DAY_1,
    batch,
    load,
    new_lake,
    record,
    request_table,
    rows,
)
from warehouse.duck import session
from warehouse.lake import Lake
from warehouse.retention import forget_quarantine, forget_raw, vacuum
from warehouse.views import relation_sql
from warehouse.workspace import any_writer, workspace


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Ten days, each of which rewrites the month: version N + 1 belongs to day N."""
    lake = new_lake(tmp_path)
    for day in range(10):
        load(
            lake,
            [record("k", f"{day}"), record("bad", "broken", opened=f"2025-02-{day + 1:02}")],
            DAY_1 + timedelta(days=day),
        )
    return lake


def readable(lake: Lake) -> set[int]:
    versions = set()
    for version in range(1, 11):
        snapshot = lake.snapshot("core", "request", version)
        assert snapshot is not None
        if not snapshot.missing_files():
            with session() as connection:
                connection.execute(relation_sql(snapshot, request_table())).fetchall()
            versions.add(version)
    return versions


def test_vacuum_keeps_recent_and_pinned_versions(lake: Lake) -> None:
    before = lake.snapshot("core", "request")
    use = vacuum(lake, "core", "request", pinned={3}, as_of=DAY_1 + timedelta(days=9), days=2)
    # Two days before the last the newest was day 7's, version 8.
    assert readable(lake) == {3, 8, 9, 10}
    after = lake.snapshot("core", "request")
    assert before is not None
    assert after is not None
    assert after.version == before.version
    assert use.removed > 0
    assert use.on_disk < 5 * use.live


def test_vacuum_that_forgets_the_pin_loses_the_version(lake: Lake) -> None:
    vacuum(lake, "core", "request", pinned=(), as_of=DAY_1 + timedelta(days=9), days=2)
    assert readable(lake) == {8, 9, 10}


def test_vacuum_of_the_past_removes_what_was_old_then(lake: Lake) -> None:
    vacuum(lake, "core", "request", pinned=(), as_of=DAY_1 + timedelta(days=3), days=2)
    assert readable(lake) == set(range(2, 11))


def test_files_of_a_killed_writer_go_but_not_those_of_a_living_one(lake: Lake) -> None:
    orphan = lake.folder("core", "request") / "opened_month=2025-03" / "part-orphan.parquet"
    orphan.write_bytes(b"half")
    day = DAY_1 + timedelta(days=9)
    with workspace(lake.paths):
        vacuum(lake, "core", "request", pinned=(), as_of=day, days=2)
        assert orphan.exists()
    vacuum(lake, "core", "request", pinned=(), as_of=day, days=2)
    assert not orphan.exists()
    assert rows(lake, "status") == [("9",)]


def test_the_scratch_of_a_killed_writer_is_cleared(lake: Lake) -> None:
    dead = lake.paths.work / "writing.1.aa"
    dead.mkdir()
    (dead / "lock").touch()
    assert not any_writer(lake.paths)
    assert not dead.exists()


def test_quarantine_is_forgotten_by_processing_day(lake: Lake) -> None:
    day = DAY_1 + timedelta(days=9)
    assert forget_quarantine(lake, "request", as_of=day, days=4) == 5
    kept = rows(lake, "_as_of", kind="quarantine")
    assert kept == [(DAY_1 + timedelta(days=each),) for each in range(5, 10)]
    version = lake.snapshot("quarantine", "request")
    assert forget_quarantine(lake, "request", as_of=day, days=4) == 0
    again = lake.snapshot("quarantine", "request")
    assert version is not None
    assert again is not None
    assert again.version == version.version


def test_raw_is_forgotten_once_no_batch_to_keep_was_read_from_it(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    objects = {}
    for name, days in {"old": (0,), "again": (0, 9), "young": (9,), "unread": ()}.items():
        path = tmp_path / name
        path.write_bytes(b"1234")
        objects[name] = path
        for each in days:
            load(lake, [batch([record(name)], name)], DAY_1 + timedelta(days=each))
    day = DAY_1 + timedelta(days=9)
    kept = forget_raw(lake.paths.journal, objects.items(), as_of=day, days=lambda _: None)
    removed = forget_raw(lake.paths.journal, objects.items(), as_of=day, days=lambda _: 5)
    assert (kept, removed) == (0, 4)
    assert {name for name, path in objects.items() if path.exists()} == {
        "again",
        "young",
        "unread",
    }
