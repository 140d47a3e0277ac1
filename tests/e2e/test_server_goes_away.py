"""A server that goes away in the middle of a read: the run goes on, or fails with one clear line.

The demo city's HTTP servers are ended by signal 9 once the first raw object is stored, and may be
started again at the same port. What is not HTTP is in `tests/unit/extract/test_postgres_to_core`.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from extract.raw import RawObject, RawStore
from extract.transport.retry import Tries
from tests.e2e.one_system import TOKEN, OneSystem, hashes, one_system

DAY = date(2025, 3, 22)
DAYS = 15


# How each is started, so that an answer takes many requests.
OPTIONS = {
    "feedback": ("--scale", "0.2"),
    "health": ("--scale", "0.02"),
    "statistics": (),
}


@pytest.fixture(params=OPTIONS)
def server(request: pytest.FixtureRequest, seed: int) -> Iterator[OneSystem]:
    options = ("--no-transport-faults", *OPTIONS[request.param])
    with one_system(OneSystem(request.param, seed, DAYS, options)) as running:
        yield running


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


def test_a_server_that_comes_back_is_read_to_the_end(server: OneSystem, tmp_path: Path) -> None:
    assert server.load(tmp_path / "undisturbed", DAY).error is None
    back: list[threading.Thread] = []

    def goes_away_for_a_while() -> None:
        server.kill()
        back.append(threading.Thread(target=server.start))
        back[0].start()

    with _once_an_object_is_stored(goes_away_for_a_while) as stored:
        loaded = server.load(tmp_path / "disturbed", DAY)
    back[0].join()
    assert loaded.error is None
    assert len(stored) > 1
    assert loaded.result is not None
    assert loaded.result.counts["new"] > 0
    assert hashes(tmp_path / "disturbed", DAY) == hashes(tmp_path / "undisturbed", DAY)


def test_a_server_that_stays_away_fails_once_and_the_next_run_completes(
    server: OneSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server.load(tmp_path / "undisturbed", DAY).error is None
    home = tmp_path / "disturbed"
    with monkeypatch.context() as patch:
        patch.setattr(Tries, "_wait", lambda *_: 0.01)
        with _once_an_object_is_stored(server.kill):
            failed = server.load(home, DAY)
    assert failed.result is None
    assert failed.outcome.status == "transient"
    assert failed.error is not None
    assert failed.error.startswith(f"source {server.source}, file ")
    assert failed.error.count("\n") == 0
    assert "attempt 5 of 5" in failed.error
    assert failed.error.endswith(f"[{failed.outcome.rule}]")
    assert TOKEN not in failed.error
    assert hashes(home, DAY) == {}
    server.start()
    assert server.load(home, DAY).error is None
    assert hashes(home, DAY) == hashes(tmp_path / "undisturbed", DAY) != {}
