from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from quality.contract_checks import Scope, planned, run
from quality.gate import GatePolicy, decide
from quality.result import CheckResult, CheckStatus, Verdict
from tests.unit.gate.small_city import (
    CONTRACTS,
    DAY,
    INDICATOR,
    MONTHLY,
    REQUESTS,
    A,
    column,
    indicator_rows,
    request_rows,
    write_candidate,
)
from warehouse.contract.model import Classification, Rule, Severity
from warehouse.duck import session
from warehouse.mart_file import attach
from warehouse.publication import Policy, Publication

POLICY = GatePolicy(("contract",))
PASSED, FAILED, ERRORED = CheckStatus.PASSED, CheckStatus.FAILED, CheckStatus.ERRORED
INDICATOR_NAME = INDICATOR.name


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with session() as opened:
        yield opened


def check(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    publication: Publication,
    rows: Sequence[tuple[object, ...]],
    previous: Sequence[tuple[object, ...]] | None = None,
    contracts: dict = CONTRACTS,  # type: ignore[type-arg]
    as_of: date = DAY,
    health_tables: tuple[str, ...] = (),
) -> dict[str, CheckResult]:
    mart = publication.marts[0]
    attach(connection, write_candidate(folder / "candidate.duckdb", {mart: rows}), "candidate")
    if previous is not None:
        attach(
            connection, write_candidate(folder / "previous.duckdb", {mart: previous}), "previous"
        )
    scope = Scope("candidate", None if previous is None else "previous", as_of, DAY, health_tables)
    results = run(connection, publication, contracts, scope)
    plan = planned(publication, contracts)
    assert [(each.check, each.severity) for each in results] == [
        (each.check, each.severity) for each in plan
    ]
    return {each.check: each for each in results}


def verdict(results: dict[str, CheckResult], publication: Publication) -> Verdict:
    return decide(results.values(), planned(publication, CONTRACTS), POLICY)


