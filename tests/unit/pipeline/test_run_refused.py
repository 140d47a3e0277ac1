"""A run that can ask no source is refused: it would tell readers that all of them are late."""

from pathlib import Path

import pytest

from pipeline.run import RunReport, run_city
from warehouse.errors import CitylakeError

FEEDBACK = "CITYLAKE_DANANG_OPEN311_URL"
TOKEN = "CITYLAKE_DANANG_OPEN311_TOKEN"  # noqa: S105 - the name of a variable


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (FEEDBACK, TOKEN):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("value", [None, "  "], ids=["unset", "blank"])
def test_no_source_can_be_asked(
    home: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value:
        monkeypatch.setenv(FEEDBACK, value)
    with pytest.raises(CitylakeError) as refused:
        run_city("danang")
    told = str(refused.value)
    assert told.startswith("danang: no source can be asked; not set: ")
    assert FEEDBACK in told
    assert "`citylake demo run --city danang`" in told
    assert not list(home.glob("danang/journal/outcomes/*"))
    assert not list(home.glob("danang/serving/*"))


def test_one_source_that_can_be_asked_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FEEDBACK, "http://127.0.0.1:9")
    monkeypatch.setenv(TOKEN, "a token")
    asked: list[str] = []

    class Went(Exception):
        """The run has begun."""

    def run_day(context: object, console: object) -> RunReport:
        asked.append("day")
        raise Went

    monkeypatch.setattr("pipeline.run.run_day", run_day)
    with pytest.raises(Went):
        run_city("danang", quiet=True)
    assert asked == ["day"]
