"""The demo city and the real command line, each in processes of their own."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.e2e.cities import part_of_danang
from tests.e2e.processes import CITYLAKE, REPOSITORY, call, planted, serving

TOKEN_VARIABLE = "CITYLAKE_DANANG_OPEN311_TOKEN"  # noqa: S105 - the name of a variable
URL_VARIABLE = "CITYLAKE_DANANG_OPEN311_URL"
FIRST = date(2025, 3, 8)
PAGE_SIZE = 1000


@dataclass(frozen=True)
class DemoServer:
    """A running demo city: what generated it, and where it answers.

    Attributes:
        ready: What it said when it answered: addresses and tokens by the variables that contracts
            read.
    """

    seed: int
    scale: float
    first: date
    days: int
    address: str
    token: str = field(repr=False)
    ready: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def manifest(self, last: date, first_read: date) -> list[dict[str, Any]]:
        """What is planted, as the demo city itself lists it."""
        options = ["--systems", "feedback", "--seed", str(self.seed), "--scale", str(self.scale)]
        options += ["--start", self.first.isoformat()]
        options += ["--to", last.isoformat(), "--first-read", first_read.isoformat()]
        return planted(*options)

    def page(self, day: date, number: int) -> list[dict[str, Any]]:
        """One page as the source sends it, asked for as often as its planted faults need."""
        parameters = urlencode({"page": number, "page_size": PAGE_SIZE, "extensions": "true"})
        request = Request(  # noqa: S310 - loopback
            f"{self.address}/as-of/{day.isoformat()}/georeport/v2/requests.json?{parameters}",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        for _ in range(5):
            try:
                with urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
                    records: list[dict[str, Any]] = json.loads(answer.read())
                    return records
            except (OSError, HTTPException):
                continue
        raise AssertionError(f"page {number} does not come")


@contextmanager
def demo_server(
    seed: int, scale: float, days: int, *options: str, first: date = FIRST
) -> Iterator[DemoServer]:
    """Start the demo city's server on a free loopback port; of its systems the feedback alone."""
    token = f"test-{seed}"
    own = ["--seed", str(seed), "--scale", str(scale), "--start", first.isoformat()]
    own += ["--days", str(days), "--token-variable", TOKEN_VARIABLE, "--systems", "feedback"]
    with serving(*own, *options, variables={TOKEN_VARIABLE: token}) as ready:
        address = ready["variables"][URL_VARIABLE].split("/as-of/")[0]
        yield DemoServer(seed, scale, first, days, address, token, ready)


@dataclass(frozen=True)
class Lake:
    """A lake home, and the command line on it."""

    home: Path
    server: DemoServer
    city: str = field(default_factory=partial(part_of_danang, "feedback"))
    day_url: str = "/as-of/{day}/georeport/v2"

    @property
    def root(self) -> Path:
        """The city's folder in the lake."""
        return self.home / Path(self.city).name

    def environment(self, day: date | None, extra: Mapping[str, str]) -> dict[str, str]:
        """The variables of a run on a day."""
        variables = {**os.environ, "CITYLAKE_HOME": str(self.home)}
        variables[TOKEN_VARIABLE] = self.server.token
        if day is not None:
            variables[URL_VARIABLE] = self.server.address + self.day_url.format(day=day.isoformat())
        return {**variables, **extra}

    def start(self, day: date, **extra: str) -> subprocess.Popen[str]:
        """Start a run of a day and do not wait for it."""
        return self.begin(day, extra, "run", "--city", self.city, "--date", day.isoformat())

    def begin(self, day: date, extra: Mapping[str, str], *arguments: str) -> subprocess.Popen[str]:
        """Start a command on a day and do not wait for it."""
        return subprocess.Popen(  # noqa: S603 - our own command
            [*CITYLAKE, *arguments],
            env=self.environment(day, extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=REPOSITORY,
        )

    def step(self, day: date, *arguments: str, expect: int = 0, **extra: str) -> str:
        """Call one step of a day in a process of its own; what it printed."""
        name, *options = arguments
        process = self.begin(day, extra, "step", name, "--city", self.city, *options)
        output, _ = process.communicate(timeout=300)
        assert process.returncode == expect, output
        return output

    def run(self, day: date, *, expect: int | None = 0, **extra: str) -> str:
        """Run a day to its end; what it printed."""
        process = self.start(day, **extra)
        output, _ = process.communicate(timeout=300)
        assert expect is None or process.returncode == expect, output
        return output

    def call(self, *arguments: str, expect: int | None = 0) -> str:
        """Call another command on the lake; what it printed."""
        done = call(*arguments, variables=self.environment(None, {}))
        assert expect is None or done.returncode == expect, done.stdout + done.stderr
        return done.stdout

    def hashes(self) -> dict[str, str]:
        """Content hashes by `citylake hash`."""
        found = json.loads(self.call("hash", "--city", self.city, "--json"))
        assert found
        return {str(name): str(value) for name, value in found.items()}

    def versions(self) -> dict[str, int]:
        """Number of commits of every core and quarantine table."""
        return {
            f"{log.parent.parent.name}/{log.parent.name}": len(list(log.glob("*.json")))
            for log in sorted(self.root.glob("*/*/_delta_log"))
        }

    def files(self, *folders: str) -> set[str]:
        """Files below the folders, by path in the city's folder."""
        return {
            str(path.relative_to(self.root))
            for folder in folders
            for path in (self.root / folder).rglob("*")
            if path.is_file()
        }
