"""Builds between their steps: folders of the work area, each with a manifest.

`work/parked/<id>/` has the candidate mart file, dbt's artifacts and `build.json` (day, core
versions, input digests), and once it was checked `judgement.json`. A folder gets its name when it
is whole and loses it before anything of it is removed. Of builds that nobody works on, the newest
alone is kept.
"""

import json
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.context import Context
from pipeline.transform import Candidate, Pinned, build_candidate, input_digests
from warehouse.boundary import reached
from warehouse.dbt_build import DbtRun
from warehouse.errors import CitylakeError
from warehouse.files import canonical_json, replace_content, scratch, sync
from warehouse.paths import CityPaths
from warehouse.promotion_plan import Decision
from warehouse.workspace import PARKED, is_alive

_ID = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}", re.ASCII)
_MANIFEST = "build.json"
_JUDGEMENT = "judgement.json"
_CANDIDATE = "candidate.duckdb"
_TARGET = Path("target")


class BuildError(CitylakeError):
    """A build that cannot be checked or promoted, with the reason."""


@dataclass(frozen=True)
class Build:
    """A parked build.

    Attributes:
        id: Name of its folder.
        as_of: Processing day.
        pinned: Core versions that it was built from.
        inputs: Digests of what else it was built from.
        candidate: The mart file and dbt's artifacts.
    """

    id: str
    folder: Path
    as_of: date
    pinned: Pinned
    inputs: Mapping[str, str]
    candidate: Candidate


@dataclass(frozen=True)
class Judgement:
    """What the gate said of a build.

    Attributes:
        after: Number of the promotion record that was in force then; 0 before the first.
        decisions: One a publication.
    """

    after: int
    decisions: tuple[Decision, ...]


def park_build(context: Context, pinned: Pinned, inputs: Mapping[str, str], work: Path) -> Build:
    """Build the candidate in a workspace and park it; older builds that nobody works on go.

    Args:
        context: City and day.
        pinned: Core versions to build from.
        inputs: Digests of what else is built from.
        work: A workspace (`warehouse.workspace.workspace`), which becomes the parked folder: as
            long as it is held no other build removes it.

    Returns:
        The build, whatever dbt said of it.
    """
    built = build_candidate(context, pinned, work)
    manifest = {
        "returncode": built.run.returncode,
        "as_of": context.as_of.isoformat(),
        "versions": {
            name: each.version if each else None for name, each in pinned.snapshots.items()
        },
        "inputs": dict(inputs),
        "files": [str(path) for path in _files() if (work / path).exists()],
    }
    replace_content(work / _MANIFEST, canonical_json(manifest), context.paths.work)
    name = f"{context.as_of.isoformat()}-{secrets.token_hex(4)}"
    folder = _parked(context.paths) / name
    folder.parent.mkdir(exist_ok=True)
    reached("build.before_park")
    work.rename(folder)
    sync(folder.parent)
    reached("build.after_park")
    for other in _parked(context.paths).iterdir():
        if other != folder and not is_alive(other):
            _remove(context.paths, other)
    candidate = _candidate(folder, built.run.returncode)
    return Build(name, folder, context.as_of, pinned, inputs, candidate)


def open_build(context: Context, name: str) -> Build:
    """A parked build as it was left, for the same contracts and code.

    Raises:
        BuildError: when it is gone or not whole, or anything that it follows from has changed.
    """
    folder = _parked(context.paths) / name
    if not _ID.fullmatch(name) or not (folder / _MANIFEST).is_file():
        message = "it was promoted, or a newer build took its place; build again"
        raise BuildError(f"there is no build {name}: {message}")
    manifest = json.loads((folder / _MANIFEST).read_bytes())
    gone = [each for each in manifest["files"] if not (folder / each).exists()]
    if gone:
        raise BuildError(f"build {name} is not whole ({gone[0]} is gone): build again")
    inputs = input_digests(context)
    changed = [each for each in inputs if inputs[each] != manifest["inputs"].get(each)]
    if changed:
        raise BuildError(f"{', '.join(changed)} changed since build {name}: build again")
    pinned = _pinned(context, name, manifest["versions"])
    as_of = date.fromisoformat(manifest["as_of"])
    candidate = _candidate(folder, manifest["returncode"])
    return Build(name, folder, as_of, pinned, manifest["inputs"], candidate)


