import json
from pathlib import Path
from typing import Any

import pytest

from quality.dbt_results import read
from quality.gate import GatePolicy, decide
from quality.result import CheckStatus, Verdict
from tests.unit.gate.small_city import REQUESTS, A
from warehouse.contract.model import Severity

POLICY = GatePolicy(("dbt",))


def model(name: str, **config: Any) -> dict[str, Any]:
    return {"resource_type": "model", "name": name, "config": config}


def generic(attached: str, **config: Any) -> dict[str, Any]:
    return {"resource_type": "test", "attached_node": attached, "config": config}


M = "model.citylake."
T = "test.citylake."
MANIFEST: dict[str, Any] = {
    "nodes": {
        f"{M}int_event": model("int_event"),
        f"{M}int_shared": model("int_shared", materialized="ephemeral"),
        f"{M}int_request": model("int_request"),
        f"{M}mart_city_indicator": model("mart_city_indicator"),
        f"{M}mart_request_monthly": model("mart_request_monthly"),
        f"{M}mart_else": model("mart_else"),
        f"{T}int_not_null.1": generic(f"{M}int_event", severity="ERROR"),
        f"{T}city_hold.2": generic(
            f"{M}mart_city_indicator", severity="warn", meta={"severity": "hold"}
        ),
        f"{T}monthly_warn.3": generic(f"{M}mart_request_monthly", severity="WARN"),
        f"{T}else.4": generic(f"{M}mart_else", severity="ERROR"),
        f"{T}singular.5": {
            "resource_type": "test",
            "config": {},
            "depends_on": {"nodes": [f"{M}int_request", f"{M}mart_else"]},
        },
    },
    "parent_map": {
        f"{M}int_event": ["source.citylake.core.service_request"],
        f"{M}int_shared": [f"{M}int_event"],
        f"{M}int_request": [f"{M}int_shared"],
        f"{M}mart_city_indicator": [f"{M}int_shared"],
        f"{M}mart_request_monthly": [f"{M}int_request"],
        f"{M}mart_else": [f"{M}int_event"],
    },
}
GOOD = {
    f"{M}int_event": "success",
    f"{M}int_request": "success",
    f"{M}mart_city_indicator": "success",
    f"{M}mart_request_monthly": "success",
    f"{M}mart_else": "success",
    f"{T}int_not_null.1": "pass",
    f"{T}city_hold.2": "pass",
    f"{T}monthly_warn.3": "pass",
    f"{T}else.4": "pass",
    f"{T}singular.5": "pass",
}
BOTH = {"a", "request-monthly"}


def verdicts(
    folder: Path, outcomes: dict[str, str] | None, manifest: object = MANIFEST
) -> dict[str, Verdict]:
    results = folder / "run_results.json"
    if outcomes is not None:
        listed = [
            {"unique_id": name, "status": status, "failures": 1 if status == "fail" else None}
            for name, status in outcomes.items()
        ]
        results.write_text(json.dumps({"results": listed}))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    checks = read(results, folder / "manifest.json", [A, REQUESTS])
    return {
        each.name: decide(
            [result for result in checks.results if result.publication == each.name],
            [plan for plan in checks.planned if plan.publication == each.name],
            POLICY,
        )
        for each in (A, REQUESTS)
    }


def test_all_passed(tmp_path: Path) -> None:
    assert set(verdicts(tmp_path, GOOD).values()) == {Verdict.PUBLISH}


