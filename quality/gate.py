"""The gate: from the results of checks to a verdict. Its default is reject."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from quality.result import CheckResult, CheckStatus, PlannedCheck, Verdict
from warehouse.contract.model import Severity

_STRICTNESS = {Severity.WARN: 0, Severity.HOLD: 1, Severity.BLOCK: 2}

Identity = tuple[str, str, str]


@dataclass(frozen=True)
class GatePolicy:
    """What a plan must hold before its results count at all.

    Attributes:
        required_engines: Engines that must have at least one planned check: a plan that lost a
            whole engine rejects instead of passing for want of checks.
    """

    required_engines: tuple[str, ...] = ("contract", "dbt", "gx")


@dataclass(frozen=True)
class Reason:
    """Why a verdict is not `publish`, or a warning beside it.

    Attributes:
        engine, check: The check, both empty when the reason is the plan itself.
        effect: What it does: the verdict it forces, or None for a warning.
        text: One line for people.
    """

    engine: str
    check: str
    effect: Verdict | None
    text: str


@dataclass(frozen=True)
class Judgement:
    """A verdict with its reasons, in the order of engine and check."""

    verdict: Verdict
    reasons: tuple[Reason, ...]


def decide(
    results: Iterable[CheckResult], expected: Iterable[PlannedCheck], policy: GatePolicy
) -> Verdict:
    """The verdict on one candidate.

    Args:
        results: Results of the checks on one publication's candidate.
        expected: The checks that must have run on it, each exactly once.
        policy: What the plan must hold.

    Returns:
        `publish` only when every expected check has exactly one result, nothing else has one,
        and every result passed or is a failed warning; `hold` when in addition checks of
        severity hold failed; `reject` in every other case.
    """
    return judge(results, expected, policy).verdict


def judge(
    results: Iterable[CheckResult], expected: Iterable[PlannedCheck], policy: GatePolicy
) -> Judgement:
    """The verdict of `decide`, with a reason for each thing that stood against publishing."""
    results, expected = list(results), list(expected)
    reasons = _plan_reasons(results, expected, policy)
    severities = _severities(expected)
    for result in results:
        severity = severities.get(_identity(result), Severity.BLOCK)
        reasons.extend(_result_reasons(result, _stricter(result.severity, severity)))
    reasons.sort(key=lambda reason: (reason.engine, reason.check, reason.text))
    return Judgement(_worst(reasons), tuple(reasons))


def _identity(check: CheckResult | PlannedCheck) -> Identity:
    return check.publication, check.engine, check.check


def _stricter(one: Severity, other: Severity) -> Severity:
    return max(one, other, key=_STRICTNESS.__getitem__)


def _severities(expected: Sequence[PlannedCheck]) -> dict[Identity, Severity]:
    """The severity that the plan gives each check, the strictest where it names it twice."""
    severities: dict[Identity, Severity] = {}
    for planned in expected:
        identity = _identity(planned)
        severities[identity] = _stricter(
            planned.severity, severities.get(identity, planned.severity)
        )
    return severities


def _plan_reasons(
    results: Sequence[CheckResult], expected: Sequence[PlannedCheck], policy: GatePolicy
) -> list[Reason]:
    """What is wrong with the plan, or does not match it one to one."""
    reasons = []
    if not results:
        reasons.append(_reject("", "", "no check has a result"))
    names = {result.publication for result in results} | {plan.publication for plan in expected}
    if len(names) > 1:
        reasons.append(_reject("", "", "results of several publications are mixed"))
    for engine in policy.required_engines:
        if engine not in {planned.engine for planned in expected}:
            reasons.append(_reject(engine, "", f"no check of engine {engine} is planned"))
    counted = Counter(_identity(result) for result in results)
    planned = Counter(_identity(check) for check in expected)
    for identity in counted.keys() | planned.keys():
        text = _mismatch(planned[identity], counted[identity])
        if text:
            reasons.append(_reject(identity[1], identity[2], text))
    return reasons


def _mismatch(planned: int, counted: int) -> str:
    """What is wrong with how often a check is planned and has results; empty for once each."""
    if planned == 0:
        return "has a result but is not planned"
    if planned > 1:
        return "is planned more than once"
    if counted == 0:
        return "has no result"
    return f"has {counted} results" if counted > 1 else ""


def _result_reasons(result: CheckResult, severity: Severity) -> list[Reason]:
    """What one result says against publishing; empty when it passed."""
    if result.status is CheckStatus.PASSED:
        return []
    if result.status is not CheckStatus.FAILED:
        text = f"did not run to its end ({result.status})"
        return [_reject(result.engine, result.check, _with_message(text, result))]
    effects = {
        Severity.BLOCK: Verdict.REJECT,
        Severity.HOLD: Verdict.HOLD,
        Severity.WARN: None,
    }
    text = _with_message(f"failed ({severity})", result)
    return [Reason(result.engine, result.check, effects[severity], text)]


def _with_message(text: str, result: CheckResult) -> str:
    many = "row" if result.failing == 1 else "rows"
    rows = "" if result.failing is None else f", {result.failing} {many}"
    return f"{text}{rows}: {result.message}" if result.message else f"{text}{rows}"


def _reject(engine: str, check: str, text: str) -> Reason:
    return Reason(engine, check, Verdict.REJECT, text)


def _worst(reasons: Iterable[Reason]) -> Verdict:
    effects = {reason.effect for reason in reasons}
    if Verdict.REJECT in effects:
        return Verdict.REJECT
    return Verdict.HOLD if Verdict.HOLD in effects else Verdict.PUBLISH
