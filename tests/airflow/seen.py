"""What is seen of a running Airflow from outside: its processes, notices, secrets and releases."""

import json

import httpx
import psutil

from tests.airflow.orchestra import URL, Json, Orchestra
from tests.airflow.processes import task_process


def process_of_attempt(orchestra: Orchestra, dag: str, day: str, attempt: int) -> psutil.Process:
    """The process of an attempt to extract, once its request waits before the server."""

    def look() -> psutil.Process | None:
        (run,) = orchestra.runs(dag, day)
        task = orchestra.tasks(dag, run["dag_run_id"]).get("extract")
        if task is None or task["state"] != "running" or orchestra.server.waited != attempt:
            return None
        return task_process(orchestra.home, task["id"]) if task["try_number"] == attempt else None

    found: psutil.Process = orchestra.until(look, f"attempt {attempt} to extract")
    return found


def notices(orchestra: Orchestra) -> list[Json]:
    """What the journal says of deadlines."""
    folder = orchestra.home / "danang" / "journal" / "deadlines"
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.iterdir())]


def passwords(orchestra: Orchestra) -> list[str]:
    """The passwords of all users."""
    text = (orchestra.home / "airflow" / "passwords.json").read_text()
    return list(json.loads(text).values())


def requests_of(orchestra: Orchestra, day: str) -> list[Json]:
    """What the Open311 server tells of a day."""
    address = orchestra.environ[URL].replace("{day}", day)
    token = orchestra.environ["CITYLAKE_DANANG_OPEN311_TOKEN"]
    answer = httpx.get(
        f"{address.rstrip('/')}/requests.json",
        params={"page_size": 200},
        headers={"authorization": f"Bearer {token}"},
    )
    answer.raise_for_status()
    found: list[Json] = answer.json()
    return found


def latest(orchestra: Orchestra, dataset: str) -> bytes:
    """What says which release of a dataset is the newest."""
    return (orchestra.home / "danang" / "releases" / dataset / "latest.json").read_bytes()
