"""Great Expectations on the partitions of core that changed since a publication was promoted."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from quality import gx_checks, gx_core
from quality.checking import check
from quality.core_checks import CoreScope
from quality.gx_core import planned, run
from quality.journal import plain
from quality.result import CheckResult, CheckStatus, Verdict
from tests.unit.gate.small_city import CONTRACTS, DAY, A, city_paths
from tests.unit.gate.test_checking import built
from tests.unit.lake.streams import (
    DAY_1,
    DAY_2,
    Record,
    load,
    new_lake,
    record,
    request_table,
)
from warehouse.contract.model import TableContract
from warehouse.fork_server import ForkServer
from warehouse.lake import Lake

UNIQUE = "core.request:expect_compound_columns_to_be_unique"
STATUS = "core.request.status:expect_column_values_to_be_in_set"
SHOWN = ("open", "closed")


def stricter(**of_status: Any) -> TableContract:
    """The contract of the requests, which the loader of these tests does not know."""
    table = request_table()
    columns = [
        replace(each, **of_status) if each.name == "status" else each for each in table.columns
    ]
    return replace(table, columns=tuple(columns))


def scope(lake: Lake, table: TableContract, promoted: int | None = None) -> CoreScope:
    snapshot = lake.snapshot("core", "request")
    before = lake.kept("core", "request", promoted) if promoted is not None else None
    found = {"a": {"request": before}} if before else {}
    return CoreScope({"a": [table]}, [], {"request": snapshot}, DAY_2, found)


def not_passed(results: Sequence[CheckResult]) -> dict[str, tuple[str, int | None]]:
    return {
        each.check: (str(each.status), each.failing)
        for each in results
        if each.status is not CheckStatus.PASSED
    }


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Requests of March and of April."""
    lake = new_lake(tmp_path / "lake")
    load(lake, [record("1"), record("2", "lost"), record("3", opened="2025-04-02")], DAY_1)
    return lake


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_rows_that_keep_the_contract_pass_every_planned_check(lake: Lake, work: Path) -> None:
    core = scope(lake, stricter(enum=("open", "lost")))
    results = run(core, work)
    assert not_passed(results) == {}
    checks = [(each.publication, each.check) for each in planned("a", core)]
    assert [(each.publication, each.check) for each in results] == checks
    assert {UNIQUE, STATUS} <= {check for _, check in checks}
    assert not list(work.iterdir())


def test_a_row_that_breaks_its_contract_rejects(lake: Lake, tmp_path: Path) -> None:
    core = scope(lake, stricter(enum=SHOWN))
    paths = city_paths(tmp_path)
    (found,) = check(paths, built(paths), [A], CONTRACTS, {"a": DAY}, core=core)
    assert found.verdict is Verdict.REJECT
    assert found.failing == (STATUS,)


def test_no_value_of_core_is_told(lake: Lake, work: Path) -> None:
    results = run(scope(lake, stricter(enum=SHOWN)), work)
    (failed,) = (each for each in results if each.status is CheckStatus.FAILED)
    assert (failed.failing, [len(each) for each in failed.failing_keys]) == (1, [16])
    assert "lost" not in json.dumps([plain(each) for each in results])


def test_a_key_that_stands_twice_rejects(lake: Lake, work: Path) -> None:
    base = lake.snapshot("core", "request")
    assert base is not None
    _copy_of_a_file(lake)
    assert not_passed(run(scope(lake, request_table()), work))[UNIQUE][0] == "failed"


def _copy_of_a_file(lake: Lake) -> None:
    """Commit one of the table's files once more, under another name, as no load of ours would."""
    folder = lake.folder("core", "request")
    log = folder / "_delta_log"
    adds = [
        action["add"]
        for path in sorted(log.glob("*.json"))
        for action in map(json.loads, path.read_text().splitlines())
        if "add" in action
    ]
    path = Path(adds[0]["path"])
    copy = path.with_name(f"copy-{path.name}")
    (folder / copy).write_bytes((folder / path).read_bytes())
    number = len(list(log.glob("*.json")))
    added = json.dumps({"add": {**adds[0], "path": str(copy)}})
    (log / f"{number:020d}.json").write_text(added + "\n", encoding="utf-8")


def _later(lake: Lake, *records: Record) -> int:
    """Load more on the next day; the version before it."""
    before = lake.snapshot("core", "request")
    assert before is not None
    load(lake, list(records), DAY_2)
    return before.version


@pytest.mark.parametrize(
    ("record_of_the_day", "failing"),
    [(record("4", opened="2025-04-03"), 0), (record("4", opened="2025-03-03"), 1)],
    ids=["another month", "the bad row's month"],
)
def test_partitions_that_did_not_change_are_not_asked_again(
    lake: Lake, work: Path, record_of_the_day: Record, failing: int
) -> None:
    promoted = _later(lake, record_of_the_day)
    results = run(scope(lake, stricter(enum=SHOWN), promoted), work)
    found = {each.check: each.failing for each in results}
    assert found[STATUS] == failing
    assert not_passed(results).keys() == ({STATUS} if failing else set())


def test_nothing_changed_passes(lake: Lake, work: Path) -> None:
    now = lake.snapshot("core", "request")
    assert now is not None
    assert not_passed(run(scope(lake, stricter(enum=SHOWN), now.version), work)) == {}


def test_each_publication_is_compared_with_its_own_promotion(lake: Lake, work: Path) -> None:
    promoted = _later(lake, record("4", opened="2025-04-03"))
    core = scope(lake, stricter(enum=SHOWN), promoted)
    core = replace(core, tables={**core.tables, "b": core.tables["a"], "c": []})
    found = {
        (each.publication, each.check)
        for each in run(core, work)
        if each.status is not CheckStatus.PASSED
    }
    assert found == {("b", STATUS)}


def test_a_table_that_is_not_there_passes(lake: Lake, work: Path) -> None:
    core = replace(scope(lake, stricter(enum=SHOWN)), snapshots={"request": None})
    assert not_passed(run(core, work)) == {}


def test_of_many_rows_some_are_asked_about(
    tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gx_core, "MOST_ROWS", 50)
    first, second = new_lake(tmp_path / "first"), new_lake(tmp_path / "second")
    rows = [record(f"{number}", "lost") for number in range(300)]
    load(first, rows, DAY_1)
    load(second, rows[200:], DAY_1)
    load(second, rows[:200], date(2025, 3, 12))
    found = [run(scope(lake, stricter(enum=SHOWN)), work) for lake in (first, second)]
    assert not_passed(found[0]) == {STATUS: ("failed", 50)}
    # Which rows they are follows from their keys alone.
    assert [plain(each) for each in found[0]] == [plain(each) for each in found[1]]


def test_without_answers_every_check_is_missing(
    lake: Lake, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gx_checks, "_SERVER", ForkServer("no.such.module", "nothing"))
    core = scope(lake, request_table())
    results = run(core, work)
    assert {each.status for each in results} == {CheckStatus.MISSING}
    assert len(results) == len(planned("a", core))
