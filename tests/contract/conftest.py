"""One run of harbour for all tests on real input, and what the agencies' own files say."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.contract.expected_calls import Unit, read_units
from tests.contract.expected_harbour import Air, Case, read_air, read_cases
from tests.contract.expected_permits import Permit, read_permits
from tests.shared_data import SHARED_VARIABLE, shared_path

CITY = Path(__file__).resolve().parents[1] / "cities" / "harbour"


@pytest.fixture(scope="session")
def harbour_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where the lake of harbour and its input lie."""
    return {
        "CITYLAKE_HOME": str(tmp_path_factory.mktemp("harbour")),
        SHARED_VARIABLE: str(shared_path("").parent),
    }


@pytest.fixture(scope="session")
def harbour(harbour_environment: dict[str, str]) -> Path:
    """The lake of harbour after one run of the real command."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "pipeline.cli", "run", "--city", str(CITY)],
        env={**os.environ, **harbour_environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(harbour_environment["CITYLAKE_HOME"]) / "harbour"


@pytest.fixture(scope="session")
def cases() -> list[Case]:
    return read_cases(shared_path(""))


@pytest.fixture(scope="session")
def kept(cases: list[Case]) -> list[Case]:
    """Cases without those that were closed before they were opened."""
    return [case for case in cases if case.closed is None or case.closed >= case.opened]


@pytest.fixture(scope="session")
def air() -> Air:
    return read_air(shared_path(""))


@pytest.fixture(scope="session")
def units() -> list[Unit]:
    return read_units(shared_path(""))


@pytest.fixture(scope="session")
def permits() -> list[Permit]:
    return read_permits(shared_path(""))


@pytest.fixture(scope="session")
def marts(harbour: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(harbour / "serving" / "marts.duckdb"), read_only=True)
