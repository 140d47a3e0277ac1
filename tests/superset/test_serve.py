"""The server as a container runs it, and what brings the reports into it: by compose's commands.

Commands, health check and environment are those of the file and of the image, and no others. What
differs is where things are: names of services are loopback, the port is a free one, `/reports` is a
folder of the test.
"""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.composition import (
    COMPOSE,
    Service,
    given_services,
    image_environment,
    required_variables,
)
from tests.superset.stage import REPOSITORY, Stage, free_port

PATIENCE_SECONDS = 360
SECRET = "as-long-as-the-longest-secret-has-to-be-here"  # noqa: S105 - of tests


@dataclass(frozen=True)
class Deployed:
    """The two services of Superset: `folder` stands for the volume of their records."""

    folder: Path
    port: int
    services: Mapping[str, Service]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, name: str) -> dict[str, str]:
        """What the image and the file give a service."""
        places = {"/opt/citylake": str(REPOSITORY), "$PATH": "/usr/bin:/bin"}
        given = dict(self.services[name]["environment"])
        assert given["CITYLAKE_HOME"] == "/reports"
        return {**image_environment(places), **given, "CITYLAKE_HOME": str(self.folder)}

    def run(self, name: str, command: list[str]) -> "subprocess.CompletedProcess[str]":
        """What a command says to its end, in the environment of a service."""
        return subprocess.run(  # noqa: S603 - the commands of the file
            command,
            env=self.environment(name),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )

    def health(self) -> int:
        """The exit code of the server's health check, which looks from inside its container."""
        kind, *command = self.services["superset"]["healthcheck"]["test"]
        assert (kind, "--address" in command) == ("CMD", False)
        return self.run("superset", [*command, "--address", self.address]).returncode

    def bring_in(self) -> "subprocess.CompletedProcess[str]":
        """The service `reports`, run to its end."""
        command = [str(part) for part in self.services["reports"]["command"]]
        place = command.index("http://superset:8088")
        return self.run("reports", [*command[:place], self.address, *command[place + 1 :]])

    @contextmanager
    def server(self) -> Iterator["subprocess.Popen[bytes]"]:
        """The service `superset`, well; ended as compose ends it."""
        told = self.services["superset"]
        command = [str(part) for part in told["command"]]
        place = command.index("0.0.0.0")  # noqa: S104 - what the file says is replaced
        command[place] = "127.0.0.1"
        # The usual port is the one that is published, and where `reports` and the check look.
        assert "--port" not in command
        assert told["ports"] == ["127.0.0.1:8088:8088"]
        server = subprocess.Popen(  # noqa: S603 - the commands of the file
            [*command, "--port", str(self.port)],
            cwd=REPOSITORY,
            env=self.environment("superset"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until = time.monotonic() + PATIENCE_SECONDS
            while self.health() != 0:
                assert server.poll() is None
                assert time.monotonic() < until
                time.sleep(0.5)
            yield server
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE_SECONDS)


@pytest.fixture
def deployed(tmp_path: Path) -> Deployed:
    text = COMPOSE.read_text(encoding="utf-8")
    given = given_services(text, dict.fromkeys(required_variables(text), SECRET))
    folder = tmp_path / "reports"
    folder.mkdir()
    return Deployed(folder, free_port(), given)


def test_the_services_of_compose_start_tell_their_health_and_end(
    stage: Stage, deployed: Deployed
) -> None:
    with deployed.server() as server:
        secret = deployed.folder / "superset" / "secret_key"
        assert secret.read_text(encoding="ascii") == SECRET
        given = Path(f"/proc/{server.pid}/environ").read_bytes()
        assert SECRET.encode() not in given
        # Beside its own records it makes nothing: of the lake a container has the serving folder.
        assert [each.name for each in deployed.folder.iterdir()] == ["superset"]
        first = deployed.bring_in()
        assert first.returncode == 0, first.stderr
        lines = first.stdout.splitlines()
        assert lines[-1].endswith(" objects written, verified")
        assert not lines[-1].startswith("0 ")
        # Once more, as after a change: there is nothing left to do, and a server says so too.
        again = deployed.bring_in()
        assert (again.returncode, again.stdout.splitlines()[-1]) == (
            0,
            "0 objects written, verified",
        )
        known = ("--city", "danang", "--address", deployed.address)
        told = stage.citylake("reports", "plan", *known, home=deployed.folder)
        assert told.splitlines()[-1] == "nothing to change"
        assert [each.name for each in deployed.folder.iterdir()] == ["superset"]
    assert deployed.health() == 1
    stopped = deployed.bring_in()
    assert stopped.returncode == 1
    assert "does not answer" in stopped.stderr


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
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    assert loaded["reports"]["depends_on"] == {"superset": {"condition": "service_healthy"}}
