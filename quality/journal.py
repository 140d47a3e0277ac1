"""The journal of check results: one file a run, of old runs a line each in files put together."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from quality.result import CheckResult
from warehouse.boundary import reached
from warehouse.files import canonical_json, create_exclusively, digest, replace_content
from warehouse.paths import CityPaths

FOLDER = "checks"
# The newest runs have a file each; what is older is put together, so many at least.
_ALONE = 100


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
    content = _content(paths, run_id)
    if content is None:
        return None
    found: dict[str, list[dict[str, Any]]] = json.loads(content)["checks"]
    return found


def gather(paths: CityPaths) -> int:
    """Put the files of older runs together as `journal/checks/<number>.jsonl`, a line each.

    A line is what the run's file held. A run that was checked again afterwards has a file of its
    own again, which counts before every line; of several lines that of the highest number. The
    caller holds the city's lock, so that no run is checked meanwhile.

    Returns:
        How many files went.
    """
    folder = paths.journal / FOLDER
    alone = sorted(folder.glob("*.json"))
    if len(alone) < 2 * _ALONE:
        return 0
    older = {path.stem: path.read_bytes() for path in alone[:-_ALONE]}
    known: dict[str, str] = {}
    for run_id, line in _lines(folder):
        if run_id in older:
            known.setdefault(run_id, digest(line))
    # What is there already was put there by a call that was ended before it removed the files.
    fresh = [content for run_id, content in older.items() if known.get(run_id) != digest(content)]
    reached("checks.before_file")
    if fresh and not create_exclusively(_next_bundle(folder), b"".join(fresh), paths.work):
        return 0
    for run_id in older:
        reached("checks.before_unlink")
        _file(paths, run_id).unlink()
    return len(older)


def _content(paths: CityPaths, run_id: str) -> bytes | None:
    """What the file of a run holds, or held."""
    try:
        return _file(paths, run_id).read_bytes()
    except FileNotFoundError:
        lines = _lines(paths.journal / FOLDER)
        return next((line for name, line in lines if name == run_id), None)


def _lines(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Run and line of everything that was put together, the highest number first."""
    for path in sorted(folder.glob("*.jsonl"), reverse=True):
        with path.open("rb") as handle:
            for line in handle:
                # The run's id is the last value of its line: thousands of checks stay unparsed.
                yield line.rpartition(b'"run":"')[2].rstrip(b'"}\n').decode(), line


def _next_bundle(folder: Path) -> Path:
    last = max((int(path.stem) for path in folder.glob("*.jsonl")), default=0)
    return folder / f"{last + 1:06}.jsonl"


def _file(paths: CityPaths, run_id: str) -> Path:
    return paths.journal / FOLDER / f"{run_id}.json"
