"""Rules of table and source contracts that leave a row in core, at the gate."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from quality.checking import check
from quality.core_checks import CoreScope, planned, run
from quality.result import CheckStatus, Verdict
from tests.unit.gate.small_city import CONTRACTS, DAY, A, B, city_paths
from tests.unit.gate.test_checking import built
from tests.unit.lake.streams import (
    DAY_1,
    DAY_2,
    load,
    new_lake,
    record,
    request_source,
    request_table,
)
from warehouse.contract.model import Rule, Severity

CLOSED = "status <> 'closed'"


def scope(
    tmp_path: Path, table_rules: Sequence[Rule] = (), source_rules: Sequence[Rule] = ()
) -> CoreScope:
    """Publication `a` is built from three requests, one of them closed."""
    lake = new_lake(tmp_path / "lake")
    load(lake, [record("1"), record("2", "closed"), record("3")], DAY_1)
    table = replace(request_table(), rules=tuple(table_rules))
    sources = [request_source(rules=tuple(source_rules))]
    snapshots = {"request": lake.snapshot("core", "request")}
    return CoreScope({"a": [table], "b": []}, sources, snapshots, DAY_2)


def told(severity: Severity, expression: str = CLOSED) -> Rule:
    return Rule("not_closed", "status", expression, severity)


@pytest.mark.parametrize(
    ("severity", "verdict"), [(Severity.HOLD, Verdict.HOLD), (Severity.WARN, Verdict.PUBLISH)]
)
def test_a_broken_rule_of_a_table_is_judged(
    tmp_path: Path, severity: Severity, verdict: Verdict
) -> None:
    core = scope(tmp_path, [told(severity)])
    paths = city_paths(tmp_path)
    days = {"a": DAY, "b": DAY}
    found = {
        each.publication.name: each
        for each in check(paths, built(paths), [A, B], CONTRACTS, days, core=core)
    }
    assert found["a"].verdict is verdict
    assert found["a"].failing == ("core.request.status:not_closed",)
    assert found["b"].verdict is Verdict.PUBLISH
    assert found["b"].failing == ()


def test_failing_rows_are_counted_and_named_by_hashes(tmp_path: Path) -> None:
    (result,) = run(scope(tmp_path, [told(Severity.HOLD)]))
    assert (result.status, result.failing, result.observed) == (CheckStatus.FAILED, 1, 1)
    (key,) = result.failing_keys
    assert len(key) == 16
    assert result.message == "1 of 3 rows of core"


def test_a_rule_of_a_source_looks_at_its_rows_alone(tmp_path: Path) -> None:
    core = scope(tmp_path, source_rules=[told(Severity.WARN)])
    (result,) = run(core)
    assert result.check == "core.request.status:not_closed@feedback.requests"
    assert result.failing == 1
    other = replace(core, sources=[replace(core.sources[0], id="feedback.other")])
    assert [each.status for each in run(other)] == [CheckStatus.PASSED]


def test_the_day_of_a_rule_is_the_processing_day(tmp_path: Path) -> None:
    rule = told(Severity.HOLD, "_as_of = DATE '2025-03-09'")
    assert [each.status for each in run(scope(tmp_path, [rule]))] == [CheckStatus.PASSED]


def test_rules_that_quarantine_are_not_asked_again(tmp_path: Path) -> None:
    core = scope(tmp_path, [told(Severity.BLOCK)])
    assert planned("a", core) == run(core) == []


def test_a_table_that_is_not_there_breaks_nothing(tmp_path: Path) -> None:
    core = replace(scope(tmp_path, [told(Severity.HOLD)]), snapshots={})
    assert [each.status for each in run(core)] == [CheckStatus.PASSED]


def test_a_rule_that_cannot_be_evaluated_rejects(tmp_path: Path) -> None:
    core = scope(tmp_path, [told(Severity.WARN, "status::INTEGER > 0")])
    (result,) = run(core)
    assert (result.status, result.message) == (CheckStatus.ERRORED, "ConversionException")
    paths = city_paths(tmp_path)
    found = check(paths, built(paths), [A], CONTRACTS, {"a": DAY}, core=core)
    assert [each.verdict for each in found] == [Verdict.REJECT]
