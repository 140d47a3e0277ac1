import json
from pathlib import Path

import pytest

from quality import gx_checks, journal
from quality.checking import Built, Checked, check
from quality.gx_environment import VARIABLE, interpreter
from quality.result import CheckStatus, Verdict
from tests.unit.gate.small_city import (
    CONTRACTS,
    DAY,
    INDICATOR,
    A,
    B,
    city_paths,
    decision,
    indicator_rows,
    write_candidate,
)
from tests.unit.gate.test_dbt_results import GOOD, MANIFEST
from warehouse.fork_server import ForkServer
from warehouse.paths import CityPaths
from warehouse.promotion import promote


@pytest.fixture
def paths(tmp_path: Path) -> CityPaths:
    return city_paths(tmp_path)


def built(paths: CityPaths, value: object = 5, results: dict[str, str] = GOOD) -> Built:
    rows = [*indicator_rows(1, value), *indicator_rows(2, 5)]
    candidate = write_candidate(paths.work / "candidate.duckdb", {INDICATOR.name: rows})
    listed = [{"unique_id": name, "status": status} for name, status in results.items()]
    (paths.work / "run_results.json").write_text(json.dumps({"results": listed}))
    (paths.work / "manifest.json").write_text(json.dumps(MANIFEST))
    return Built(candidate, paths.work / "run_results.json", paths.work / "manifest.json", DAY)


def checked(paths: CityPaths, what: Built) -> dict[str, Checked]:
    days = {"a": DAY, "b": DAY}
    return {each.publication.name: each for each in check(paths, what, [A, B], CONTRACTS, days)}


def test_good_marts_and_good_dbt_results_publish(paths: CityPaths) -> None:
    found = checked(paths, built(paths))
    assert {each.verdict for each in found.values()} == {Verdict.PUBLISH}
    assert {each.failing for each in found.values()} == {()}


def test_what_only_contract_checks_see_rejects(paths: CityPaths) -> None:
    found = checked(paths, built(paths, value=None))
    assert found["a"].verdict is Verdict.REJECT
    assert found["a"].failing == (f"{INDICATOR.name}.value:value_or_status",)
    assert found["b"].verdict is Verdict.PUBLISH


@pytest.mark.parametrize("status", ["fail", "skipped", "error"])
def test_what_only_dbt_sees_rejects(paths: CityPaths, status: str) -> None:
    found = checked(paths, built(paths, results={**GOOD, "test.citylake.int_not_null.1": status}))
    assert found["a"].verdict is Verdict.REJECT
    assert found["a"].failing == ("test:int_not_null.1",)


@pytest.mark.parametrize("gone", ["candidate.duckdb", "run_results.json", "manifest.json"])
def test_a_file_that_is_not_there_rejects(paths: CityPaths, gone: str) -> None:
    what = built(paths)
    (paths.work / gone).unlink()
    assert {each.verdict for each in checked(paths, what).values()} == {Verdict.REJECT}


def test_checks_that_one_cause_kept_away_share_a_line(
    paths: CityPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "absent"))
    monkeypatch.setattr(
        gx_checks, "_SERVER", ForkServer("quality.gx", "the test's", interpreter=interpreter)
    )
    found = checked(paths, built(paths))["a"]
    assert found.verdict is Verdict.REJECT
    (line,) = found.reasons
    planned = len(gx_checks.planned(A, CONTRACTS))
    assert line.startswith(f"gx {INDICATOR.name}.")
    assert f" and {planned - 1} more: did not run to its end (missing): {VARIABLE} names" in line


def test_checks_that_fail_alike_are_each_named(paths: CityPaths) -> None:
    skipped = {"test.citylake.int_not_null.1": "skipped", "test.citylake.city_hold.2": "skipped"}
    found = checked(paths, built(paths, results=GOOD | skipped))["a"]
    assert found.reasons == (
        "dbt test:city_hold.2: did not run to its end (skipped)",
        "dbt test:int_not_null.1: did not run to its end (skipped)",
    )


def test_a_promoted_version_is_compared_with(paths: CityPaths) -> None:
    more = write_candidate(
        paths.work / "more.duckdb", {INDICATOR.name: indicator_rows(1, 5, months=6)}
    )
    promote(paths, more, CONTRACTS, [decision(A, "publish"), decision(B, "reject")])
    found = checked(paths, built(paths))
    assert found["a"].verdict is Verdict.HOLD
    assert found["a"].failing == (f"{INDICATOR.name}:coverage",)
    assert found["b"].verdict is Verdict.PUBLISH


def test_the_journal_has_one_file_a_run(paths: CityPaths) -> None:
    found = checked(paths, built(paths))
    results = [result for each in found.values() for result in each.results]
    path = journal.write(paths, "run-1", results)
    assert path == paths.journal / "checks" / "run-1.json"
    content = json.loads(path.read_bytes())
    assert content["run"] == "run-1"
    assert {name: len(checks) for name, checks in content["checks"].items()} == {
        name: len(each.results) for name, each in found.items()
    }
    assert {each["status"] for each in content["checks"]["a"]} == {str(CheckStatus.PASSED)}
