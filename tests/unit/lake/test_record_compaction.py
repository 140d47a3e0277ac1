"""Fewer record files: what the journal tells of every delivery stays, whatever ends the work."""

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from tests.unit.lake.streams import (
    DAY_1,
    PlainStream,
    batch,
    load,
    new_lake,
    record,
    request_source,
    request_table,
    rows,
)
from warehouse import record_compaction
from warehouse.data_files import LostRowsError
from warehouse.duck import session
from warehouse.lake import Lake
from warehouse.load_journal import seen_sql
from warehouse.record_compaction import compact_records
from warehouse.retention import forget_raw
from warehouse.workspace import workspace

ROOT = Path(__file__).resolve().parents[3]
ONE, OTHER = "feedback.requests", "feedback.requests_b"
DAYS = [DAY_1 + timedelta(days=number) for number in range(30)]
# 8 March to 6 April.
MARCH, APRIL = DAYS[:24], DAYS[24:]
# How often the records were put together before the process that is ended at it.
BOUNDARIES = {
    "records.before_file": 0,
    "records.after_file": 0,
    "records.before_unlink": 1,
    "records.before_unlink:12": 1,
}
# First days that somebody may ask from.
SINCE = [*DAYS[::7], MARCH[-1], APRIL[0], DAYS[-1], DAYS[-1] + timedelta(days=1)]
COMPACT = """
import sys
from pathlib import Path
from tests.unit.lake.streams import new_lake
from warehouse.record_compaction import compact_records
compact_records(new_lake(Path(sys.argv[1])))
"""


def stream(name: str) -> PlainStream:
    return PlainStream(request_source(name), request_table())


def fill(lake: Lake) -> Lake:
    """Thirty days of one source, of which `gone` is not in the last ten, and two of another."""
    for number, day in enumerate(DAYS):
        sent = [record("k", "A"), record("bad", "broken"), record(f"new{number}", "A")]
        if number < 20:
            sent.append(record("gone", "A"))
        load(lake, [batch(sent, f"{number:02x}")], day, stream=stream(ONE))
    for day in DAYS[:2]:
        load(lake, [record("k", "A"), record("own", "A")], day, stream=stream(OTHER))
    return lake


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    fill(new_lake(folder))
    return folder


@pytest.fixture
def lake(filled: Path, tmp_path: Path) -> Lake:
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    return new_lake(tmp_path)


def names(lake: Lake) -> list[str]:
    return sorted(path.name for path in (lake.paths.journal / "records").iterdir())


def told(lake: Lake) -> dict[tuple[str, date], Any]:
    """What the journal tells."""
    found = {}
    with session() as connection:
        for source in (ONE, OTHER, "feedback"):
            for day in SINCE:
                query = f"{seen_sql(lake.paths.journal, source, day)} ORDER BY ALL"
                found[source, day] = connection.execute(query).fetchall()
    return found


def expected(lake: Lake) -> dict[tuple[str, date], Any]:
    """The same, added up here from the files of the attempts, one by one."""
    deliveries = []
    for path in (lake.paths.journal / "records").iterdir():
        source, day, _ = path.stem.rsplit("_", 2)
        for row in parquet.read_table(path).to_pylist():
            if row["outcome"] == "unchanged":
                deliveries.append((source, date.fromisoformat(day), row["row_hash"]))
    found = {}
    for source in (ONE, OTHER, "feedback"):
        for since in SINCE:
            last: dict[int, date] = {}
            for name, day, row_hash in deliveries:
                if name == source and day >= since:
                    last[row_hash] = max(day, last.get(row_hash, day))
            found[source, since] = sorted(last.items())
    return found


def records(lake: Lake) -> Counter[tuple[Any, ...]]:
    """Every record of every attempt, from files of both kinds."""
    found: Counter[tuple[Any, ...]] = Counter()
    for path in (lake.paths.journal / "records").iterdir():
        for row in parquet.read_table(path).to_pylist():
            attempt = row.get("attempt", path.stem)
            day = row.get("as_of", date.fromisoformat(attempt.split("_")[-2]))
            columns = ("raw_digest", "raw_row", "outcome", "row_hash")
            values = [row[name] for name in columns]
            found[attempt, day, *values, tuple(row["reasons"] or ())] += 1
    return found


