"""The kill test of the spine for the sources that came after it, as far as they differ: the load.

What follows the load (marts, promotion, ledger, release, serving) is the same whatever the source
is; `test_kill` ends a whole run at every boundary of it.
"""

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from tests.e2e.killing import kill_at_an_instant
from tests.e2e.one_system import OneSystem, hashes, one_system

# The first day's load is in the lake; what is ended is the load of the second.
FIRST_DAY, DAY = date(2025, 3, 14), date(2025, 3, 18)
DAYS = 15
OPTIONS = {
    "dossiers": ("--scale", "0.02"),
    "health": ("--scale", "0.02"),
    "statistics": (),
}
BOUNDARIES = [
    "raw.before_store",
    "raw.after_store",
    "quarantine.before_commit",
    "quarantine.after_commit",
    "core.before_commit",
    "core.after_commit",
]
INSTANTS = 5


@dataclass(frozen=True)
class Undisturbed:
    """A lake before the day, and the day's load in peace: what it leads to, how long it takes."""

    system: OneSystem
    base: Path
    passed: frozenset[str]
    seconds: float
    before: dict[str, str]
    after: dict[str, str]

    def copy(self, folder: Path) -> Path:
        """The lake before the day once more."""
        shutil.copytree(self.base, folder / "home")
        return folder / "home"

    def holds(self, home: Path) -> None:
        """The day loaded again leads to what the load in peace led to."""
        assert self.system.load(home, DAY).error is None
        assert hashes(home, DAY) == self.after


def _begun(log: Path, process: "subprocess.Popen[str]") -> None:
    """Wait until the load has something to store."""
    while not log.exists() and process.poll() is None:
        time.sleep(0.002)


@pytest.fixture(scope="module", params=OPTIONS)
def undisturbed(
    request: pytest.FixtureRequest, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Undisturbed]:
    folder = tmp_path_factory.mktemp(request.param)
    settings = OneSystem(request.param, seed, DAYS, OPTIONS[request.param])
    with one_system(settings) as system:
        base, home, log = folder / "base", folder / "home", folder / "boundaries"
        assert system.load(base, FIRST_DAY).error is None
        shutil.copytree(base, home)
        process = system.start_load(home, DAY, CITYLAKE_BOUNDARY_LOG=str(log))
        _begun(log, process)
        began = time.monotonic()
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        yield Undisturbed(
            system,
            base,
            frozenset(log.read_text().split()),
            time.monotonic() - began,
            hashes(base, DAY),
            hashes(home, DAY),
        )


def test_the_load_passes_every_boundary_of_a_load(undisturbed: Undisturbed) -> None:
    assert undisturbed.passed == set(BOUNDARIES)
    names = undisturbed.before.keys()
    assert any(name.startswith("core/") for name in names)
    assert {name for name in names if undisturbed.before[name] != undisturbed.after[name]}


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_load_that_is_killed_at_a_boundary(
    undisturbed: Undisturbed, tmp_path: Path, boundary: str
) -> None:
    home = undisturbed.copy(tmp_path)
    process = undisturbed.system.start_load(home, DAY, CITYLAKE_KILL_AT=boundary)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, output
    undisturbed.holds(home)


@pytest.mark.parametrize("number", range(INSTANTS))
def test_a_load_that_is_killed_at_an_instant(
    undisturbed: Undisturbed, tmp_path: Path, seed: int, number: int
) -> None:
    home, log = tmp_path / "home", tmp_path / "boundaries"
    share = random.Random(f"{seed}/{number}").uniform(0, 0.95)  # noqa: S311 - no secret

    def start() -> "subprocess.Popen[str]":
        shutil.rmtree(home, ignore_errors=True)
        log.unlink(missing_ok=True)
        undisturbed.copy(tmp_path)
        return undisturbed.system.start_load(home, DAY, CITYLAKE_BOUNDARY_LOG=str(log))

    kill_at_an_instant(start, share, undisturbed.seconds, lambda process: _begun(log, process))
    undisturbed.holds(home)


def test_two_loads_at_once(undisturbed: Undisturbed, tmp_path: Path) -> None:
    home = undisturbed.copy(tmp_path)
    both = [undisturbed.system.start_load(home, DAY) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert hashes(home, DAY) == undisturbed.after
    undisturbed.holds(home)
