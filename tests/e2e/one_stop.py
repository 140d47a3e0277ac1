"""The demo city's one-stop shop and the real command line on the part of the city that reads it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
from psycopg.rows import dict_row

from tests.e2e.cities import part_of_danang
from tests.e2e.world import CITYLAKE, FIRST, REPOSITORY

URI_VARIABLE = "CITYLAKE_DANANG_ONE_STOP_SHOP"
TOKEN_VARIABLE = "DEMO_TOKEN"  # noqa: S105 - the name of a variable


@dataclass(frozen=True)
class OneStop:
    """A one-stop shop: what generates it, and where it answers once it runs."""

    seed: int
    scale: float
    days: int
    faults: bool = True
    address: str = ""
    token: str = field(default="", repr=False)

    def on(self, day: date) -> str:
        """The address of the database as it was on a day."""
        return self.address.replace("{day}", day.isoformat())

    def ask(self, day: date, sql: str) -> list[dict[str, Any]]:
        """Rows of a query, by a client that is not ours."""
        with psycopg.connect(self.on(day), row_factory=dict_row) as connection:
            return connection.execute(cast(LiteralString, sql)).fetchall()

    def manifest(self, last: date, first_read: date) -> list[dict[str, Any]]:
        """What is planted, as the demo city itself lists it."""
        command = [sys.executable, "-m", "demo", "manifest", "--systems", "dossiers"]
        command += ["--seed", str(self.seed), "--scale", str(self.scale)]
        command += ["--to", last.isoformat(), "--first-read", first_read.isoformat()]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd="/")  # noqa: S603 - own module
        return [json.loads(line) for line in done.stdout.splitlines()]


@contextmanager
def one_stop(source: OneStop) -> Iterator[OneStop]:
    """Start the one-stop shop; it ends with the context."""
    token = f"mat-khau-{source.seed}"
    command = [sys.executable, "-m", "demo", "serve", "--systems", "dossiers"]
    command += ["--seed", str(source.seed), "--scale", str(source.scale)]
    command += ["--start", FIRST.isoformat(), "--days", str(source.days)]
    command += [] if source.faults else ["--no-faults"]
    environment = {**os.environ, TOKEN_VARIABLE: token}
    process = subprocess.Popen(  # noqa: S603 - our own module
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd="/"
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield replace(source, address=ready["variables"][URI_VARIABLE], token=token)
    finally:
        process.terminate()
        process.wait(30)


@dataclass(frozen=True)
class Shop:
    """A lake of the dossiers alone, and the command line on it."""

    home: Path
    source: OneStop
    city: str = field(default_factory=lambda: part_of_danang("administration"))

    @property
    def root(self) -> Path:
        """The city's folder in the lake."""
        return self.home / "danang"

    def run(self, day: date) -> str:
        """Run a day to its end; what it printed."""
        return self.call("run", "--date", day.isoformat(), address=self.source.on(day))

    def call(self, command: str, *arguments: str, address: str = "") -> str:
        """Call a command on the lake; what it printed."""
        done = subprocess.run(  # noqa: S603 - our own command
            [*CITYLAKE, command, "--city", self.city, *arguments],
            env={**os.environ, "CITYLAKE_HOME": str(self.home), URI_VARIABLE: address},
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