def parked_versions(paths: CityPaths) -> list[Mapping[str, int | None]]:
    """The core versions that parked builds were built from."""
    manifests = sorted(_parked(paths).glob(f"*/{_MANIFEST}"))
    return [json.loads(path.read_bytes())["versions"] for path in manifests]


def keep_judgement(context: Context, build: Build, judgement: Judgement) -> None:
    """Write beside a build what the gate said of it."""
    content = {
        "after": judgement.after,
        "decisions": [_plain(each) for each in judgement.decisions],
    }
    reached("check.before_judgement")
    replace_content(build.folder / _JUDGEMENT, canonical_json(content), context.paths.work)
    reached("check.after_judgement")


def read_judgement(context: Context, build: Build) -> Judgement:
    """What the gate said of a build.

    Raises:
        BuildError: when it was not checked.
    """
    path = build.folder / _JUDGEMENT
    if not path.is_file():
        raise BuildError(f"build {build.id} is not checked yet")
    kept = json.loads(path.read_bytes())
    decisions = tuple(_decision(context, build, each) for each in kept["decisions"])
    return Judgement(kept["after"], decisions)


def discard_build(paths: CityPaths, name: str) -> None:
    """Remove a build; one that is gone already is no error."""
    _remove(paths, _parked(paths) / name)


def _parked(paths: CityPaths) -> Path:
    return paths.work / PARKED


def _files() -> tuple[Path, ...]:
    """What a build may leave, by its path in the folder."""
    return Path(_CANDIDATE), _TARGET / "run_results.json", _TARGET / "manifest.json"


def _candidate(folder: Path, returncode: int) -> Candidate:
    candidate, run_results, manifest = (folder / each for each in _files())
    run = DbtRun(returncode, run_results, manifest, folder / "dbt" / "dbt.log")
    return Candidate(candidate, run)


def _pinned(context: Context, name: str, versions: Mapping[str, int | None]) -> Pinned:
    snapshots = {
        table: None if version is None else context.lake.kept("core", table, version)
        for table, version in versions.items()
    }
    gone = [
        each for each, version in versions.items() if version is not None and not snapshots[each]
    ]
    if gone:
        raise BuildError(f"build {name} was built from a {gone[0]} that is gone: build again")
    return Pinned(snapshots)


def _remove(paths: CityPaths, folder: Path) -> None:
    """Remove a parked folder, which is no build any more from the first moment on."""
    aside = scratch(paths.work, "old-build")
    try:
        folder.rename(aside)
    except FileNotFoundError:
        # Another process was first.
        return
    shutil.rmtree(aside, ignore_errors=True)


def _plain(decision: Decision) -> dict[str, Any]:
    return {
        "publication": decision.publication.name,
        "verdict": decision.verdict,
        "data_as_of": decision.data_as_of.isoformat(),
        "reasons": list(decision.reasons),
        "pins": dict(decision.pins),
        "checks": list(decision.checks),
        "provenance": dict(decision.provenance),
    }


def _decision(context: Context, build: Build, kept: Mapping[str, Any]) -> Decision:
    return Decision(
        publication=context.registry.publications[kept["publication"]],
        verdict=kept["verdict"],
        data_as_of=date.fromisoformat(kept["data_as_of"]),
        reasons=tuple(kept["reasons"]),
        pins=kept["pins"],
        inputs=build.inputs,
        checks=kept["checks"],
        provenance=kept["provenance"],
    )
