"""Tasks whose story no day of the demo city tells, each called alone as Airflow would call it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import city_paths
from quality.decisions import record_decisions
from tests.airflow.orchestra import REPOSITORY
from warehouse.promotion_record import RUN, Record, create_record, record_path

# Calls what a task calls, with the context that Airflow would give it.
CALL = """
import json, sys
from types import SimpleNamespace
import dags.maintenance, dags.publish
from dags.factory import city_dags

dag, task, pulled = json.loads(sys.argv[1])
told = SimpleNamespace(xcom_pull=lambda task_ids, key: pulled.get(f"{task_ids}.{key}"))
context = {"ti": told, "params": {}, "dag_run": SimpleNamespace(partition_key="2025-07-02")}
dags.maintenance.get_current_context = dags.publish.get_current_context = lambda: context
(found,) = [each for each in city_dags() if each.dag_id == dag]
try:
    said = found.get_task(task).python_callable()
    print(json.dumps(["returned", said]))
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""
# The same over steps that write nothing, and what the task tells of it to what follows.
TOLD = """
import json, sys
from types import SimpleNamespace
import dags.publish
from dags.factory import city_dags
from pipeline import status, steps

class Events(dict):
    def __missing__(self, asset):
        days = []
        self[asset] = SimpleNamespace(uri=asset.uri, days=days, add_partitions=days.append)
        return self[asset]

dag, task, pulled = json.loads(sys.argv[1])
told = SimpleNamespace(xcom_pull=lambda task_ids, key: pulled.get(f"{task_ids}.{key}"))
events = Events()
run = SimpleNamespace(partition_key="2025-07-02")
context = {"ti": told, "params": {}, "dag_run": run, "outlet_events": events}
dags.publish.get_current_context = lambda: context
status.is_waiting = lambda *given: True
steps.approve = steps.refuse = lambda *given: {"record": 7, "given": given}
(found,) = [each for each in city_dags() if each.dag_id == dag]
said = found.get_task(task).python_callable()
print(json.dumps([said, [[each.uri, each.days, each.extra] for each in events.values()]]))
"""
PUBLISH = "publish_service-request-monthly"
GATE = {"gate.event": {"candidate": "a" * 64, "record": 1, "verdict": "hold"}}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path / "lake"))
    return tmp_path


def _answer(name: str | None) -> dict[str, Any]:
    user = {"id": name, "name": name} if name else None
    return {"approval.answer": {"chosen_options": ["Reject"], "responded_by_user": user}}


def _called(
    program: Path, home: Path, dag: str, task: str, pulled: dict[str, Any], code: str = CALL
) -> list[Any]:
    done = subprocess.run(  # noqa: S603 - own program
        [program.with_name("python"), "-c", code, json.dumps([dag, task, pulled])],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "AIRFLOW_HOME": str(home / "airflow"),
            "CITYLAKE_CITY": "danang",
            "PYTHONPATH": str(REPOSITORY),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("answered", "kind", "told"),
    [
        pytest.param(_answer("lan"), "OrchestrationError", "the no of lan came too late", id="no"),
        pytest.param(_answer(None), "AirflowSkipException", "does not wait any more", id="silence"),
        pytest.param({}, "AirflowSkipException", "nothing was held", id="no_question"),
    ],
)
def test_an_answer_to_what_waits_no_more_enters_nothing(
    airflow_program: Path, home: Path, answered: dict[str, Any], kind: str, told: str
) -> None:
    failed = _called(airflow_program, home, PUBLISH, "refuse", {**GATE, **answered})
    assert failed[0] == kind
    assert told in failed[1]
    assert list((home / "lake").rglob("*.json")) == []


@pytest.mark.parametrize(
    ("task", "option", "person"),
    [
        ("approve", "Approve", "approver"),
        ("refuse", "Reject", "approver"),
        ("refuse", "Reject", None),
    ],
)
def test_what_follows_records_is_told_of_a_decision(
    airflow_program: Path, home: Path, task: str, option: str, person: str | None
) -> None:
    answered = _answer(person)
    answered["approval.answer"]["chosen_options"] = [option]
    pulled = {**GATE, **answered}
    said, events = _called(airflow_program, home, PUBLISH, task, pulled, TOLD)
    given = ["danang", "service-request-monthly", "a" * 64, person]
    assert said == {"record": 7, "given": given}
    extra = {"day": "2025-07-02", "record": 7}
    assert events == [["citylake://danang/promotion", ["2025-07-02"], extra]]


def test_approval_needs_the_name_of_an_approver(airflow_program: Path, home: Path) -> None:
    yes = {"chosen_options": ["Approve"], "responded_by_user": {"id": "admin", "name": "admin"}}
    failed = _called(airflow_program, home, PUBLISH, "approve", {**GATE, "approval.answer": yes})
    assert failed == ["TriggerError", "nobody who may approve has answered"]


def test_a_promotion_record_that_was_changed_fails_the_ledger_check(
    airflow_program: Path, home: Path
) -> None:
    paths = city_paths("danang")
    assert create_record(paths, Record(1, RUN, None, {}))
    assert record_decisions(paths) == 1
    call = (airflow_program, home, "maintenance", "ledger", {})
    assert _called(*call) == ["returned", {"problems": []}]
    record = record_path(paths, 1)
    text = record.read_text(encoding="utf-8")
    assert '"run"' in text
    record.write_text(text.replace('"run"', '"rum"'), encoding="utf-8")
    kind, told = _called(*call)
    # Trying again is of no use.
    assert kind == "AirflowFailException"
    assert told == "promotion record 1 is not the one that the ledger records"
