"""The server as a container runs it: in the foreground, its secrets from the environment."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

from pipeline.superset.server import is_ready
from tests.composition import COMPOSE, services
from tests.superset.stage import REPOSITORY, Stage, free_port

PATIENCE_SECONDS = 240


def test_the_server_of_a_deployment_starts_tells_its_health_and_ends(
    stage: Stage, tmp_path: Path
) -> None:
    told = services(COMPOSE.read_text(encoding="utf-8"))["superset"]
    command = [str(part) for part in told["command"]]
    assert command[:3] == ["citylake", "superset", "serve"]
    port, secret = free_port(), "s" * 42
    shutil.copytree(stage.home / "superset", tmp_path / "superset")
    arguments = ["--listen", "127.0.0.1", "--port", str(port), "--city", "danang"]
    environ = {
        **os.environ,
        "CITYLAKE_HOME": str(tmp_path),
        "CITYLAKE_SUPERSET_SECRET": secret,
    }
    server = subprocess.Popen(  # noqa: S603 - own command
        [sys.executable, "-m", "pipeline.cli", *command[1:3], *arguments],
        cwd=REPOSITORY,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while not is_ready(address):
            assert server.poll() is None
            assert time.monotonic() < until
            time.sleep(0.5)
        assert stage.citylake("superset", "health", "--address", address) == "ready\n"
        assert (tmp_path / "superset" / "secret_key").read_text(encoding="ascii") == secret
        given = Path(f"/proc/{server.pid}/environ").read_bytes()
        assert secret.encode() not in given
        # Beside its own records it makes nothing: of the lake a container has the serving folder.
        assert [each.name for each in tmp_path.iterdir()] == ["superset"]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE_SECONDS)
    assert stage.citylake("superset", "health", "--address", address, code=1) == "does not answer\n"


def test_reports_are_brought_in_where_no_lake_is(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "superset").mkdir()
    shutil.copy(stage.home / "superset" / "passwords.json", tmp_path / "superset")
    told = stage.citylake(
        "reports", "plan", "--city", "danang", "--address", stage.address, home=tmp_path, code=3
    )
    # The one thing that differs is where the database lies.
    assert "databases/" in told
    assert [each.name for each in tmp_path.iterdir()] == ["superset"]


def test_what_compose_says_can_be_read() -> None:
    loaded = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    assert loaded["reports"]["depends_on"] == {"superset": {"condition": "service_healthy"}}
