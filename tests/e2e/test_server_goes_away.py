"""A server that goes away in the middle of a read: the run goes on, or fails with one clear line.

The demo city's HTTP servers are ended by signal 9 once the first raw object is stored, and may be
started again at the same port. What is not HTTP is in `tests/unit/extract/test_postgres_to_core`.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from extract.raw import RawObject, RawStore
from extract.transport.retry import Tries
from pipeline.context import open_context
from pipeline.ingest import Ingested, ingest
from tests.e2e.world import FIRST
from warehouse.content_hash import city_hash

DAY = date(2025, 3, 22)
DAYS = 15
TOKEN = "going-away"  # noqa: S105 - of this test's servers


@dataclass(frozen=True)
class Protocol:
    """A source, and how its server is started so that an answer takes many requests."""

    system: str
    source: str
    options: tuple[str, ...] = ("--scale", "0.2")


PROTOCOLS = {
    "open311": Protocol("feedback", "feedback.open311"),
    "fhir_bulk": Protocol("health", "health.encounters", ("--scale", "0.02")),
    "sdmx": Protocol("statistics", "socioeconomic.statistics_office", ()),
}


@dataclass
class Server:
    """One of the demo city's servers, which can be ended and started again where it was."""

    protocol: Protocol
    seed: int
    port: int = 0
    ready: dict[str, Any] = field(default_factory=dict)
    process: "subprocess.Popen[str] | None" = None

    def start(self) -> None:
        """Start it; it answers when this returns."""
        command = [sys.executable, "-m", "demo", "serve", "--systems", self.protocol.system]
        command += ["--seed", str(self.seed), "--start", FIRST.isoformat(), "--days", str(DAYS)]
        command += ["--no-transport-faults", "--port", str(self.port), *self.protocol.options]
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "DEMO_TOKEN": TOKEN}
        )
        assert self.process.stdout is not None
        self.ready = json.loads(self.process.stdout.readline())
        (address,) = self.ready["variables"].values()
        self.port = int(address.split("/")[2].partition(":")[2])

    def end(self) -> None:
        """End it at once, every connection with it."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def load(self, home: Path) -> Ingested:
        """Load its source for the day."""
        shown = {
            name: address.replace("{day}", DAY.isoformat())
            for name, address in self.ready["variables"].items()
        }
        tokens = dict.fromkeys(self.ready["token_variables"], TOKEN)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CITYLAKE_HOME", str(home))
            context = open_context("danang", DAY)
        environ = {**os.environ, **shown, **tokens}
        return ingest(replace(context, environ=environ), self.protocol.source)


@pytest.fixture(params=PROTOCOLS)
def server(request: pytest.FixtureRequest, seed: int) -> Iterator[Server]:
    server = Server(PROTOCOLS[request.param], seed)
    server.start()
    try:
        yield server
    finally:
        server.end()


def _hashes(home: Path) -> dict[str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYLAKE_HOME", str(home))
        context = open_context("danang", DAY)
    return city_hash(context.paths, context.city)


@contextmanager
def _once_an_object_is_stored(happens: Callable[[], None]) -> Iterator[list[str]]:
    """Let something happen after the first raw object; the names of what was stored."""
    put, stored, turn = RawStore.put, [], threading.Lock()

    def putting(store: RawStore, *arguments: Any, **options: Any) -> RawObject:
        raw = put(store, *arguments, **options)
        with turn:
            stored.append(raw.name)
            if len(stored) == 1:
                happens()
        return raw

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RawStore, "put", putting)
        yield stored


def test_a_server_that_comes_back_is_read_to_the_end(server: Server, tmp_path: Path) -> None:
    assert server.load(tmp_path / "undisturbed").error is None
    back: list[threading.Thread] = []

    def goes_away_for_a_while() -> None:
        server.end()
        back.append(threading.Thread(target=server.start))
        back[0].start()

    with _once_an_object_is_stored(goes_away_for_a_while) as stored:
        loaded = server.load(tmp_path / "disturbed")
    back[0].join()
    assert loaded.error is None
    assert len(stored) > 1
    assert loaded.result is not None
    assert loaded.result.counts["new"] > 0
    assert _hashes(tmp_path / "disturbed") == _hashes(tmp_path / "undisturbed")


def test_a_server_that_stays_away_fails_once_and_the_next_run_completes(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server.load(tmp_path / "undisturbed").error is None
    home = tmp_path / "disturbed"
    with monkeypatch.context() as patch:
        patch.setattr(Tries, "_wait", lambda *_: 0.01)
        with _once_an_object_is_stored(server.end):
            failed = server.load(home)
    assert failed.result is None
    assert failed.outcome.status == "transient"
    assert failed.error is not None
    assert failed.error.startswith(f"source {server.protocol.source}, file ")
    assert failed.error.count("\n") == 0
    assert "attempt 5 of 5" in failed.error
    assert failed.error.endswith(f"[{failed.outcome.rule}]")
    assert TOKEN not in failed.error
    assert _hashes(home) == {}
    server.start()
    assert server.load(home).error is None
    assert _hashes(home) == _hashes(tmp_path / "undisturbed") != {}
