"""The day of a run is its partition, whatever is done to clocks; it is never the clock's.

A time that a clock leaves out is refused in the contract: the timetable would lose a day there.
"""

import json
import os
import subprocess
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.airflow.orchestra import REPOSITORY

# What the scheduler asks the timetable, day after day, and what a backfill asks it.
ASK = """
import json, sys
from datetime import UTC, datetime
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction
from dags.common import START, daily

cron, zone, first, last = sys.argv[1:]
with DAG("clock", schedule=daily(cron, zone), start_date=START) as dag:
    pass
known = DagSerialization.from_dict(DagSerialization.to_dict(dag))
begin, end = (datetime.fromisoformat(f"{each}T00:00:00+00:00") for each in (first, last))
restriction, keys, info = TimeRestriction(begin, end, catchup=True), [], None
while info := known.timetable.next_dagrun_info_v2(last_dagrun_info=info, restriction=restriction):
    keys.append(info.partition_key)
backfill = [each.partition_key for each in known.iter_dagrun_infos_between(begin, end)]
print(json.dumps({"scheduled": keys, "backfill": backfill}))
"""
# Without a partition and without a day told, a task has no day: it does not take the clock's.
NO_DAY = """
from types import SimpleNamespace
from dags.common import day_of
day_of({"params": {"day": None}, "dag_run": SimpleNamespace(partition_key=None)})
"""
CLOCK = ("now(", "today(", "time.time", "utcnow", "logical_date")


def ask(
    program: Path, home: Path, code: str, *arguments: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - the project's own environment
        [program.with_name("python"), "-P", "-c", code, *arguments],
        env={**os.environ, "AIRFLOW_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("cron", ["30 3 * * *", "0 0 * * *", "59 23 * * *"])
@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param("2025-03-28", "2025-04-02", id="put_forward"),
        pytest.param("2025-10-24", "2025-10-29", id="put_back"),
    ],
)
def test_where_clocks_change_every_day_has_one_run(
    airflow_program: Path, tmp_path: Path, cron: str, first: str, last: str
) -> None:
    done = ask(airflow_program, tmp_path, ASK, cron, "Europe/Berlin", first, last)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    for keys in found.values():
        assert len(keys) >= 4
        days = [date.fromisoformat(each) for each in keys]
        assert days == [days[0] + timedelta(days=number) for number in range(len(days))]


def test_a_run_without_a_day_is_refused(airflow_program: Path, tmp_path: Path) -> None:
    done = ask(airflow_program, tmp_path, NO_DAY)
    assert done.returncode == 1
    assert "the run has no processing day: give a partition key or `day`" in done.stderr


def test_no_dag_looks_at_the_clock() -> None:
    files = sorted((REPOSITORY / "dags").rglob("*.py"))
    assert len(files) > 8
    for path in [*files, REPOSITORY / "pipeline" / "steps.py"]:
        text = path.read_text(encoding="utf-8")
        assert not any(name in text for name in CLOCK), path.name
