import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from extract.errors import TerminalError, TransientError
from extract.outcomes import Outcome, gather_outcomes, last_outcome, outcomes, write_outcome
from extract.raw import RawReference
from extract.read import StreamSummary
from warehouse.boundary import KILL_VARIABLE

BOUNDARY = "outcomes.before_unlink"
SUMMARY = StreamSummary(
    [RawReference("d1", "a.csv", 10)], 5, 1, {"new", "also"}, {"a.csv": "utf-8"}, {"blank_line": 2}
)


@pytest.mark.parametrize(
    ("error", "status", "text", "rule"),
    [
        (None, "ok", None, None),
        (TransientError("a.b", "timeout", "no answer"), "transient",
         "source a.b: no answer [timeout]", "timeout"),
        (TerminalError("a.b", "token", "none"), "terminal", "source a.b: none [token]", "token"),
        (ValueError("Nguyễn Văn A"), "failed", "ValueError", None),
    ],
    ids=["ok", "transient", "terminal", "failed"],
)  # fmt: skip
def test_every_attempt_leaves_a_file(
    paths: Any, error: Exception | None, status: str, text: str | None, rule: str | None
) -> None:
    paths.create()
    outcome = Outcome.start("a.b", date(2025, 7, 1))
    ended = outcome.end(SUMMARY, error)
    written = [write_outcome(ended, paths.journal, paths.work) for _ in range(2)]
    assert len(set(written)) == 2
    assert {path.parent for path in written} == {paths.journal / "outcomes"}
    values = json.loads(written[0].read_text("utf-8"))
    assert values.pop("started_at") <= values.pop("ended_at")
    assert values == {
        "source": "a.b", "as_of": "2025-07-01", "status": status, "error": text, "rule": rule,
        "objects": 1, "bytes": 10, "records": 5, "rejected": 1, "digests": ["d1"],
        "undeclared": ["also", "new"], "encodings": {"a.csv": "utf-8"},
        "ignored": {"blank_line": 2}, "notes": [],
    }  # fmt: skip


def test_an_attempt_that_did_not_reach_the_source() -> None:
    ended = Outcome.start("a.b", date(2025, 7, 1)).end(None, TerminalError("a.b", "token", "none"))
    assert (ended.objects, ended.records, ended.status) == (0, 0, "terminal")


@pytest.fixture
def attempts(paths: Any) -> Any:
    """Two hundred and five attempts of one source, some of another."""
    paths.create()
    for number in range(208):
        source = "a.bc" if number % 70 == 69 else "a.b"
        ended = replace(Outcome.start(source, date(2025, 7, 1)).end(SUMMARY), records=number)
        write_outcome(ended, paths.journal, paths.work)
    return paths


def _counted(paths: Any, source: str) -> list[int]:
    return [each["records"] for each in outcomes(paths.journal, source)]


def test_old_attempts_are_put_together_and_read_as_before(attempts: Any) -> None:
    folder = attempts.journal / "outcomes"
    before = {source: _counted(attempts, source) for source in ("a.b", "a.bc")}
    assert gather_outcomes(attempts.journal, "a.bc", attempts.work) == 0
    gone = gather_outcomes(attempts.journal, "a.b", attempts.work)
    assert gone == len(before["a.b"]) - 100
    assert (len(list(folder.glob("*.jsonl"))), len(list(folder.glob("*-a.b-*.json")))) == (1, 100)
    assert {source: _counted(attempts, source) for source in before} == before
    assert (last_outcome(attempts.journal, "a.b") or {})["records"] == before["a.b"][-1]
    assert gather_outcomes(attempts.journal, "a.b", attempts.work) == 0


def test_killed_between_or_twice_at_once_nothing_is_counted_twice(
    attempts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _counted(attempts, "a.b")

    def killed(name: str) -> None:
        if name == BOUNDARY:
            raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr("extract.outcomes.reached", killed)
        with pytest.raises(InterruptedError):
            gather_outcomes(attempts.journal, "a.b", attempts.work)
    assert _counted(attempts, "a.b") == before
    gather_outcomes(attempts.journal, "a.b", attempts.work)
    assert _counted(attempts, "a.b") == before
    assert len(list((attempts.journal / "outcomes").glob("*.jsonl"))) == 1


def test_a_process_that_is_killed_between_loses_and_doubles_no_attempt(attempts: Any) -> None:
    before = _counted(attempts, "a.b")
    script = (
        "from pathlib import Path\n"
        "from extract.outcomes import gather_outcomes\n"
        f"gather_outcomes(Path({str(attempts.journal)!r}), 'a.b', Path({str(attempts.work)!r}))\n"
    )
    ended = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", script], env={**os.environ, KILL_VARIABLE: BOUNDARY}, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    folder = attempts.journal / "outcomes"
    alone = len(list(folder.glob("*-a.b-*.json")))
    assert (len(list(folder.glob("*.jsonl"))), alone) == (1, len(before))
    assert _counted(attempts, "a.b") == before
    gather_outcomes(attempts.journal, "a.b", attempts.work)
    assert _counted(attempts, "a.b") == before
    assert len(list(folder.glob("*-a.b-*.json"))) == 100
