import multiprocessing
import shutil
import signal
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from publish.checksums import verify_release
from quality.ledger import Ledger
from tests.unit.gate.small_city import city_paths
from tests.unit.publish.crashing_run import run, run_as_process
from warehouse.boundary import KILL_VARIABLE, LOG_VARIABLE
from warehouse.duck import read_only
from warehouse.paths import CityPaths
from warehouse.promotion_record import records

BOUNDARIES = [
    "marts.before_file",
    "marts.after_file",
    "promotion.before_record",
    "promotion.after_record",
    "ledger.before_entry",
    "ledger.after_entry:2",
    "release.before_folder",
    "release.after_folder",
    "release.before_latest",
    "release.after_latest",
    "serving.before_replace",
    "serving.after_replace",
]


# One process imports the heavy modules; each run is a fresh child of it, ended by a real signal.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.unit.publish.crashing_run"])


def start(folder: Path, value: int, version: int, **environment: str) -> ForkServerProcess:
    process = CONTEXT.Process(target=run_as_process, args=(folder, value, version, environment))
    process.start()
    return process


def ended(process: ForkServerProcess) -> int | None:
    process.join(120)
    return process.exitcode


def state(paths: CityPaths) -> dict[str, object]:
    """All that readers and auditors see, without the layout of database files."""
    found: dict[str, object] = {}
    for folder in (paths.promotions, paths.ledger, paths.releases):
        for path in folder.rglob("*"):
            if path.is_file():
                found[path.relative_to(paths.root).as_posix()] = path.read_bytes()
    found["marts"] = sorted(path.name for path in paths.marts.rglob("*.duckdb"))
    with read_only(paths.serving / "marts.duckdb") as connection:
        for table in ("mart_city_indicator", "mart_request_monthly", "publication_status"):
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - fixed names
            found[table] = sorted(map(repr, rows))
    return found


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> CityPaths:
    paths = city_paths(tmp_path_factory.mktemp("first"))
    run(paths, 1, 1)
    return paths


def after(first_day: CityPaths, folder: Path) -> CityPaths:
    """A city of its own that has the first day behind it."""
    shutil.copytree(first_day.home, folder, dirs_exist_ok=True)
    return city_paths(folder)


@pytest.fixture(scope="module")
def undisturbed(
    first_day: CityPaths, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, object]:
    paths = after(first_day, tmp_path_factory.mktemp("undisturbed"))
    run(paths, 2, 2)
    return state(paths)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_killed_run_is_made_up_for(
    tmp_path: Path, first_day: CityPaths, undisturbed: dict[str, object], boundary: str
) -> None:
    paths = after(first_day, tmp_path)
    log = tmp_path / "boundaries"
    killed = start(tmp_path, 2, 2, **{KILL_VARIABLE: boundary, LOG_VARIABLE: str(log)})
    assert ended(killed) == -signal.SIGKILL
    assert log.read_text().splitlines()[-1] == boundary.partition(":")[0]
    run(paths, 2, 2)
    assert state(paths) == undisturbed
    assert Ledger(paths).verify() is None


def test_every_boundary_is_tried(tmp_path: Path) -> None:
    log = tmp_path / "boundaries"
    assert ended(start(tmp_path, 1, 1, **{LOG_VARIABLE: str(log)})) == 0
    assert set(log.read_text().split()) == {name.partition(":")[0] for name in BOUNDARIES}


def test_two_equal_runs_at_once_equal_one(
    tmp_path: Path, first_day: CityPaths, undisturbed: dict[str, object]
) -> None:
    paths = after(first_day, tmp_path)
    both = [start(tmp_path, 2, 2) for _ in range(2)]
    assert [ended(each) for each in both] == [0, 0]
    assert state(paths) == undisturbed


def test_two_different_runs_at_once_leave_one_chain(tmp_path: Path) -> None:
    paths = city_paths(tmp_path)
    both = [start(tmp_path, value, 1) for value in (1, 2)]
    assert [ended(each) for each in both] == [0, 0]
    run(paths, 2, 2)
    assert [record.number for record in records(paths)] == list(
        range(1, len(list(paths.promotions.glob("*.json"))) + 1)
    )
    assert Ledger(paths).verify() is None
    for release in (paths.releases / "request-monthly").iterdir():
        if release.is_dir():
            verify_release(release)
