import json
from pathlib import Path

import pytest

from quality import journal
from quality.checking import Built, Checked, check
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
