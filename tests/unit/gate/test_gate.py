from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.gate import GatePolicy, decide, judge
from quality.result import CheckResult, CheckStatus, PlannedCheck, Verdict
from warehouse.contract.model import Severity

POLICY = GatePolicy(required_engines=("contract",))
BLOCK, HOLD, WARN = Severity.BLOCK, Severity.HOLD, Severity.WARN
RANK = {Verdict.PUBLISH: 0, Verdict.HOLD: 1, Verdict.REJECT: 2}


def result(
    check: str = "a", severity: Severity = BLOCK, status: CheckStatus = CheckStatus.PASSED
) -> CheckResult:
    return CheckResult("p", check, "contract", severity, status)


def plan(*results: CheckResult) -> list[PlannedCheck]:
    return [
        PlannedCheck(each.publication, each.check, each.engine, each.severity) for each in results
    ]


@pytest.mark.parametrize(
    ("severity", "status", "verdict"),
    [
        pytest.param(severity, CheckStatus.PASSED, Verdict.PUBLISH, id=f"{severity}-passed")
        for severity in Severity
    ]
    + [
        pytest.param(BLOCK, CheckStatus.FAILED, Verdict.REJECT, id="block-failed"),
        pytest.param(HOLD, CheckStatus.FAILED, Verdict.HOLD, id="hold-failed"),
        pytest.param(WARN, CheckStatus.FAILED, Verdict.PUBLISH, id="warn-failed"),
    ]
    + [
        pytest.param(severity, status, Verdict.REJECT, id=f"{severity}-{status}")
        for severity in Severity
        for status in (CheckStatus.ERRORED, CheckStatus.SKIPPED, CheckStatus.MISSING)
    ],
)
def test_one_check_beside_a_passed_one(
    severity: Severity, status: CheckStatus, verdict: Verdict
) -> None:
    results = [result("other"), result("a", severity, status)]
    assert decide(results, plan(*results), POLICY) is verdict


GOOD = [result("a"), result("b", HOLD), result("c", WARN)]


@pytest.mark.parametrize(
    ("results", "expected", "reason"),
    [
        pytest.param([], plan(*GOOD), "no check has a result", id="no-results"),
        pytest.param([], [], "no check has a result", id="nothing-at-all"),
        pytest.param(GOOD[:2], plan(*GOOD), "has no result", id="warn-missing"),
        pytest.param([*GOOD, GOOD[2]], plan(*GOOD), "has 2 results", id="duplicate"),
        pytest.param(GOOD, plan(*GOOD, GOOD[2]), "planned more than once", id="planned-twice"),
        pytest.param([*GOOD, result("x")], plan(*GOOD), "not planned", id="unplanned"),
        pytest.param(
            [*GOOD, replace(result("x"), publication="q")],
            plan(*GOOD, replace(result("x"), publication="q")),
            "mixed",
            id="two-publications",
        ),
    ],
)
def test_a_broken_plan_rejects(
    results: list[CheckResult], expected: list[PlannedCheck], reason: str
) -> None:
    judgement = judge(results, expected, POLICY)
    assert judgement.verdict is Verdict.REJECT
    assert any(reason in each.text for each in judgement.reasons)


def test_good_results_publish_without_reasons() -> None:
    judgement = judge(GOOD, plan(*GOOD), POLICY)
    assert judgement.verdict is Verdict.PUBLISH
    assert judgement.reasons == ()


def test_an_engine_without_planned_checks_rejects() -> None:
    assert decide(GOOD, plan(*GOOD), GatePolicy()) is Verdict.REJECT


def test_a_result_cannot_soften_the_plan() -> None:
    soft = result("a", WARN, CheckStatus.FAILED)
    assert decide([soft], plan(result("a", BLOCK)), POLICY) is Verdict.REJECT


def test_a_failed_warning_is_told() -> None:
    results = [result("a"), result("b", WARN, CheckStatus.FAILED)]
    judgement = judge(results, plan(*results), POLICY)
    assert judgement.verdict is Verdict.PUBLISH
    assert [reason.effect for reason in judgement.reasons] == [None]


results_of_one_plan = st.lists(
    st.builds(
        result,
        st.text("abcdef", min_size=1, max_size=2),
        st.sampled_from(Severity),
        st.sampled_from(CheckStatus),
    ),
    max_size=6,
    unique_by=lambda each: each.check,
)


@given(results_of_one_plan, st.sampled_from(Severity), st.sampled_from(CheckStatus))
def test_one_more_result_never_makes_it_better(
    results: list[CheckResult], severity: Severity, status: CheckStatus
) -> None:
    more = [*results, result("extra", severity, status)]
    before = RANK[decide(results, plan(*results), POLICY)] if results else 0
    after = RANK[decide(more, plan(*more), POLICY)]
    assert after >= before
    if severity is BLOCK and status is not CheckStatus.PASSED:
        assert after == RANK[Verdict.REJECT]


@given(results_of_one_plan.filter(bool), st.data())
def test_one_result_less_rejects(results: list[CheckResult], data: st.DataObject) -> None:
    gone = data.draw(st.integers(0, len(results) - 1))
    left = results[:gone] + results[gone + 1 :]
    assert decide(left, plan(*results), POLICY) is Verdict.REJECT


@given(results_of_one_plan, st.randoms(use_true_random=False))
def test_order_does_not_matter(results: list[CheckResult], random: object) -> None:
    shuffled = list(results)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judge(results, plan(*shuffled), POLICY) == judge(shuffled, plan(*results), POLICY)
