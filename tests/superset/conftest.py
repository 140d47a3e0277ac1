"""A real Superset, once for all tests of this folder; `make test-superset` runs them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.superset.stage import PYTHON, Charts, Stage, stage_in

REQUIRED = "CITYLAKE_REQUIRE_SUPERSET"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.superset)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Superset over a small Da Nang; skips where it has no environment, fails where it must."""
    if not PYTHON.exists():
        assert not os.environ.get(REQUIRED), f"{PYTHON} is absent"
        pytest.skip("Superset has no environment: requirements/install.sh superset")
    before = os.environ.get("CITYLAKE_HOME")
    with stage_in(tmp_path_factory.mktemp("superset")) as running:
        yield running
    if before is None:
        os.environ.pop("CITYLAKE_HOME", None)
    else:
        os.environ["CITYLAKE_HOME"] = before


@pytest.fixture(scope="module")
def charts(stage: Stage) -> Charts:
    """Every chart that there is, by its key."""
    return stage.charts()
