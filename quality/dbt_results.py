"""dbt's artifacts as check results: each model and test counts where it is upstream."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quality.result import CheckResult, CheckStatus, PlannedCheck
from warehouse.contract.model import Severity
from warehouse.publication import Publication

ENGINE = "dbt"

_BUILT = ("model", "seed", "snapshot")
_STATUSES = {
    "pass": CheckStatus.PASSED,
    "success": CheckStatus.PASSED,
    "fail": CheckStatus.FAILED,
    "warn": CheckStatus.FAILED,
    "error": CheckStatus.ERRORED,
    "runtime error": CheckStatus.ERRORED,
    "skipped": CheckStatus.SKIPPED,
}


@dataclass(frozen=True)
class DbtChecks:
    """What dbt should have run and what came of it, over all publications."""

    planned: tuple[PlannedCheck, ...]
    results: tuple[CheckResult, ...]


@dataclass(frozen=True)
class _Node:
    """A model or test of the manifest, as a check."""

    unique_id: str
    check: str
    severity: Severity


def read(run_results: Path, manifest: Path, publications: Iterable[Publication]) -> DbtChecks:
    """The dbt checks of each publication.

    A publication answers for the models that its marts are built from, the marts themselves,
    and every test on any of them.

    Args:
        run_results: dbt's results of this run; may be missing or cut.
        manifest: dbt's manifest of this run; may be missing or cut.
        publications: Whom to give the results to.

    Returns:
        One planned check and one result for each model and test upstream of a publication.
        What has no result is `missing`; without a manifest nothing can be planned, and each
        publication has the one missing check `manifest`.
    """
    known = _load(manifest)
    outcomes = _outcomes(_load(run_results))
    planned: list[PlannedCheck] = []
    results: list[CheckResult] = []
    for publication in publications:
        for node in _nodes(known, publication):
            check = PlannedCheck(publication.name, node.check, ENGINE, node.severity)
            planned.append(check)
            results.append(_result(check, outcomes.get(node.unique_id)))
    return DbtChecks(tuple(planned), tuple(results))


def _load(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _outcomes(run_results: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Results by node; a node with two results has none that can be trusted."""
    found: dict[str, Mapping[str, Any]] = {}
    for result in run_results.get("results") or ():
        unique_id = str(result.get("unique_id"))
        found[unique_id] = {"status": "repeated"} if unique_id in found else result
    return found


def _nodes(manifest: Mapping[str, Any], publication: Publication) -> Sequence[_Node]:
    """The models upstream of the publication's marts, and the tests on them."""
    nodes: Mapping[str, Any] = manifest.get("nodes") or {}
    if not nodes:
        return [_Node("", "manifest", Severity.BLOCK)]
    marts = {
        str(node["name"]): unique_id
        for unique_id, node in nodes.items()
        if node.get("resource_type") == "model"
    }
    found = [
        _Node("", f"model:{mart}", Severity.BLOCK)
        for mart in publication.marts
        if mart not in marts
    ]
    upstream = _upstream(
        manifest.get("parent_map") or {},
        [marts[mart] for mart in publication.marts if mart in marts],
    )
    for unique_id, node in sorted(nodes.items()):
        kind = node.get("resource_type")
        if kind in _BUILT and unique_id in upstream and not _is_ephemeral(node):
            found.append(_Node(unique_id, f"{kind}:{node['name']}", Severity.BLOCK))
        elif kind == "test" and not upstream.isdisjoint(_tested(node)):
            found.append(_Node(unique_id, f"test:{_test_name(unique_id)}", _severity(node)))
    return found


def _upstream(parents: Mapping[str, Sequence[str]], start: Iterable[str]) -> set[str]:
    """The nodes and all their ancestors."""
    seen: set[str] = set()
    todo = list(start)
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo.extend(parents.get(node, ()))
    return seen


def _tested(node: Mapping[str, Any]) -> list[str]:
    """What a test is about: the node it is attached to, else all that it reads."""
    attached = node.get("attached_node")
    if attached:
        return [str(attached)]
    return list((node.get("depends_on") or {}).get("nodes") or ())


def _test_name(unique_id: str) -> str:
    """Name with dbt's own suffix: two tests of equal name stay two checks."""
    return unique_id.split(".", 2)[-1]


def _is_ephemeral(node: Mapping[str, Any]) -> bool:
    return (node.get("config") or {}).get("materialized") == "ephemeral"


def _severity(node: Mapping[str, Any]) -> Severity:
    """`meta.severity: hold` holds; else dbt's own severity, which blocks unless it is `warn`."""
    config = node.get("config") or {}
    meta = {**(node.get("meta") or {}), **(config.get("meta") or {})}
    if str(meta.get("severity", "")).lower() == Severity.HOLD:
        return Severity.HOLD
    if str(config.get("severity", "")).lower() == Severity.WARN:
        return Severity.WARN
    return Severity.BLOCK


def _result(check: PlannedCheck, outcome: Mapping[str, Any] | None) -> CheckResult:
    """The result of a check; a status that is not known counts as errored."""
    if outcome is None:
        status = CheckStatus.MISSING
    else:
        status = _STATUSES.get(str(outcome.get("status")).lower(), CheckStatus.ERRORED)
    failures = outcome.get("failures") if outcome else None
    return CheckResult(
        check.publication,
        check.check,
        check.engine,
        check.severity,
        status,
        observed=failures,
        expected=0 if failures is not None else None,
        failing=failures,
    )
