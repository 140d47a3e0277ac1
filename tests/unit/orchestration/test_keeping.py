"""Keeping processes, and finding all of a session to end them."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.orchestration import keeper, service
from pipeline.orchestration.configuration import Home, prepare
from pipeline.orchestration.errors import OrchestrationError
from pipeline.orchestration.health import HEALTHY, TOLD
from pipeline.orchestration.keeper import Component
from pipeline.orchestration.session import end_all, members
from pipeline.settings import REPOSITORY, city_folder
from pipeline.variables import missing_variables
from warehouse.city import load_city

MARK = "CITYLAKE_TEST_MARK"
# Starts a child in a process group of its own that will not end when asked, and goes.
PARENT = """
import os, signal, subprocess, sys
subprocess.Popen([sys.executable, "-c", '''
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
'''], process_group=0)
"""


def test_every_process_of_a_session_is_ended() -> None:
    value = f"{os.getpid()}"
    parent = subprocess.Popen(  # noqa: S603 - own code
        [sys.executable, "-c", PARENT],
        start_new_session=True,
        env={**os.environ, MARK: value},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    parent.wait(10)
    (orphan,) = members(parent.pid, f"{MARK}={value}")
    assert members(parent.pid, f"{MARK}=other") == []
    assert end_all(parent.pid, f"{MARK}=other", 0.1) == []
    assert end_all(parent.pid, f"{MARK}={value}", 0.5) == [orphan]
    assert members(parent.pid, f"{MARK}={value}") == []


def test_a_component_that_ends_starts_again_and_waits_longer_each_time(tmp_path: Path) -> None:
    log = tmp_path / "log"
    component = Component("none", [sys.executable, "-c", "print('here')"], os.environ, log)
    started = []
    now = 0.0
    while len(started) < 4:
        before = component.process
        component.look(now)
        if component.process is not None and component.process is not before:
            started.append(now)
            component.process.wait(10)
        now += 0.5
    waits = [later - earlier for earlier, later in zip(started, started[1:], strict=False)]
    assert waits == sorted(set(waits))
    assert log.read_text() == "here\n" * 4


def test_nobody_elses_settings_and_no_telemetry(tmp_path: Path) -> None:
    base = {"PATH": "/bin", "AIRFLOW__CORE__EXECUTOR": "Other", "AIRFLOW_HOME": "/elsewhere"}
    told = prepare(Home(tmp_path / "airflow"), "danang", 8123, base)
    assert told["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert told["AIRFLOW__CORE__PARALLELISM"] == "4"
    assert told["AIRFLOW__CORE__PLUGINS_FOLDER"] == str(REPOSITORY / "dags" / "plugins")
    assert told["AIRFLOW_HOME"] == str(tmp_path / "airflow")
    assert told["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert told["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "False"
    assert told["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert told["AIRFLOW__OPENLINEAGE__DISABLED"] == "True"
    assert told["DO_NOT_TRACK"] == "1"
    again = prepare(Home(tmp_path / "airflow"), "danang", 8123, base)
    assert again == told
    other = prepare(Home(tmp_path / "other"), "danang", 8123, base)
    for name in ("API__SECRET_KEY", "API_AUTH__JWT_SECRET", "CORE__FERNET_KEY"):
        assert other[f"AIRFLOW__{name}"] != told[f"AIRFLOW__{name}"]
        assert len(told[f"AIRFLOW__{name}"]) >= 43
    for path in (tmp_path / "airflow").glob("*.json"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_lineage_is_switched_on_by_one_variable(tmp_path: Path) -> None:
    def told(place: str) -> dict[str, str]:
        base = {"CITYLAKE_LINEAGE": place, "OPENLINEAGE_URL": "http://127.0.0.1:1"}
        found = prepare(Home(tmp_path / "airflow"), "danang", 8123, base)
        assert "OPENLINEAGE_URL" not in found
        start = "AIRFLOW__OPENLINEAGE__"
        return {name[len(start) :]: each for name, each in found.items() if name.startswith(start)}

    assert told(" ") == {"DISABLED": "True"}
    folder = told(str(tmp_path / "lineage"))
    assert folder["DISABLED"] == "False"
    (policy,) = json.loads(folder["EMISSION_POLICY"])
    assert policy == {"scope": {}, "controls": {"include_source_code": False}}
    transport = json.loads(folder["TRANSPORT"])
    assert (transport["type"], transport["append"]) == ("file", False)
    assert Path(transport["log_file_path"]).parent == tmp_path / "lineage"
    assert (tmp_path / "lineage").stat().st_mode & 0o077 == 0
    server = json.loads(told("https://lineage.example/")["TRANSPORT"])
    assert server == {"type": "http", "url": "https://lineage.example/"}


def test_the_demo_city_is_not_started_where_the_environment_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    city = load_city(city_folder("danang"))
    for name in missing_variables(city.sources.values(), {}):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with keeper._sources("danang", 1) as variables:
        assert variables == {}


def test_a_second_keeper_and_a_taken_port_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl
    import socket

    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    monkeypatch.setenv("CITYLAKE_AIRFLOW", sys.executable)
    home = Home(tmp_path / "airflow")
    home.create()
    with home.lock.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OrchestrationError, match="runs in .* already"):
            service.up("danang", port=1, scale=1)
        home.state.write_text(json.dumps({"pid": os.getpid(), "port": 2, "city": "harbour"}))
        monkeypatch.setattr(service, "_health", lambda _port: dict.fromkeys(TOLD, HEALTHY))
        with pytest.raises(OrchestrationError, match="runs for harbour in .* already"):
            service.up("danang", port=1, scale=1)
        home.state.unlink()
    monkeypatch.undo()
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    monkeypatch.setenv("CITYLAKE_AIRFLOW", sys.executable)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OrchestrationError, match=f"port {port} is taken"):
            service.up("danang", port=port, scale=1)


def test_a_second_call_says_where_airflow_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import fcntl

    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    monkeypatch.setenv("CITYLAKE_AIRFLOW", sys.executable)
    health = dict.fromkeys(TOLD, HEALTHY)
    monkeypatch.setattr(service, "_health", lambda _port: health)
    home = Home(tmp_path / "airflow")
    home.create()
    home.state.write_text(json.dumps({"pid": os.getpid(), "port": 8123, "city": "danang"}))
    with home.lock.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # By name or by path: it is the city that counts.
        for city in ("danang", str(city_folder("danang").relative_to(Path.cwd()))):
            assert service.up(city, port=1, scale=1) == 0
            said = capsys.readouterr().out
            assert "http://127.0.0.1:8123" in said
            assert str(home.passwords) in said
        health.clear()
        with pytest.raises(OrchestrationError, match="`status` tells how it is"):
            service.up("danang", port=1, scale=1)


def test_down_where_nothing_runs_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    assert service.down() == 0
    assert "nothing runs" in capsys.readouterr().out
    home = Home(tmp_path / "airflow")
    home.create()
    # A keeper that was ended by force, whose number somebody else has by now.
    home.state.write_text(json.dumps({"pid": os.getsid(0), "port": 1, "city": "danang"}))
    started = time.monotonic()
    assert service.down() == 0
    assert time.monotonic() - started < 5
    assert not home.state.exists()


def test_airflow_without_an_environment_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    monkeypatch.setenv("CITYLAKE_AIRFLOW", str(tmp_path / "absent"))
    with pytest.raises(OrchestrationError, match="install.sh airflow"):
        service.up("danang", port=1, scale=1)