def killed(lake: Lake, boundary: str) -> None:
    process = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", COMPACT, str(lake.paths.root.parent)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CITYLAKE_KILL_AT": boundary},
        check=False,
        timeout=120,
    )
    assert process.returncode == -signal.SIGKILL


def test_many_files_of_a_month_become_one_and_tell_the_same(lake: Lake) -> None:
    before, held, wanted = told(lake), records(lake), expected(lake)
    assert before == wanted
    assert len(names(lake)) == 32
    assert compact_records(lake) == 24
    # What was put together stays for who listed it, and is not read twice.
    assert len(names(lake)) == 33
    assert told(lake) == wanted
    assert compact_records(lake) == 0
    left = names(lake)
    assert [name for name in left if name.startswith(f"{ONE}_2025-03_")] == left[:1]
    assert sum(name.startswith(f"{ONE}_2025-04-") for name in left) == len(APRIL)
    assert sum(name.startswith(f"{OTHER}_2025-03-") for name in left) == 2
    assert len(left) == 1 + len(APRIL) + 2
    assert told(lake) == wanted
    assert records(lake) == held
    assert compact_records(lake) == 0
    assert names(lake) == left


def test_later_attempts_of_the_month_join(lake: Lake) -> None:
    for _ in range(2):
        compact_records(lake)
    for _ in range(9):
        load(lake, [record("k", "A")], MARCH[3], stream=stream(ONE))
    wanted, held = told(lake), records(lake)
    assert compact_records(lake) == 10
    assert compact_records(lake) == 0
    assert sum(name.startswith(f"{ONE}_2025-03") for name in names(lake)) == 1
    assert told(lake) == wanted
    assert records(lake) == held


@pytest.mark.parametrize(
    ("boundary", "calls"),
    BOUNDARIES.items(),
    ids=["before the file", "after the file", "before the first goes", "half are gone"],
)
def test_killed_anywhere_the_journal_tells_the_same(
    lake: Lake, tmp_path: Path, boundary: str, calls: int
) -> None:
    wanted, held = told(lake), records(lake)
    for _ in range(calls):
        compact_records(lake)
    killed(lake, boundary)
    assert told(lake) == wanted
    for _ in range(2):
        compact_records(lake)
    assert told(lake) == wanted
    assert records(lake) == held
    assert len(names(lake)) == 1 + len(APRIL) + 2


@pytest.mark.parametrize("is_compacted", [False, True], ids=["as they were", "put together"])
@pytest.mark.parametrize(
    ("number", "outcome", "status"), [(15, "superseded", "A"), (22, "changed", "B")]
)
def test_a_replay_meets_what_was_said_later(
    lake: Lake, number: int, outcome: str, status: str, is_compacted: bool
) -> None:
    """Day 19 was the last that said so: another version of day 15 is older, of day 22 later."""
    if is_compacted:
        for _ in range(2):
            compact_records(lake)
    result = load(lake, [batch([record("gone", "B")], "ff")], DAYS[number], stream=stream(ONE))
    assert (result.counts[outcome], sum(result.counts.values())) == (1, 1)
    assert ("gone", status) in rows(lake, "request_id, status")


@pytest.mark.parametrize("calls", [0, 2], ids=["as they were", "put together"])
def test_raw_objects_are_forgotten_as_before(lake: Lake, tmp_path: Path, calls: int) -> None:
    stored = {f"{number:02x}": tmp_path / f"raw{number}" for number in range(len(DAYS))}
    for path in stored.values():
        path.write_bytes(b"1234")
    for _ in range(calls):
        compact_records(lake)
    forget_raw(lake.paths.journal, stored.items(), as_of=DAYS[-1], days=lambda _: 5)
    gone = {digest for digest, path in stored.items() if not path.exists()}
    assert gone == {f"{number:02x}" for number in range(24)}


def test_nothing_is_put_together_while_a_source_is_read(lake: Lake) -> None:
    before = names(lake)
    with workspace(lake.paths):
        assert compact_records(lake) == 0
    assert names(lake) == before


def test_records_that_do_not_add_up_are_refused(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, select = names(lake), record_compaction._select
    monkeypatch.setattr(
        record_compaction, "_select", lambda files: f"{select(files)} WHERE raw_row > 0"
    )
    with pytest.raises(LostRowsError, match=f"journal of {ONE}: the records do not add up"):
        compact_records(lake)
    assert names(lake) == before
