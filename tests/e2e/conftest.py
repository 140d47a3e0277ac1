"""One small demo city for every end-to-end test of a worker."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.e2e.world import DemoServer, Lake, demo_server

SCALE = 0.02
DAYS = 121
HISTORY = date(2025, 7, 1)


@pytest.fixture(scope="session")
def server(seed: int) -> Iterator[DemoServer]:
    """The demo city at a small scale, from the seed of this test run."""
    with demo_server(seed, SCALE, DAYS) as running:
        yield running


@pytest.fixture(scope="session")
def base(server: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake that holds the history up to 2025-07-01; tests work on copies of it."""
    lake = Lake(tmp_path_factory.mktemp("base"), server)
    lake.run(HISTORY)
    return lake


@pytest.fixture
def lake(base: Lake, tmp_path: Path) -> Lake:
    """A copy of the base lake."""
    shutil.copytree(base.home, tmp_path / "home")
    return Lake(tmp_path / "home", base.server)
