"""Great Expectations as an engine of the gate: the asking side, which never imports it."""

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quality.gx_environment import GxEnvironmentError, interpreter
from quality.result import CheckResult, CheckStatus, PlannedCheck
from quality.row_checks import SAMPLE, key_hash
from quality.suites import SuiteCheck, suite
from warehouse.contract.model import TableContract
from warehouse.errors import CitylakeError
from warehouse.files import scratch
from warehouse.fork_server import ForkServer, ForkServerError
from warehouse.mart_file import rows_sql
from warehouse.publication import Publication

ENGINE = "gx"

_SERVER = ForkServer("quality.gx", "Great Expectations", interpreter=interpreter)
_PROJECT = Path(__file__).resolve().parents[1]
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LC_CTYPE")


def warm(work: Path) -> None:
    """Let Great Expectations be imported while something else is done.

    Args:
        work: Scratch folder of the city.
    """
    # Where it cannot start now, `run` fails as well and every check is missing.
    with suppress(OSError, ForkServerError):
        _SERVER.warm(work.resolve(), _environment(work), work.resolve() / "gx.log")


def planned(publication: Publication, contracts: Mapping[str, TableContract]) -> list[PlannedCheck]:
    """The checks that `run` gives a result of, whatever happens.

    Raises:
        KeyError: when a mart of the publication has no contract.
    """
    return [
        PlannedCheck(publication.name, each.check, ENGINE, each.severity)
        for each in suite(publication, contracts)
    ]


def run(
    publication: Publication,
    contracts: Mapping[str, TableContract],
    candidate: Path,
    previous_rows: Mapping[str, int],
    work: Path,
) -> list[CheckResult]:
    """Validate a publication's rows of a candidate against its suite, in a process of its own.

    Args:
        publication: Names rows, thresholds and expectations.
        contracts: Mart contracts by name.
        candidate: The mart file; only read.
        previous_rows: Mart -> number of rows that were promoted last.
        work: Scratch folder of the city.

    Returns:
        One result for each planned check; every one is missing where the process did not come to
        its end (its log stays below `work` until the next run). Messages and samples hold counts
        and hashes only.
    """
    checks = suite(publication, contracts, previous_rows)
    try:
        answers = ask(_frames(publication, contracts, checks), candidate, work)
    except GxError as error:
        return [missing(publication.name, each, str(error)) for each in checks]
    return [result(publication.name, each, answers.get(each.check)) for each in checks]


@dataclass(frozen=True)
class Frame:
    """Rows that are asked about.

    Attributes:
        name: Names it in the request.
        rows: SELECT text of the rows.
        key: Columns by whose hash a failing row is named.
        checks: On it; their names are unique in a request.
        columns: Declared type by column, where the structure is asked about.
    """

    name: str
    rows: str
    key: Sequence[str]
    checks: Sequence[SuiteCheck]
    columns: Mapping[str, str] = field(default_factory=dict)


class GxError(CitylakeError):
    """Great Expectations gave no answers; the text says why, without a path."""


def _frames(
    publication: Publication, contracts: Mapping[str, TableContract], checks: Sequence[SuiteCheck]
) -> list[Frame]:
    """The publication's rows of each of its marts, with their checks."""
    return [
        Frame(
            mart,
            rows_sql("candidate", mart, publication.parts),
            contracts[mart].key,
            tuple(each for each in checks if each.mart == mart),
            {each.name: each.sql_type for each in contracts[mart].columns},
        )
        for mart in publication.marts
    ]


def ask(
    frames: Sequence[Frame], candidate: Path | None, work: Path
) -> dict[str, Mapping[str, Any]]:
    """Validate frames in a process of its own.

    Args:
        frames: What is asked about.
        candidate: The mart file that rows are read from; None where no frame reads one.
        work: Scratch folder of the city.

    Returns:
        The answers by check.

    Raises:
        GxError: when the process did not come to its end.
    """
    folder = scratch(work.resolve(), "gx")
    folder.mkdir(parents=True)
    try:
        answers = _ask(_request(frames, candidate, folder), folder)
    except GxEnvironmentError as error:
        raise GxError(str(error)) from error
    except (OSError, ValueError, ForkServerError) as error:
        raise GxError(type(error).__name__) from error
    shutil.rmtree(folder)
    return answers


