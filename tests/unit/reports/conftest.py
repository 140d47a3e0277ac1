import shutil
from pathlib import Path

import pytest

from pipeline.context import open_context
from publish.serving import replace_serving
from tests.unit.reports.briefs import Desk, fill


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A lake whose serving file has figures of every area; tests change copies of it."""
    home = tmp_path_factory.mktemp("briefs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYLAKE_HOME", str(home))
        context = open_context("danang")
        publications = tuple(context.registry.publications.values())
        file = replace_serving(context.paths, publications, context.city.marts, named=context.named)
    fill(file)
    return Desk(file, context.geography, context.access)


@pytest.fixture
def desk(filled: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The same in a lake of the test's own, which `CITYLAKE_HOME` names."""
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    file = tmp_path / "danang" / "serving" / "marts.duckdb"
    file.parent.mkdir(parents=True)
    shutil.copyfile(filled.file, file)
    return Desk(file, filled.geography, filled.access)