@pytest.mark.parametrize(
    ("node", "status", "verdict", "hit"),
    [
        pytest.param(f"{T}int_not_null.1", "fail", Verdict.REJECT, BOTH, id="upstream-of-both"),
        pytest.param(f"{T}singular.5", "fail", Verdict.REJECT, {"request-monthly"}, id="singular"),
        pytest.param(f"{T}else.4", "fail", Verdict.REJECT, set(), id="not-upstream"),
        pytest.param(f"{T}city_hold.2", "warn", Verdict.HOLD, {"a"}, id="hold"),
        pytest.param(f"{T}city_hold.2", "fail", Verdict.HOLD, {"a"}, id="hold-fail"),
        pytest.param(f"{T}monthly_warn.3", "warn", Verdict.REJECT, set(), id="warn"),
        pytest.param(
            f"{T}monthly_warn.3", "skipped", Verdict.REJECT, {"request-monthly"}, id="skipped"
        ),
        pytest.param(f"{T}city_hold.2", "error", Verdict.REJECT, {"a"}, id="errored"),
        pytest.param(f"{T}city_hold.2", "new word", Verdict.REJECT, {"a"}, id="unknown-status"),
        pytest.param(f"{M}int_event", "error", Verdict.REJECT, BOTH, id="model-error"),
        pytest.param(f"{M}mart_city_indicator", "skipped", Verdict.REJECT, {"a"}, id="model-skip"),
    ],
)
def test_one_bad_node_hits_what_is_downstream(
    tmp_path: Path, node: str, status: str, verdict: Verdict, hit: set[str]
) -> None:
    found = verdicts(tmp_path, {**GOOD, node: status})
    assert {name for name, each in found.items() if each is not Verdict.PUBLISH} == hit
    assert {found[name] for name in hit} <= {verdict}


@pytest.mark.parametrize("node", [name for name in GOOD if "else" not in name])
def test_a_node_without_result_rejects(tmp_path: Path, node: str) -> None:
    left = {name: status for name, status in GOOD.items() if name != node}
    assert Verdict.REJECT in verdicts(tmp_path, left).values()


def test_missing_run_results_reject_everything(tmp_path: Path) -> None:
    assert set(verdicts(tmp_path, None).values()) == {Verdict.REJECT}


@pytest.mark.parametrize("text", ["", "[]", '{"results": ['], ids=["empty", "list", "cut"])
def test_broken_run_results_reject_everything(tmp_path: Path, text: str) -> None:
    (tmp_path / "run_results.json").write_text(text)
    assert set(verdicts(tmp_path, None).values()) == {Verdict.REJECT}


@pytest.mark.parametrize("manifest", [{}, [], {"nodes": {}}], ids=["empty", "list", "no-nodes"])
def test_without_manifest_everything_is_rejected(tmp_path: Path, manifest: object) -> None:
    assert set(verdicts(tmp_path, GOOD, manifest).values()) == {Verdict.REJECT}


def test_a_mart_without_model_rejects(tmp_path: Path) -> None:
    nodes = {name: node for name, node in MANIFEST["nodes"].items() if "mart_city" not in name}
    found = verdicts(tmp_path, GOOD, {**MANIFEST, "nodes": nodes})
    assert found == {"a": Verdict.REJECT, "request-monthly": Verdict.PUBLISH}


def test_a_repeated_result_is_errored(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    twice = [{"unique_id": f"{T}int_not_null.1", "status": "pass"}] * 2
    (tmp_path / "run_results.json").write_text(json.dumps({"results": twice}))
    checks = read(tmp_path / "run_results.json", tmp_path / "manifest.json", [A])
    found = {result.check: result.status for result in checks.results}
    assert found["test:int_not_null.1"] is CheckStatus.ERRORED


def test_severities_follow_config_and_meta(tmp_path: Path) -> None:
    verdicts(tmp_path, GOOD)
    checks = read(tmp_path / "run_results.json", tmp_path / "manifest.json", [A, REQUESTS])
    severities = {plan.check: plan.severity for plan in checks.planned}
    assert severities["test:int_not_null.1"] is Severity.BLOCK
    assert severities["test:city_hold.2"] is Severity.HOLD
    assert severities["test:monthly_warn.3"] is Severity.WARN
    assert severities["test:singular.5"] is Severity.BLOCK
    assert "model:int_shared" not in severities
