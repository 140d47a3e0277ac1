"""The journal of check results: one file a run."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from quality.result import CheckResult
from warehouse.files import canonical_json, replace_content
from warehouse.paths import CityPaths


def plain(result: CheckResult) -> dict[str, Any]:
    """A check result as plain JSON, without the name of its publication."""
    fields = asdict(result)
    del fields["publication"]
    return {
        **fields,
        "severity": str(result.severity),
        "status": str(result.status),
        "failing_keys": list(result.failing_keys),
    }


def write(paths: CityPaths, run_id: str, results: Iterable[CheckResult]) -> Path:
    """Write the check results of a run to `journal/checks/<run_id>.json`.

    Returns:
        The file.
    """
    path = _file(paths, run_id)
    by_publication: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        by_publication.setdefault(result.publication, []).append(plain(result))
    replace_content(path, canonical_json({"run": run_id, "checks": by_publication}), paths.work)
    return path


def read(paths: CityPaths, run_id: str) -> dict[str, list[dict[str, Any]]] | None:
    """The check results of a run by publication, as `plain` gave them; None where they are gone."""
    path = _file(paths, run_id)
    if not path.is_file():
        return None
    found: dict[str, list[dict[str, Any]]] = json.loads(path.read_bytes())["checks"]
    return found


def _file(paths: CityPaths, run_id: str) -> Path:
    return paths.journal / "checks" / f"{run_id}.json"
