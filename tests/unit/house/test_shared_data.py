"""Absent real input skips a test at a desk and fails it in continuous integration."""

from pathlib import Path

import pytest

from tests.shared_data import REQUIRE_VARIABLE, SHARED_VARIABLE, shared_path


@pytest.fixture
def empty_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHARED_VARIABLE, str(tmp_path))
    monkeypatch.delenv(REQUIRE_VARIABLE, raising=False)


@pytest.mark.usefixtures("empty_shared")
def test_absent_input_skips() -> None:
    with pytest.raises(pytest.skip.Exception):
        shared_path("MANIFEST.csv")


@pytest.mark.usefixtures("empty_shared")
def test_absent_input_fails_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REQUIRE_VARIABLE, "1")
    with pytest.raises(pytest.fail.Exception):
        shared_path("MANIFEST.csv")


@pytest.mark.usefixtures("empty_shared")
def test_the_variable_names_the_shared_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert shared_path("") == tmp_path / "data"
