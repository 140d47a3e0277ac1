"""Whatever instant the process ends at, running again leads to the content of a run in peace."""

import random
import shutil
import signal
import time
from datetime import date
from pathlib import Path

import pytest

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


def _killed_at_an_instant(lake: Lake, undisturbed: Undisturbed, seed: int, number: int) -> None:
    share = random.Random(f"{seed}/{number}").uniform(0.05, 0.95)  # noqa: S311 - no secret
    process = lake.start(DAY)
    time.sleep(share * undisturbed.seconds)
    process.kill()
    process.communicate()
    lake.run(DAY)
    assert lake.hashes() == undisturbed.hashes, f"killed at {share:.3f} of the run"


@pytest.mark.parametrize("number", range(INSTANTS_IN_CI))
def test_killed_at_an_instant_and_run_again(
    lake: Lake, undisturbed: Undisturbed, seed: int, number: int
) -> None:
    _killed_at_an_instant(lake, undisturbed, seed, number)


@pytest.mark.long
@pytest.mark.parametrize("number", range(INSTANTS_IN_CI, INSTANTS_IN_ALL))
def test_killed_at_many_instants(
    lake: Lake, undisturbed: Undisturbed, seed: int, number: int
) -> None:
    _killed_at_an_instant(lake, undisturbed, seed, number)


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
