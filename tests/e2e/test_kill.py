"""Whatever instant the process ends at, running again leads to the content of a run in peace."""

import random
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from tests.e2e.cities import part_of_danang
from tests.e2e.killing import kill_at_an_instant
from tests.e2e.world import Lake

DAY = date(2025, 7, 2)
BOUNDARIES = [
    "raw.before_store",
    "raw.after_store",
    "quarantine.before_commit",
    "quarantine.after_commit",
    "core.before_commit",
    "core.after_commit",
    "build.before_park",
    "build.after_park",
    "check.before_judgement",
    "check.after_judgement",
    "marts.before_file",
    "marts.after_file",
    "promotion.before_record",
    "promotion.after_record",
    "promotion.before_unpark",
    "ledger.before_entry",
    "ledger.after_entry",
    "release.before_folder",
    "release.after_folder",
    "release.before_latest",
    "release.after_latest",
    "serving.before_replace",
    "serving.after_replace",
    "site.before_replace",
    "site.after_replace",
    "vacuum.before_unlink",
]
# Where raw objects are past their retention; the second time one of them is gone.
RAW_BOUNDARIES = ["raw.before_unlink", "raw.before_unlink:2"]
RAW_DAY = date(2025, 7, 3)
KEPT = "{property: rawRetentionDays, value: 400}"
INSTANTS_IN_CI = 5
INSTANTS_IN_ALL = 40


def pages(lake: Lake) -> dict[str, bytes]:
    """The files of the site."""
    site = lake.root / "serving" / "site"
    found = {
        str(path.relative_to(site)): path.read_bytes() for path in site.rglob("*") if path.is_file()
    }
    assert found.keys() == {"index.html", "en/index.html"}
    return found


class Undisturbed:
    """A run of the day in peace: what it leads to, the boundaries it passes, how long it takes."""

    def __init__(self, lake: Lake, log: Path) -> None:
        self.before = lake.hashes()
        start = time.monotonic()
        lake.run(DAY, CITYLAKE_BOUNDARY_LOG=str(log))
        self.seconds = time.monotonic() - start
        self.hashes = lake.hashes()
        self.pages = pages(lake)
        self.passed = set(log.read_text().split())


@pytest.fixture(scope="session")
def undisturbed(base: Lake, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(base.home, folder / "home")
    return Undisturbed(Lake(folder / "home", base.server), folder / "boundaries")


def test_the_day_passes_every_named_boundary(undisturbed: Undisturbed) -> None:
    assert undisturbed.passed == set(BOUNDARIES)
    assert len(undisturbed.passed) >= 8
    assert undisturbed.hashes != undisturbed.before


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_killed_at_a_boundary_and_run_again(
    lake: Lake, undisturbed: Undisturbed, boundary: str
) -> None:
    lake.run(DAY, expect=-signal.SIGKILL, CITYLAKE_KILL_AT=boundary)
    lake.run(DAY)
    assert lake.hashes() == undisturbed.hashes
    assert pages(lake) == undisturbed.pages


@dataclass(frozen=True)
class Instant:
    """A random instant of the day on a lake of the test's own."""

    base: Lake
    folder: Path
    undisturbed: Undisturbed
    seed: int

    def start(self) -> "subprocess.Popen[str]":
        """Start the day, on what was there before it."""
        shutil.rmtree(self.folder / "home", ignore_errors=True)
        shutil.copytree(self.base.home, self.folder / "home")
        return self.lake.start(DAY)

    @property
    def lake(self) -> Lake:
        return Lake(self.folder / "home", self.base.server)

    def check(self, number: int) -> None:
        """Ended there and run again, the day comes to what it comes to in peace."""
        share = random.Random(f"{self.seed}/{number}").uniform(0.05, 0.95)  # noqa: S311 - no secret
        kill_at_an_instant(self.start, share, self.undisturbed.seconds)
        self.lake.run(DAY)
        assert self.lake.hashes() == self.undisturbed.hashes, f"killed at {share:.3f} of the run"


@pytest.fixture
def instant(base: Lake, undisturbed: Undisturbed, seed: int, tmp_path: Path) -> Instant:
    return Instant(base, tmp_path, undisturbed, seed)


@pytest.mark.parametrize("number", range(INSTANTS_IN_CI))
def test_killed_at_an_instant_and_run_again(instant: Instant, number: int) -> None:
    instant.check(number)


@pytest.mark.long
@pytest.mark.parametrize("number", range(INSTANTS_IN_ALL))
def test_killed_at_many_instants(instant: Instant, number: int) -> None:
    instant.check(number)


class Forgetting:
    """A lake of a city that keeps raw objects for one day: those of the history go on `RAW_DAY`."""

    def __init__(self, base: Lake, folder: Path) -> None:
        city = folder / "danang"
        shutil.copytree(part_of_danang("feedback"), city)
        contract = city / "sources" / "feedback" / "open311.yaml"
        text = contract.read_text("utf-8")
        assert text.count(KEPT) == 1
        contract.write_text(text.replace(KEPT, KEPT.replace("400", "1")), "utf-8")
        shutil.copytree(base.home, folder / "home")
        self.lake = Lake(folder / "home", base.server, city=str(city))
        self.before = self.raw()

    def raw(self) -> set[str]:
        """The raw objects that are there."""
        return self.lake.files("raw/objects")

    def forgotten(self) -> set[str]:
        """Of the raw objects that were there at the beginning, those that are gone."""
        return self.before - self.raw()


def test_killed_while_raw_objects_are_forgotten(base: Lake, tmp_path: Path) -> None:
    peace, killed = (Forgetting(base, tmp_path / name) for name in ("peace", "killed"))
    peace.lake.run(RAW_DAY)
    assert len(peace.forgotten()) > 1
    for gone, boundary in enumerate(RAW_BOUNDARIES):
        killed.lake.run(RAW_DAY, expect=-signal.SIGKILL, CITYLAKE_KILL_AT=boundary)
        assert len(killed.forgotten()) == gone
    killed.lake.run(RAW_DAY)
    # What a later attempt read besides is kept: it asked from where the first had come to.
    assert killed.forgotten() == peace.forgotten()
    assert killed.lake.hashes() == peace.lake.hashes()


def test_two_processes_at_once(lake: Lake, undisturbed: Undisturbed) -> None:
    """The run lock is taken away all the time: the commits alone must keep the content right."""
    both = [lake.start(DAY) for _ in range(2)]
    while any(process.poll() is None for process in both):
        (lake.root / "run.lock").unlink(missing_ok=True)
        time.sleep(0.02)
    outputs = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert not any("waiting" in output for output in outputs)
    assert lake.hashes() == undisturbed.hashes
