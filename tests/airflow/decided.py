"""What is held in a running Airflow: who answers it, what follows, what the ledger says of it."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.airflow.orchestra import ENDED, PATIENCE, Json, Orchestra

APPROVE = {"chosen_options": ["Approve"], "params_input": {}}
REJECT = {"chosen_options": ["Reject"], "params_input": {}}
READING_SECONDS = 10
ANSWERED, NOT_WAITING = 200, 409
_RULE = """
  - name: {column}_is_nothing
    description: {{vi: Không có gì, en: Nothing at all}}
    type: custom
    engine: greatExpectations
    severity: hold
    implementation:
      type: expect_column_max_to_be_between
      kwargs: {{column: {column}, max_value: 0}}
"""
_PARKED = "awaiting_input"
_KINDS = ("approval", "refusal")
_AT_ONCE_SECONDS = 0.1


@contextmanager
def holding(city: Path, columns: Mapping[str, str]) -> Iterator[None]:
    """Rules that nothing can pass: the gate holds what they are on.

    Args:
        city: The folder of the city.
        columns: Of each dataset a column that has numbers.
    """
    whole = {city / "datasets" / f"{name}.yaml": column for name, column in columns.items()}
    texts = {path: path.read_text(encoding="utf-8") for path in whole}
    try:
        for path, column in whole.items():
            more = _RULE.format(column=column).lstrip("\n")
            path.write_text(f"{texts[path].rstrip()}\n{more}", encoding="utf-8")
        yield
    finally:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")


def answer_path(publication: str, run: str) -> str:
    """Where a run's question is answered."""
    return f"{_task(publication, run)}/-1/hitlDetails"


def waiting(orchestra: Orchestra, publication: str, day: str) -> Json | None:
    """The run of a publication's DAG that waits for a person, if it does."""
    for run in orchestra.runs(f"publish_{publication}", day):
        tasks = orchestra.tasks(f"publish_{publication}", run["dag_run_id"])
        if tasks["approval"]["state"] == _PARKED:
            return run
    return None


def refuse_at_once(orchestra: Orchestra, publication: str, day: str) -> int:
    """Say no in the very moment in which a task waits; again where Airflow lost it and asks again.

    Returns:
        How often it was said.
    """
    dag = f"publish_{publication}"
    run: str = orchestra.until(
        lambda: next((each["dag_run_id"] for each in orchestra.runs(dag, day)), None),
        f"{publication} is judged",
    )
    path, said, until = _task(publication, run), 0, time.monotonic() + PATIENCE
    while time.monotonic() < until:
        state = orchestra.get(path.removeprefix("/api/v2/"))["state"]
        if state == _PARKED:
            # Whoever is asked again reads first: attempts are not without end.
            time.sleep(READING_SECONDS if said else 0)
            answer = orchestra.client("approver").patch(answer_path(publication, run), json=REJECT)
            assert answer.status_code in (ANSWERED, NOT_WAITING), answer.text
            said += answer.status_code == ANSWERED
        elif state in ENDED:
            assert state == "success", orchestra.said(dag, run)
            return said
        time.sleep(_AT_ONCE_SECONDS)
    raise AssertionError(f"{publication}: the task neither waits nor ends")


def started_by(orchestra: Orchestra, dag: str, day: str) -> list[Json]:
    """The events of assets that started the runs of a DAG for a day.

    Airflow does not tell them of a run that has not begun.
    """
    return [
        event
        for run in orchestra.runs(dag, day)
        if run["start_date"]
        for event in orchestra.get(f"dags/{dag}/dagRuns/{run['dag_run_id']}/upstreamAssetEvents")[
            "asset_events"
        ]
    ]


def is_told_of(orchestra: Orchestra, dag: str, day: str, record: int) -> bool:
    """Whether a run of a day was started by what a promotion record led to."""
    try:
        events = started_by(orchestra, dag, day)
    except httpx.HTTPStatusError:
        # Another run that the same event leads to has not begun: Airflow cannot tell of it yet.
        return False
    return any(each["extra"]["record"] == record for each in events)


def ledger_decisions(home: Path) -> list[tuple[str, Json]]:
    """What persons, or silence, decided: kind and publication, and body, of the ledger's entries.

    In which order decisions fall that do not wait for each other is no content.
    """
    found = [json.loads(path.read_text()) for path in sorted((home / "danang/ledger").iterdir())]
    decided = [
        (f"{each['kind']} {each['subject'].rpartition(':')[2]}", each["body"])
        for each in found
        if each["kind"] in _KINDS
    ]
    return sorted(decided, key=lambda each: each[0])


def _task(publication: str, run: str) -> str:
    return f"/api/v2/dags/publish_{publication}/dagRuns/{run}/taskInstances/approval"
