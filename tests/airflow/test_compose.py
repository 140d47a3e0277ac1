"""What docker-compose.yml names is started natively, asked after, used and ended."""

import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from pipeline.orchestration.configuration import COMPONENTS
from tests.airflow.composed import GIVEN, Composition, composition, database
from tests.composition import COMPOSE, is_long_running, services

PATIENCE = 400
DAY = "2025-07-03"


@pytest.fixture(scope="module")
def composed(
    airflow_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Composition]:
    """Every service started by its command, in the order of `depends_on`, and well."""
    with composition(tmp_path_factory.mktemp("composed")) as found:
        staying = [
            name for name, each in services(COMPOSE.read_text()).items() if is_long_running(each)
        ]
        assert set(staying) == {"database", "demo", "superset", *COMPONENTS}
        staying.remove("superset")  # started natively by tests/superset
        for name in staying:
            assert found.health(name) != 0, f"{name} is said to be well before it was started"
        with database(found):
            assert found.health("database") == 0
            assert found.run("init") == 0, found.log("init").read_text()
            found.running.clear()
            for name in staying:
                if name != "database":
                    found.start(name)
            for name in staying:
                found.await_health(name, PATIENCE)
            yield found


def _client(composed: Composition, user: str) -> httpx.Client:
    client = httpx.Client(base_url=f"http://127.0.0.1:{composed.ports['api-server']}", timeout=60)
    passwords = dict(each.split(":") for each in GIVEN["CITYLAKE_AIRFLOW_PASSWORDS"].split())
    answer = client.post("/auth/token", json={"username": user, "password": passwords[user]})
    client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
    return client


def test_the_initialisation_is_harmless_to_repeat(composed: Composition) -> None:
    assert composed.run("init") == 0
    composed.running.pop("init")
    pools = _client(composed, "engineer").get("/api/v2/pools").json()["pools"]
    assert len(pools) > 1


def test_only_the_given_passwords_open(composed: Composition) -> None:
    assert _client(composed, "auditor").get("/api/v2/dags").status_code == 200
    address = f"http://127.0.0.1:{composed.ports['api-server']}"
    wrong = {"username": "auditor", "password": "admin-in-tests"}
    assert httpx.post(f"{address}/auth/token", json=wrong).status_code == 401
    assert httpx.get(f"{address}/api/v2/dags").status_code == 401


def test_every_source_is_reached_and_loaded(composed: Composition) -> None:
    client = _client(composed, "engineer")
    until = time.monotonic() + PATIENCE
    dags: list[str] = []
    while not dags:
        found = client.get("/api/v2/dags?limit=100").json()["dags"]
        dags = [each["dag_id"] for each in found if each["dag_id"].startswith("ingest_")]
        assert time.monotonic() < until
        time.sleep(1)
    assert len(dags) == 4
    for dag in dags:
        client.patch(f"/api/v2/dags/{dag}", json={"is_paused": False}).raise_for_status()
        body = {"logical_date": None, "partition_key": DAY}
        client.post(f"/api/v2/dags/{dag}/dagRuns", json=body).raise_for_status()
    states: dict[str, str] = {}
    while set(states.values()) - {"success"} or not states:
        for dag in dags:
            (run,) = client.get(f"/api/v2/dags/{dag}/dagRuns").json()["dag_runs"]
            states[dag] = run["state"]
        assert "failed" not in states.values(), composed.log("scheduler").read_text()[-4000:]
        assert time.monotonic() < until, states
        time.sleep(1)
    # What may hold personal data is closed to others in the volume too.
    city = composed.folder / "lake" / "danang"
    for name in ("raw", "core"):
        assert stat.S_IMODE((city / name).stat().st_mode) == 0o700
    assert stat.S_IMODE((composed.folder / "lake" / "airflow").stat().st_mode) == 0o700


def test_no_log_holds_a_secret(composed: Composition) -> None:
    passwords = [each.partition(":")[2] for each in GIVEN["CITYLAKE_AIRFLOW_PASSWORDS"].split()]
    secrets = [value for name, value in GIVEN.items() if re.search("SECRET|DATABASE|TOKEN", name)]
    logs = [*composed.folder.glob("*.log"), *composed.folder.rglob("lake/airflow/logs/**/*.log")]
    assert len(logs) > len(COMPONENTS)
    for log in logs:
        text = log.read_text(errors="replace")
        assert not [secret for secret in (*secrets, *passwords) if secret in text], log


@pytest.mark.parametrize("name", ["triggerer", "dag-processor", "scheduler", "demo", "api-server"])
def test_a_health_check_fails_when_its_component_has_ended(
    composed: Composition, name: str
) -> None:
    """Last: each ends, as compose would end it, and leaves no process behind."""
    assert composed.health(name) == 0
    below = psutil.Process(composed.running[name].pid).children(recursive=True)
    ended = composed.end(name)
    assert ended == 0, composed.log(name).read_text()[-4000:]
    composed.await_health(name, 120, well=False)
    _, left = psutil.wait_procs(below, 20)
    assert left == []
