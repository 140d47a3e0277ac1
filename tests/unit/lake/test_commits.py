# ruff: noqa: S608 - the tests' own texts
"""Versions: what makes one, what does not, and what two writers or a killed one leave."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pyarrow as pa
import pytest

from tests.unit.lake.streams import (
    DAY_1,
    DAY_2,
    PlainStream,
    load,
    new_lake,
    record,
    request_source,
    request_table,
    rows,
)
from warehouse.contract.model import Column
from warehouse.duck import session
from warehouse.lake import Kind, Lake
from warehouse.views import relation_sql

ROOT = Path(__file__).resolve().parents[3]
RECORDS = [record("a"), record("b"), record("bad", "broken"), record("c", opened="2025-02-01")]

LOADER = """
import sys
from datetime import date
from pathlib import Path
from tests.unit.lake.streams import DAY_1, load, new_lake, record
from tests.unit.lake.test_commits import RECORDS
load(new_lake(Path(sys.argv[1])), RECORDS, DAY_1)
"""

READER = """
import sys
from pathlib import Path
from warehouse.duck import session
from warehouse.lake import Lake
from warehouse.paths import CityPaths
from warehouse.sql import read_files
snapshot = Lake(CityPaths(Path(sys.argv[1]), "town")).snapshot("core", "request")
rows = session().sql(f"SELECT request_id FROM {read_files(snapshot.files())}").to_arrow_table()
assert rows.num_rows == 3
"""


def versions(lake: Lake) -> dict[Kind, int | None]:
    kinds: tuple[Kind, ...] = ("core", "quarantine")
    snapshots = {kind: lake.snapshot(kind, "request") for kind in kinds}
    return {kind: each.version if each else None for kind, each in snapshots.items()}


def run(script: str, folder: Path, **environ: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", script, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
    )


def content(lake: Lake) -> list[object]:
    return [
        rows(lake, "* EXCLUDE (_raw_row)", live=False),
        rows(lake, "raw_record, reasons", kind="quarantine"),
    ]


def test_the_same_batch_again_makes_no_version(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    first = load(lake, RECORDS, DAY_1)
    before = versions(lake)
    again = load(lake, RECORDS, DAY_1)
    assert versions(lake) == before
    assert (again.counts["unchanged"], again.counts["quarantined"]) == (3, 1)
    assert (again.sequence, again.version_after) == (first.sequence, first.version_after)


def test_a_later_day_without_change_moves_the_as_of_alone(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    load(lake, RECORDS, DAY_1)
    before = lake.snapshot("core", "request")
    result = load(lake, RECORDS, DAY_2)
    after = lake.snapshot("core", "request")
    assert before is not None
    assert after is not None
    assert (result.version_before, result.version_after) == (before.version, before.version + 1)
    assert after.data_files == before.data_files
    assert after.as_of("feedback.requests") == DAY_2
    quarantine = lake.snapshot("quarantine", "request")
    assert quarantine is not None
    assert quarantine.version == 1


def test_an_empty_first_batch_leaves_a_readable_table(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    result = load(lake, [], DAY_1)
    assert result.records_in == 0
    assert rows(lake, "request_id") == []


def test_new_rows_alone_add_files_and_changed_rows_rewrite_their_month(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    load(lake, RECORDS, DAY_1)
    first = lake.snapshot("core", "request")
    load(lake, [record("d")], DAY_2)
    second = lake.snapshot("core", "request")
    load(lake, [record("d", "closed", updated="2025-03-09")], DAY_2)
    third = lake.snapshot("core", "request")
    assert first is not None
    assert second is not None
    assert third is not None
    assert set(first.files()) < set(second.files())
    assert len(third.files({"2025-03"})) == 1
    assert third.files({"2025-02"}) == first.files({"2025-02"})


def test_many_small_files_become_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.difference.MOST_FILES", 3)
    lake = new_lake(tmp_path)
    for key in "abcd":
        load(lake, [record(key)], DAY_1)
    snapshot = lake.snapshot("core", "request")
    assert snapshot is not None
    assert len(snapshot.files()) == 1
    assert [key for (key,) in rows(lake, "request_id")] == list("abcd")


def test_quarantine_holds_a_record_once(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    bad = record("bad", "broken")
    load(lake, [bad, bad], DAY_1)
    result = load(lake, [bad, record("worse", "broken")], DAY_2)
    assert result.counts["quarantined"] == 2
    assert rows(lake, "key_text, _as_of", kind="quarantine") == [
        ('{"request_id":"bad"}', DAY_1),
        ('{"request_id":"worse"}', DAY_2),
    ]


def test_a_column_new_in_the_contract_is_null_in_older_rows(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    load(lake, RECORDS, DAY_1)
    table = request_table()
    wider = type(table)(**{**vars(table), "columns": (*table.columns, Column("note", {}, "DATE"))})

    class Wider(PlainStream):
        def split_sql(self, relation: str, as_of: object) -> str:
            return (
                f"SELECT *, DATE '2025-01-01' AS note FROM ({super().split_sql(relation, as_of)})"  # type: ignore[arg-type]
            )

    load(lake, [record("new")], DAY_2, stream=Wider(request_source(), wider))
    select = relation_sql(lake.snapshot("core", "request"), wider)
    with session() as connection:
        found = connection.execute(
            f"SELECT request_id, note IS NULL FROM ({select}) ORDER BY ALL"
        ).fetchall()
    assert found == [("a", True), ("b", True), ("c", True), ("new", False)]


def test_two_processes_load_the_same_batch_once(tmp_path: Path) -> None:
    alone, together = new_lake(tmp_path / "alone"), new_lake(tmp_path / "together")
    load(alone, RECORDS, DAY_1)
    loaders = [run(LOADER, tmp_path / "together") for _ in range(2)]
    assert [each.wait(timeout=120) for each in loaders] == [0, 0]
    assert content(together) == content(alone)
    snapshot = together.snapshot("core", "request")
    assert snapshot is not None
    assert snapshot.sequence("feedback.requests") == 1
    assert versions(together) == versions(alone)


def test_writers_that_create_a_table_at_once_leave_one_version(tmp_path: Path) -> None:
    schema = pa.schema([("request_id", pa.string())])
    for turn in range(20):
        lake, together = new_lake(tmp_path / str(turn)), Barrier(4)

        def create(_: int, lake: Lake = lake, together: Barrier = together) -> int:
            together.wait()
            return lake.ensure("core", "request", schema, None).version

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(create, range(4))) == [0, 0, 0, 0]
        log = lake.folder("core", "request") / "_delta_log"
        assert [each.name for each in log.glob("*.json")] == [f"{0:020}.json"]
        assert not list(lake.paths.work.iterdir())


@pytest.mark.parametrize(
    "boundary",
    [
        "quarantine.before_commit",
        "quarantine.after_commit",
        "core.before_commit",
        "core.after_commit",
    ],
)
def test_a_killed_load_run_again_equals_an_undisturbed_one(tmp_path: Path, boundary: str) -> None:
    undisturbed, killed = new_lake(tmp_path / "undisturbed"), new_lake(tmp_path / "killed")
    load(undisturbed, RECORDS, DAY_1)
    log = tmp_path / "boundaries"
    process = run(
        LOADER,
        tmp_path / "killed",
        CITYLAKE_KILL_AT=boundary,
        CITYLAKE_BOUNDARY_LOG=str(log),
    )
    assert process.wait(timeout=120) == -signal.SIGKILL
    assert log.read_text(encoding="utf-8").split()[-1] == boundary
    load(killed, RECORDS, DAY_1)
    assert content(killed) == content(undisturbed)
    assert versions(killed) == versions(undisturbed)


def test_a_reader_ends_well_twenty_times(tmp_path: Path) -> None:
    load(new_lake(tmp_path), RECORDS, DAY_1)
    codes = []
    for _ in range(10):
        pair = [run(READER, tmp_path) for _ in range(2)]
        codes += [each.wait(timeout=120) for each in pair]
    assert codes == [0] * 20


def test_a_commit_says_what_it_was_made_from(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    result = load(lake, RECORDS, DAY_1)
    snapshot = lake.snapshot("core", "request")
    assert snapshot is not None
    batch = snapshot.metadata["batch"]
    assert (batch["source"], batch["as_of"], batch["sequence"]) == (
        "feedback.requests",
        "2025-03-08",
        1,
    )
    listed = lake.paths.journal / "batches" / f"2025-03-08_{batch['raw']}_feedback.requests.txt"
    assert tuple(listed.read_text(encoding="utf-8").split()) == result.raw_digests
    assert json.dumps(dict(batch))


def test_a_new_column_forgets_no_stream(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    load(lake, RECORDS, DAY_1)
    known = lake.snapshot("core", "request")
    assert known is not None
    schema = pa.schema([pa.field("later", pa.string())])
    grown = lake.ensure("core", "request", schema, "requested_month")
    assert grown.version == known.version + 1
    assert "later" in grown.column_names
    assert grown.sources == known.sources == ("feedback.requests",)
    assert grown.as_of("feedback.requests") == DAY_1
