"""Airflow over a small Da Nang, and the same city run by the command line beside it.

Both read one demo city, whose Open311 server stands behind one that can refuse. The city's folder
is a copy that tests change. The environment names the demo city's systems, so that the keeper
starts none of its own; the scheduler starts nothing by itself, since a demo city's days are past.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from tests.airflow.flaky import Flaky, flaky
from tests.airflow.listener import Listener, listener
from tests.airflow.processes import is_open, keeper, session_members
from tests.mail_server import Post, mail_server

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = REPOSITORY / ".venv" / "airflow" / "bin" / "airflow"
CITYLAKE = Path(sys.executable).with_name("citylake")
URL = "CITYLAKE_DANANG_OPEN311_URL"
NOWHERE = "http://127.0.0.1:9/georeport/v2"
TOKEN = "CITYLAKE_DEMO_TOKEN"  # noqa: S105 - the name of a variable
SCALE = "0.02"
PATIENCE = 1200
LOOK = 1.0
ENDED = ("success", "failed")

Json = dict[str, Any]


@dataclass
class Orchestra:
    """A running Airflow.

    Attributes:
        city: The folder of the city; a change is seen by the next step, and in the DAGs when
            Airflow has parsed them again.
        home, plain: Lake that Airflow writes, and that of the command line.
        server: Before the Open311 server.
        listener: Told of what passes its deadline.
        lineage: Folder of OpenLineage's events.
        post: Takes the briefs.
    """

    city: Path
    home: Path
    plain: Path
    port: int
    environ: dict[str, str] = field(repr=False)
    server: Flaky
    listener: Listener
    lineage: Path
    post: Post
    clients: dict[str, httpx.Client] = field(default_factory=dict, repr=False)

    def client(self, user: str) -> httpx.Client:
        """A client of the API, logged in by name and password."""
        if user not in self.clients:
            place = self.home / "airflow" / "passwords.json"
            password = json.loads(place.read_text())[user]
            client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE)
            answer = client.post("/auth/token", json={"username": user, "password": password})
            client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
            self.clients[user] = client
        return self.clients[user]

    def get(self, path: str, user: str = "engineer") -> Any:
        """What the API answers."""
        answer = self.client(user).get(f"/api/v2/{path}")
        answer.raise_for_status()
        return answer.json()

    def dags(self) -> dict[str, Json]:
        """Every DAG by its id."""
        return {each["dag_id"]: each for each in self.get("dags?limit=100")["dags"]}

    def unpause(self) -> None:
        """Let every DAG run."""
        for dag in self.dags():
            self.client("engineer").patch(
                f"/api/v2/dags/{dag}", json={"is_paused": False}
            ).raise_for_status()

    def start(self, dag: str, day: str) -> str:
        """Start a run of a day by hand; returns its id."""
        body = {"logical_date": None, "partition_key": day}
        answer = self.client("engineer").post(f"/api/v2/dags/{dag}/dagRuns", json=body)
        answer.raise_for_status()
        return str(answer.json()["dag_run_id"])

    def backfill(self, dag: str, first: str, last: str) -> httpx.Response:
        """Ask Airflow for a backfill of the days from `first` to `last`."""
        body = {
            "dag_id": dag,
            "from_date": f"{first}T00:00:00Z",
            "to_date": f"{last}T23:59:59Z",
            "reprocess_behavior": "completed",
        }
        return self.client("engineer").post("/api/v2/backfills", json=body)

    def log(self, dag: str, run: str, task: str, attempt: int = 1) -> list[Json]:
        """The lines of a task's log."""
        place = f"dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/{attempt}"
        found: list[Json] = self.get(place)["content"]
        return found

    def ingest(self, day: str) -> dict[str, str]:
        """Start every source's DAG for a day; returns the ids of the runs."""
        return {dag: self.start(dag, day) for dag in self.dags() if dag.startswith("ingest_")}

    def runs(self, dag: str, day: str) -> list[Json]:
        """The runs of a DAG with this day as partition."""
        found: list[Json] = self.get(f"dags/{dag}/dagRuns?limit=100")["dag_runs"]
        return [each for each in found if each["partition_key"] == day]

    def tasks(self, dag: str, run: str) -> dict[str, Json]:
        """The task instances of a run by task."""
        found = self.get(f"dags/{dag}/dagRuns/{run}/taskInstances?limit=100")["task_instances"]
        return {each["task_id"]: each for each in found}

    def returned(self, dag: str, run: str, task: str) -> Any:
        """What a task returned."""
        place = f"dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value"
        return self.get(f"{place}?deserialize=true")["value"]

    def ended(self, dag: str, day: str) -> Json:
        """Wait for a run of this day to end; the newest where there are several."""

        def look() -> Json | None:
            runs = self.runs(dag, day)
            newest = runs[-1] if runs else None
            return newest if newest and newest["state"] in ENDED else None

        return self.until(look, f"{dag} of {day}")

    def day(self, day: str) -> None:
        """Wait until a day came through: sources, marts, and each publication's DAG.

        Those that wait for a person are left waiting.
        """
        for dag in self.dags():
            if dag.startswith("ingest_") or dag in ("transform", "reports"):
                ended = self.ended(dag, day)
                assert ended["state"] == "success", self.said(dag, ended["dag_run_id"])

    def said(self, dag: str, run: str) -> str:
        """The states of a run's tasks, and the last errors that the failed ones logged."""
        lines = []
        for name, task in self.tasks(dag, run).items():
            lines.append(f"{dag}.{name}: {task['state']}")
            if task["state"] == "failed":
                log = self.log(dag, run, name, task["try_number"])
                errors = [each for each in log if each.get("level") == "error"]
                lines += [json.dumps(each)[:2000] for each in errors[-4:]]
        return "\n".join(lines)

    def until(self, look: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """Look again and again until there is something."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = look()
            if found:
                return found
            time.sleep(LOOK)
        raise AssertionError(f"{what} did not come in {seconds} seconds")

    def run_plain(self, day: str, *, away: str | None = None) -> int:
        """The same day by the command line, in a lake of its own; returns the exit code.

        Args:
            day: The day.
            away: The variable that has the address of a source that does not answer, or None.
        """
        changed = {away: NOWHERE} if away else {}
        done = self._citylake(self.plain, "run", "--date", day, check=False, changed=changed)
        expected = (1,) if away else (0, 3)
        assert done.returncode in expected, done.stdout + done.stderr
        return done.returncode

    def decide_plain(self, step: str, publication: str, *arguments: str) -> None:
        """Approve or refuse what the command line's run holds."""
        held = self.status(self.plain)["publications"][publication]["waiting"]
        code = "import json, sys; from pipeline import steps; "
        code += f"steps.{step}(*json.loads(sys.argv[1]))"
        given = json.dumps([str(self.city), publication, held, *arguments])
        subprocess.run(  # noqa: S603 - own code
            [sys.executable, "-P", "-c", code, given],
            env={**self.environ, "CITYLAKE_HOME": str(self.plain)},
            check=True,
        )

    def status(self, home: Path) -> Json:
        """What `citylake status` says of a lake."""
        found: Json = json.loads(self._citylake(home, "status", "--json").stdout)
        return found

    def hashes(self, home: Path) -> dict[str, str]:
        """What `citylake hash` says of a lake."""
        found: dict[str, str] = json.loads(self._citylake(home, "hash", "--json").stdout)
        return found

    def _citylake(
        self,
        home: Path,
        command: str,
        *options: str,
        check: bool = True,
        changed: Mapping[str, str] = MappingProxyType({}),
    ) -> "subprocess.CompletedProcess[str]":
        day = options[1] if options[:1] == ("--date",) else ""
        shown = {name: value.replace("{day}", day) for name, value in self.environ.items()}
        return subprocess.run(  # noqa: S603 - the project's command
            [CITYLAKE, command, "--city", str(self.city), *options],
            env={**shown, **changed, "CITYLAKE_HOME": str(home)},
            capture_output=True,
            text=True,
            check=check,
        )


def change(path: Path, old: str, new: str) -> None:
    """Change a file of the city; the change must apply, or the test would test nothing."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def _city(folder: Path) -> Path:
    city = folder / "cities" / "danang"
    shutil.copytree(REPOSITORY / "cities" / "danang", city)
    # Long enough to be answered by a test, short enough to wait for.
    change(city / "city.yaml", "approval_hours: 24", "approval_hours: 0.02")
    for path in (city / "sources").glob("*/*.yaml"):
        change(
            path, "delaySeconds: 60, maxDelaySeconds: 900", "delaySeconds: 1, maxDelaySeconds: 2"
        )
    # Every refusal ends an attempt, so that it is the scheduler that tries again.
    change(
        city / "sources" / "feedback" / "open311.yaml",
        "token_env: CITYLAKE_DANANG_OPEN311_TOKEN",
        "token_env: CITYLAKE_DANANG_OPEN311_TOKEN, attempts: 1",
    )
    change(
        city / "sources" / "feedback" / "open311.yaml",
        "page_size: 1000",
        "page_size: 1000, in_flight: 1",
    )
    change(
        city / "sources" / "feedback" / "open311.yaml",
        "slaProperties:\n",
        "slaProperties:\n  - {property: latency, value: 0.005, unit: h}\n",
    )
    return city


@contextmanager
def _demo() -> Iterator[dict[str, str]]:
    """The demo city without faults of its transport; gives variables, `{day}` in them."""
    command = [sys.executable, "-m", "demo", "serve", "--scale", SCALE, "--no-transport-faults"]
    token = "a-token-of-the-tests"  # noqa: S105 - of servers that live for one test
    process = subprocess.Popen(  # noqa: S603 - own module
        [*command, "--token-variable", TOKEN],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, TOKEN: token},
        cwd=REPOSITORY,
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield {**ready["variables"], **dict.fromkeys(ready["token_variables"], token)}
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def orchestra_in(folder: Path) -> Iterator[Orchestra]:
    """Start everything, and end it."""
    city = _city(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with _demo() as variables:
        scheme, _, rest = variables[URL].partition("://")
        host, _, path = rest.partition("/")
        with flaky(f"{scheme}://{host}") as server, listener() as told, mail_server() as post:
            home, plain, lineage = folder / "lake", folder / "plain", folder / "lineage"
            environ = {
                **os.environ,
                **variables,
                **post.variables,
                URL: f"{server.address}/{path}",
                "CITYLAKE_HOME": str(home),
                "CITYLAKE_NOTIFY_URL": told.address,
                "CITYLAKE_LINEAGE": str(lineage),
            }
            command = [CITYLAKE, "airflow"]
            up = [*command, "up", "--city", str(city), "--port", str(port)]
            try:
                subprocess.run(up, env=environ, check=True, cwd=REPOSITORY)  # noqa: S603 - own command
                yield Orchestra(city, home, plain, port, environ, server, told, lineage, post)
            finally:
                session = keeper(home)
                subprocess.run([*command, "down"], env=environ, check=True)  # noqa: S603 - own command
            # `down` ends the whole of it: its processes, whatever group they are in, and its port.
            assert session_members(session) == []
            assert not is_open(port)
