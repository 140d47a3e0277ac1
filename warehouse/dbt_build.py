"""Building the marts: one dbt run over pinned inputs, leaving one candidate file."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from warehouse.dbt_inputs import BuildInputs, attach_inputs, read_inputs
from warehouse.dbt_server import DbtServer

__all__ = ["BuildInputs", "DbtRun", "attach_inputs", "build", "read_inputs"]

PROJECT = Path(__file__).resolve().parent.parent / "dbt"
_CANDIDATE = "candidate.duckdb"
_SERVER = DbtServer()
_PARSED = "partial_parse.msgpack"


@dataclass(frozen=True)
class DbtRun:
    """What a dbt run left behind.

    Attributes:
        returncode: 0 when every model was built and no test of severity error failed.
        run_results, manifest: dbt's artifacts; either may be missing after a crash.
        log: What dbt said.
    """

    returncode: int
    run_results: Path
    manifest: Path
    log: Path


def build(inputs: BuildInputs, target: Path, work: Path) -> DbtRun:
    """Build and test all marts.

    dbt runs in `work`, in a process of its own.

    Args:
        inputs: Pinned inputs.
        target: Where dbt's artifacts are kept.
        work: Scratch folder of the run.

    Returns:
        The outcome. The candidate file stands at `inputs.candidate` when dbt came that far, after
        failed tests too; an older file there is gone in any case.

    Raises:
        OSError: when a folder cannot be written.
        DbtServerError: when dbt does not even start.
    """
    work.mkdir(parents=True, exist_ok=True)
    target.mkdir(parents=True, exist_ok=True)
    inputs.candidate.unlink(missing_ok=True)
    scratch = work / _CANDIDATE
    for leftover in (scratch, scratch.with_name(scratch.name + ".wal")):
        leftover.unlink(missing_ok=True)
    for artifact in ("run_results.json", "manifest.json"):
        (target / artifact).unlink(missing_ok=True)
    _reuse_parsed(inputs.cache, target)
    log = work / "dbt.log"
    log.unlink(missing_ok=True)
    returncode = _SERVER.run(
        _arguments(target, work), work.resolve(), _environment(inputs.write(work)), log.resolve()
    )
    _keep_parsed(inputs.cache, target)
    if scratch.exists():
        inputs.candidate.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(scratch, inputs.candidate)
    return DbtRun(returncode, target / "run_results.json", target / "manifest.json", log)


def _arguments(target: Path, work: Path) -> list[str]:
    places = {
        "--project-dir": PROJECT,
        "--profiles-dir": PROJECT,
        "--target-path": target.resolve(),
        "--log-path": (work / "logs").resolve(),
    }
    flags = [str(part) for pair in places.items() for part in pair]
    return ["--no-version-check", "--no-use-colors", "build", *flags]


def _environment(inputs: Path) -> dict[str, str]:
    """This process's environment without what would change dbt's answer or call out."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    kept.pop("PYTHONPATH", None)
    return kept | {
        "CITYLAKE_BUILD": str(inputs.resolve()),
        # Relative and so the same in every run: see dbt/profiles.yml.
        "CITYLAKE_CANDIDATE": _CANDIDATE,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def _reuse_parsed(cache: Path, target: Path) -> None:
    kept = cache / _PARSED
    if kept.exists():
        shutil.copyfile(kept, target / _PARSED)


def _keep_parsed(cache: Path, target: Path) -> None:
    parsed = target / _PARSED
    if parsed.exists():
        cache.mkdir(parents=True, exist_ok=True)
        beside = cache / f"{_PARSED}.{os.getpid()}"
        shutil.copyfile(parsed, beside)
        beside.replace(cache / _PARSED)
