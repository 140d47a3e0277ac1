"""A real Airflow, once for all tests of this folder; `make test-airflow` runs them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airflow.orchestra import PROGRAM, Orchestra, orchestra_in

REQUIRED = "CITYLAKE_REQUIRE_AIRFLOW"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.airflow)


@pytest.fixture(scope="session")
def airflow_program() -> Path:
    """The program; skips where it is absent, fails where it is required."""
    if not PROGRAM.exists():
        assert not os.environ.get(REQUIRED), f"{PROGRAM} is absent"
        pytest.skip("Airflow has no environment: requirements/install.sh airflow")
    return PROGRAM


@pytest.fixture(scope="session")
def orchestra(
    airflow_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orchestra]:
    """Airflow over a small Da Nang, started by the command that people type."""
    with orchestra_in(tmp_path_factory.mktemp("airflow")) as running:
        yield running
