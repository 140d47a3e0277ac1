"""One of the demo city's systems, and the ingest of its source alone: no marts, no gate."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.context import Context, open_context
from pipeline.ingest import Ingested, ingest
from tests.e2e.world import FIRST, REPOSITORY
from warehouse.content_hash import city_hash

SOURCES = {
    "dossiers": "administration.one_stop_shop",
    "feedback": "feedback.open311",
    "health": "health.encounters",
    "statistics": "socioeconomic.statistics_office",
}
TOKEN = "one-system"  # noqa: S105 - of servers that live for one test


@dataclass
class OneSystem:
    """A system that can be ended and started again where it was.

    Attributes:
        system: Its name in the demo city.
        options: Further ones of `demo serve`.
    """

    system: str
    seed: int
    days: int
    options: tuple[str, ...] = ()
    port: int = 0
    ready: dict[str, Any] = field(default_factory=dict)
    process: "subprocess.Popen[str] | None" = None

    @property
    def source(self) -> str:
        """Id of the source that reads it."""
        return SOURCES[self.system]

    def start(self) -> None:
        """Start it; it answers when this returns."""
        command = [sys.executable, "-m", "demo", "serve", "--systems", self.system]
        command += ["--seed", str(self.seed), "--start", FIRST.isoformat()]
        command += ["--days", str(self.days), "--port", str(self.port), *self.options]
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "DEMO_TOKEN": TOKEN}
        )
        assert self.process.stdout is not None
        self.ready = json.loads(self.process.stdout.readline())
        (address,) = self.ready["variables"].values()
        if address.startswith("http"):
            self.port = int(address.split("/")[2].partition(":")[2])

    def kill(self) -> None:
        """End it at once, every connection with it."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def close(self) -> None:
        """Let it end in peace."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def environ(self, day: date) -> dict[str, str]:
        """Address on a day and token, by the variables that contracts read."""
        shown = {
            name: address.replace("{day}", day.isoformat())
            for name, address in self.ready["variables"].items()
        }
        return {**os.environ, **shown, **dict.fromkeys(self.ready["token_variables"], TOKEN)}

    def load(self, home: Path, day: date) -> Ingested:
        """Load its source for a day, in this process."""
        return ingest(self.context(home, day), self.source)

    def context(self, home: Path, day: date) -> Context:
        """What a step of a day is given on a lake."""
        return replace(_context(home, day), environ=self.environ(day))

    def start_load(self, home: Path, day: date, **variables: str) -> "subprocess.Popen[str]":
        """Start to load its source for a day in a process of its own."""
        return subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "bench.ours.load", "danang", day.isoformat(), self.source],
            env={**self.environ(day), "CITYLAKE_HOME": str(home), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=REPOSITORY,
        )


@contextmanager
def one_system(system: OneSystem) -> Iterator[OneSystem]:
    """Start a system; it ends with the context."""
    system.start()
    try:
        yield system
    finally:
        system.close()


def hashes(home: Path, day: date) -> dict[str, str]:
    """Content hashes of all that the lake of Da Nang holds."""
    context = _context(home, day)
    return city_hash(context.paths, context.city)


def _context(home: Path, day: date) -> Context:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYLAKE_HOME", str(home))
        return open_context("danang", day)
