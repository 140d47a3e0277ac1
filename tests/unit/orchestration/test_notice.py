"""Deadlines that passed: in the journal, in the log, and told to who listens."""

import json
import logging
import socket
from pathlib import Path

import pytest

from pipeline.orchestration.notice import LATE, MISSING, VARIABLE, Notice, give, run_is_late
from tests.airflow.listener import listener

NOTICE = Notice("danang", "feedback.open311", "2025-07-03", MISSING, "a-run")


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "work").mkdir()
    return tmp_path / "journal", tmp_path / "work"


def test_a_notice_is_entered_logged_and_posted(
    places: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    with listener() as state:
        path = give(NOTICE, *places, {VARIABLE: state.address})
        (told,) = state.told
    assert json.loads(path.read_text("utf-8")) == told
    assert path.parent == places[0] / "deadlines"
    assert told.pop("noticed_at")
    assert told == {
        "city": "danang",
        "what": "feedback.open311",
        "day": "2025-07-03",
        "status": "missing",
        "run": "a-run",
        "deadline": None,
    }
    assert "feedback.open311, day 2025-07-03: not there at the deadline" in caplog.text


def test_the_same_twice_is_two_entries_and_nobody_need_listen(places: tuple[Path, Path]) -> None:
    first, second = give(NOTICE, *places, {}), give(NOTICE, *places, {VARIABLE: " "})
    assert sorted((places[0] / "deadlines").iterdir()) == sorted({first, second})
    assert len({first, second}) == 2


def test_who_does_not_take_it_is_a_warning_that_shows_no_address(
    places: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{probe.getsockname()[1]}/secret-token"
    with listener() as state:
        state.code = 500
        for address in (state.address, closed, "http://[secret-token", "secret-token"):
            assert give(NOTICE, *places, {VARIABLE: address}).exists()
    assert caplog.text.count("the notice was not taken") == 4
    assert "token" not in caplog.text


@pytest.mark.parametrize(
    ("conf", "day"), [({}, "2025-07-03"), ({"day": "2025-07-01"}, "2025-07-01")]
)
def test_a_late_run_is_told_of_by_its_own_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conf: dict[str, str], day: str
) -> None:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / "danang" / "work").mkdir(parents=True)
    run = {"dag_run_id": "backfill__1", "partition_key": "2025-07-03", "conf": conf}
    context = {"dag_run": run, "deadline": {"deadline_time": "2026-01-01T00:00:00Z"}}
    run_is_late("danang", "transform", context)
    (path,) = (tmp_path / "danang" / "journal" / "deadlines").iterdir()
    told = json.loads(path.read_text("utf-8"))
    assert (told["what"], told["day"], told["run"]) == ("transform", day, "backfill__1")
    assert (told["status"], told["deadline"]) == (LATE, "2026-01-01T00:00:00Z")
