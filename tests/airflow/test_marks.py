"""What belongs to a run is found and told, whatever a worker of Airflow calls itself."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from pipeline.orchestration.session import end_all, mark_of, marked, members
from tests.airflow.orchestra import REPOSITORY

TITLED = """
import setproctitle, time
setproctitle.setproctitle("x" * 4000)
print("titled", flush=True)
time.sleep(600)
"""
DAY = """
import json, sys
from types import SimpleNamespace
from dags.common import day_of
from warehouse.errors import CitylakeError
try:
    day_of({"params": {}, "dag_run": SimpleNamespace(partition_key=json.loads(sys.argv[1]))})
except CitylakeError as error:
    print(error)
"""
# What the policy of every task says of a failure of the first attempt.
POLICY = """
import json
from dags.common import RETRIES
from extract.errors import TerminalError, TransientError
from extract.extraction import ExtractionError
from pipeline.orchestration.errors import OrchestrationError
from reports.brief.mail import MailError, MailLaterError
from warehouse.promotion_record import OvertakenError
failures = [
    TransientError("feedback.open311", "http", "503"),
    MailLaterError("busy"),
    TerminalError("feedback.open311", "http", "404"),
    ExtractionError("gone"),
    OrchestrationError("no day"),
    MailError("no such mailbox"),
    OvertakenError("check again"),
    MemoryError(),
    OSError("no space"),
]
print(json.dumps({
    type(each).__name__: RETRIES.evaluate(each, try_number=1, max_tries=3).action.value
    for each in failures
}))
"""
EXPECTED = {
    "TransientError": "retry",
    "MailLaterError": "retry",
    "TerminalError": "fail",
    "ExtractionError": "fail",
    "OrchestrationError": "fail",
    "MailError": "fail",
    "OvertakenError": "fail",
    # Whatever is no error of ours: as often as the contract says.
    "MemoryError": "default",
    "OSError": "default",
}


def test_a_process_that_writes_its_title_is_ended_with_the_others(
    airflow_program: Path, tmp_path: Path
) -> None:
    python = airflow_program.with_name("python")
    worker = subprocess.Popen(  # noqa: S603 - own program
        [python, "-c", TITLED],
        env={**os.environ, **marked(tmp_path)},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert worker.stdout is not None
        worker.stdout.readline()
        assert members(worker.pid, mark_of(tmp_path)) == [worker.pid]
        end_all(worker.pid, mark_of(tmp_path), 5)
        assert members(worker.pid, mark_of(tmp_path)) == []
    finally:
        worker.kill()
        worker.wait()


@pytest.mark.parametrize(
    ("key", "told"), [(None, "has no processing day"), ("tomorrow", "is no processing day")]
)
def test_a_run_without_a_day_fails_for_good(
    airflow_program: Path, tmp_path: Path, key: str | None, told: str
) -> None:
    assert told in _said(airflow_program, tmp_path, DAY, json.dumps(key))


def test_what_may_pass_is_tried_again_and_nothing_else_of_ours(
    airflow_program: Path, tmp_path: Path
) -> None:
    assert json.loads(_said(airflow_program, tmp_path, POLICY).splitlines()[-1]) == EXPECTED


def _said(program: Path, home: Path, code: str, *arguments: str) -> str:
    """What a program prints that Airflow's own interpreter runs."""
    done = subprocess.run(  # noqa: S603 - own program
        [program.with_name("python"), "-c", code, *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "AIRFLOW_HOME": str(home), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
