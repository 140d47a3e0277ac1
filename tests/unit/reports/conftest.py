import shutil
from pathlib import Path

import pytest

from tests.unit.reports.briefs import Desk, desk_in


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A lake whose serving file has figures of every area; tests change copies of it."""
    return desk_in(tmp_path_factory.mktemp("briefs"))


@pytest.fixture
def desk(filled: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The same in a lake of the test's own, which `CITYLAKE_HOME` names."""
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    file = tmp_path / "danang" / "serving" / "marts.duckdb"
    file.parent.mkdir(parents=True)
    shutil.copyfile(filled.file, file)
    return Desk(file, filled.geography, filled.access)