def _request(frames: Sequence[Frame], candidate: Path | None, folder: Path) -> dict[str, Any]:
    """What `quality.gx.validate` is asked, as plain JSON."""
    return {
        "candidate": str(candidate.resolve()) if candidate else None,
        "folder": str(folder),
        "answers": str(folder / "answers.json"),
        "sample": SAMPLE,
        "marts": [
            {
                "mart": frame.name,
                "rows": frame.rows,
                "surrogate": key_hash(frame.key),
                "columns": dict(frame.columns),
                "checks": [
                    {
                        "check": each.check,
                        "kind": each.kind,
                        "arguments": dict(each.arguments),
                        "frame": each.frame,
                        "is_open": each.is_open,
                    }
                    for each in frame.checks
                ],
            }
            for frame in frames
        ],
    }


def _ask(request: Mapping[str, Any], folder: Path) -> dict[str, Mapping[str, Any]]:
    """The answers by check; what has two counts as errored.

    Raises:
        ForkServerError: when the server ended.
        OSError, ValueError: when the process left no answers that can be read.
    """
    code = _SERVER.run(request, folder, _environment(folder), folder / "gx.log")
    if code != 0:
        raise ForkServerError(f"Great Expectations ended with {code}; see {folder}")
    answers: dict[str, Mapping[str, Any]] = {}
    for answer in _read(Path(request["answers"])):
        name = str(answer["check"])
        answers[name] = {"raised": "repeated"} if name in answers else answer
    return answers


def _read(path: Path) -> Iterable[Mapping[str, Any]]:
    content = json.loads(path.read_bytes())
    if not isinstance(content, list) or not all("check" in each for each in content):
        raise ValueError("no list of answers")
    return content


def _environment(folder: Path) -> dict[str, str]:
    """Only what a process needs; no settings of the user's, no telemetry, nowhere to write."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {
        # The project is not installed where Great Expectations is.
        "PYTHONPATH": str(_PROJECT),
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # Great Expectations keeps a file in the home folder; here there can be none.
        "HOME": os.devnull,
        "TMPDIR": str(folder.resolve()),
        # Idle threads of linear algebra do not survive a fork and are not needed.
        "OPENBLAS_NUM_THREADS": "1",
    }


def missing(publication: str, each: SuiteCheck, message: str) -> CheckResult:
    """The result of a check that has none."""
    return CheckResult(
        publication, each.check, ENGINE, each.severity, CheckStatus.MISSING, message=message
    )


def result(publication: str, each: SuiteCheck, answer: Mapping[str, Any] | None) -> CheckResult:
    """The result of a check; only `success: true` or `false` without an exception count."""
    if answer is None:
        return missing(publication, each, "")
    success = answer.get("success")
    is_clean = not answer.get("raised") and isinstance(success, bool)
    status = CheckStatus.ERRORED
    if is_clean:
        status = CheckStatus.PASSED if success else CheckStatus.FAILED
    return CheckResult(
        publication,
        each.check,
        ENGINE,
        each.severity,
        status,
        observed=answer.get("observed") if is_clean else None,
        expected=_expected(each),
        failing=answer.get("failing") if is_clean else None,
        failing_keys=tuple(answer.get("keys", ())) if is_clean else (),
        message=str(answer.get("raised") or ""),
    )


def _expected(each: SuiteCheck) -> dict[str, Any]:
    """The expectation; of columns that are not open only what kind it is."""
    shown = dict(each.arguments) if each.is_open else {}
    return {"type": each.kind, "kwargs": shown} if shown else {"type": each.kind}