def test_good_rows_pass_everything(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    results = check(connection, tmp_path, A, indicator_rows(1, 5))
    assert {each.status for each in results.values()} == {PASSED}
    assert verdict(results, A) is Verdict.PUBLISH


GOOD_ROW = ("FB1", 1, date(2025, 3, 1), 5, "A", "inside", DAY)


@pytest.mark.parametrize(
    ("position", "value", "failing", "expected"),
    [
        pytest.param(0, None, "indicator_code:required", Verdict.REJECT, id="required"),
        pytest.param(0, "fb1", "indicator_code:pattern", Verdict.REJECT, id="pattern"),
        pytest.param(3, -1, "value:minimum", Verdict.REJECT, id="minimum"),
        pytest.param(4, "Z", "obs_status:enum", Verdict.REJECT, id="enum"),
        pytest.param(3, None, "value:value_or_status", Verdict.REJECT, id="rule-block"),
        pytest.param(3, 1001, "value:not_too_high", Verdict.HOLD, id="rule-hold"),
        pytest.param(3, 1.5, "value:whole", Verdict.PUBLISH, id="rule-warn"),
    ],
)
def test_one_bad_row_fails_its_check_alone(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    position: int,
    value: object,
    failing: str,
    expected: Verdict,
) -> None:
    bad = (*GOOD_ROW[:position], value, *GOOD_ROW[position + 1 :])
    results = check(connection, tmp_path, A, [*indicator_rows(1, 5), bad])
    failed = {name: each for name, each in results.items() if each.status is not PASSED}
    assert list(failed) == [f"{INDICATOR_NAME}.{failing}"]
    assert failed[f"{INDICATOR_NAME}.{failing}"].failing == 1
    assert len(failed[f"{INDICATOR_NAME}.{failing}"].failing_keys) == 1
    assert verdict(results, A) is expected


def test_maximum_refuses(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    low = replace(
        INDICATOR,
        columns=tuple(
            replace(each, maximum=4) if each.name == "value" else each for each in INDICATOR.columns
        ),
    )
    contracts = {**CONTRACTS, INDICATOR_NAME: low}
    results = check(connection, tmp_path, A, indicator_rows(1, 5), contracts=contracts)
    assert results[f"{INDICATOR_NAME}.value:maximum"].failing == 2


def test_only_own_rows_count(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [*indicator_rows(1, 5), *indicator_rows(2, -5)]
    assert verdict(check(connection, tmp_path, A, rows), A) is Verdict.PUBLISH


def test_a_repeated_key_fails(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [*indicator_rows(1, 5), *indicator_rows(1, 6)]
    results = check(connection, tmp_path, A, rows)
    assert results[f"{INDICATOR_NAME}:unique_key"].failing == 2
    assert verdict(results, A) is Verdict.REJECT


def test_an_empty_candidate_is_rejected(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    results = check(connection, tmp_path, A, [])
    assert results["not_empty"].status is FAILED
    assert results["not_empty"].observed == 0
    assert verdict(results, A) is Verdict.REJECT


def test_one_all_null_row_is_rejected(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    results = check(connection, tmp_path, REQUESTS, [(None,) * 7])
    assert results[f"{MONTHLY.name}:no_all_null_row"].status is FAILED
    assert verdict(results, REQUESTS) is Verdict.REJECT


def test_a_check_that_raises_is_errored_alone(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    broken = Rule("broken", "value", "CAST(internal_note AS INTEGER) > 0", Severity.WARN)
    contracts = {**CONTRACTS, INDICATOR_NAME: replace(INDICATOR, rules=(broken,))}
    results = check(connection, tmp_path, A, indicator_rows(1, 5), contracts=contracts)
    raised = results[f"{INDICATOR_NAME}.value:broken"]
    assert raised.status is ERRORED
    assert raised.message == "ConversionException"
    assert [each.status for each in results.values()].count(PASSED) == len(results) - 1
    assert decide(results.values(), planned(A, contracts), POLICY) is Verdict.REJECT


def test_no_raw_value_leaves_the_checks(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = [("secret", 1, date(2025, 1, 1), -1, "secret", "secret", DAY)]
    results = check(connection, tmp_path, A, rows, previous=indicator_rows(1, 1))
    assert "secret" not in repr(results)


def test_a_missing_column_and_a_wrong_type_fail(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    columns = tuple(
        replace(each, sql_type="DECIMAL(18,5)") if each.name == "value" else each
        for each in (*INDICATOR.columns, column("unit", "VARCHAR"))
    )
    contracts = {**CONTRACTS, INDICATOR_NAME: replace(INDICATOR, columns=columns)}
    results = check(connection, tmp_path, A, indicator_rows(1, 5), contracts=contracts)
    assert results[f"{INDICATOR_NAME}:columns"].observed == 2


def test_a_missing_mart_errors(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    attach(connection, write_candidate(tmp_path / "x.duckdb", {}), "candidate")
    other = replace(INDICATOR, name="mart_gone")
    publication = replace(A, parts=(replace(A.parts[0], mart="mart_gone"),))
    scope = Scope("candidate", None, DAY, DAY)
    results = run(connection, publication, {"mart_gone": other}, scope)
    assert {each.check: each for each in results}["not_empty"].status is ERRORED


@pytest.mark.parametrize(
    ("counts", "failing", "expected"),
    [
        pytest.param([10, 20, 30], [], Verdict.PUBLISH, id="same"),
        pytest.param([10, 20, 30, 1000], [], Verdict.PUBLISH, id="grown"),
        pytest.param([10, 20], [f"{MONTHLY.name}:coverage"], Verdict.HOLD, id="shrunk"),
        pytest.param(
            [10, 20, 300], [f"{MONTHLY.name}.requests:magnitude"], Verdict.HOLD, id="magnitude"
        ),
        pytest.param(
            [1, 2, 3], [f"{MONTHLY.name}.requests:magnitude"], Verdict.HOLD, id="magnitude-down"
        ),
    ],
)
def test_against_the_last_promoted_version(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    counts: list[int],
    failing: list[str],
    expected: Verdict,
) -> None:
    results = check(
        connection, tmp_path, REQUESTS, request_rows(counts), previous=request_rows([10, 20, 30])
    )
    assert [name for name, each in results.items() if each.status is not PASSED] == failing
    assert verdict(results, REQUESTS) is expected


def test_thresholds_can_be_widened(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    wide = replace(REQUESTS, policy=Policy(0.34, ("requests",), 9.0))
    rows = request_rows([10, 180])
    results = check(connection, tmp_path, wide, rows, previous=request_rows([10, 20, 30]))
    assert verdict(results, wide) is Verdict.PUBLISH


def test_a_promoted_version_of_another_shape_holds(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write_candidate(tmp_path / "candidate.duckdb", {MONTHLY.name: request_rows([1])})
    attach(connection, tmp_path / "candidate.duckdb", "candidate")
    connection.execute("ATTACH ':memory:' AS previous")
    connection.execute(f"CREATE TABLE previous.main.{MONTHLY.name} (month DATE)")
    scope = Scope("candidate", "previous", DAY, DAY)
    results = {each.check: each for each in run(connection, REQUESTS, CONTRACTS, scope)}
    assert results[f"{MONTHLY.name}:coverage"].status is FAILED
    assert verdict(results, REQUESTS) is Verdict.HOLD


@pytest.mark.parametrize(
    ("days", "severity", "expected"),
    [
        pytest.param(3, Severity.HOLD, Verdict.PUBLISH, id="fresh"),
        pytest.param(4, Severity.WARN, Verdict.PUBLISH, id="old-warns"),
        pytest.param(4, Severity.HOLD, Verdict.HOLD, id="old-holds"),
    ],
)
def test_freshness(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    days: int,
    severity: Severity,
    expected: Verdict,
) -> None:
    policy = Policy(max_age_days=3, freshness_severity=severity)
    publication = replace(REQUESTS, policy=policy)
    day = DAY + timedelta(days=days)
    results = check(connection, tmp_path, publication, request_rows([1]), as_of=day)
    assert (results["freshness"].status is PASSED) is (days <= 3)
    assert verdict(results, publication) is expected


def test_a_closed_column_is_rejected(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    bold = replace(REQUESTS, columns=(*REQUESTS.columns, "agent"))
    results = check(connection, tmp_path, bold, request_rows([1]))
    assert MONTHLY.column("agent").classification is Classification.PERSONAL
    assert results["open_columns"].status is FAILED
    assert verdict(results, bold) is Verdict.REJECT


def test_a_published_key_that_repeats_is_rejected(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    narrow = replace(REQUESTS, columns=("month", "requests"), key=("month",))
    results = check(connection, tmp_path, narrow, request_rows([1, 2]))
    assert results["published_key"].failing == 1
    assert verdict(results, narrow) is Verdict.REJECT


@pytest.mark.parametrize("publication", [A, REQUESTS], ids=["internal", "open"])
def test_what_reaches_health_is_rejected(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, publication: Publication
) -> None:
    rows = indicator_rows(1, 5) if publication is A else request_rows([1])
    reached = ("encounter",)
    results = check(connection, tmp_path, publication, rows, health_tables=reached)
    assert results["health"].status is FAILED
    assert results["health"].message == "encounter"
    assert verdict(results, publication) is Verdict.REJECT


def test_health_may_be_kept_in_a_mart_that_is_not_served(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    contracts = {**CONTRACTS, INDICATOR_NAME: replace(INDICATOR, health=True)}
    reached = ("encounter",)
    rows = indicator_rows(1, 5)
    results = check(connection, tmp_path, A, rows, contracts=contracts, health_tables=reached)
    assert results["health"].status is PASSED
