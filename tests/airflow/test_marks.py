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
from dags.common import RETRIES, day_of
from warehouse.errors import CitylakeError
try:
    day_of({"params": {}, "dag_run": SimpleNamespace(partition_key=json.loads(sys.argv[1]))})
except CitylakeError as error:
    print(error)
"""


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
    done = subprocess.run(  # noqa: S603 - own program
        [airflow_program.with_name("python"), "-c", DAY, json.dumps(key)],
        cwd=REPOSITORY,
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told in done.stdout
