"""A day under Airflow beside its steps called alone: what the scheduler costs a task."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.line import HOME, Line, environment
from bench.measure import BenchError, Measured, run
from pipeline.demo import DemoSettings, demo_servers, history_of
from pipeline.orchestration.plan import read_plan
from pipeline.settings import city_folder
from warehouse.city import load_city

CITY = "danang"
SECONDS_A_TASK = 2.0
TASKS_OF_A_SOURCE, TASKS_OF_TRANSFORM = 3, 4
PATIENCE_SECONDS = 600
LOOK_SECONDS = 0.5


class OrchestrationLine(Line):
    """The demo city's newest day: every source, then the marts; one DAG after the other.

    Ours is the sum of what the task instances took, each in a process of its own.
    """

    name = "airflow"
    title = "a day under Airflow; the limit is its steps in one process"
    ratio = 1.0
    repeats = 1
    max_mib = 2048

    def prepare(self) -> None:
        """The city's contracts are there."""

    @contextmanager
    def standing(self) -> Iterator[None]:
        """The demo city's systems."""
        city = load_city(city_folder(CITY))
        first, _ = history_of(city)
        settings = DemoSettings(1022, 0.02, first, city.default_date)
        self._day = city.default_date.isoformat()
        with demo_servers(settings) as servers:
            self._variables = {**servers.addresses, **servers.tokens}
            yield

    def measure_slack(self, folder: Path) -> float:
        """Two seconds a task."""
        sources = len(read_plan(CITY).sources)
        return SECONDS_A_TASK * (sources * TASKS_OF_A_SOURCE + TASKS_OF_TRANSFORM)

    def limit(self, folder: Path) -> Measured:
        """The steps, called alone."""
        variables = environment(**{HOME: folder}, **self._variables)
        return run("bench.limit.steps", CITY, self._day, environment=variables)

    def ours(self, folder: Path) -> Measured:
        """The same by the scheduler."""
        with _airflow(folder, self._variables) as (client, keeper):
            peak = _Memory(keeper)
            sources = [f"ingest_{each.id}" for each in read_plan(CITY).sources]
            for dag in (*sources, "transform"):
                _call(client, "PATCH", f"dags/{dag}", {"is_paused": False})
            seconds = sum(self._run_of(client, dag, starts=True) for dag in sources)
            seconds += self._run_of(client, "transform", starts=False)
            return Measured(seconds, peak.stop())

    def differences(self, limit: Path, ours: Path) -> list[str]:
        """The content hashes of both lakes."""
        left, right = (_hashes(folder, self._variables) for folder in (limit, ours))
        return [f"{name} differs" for name in left if left[name] != right.get(name)]

    def _run_of(self, client: httpx.Client, dag: str, *, starts: bool) -> float:
        """Seconds that the tasks of a run of the day took."""
        if starts:
            body = {"logical_date": None, "partition_key": self._day}
            _call(client, "POST", f"dags/{dag}/dagRuns", body)
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            found = _call(client, "GET", f"dags/{dag}/dagRuns?limit=1")["dag_runs"]
            if found and found[0]["state"] == "failed":
                raise BenchError(f"{dag} failed")
            if found and found[0]["state"] == "success":
                place = f"dags/{dag}/dagRuns/{found[0]['dag_run_id']}/taskInstances"
                return sum(map(_seconds, _call(client, "GET", place)["task_instances"]))
            time.sleep(LOOK_SECONDS)
        raise BenchError(f"{dag} did not end in {PATIENCE_SECONDS} seconds")


def _seconds(task: dict[str, Any]) -> float:
    """From when the scheduler handed a task over to when it ended."""
    queued, ended = (datetime.fromisoformat(task[name]) for name in ("queued_when", "end_date"))
    return (ended - queued).total_seconds()


def _call(client: httpx.Client, method: str, path: str, body: Any = None) -> Any:
    answer = client.request(method, f"/api/v2/{path}", json=body)
    if answer.is_error:
        raise BenchError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
    return answer.json()


@contextmanager
def _airflow(
    home: Path, variables: dict[str, str]
) -> Iterator[tuple[httpx.Client, psutil.Process]]:
    """Airflow in a lake of its own: a client of its API, and its keeper."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = [str(Path(sys.executable).with_name("citylake")), "airflow"]
    environ = environment(**{HOME: home}, **variables)
    try:
        subprocess.run(  # noqa: S603 - the project's own command
            [*program, "up", "--city", CITY, "--port", str(port)],
            env=environ,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        told = json.loads((home / "airflow" / "keeper.json").read_text())
        passwords = json.loads((home / "airflow" / "passwords.json").read_text())
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            name = {"username": "admin", "password": passwords["admin"]}
            token = client.post("/auth/token", json=name).json()["access_token"]
            client.headers["authorization"] = f"Bearer {token}"
            yield client, psutil.Process(told["pid"])
    finally:
        subprocess.run(  # noqa: S603 - the project's own command
            [*program, "down"], env=environ, check=True, stdout=subprocess.DEVNULL
        )


def _hashes(home: Path, variables: dict[str, str]) -> dict[str, str]:
    program = [str(Path(sys.executable).with_name("citylake")), "hash", "--city", CITY, "--json"]
    done = subprocess.run(  # noqa: S603 - the project's own command
        program,
        env=environment(**{HOME: home}, **variables),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


class _Memory:
    """Watches what a keeper and everything below it take up, shared pages counted once."""

    def __init__(self, keeper: psutil.Process) -> None:
        self._keeper = keeper
        self._ended = threading.Event()
        self._peak = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """End watching; the peak in MiB."""
        self._ended.set()
        self._thread.join()
        return self._peak / 2**20

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            total = 0
            for each in (self._keeper, *self._keeper.children(recursive=True)):
                with suppress(psutil.Error):
                    total += each.memory_full_info().pss
            self._peak = max(self._peak, total)
