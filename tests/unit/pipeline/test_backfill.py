"""A backfill brings what the lake lacks, overwrites nothing newer and moves no cursor."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from deltalake import DeltaTable

from pipeline.backfill import BackfillError, backfill, run_backfill
from tests.e2e.small_town import FIRST, HOTLINE, REGISTER, SECOND, THIRD, Town, requests
from tests.unit.extract.server import Answer

TABLE = "service_request"
CLOSED = {"status": "closed", "closed_datetime": "2025-07-04T08:00:00+07:00"}


def _state(town: Town) -> tuple[int, dict[str, int | None]]:
    """Version of the core table and the application transactions of both streams."""
    delta = DeltaTable(town.root / "core" / TABLE)
    names = [f"{source}/{kind}" for source in (HOTLINE, REGISTER) for kind in ("as_of", "sequence")]
    return delta.version(), {name: delta.transaction_version(name) for name in names}


def _statuses(town: Town) -> dict[str, tuple[str, date]]:
    found = town.rows(HOTLINE, "service_request_id, status, _as_of")
    return {key: (status, as_of) for key, status, as_of in found}


@pytest.fixture
def loaded(town: Town) -> Town:
    """The register up to the second day; the hotline up to the third, request 5 missed."""
    town.requests = [each for each in requests() if each["service_request_id"] != "H-5"]
    town.ingest(HOTLINE, FIRST)
    town.requests = [requests()[0] | CLOSED]
    town.ingest(HOTLINE, THIRD)
    town.ingest(REGISTER, SECOND)
    return town


def test_what_the_lake_lacks_comes_and_nothing_newer_goes(loaded: Town) -> None:
    before, cursors = _state(loaded)
    loaded.requests = requests()
    ended = backfill(loaded.context, HOTLINE, FIRST, SECOND)
    assert ended.error is None
    assert ended.result is not None
    counts = {name: count for name, count in ended.result.counts.items() if count}
    assert counts == {"new": 1, "unchanged": 11, "superseded": 1}
    statuses = _statuses(loaded)
    assert len(statuses) == 13
    assert statuses["H-5"] == ("open", SECOND)
    assert statuses["H-1"] == ("closed", THIRD)
    after, moved = _state(loaded)
    assert after == before + 1
    sequence = cursors[f"{HOTLINE}/sequence"]
    assert sequence == 2
    assert moved == cursors | {f"{HOTLINE}/sequence": sequence + 1}
    assert moved[f"{HOTLINE}/as_of"] == THIRD.toordinal()


def test_a_second_backfill_changes_nothing(loaded: Town) -> None:
    loaded.requests = requests()
    backfill(loaded.context, HOTLINE, FIRST, SECOND)
    before, content = _state(loaded), loaded.content()
    backfill(loaded.context, HOTLINE, FIRST, SECOND)
    assert _state(loaded) == before
    assert loaded.content() == content


def test_the_next_run_goes_on_where_the_last_one_ended(loaded: Town) -> None:
    loaded.requests = requests()
    backfill(loaded.context, HOTLINE, FIRST, FIRST)
    loaded.server.asked.clear()
    loaded.ingest(HOTLINE, THIRD + timedelta(days=1))
    assert {each.parameters["updated_after"] for each in loaded.server.asked} == {
        "2025-07-04T17:00:00Z"
    }


def test_the_window_is_asked_for_in_the_zone_of_the_source(loaded: Town) -> None:
    loaded.server.asked.clear()
    backfill(loaded.context, HOTLINE, FIRST, SECOND)
    asked: list[dict[str, Any]] = [each.parameters for each in loaded.server.asked]
    assert {each["updated_after"] for each in asked} == {"2025-07-01T17:00:00Z"}
    assert {each["updated_before"] for each in asked} == {"2025-07-03T17:00:00Z"}


def test_bad_records_go_to_quarantine(loaded: Town) -> None:
    loaded.requests = [requests()[4] | {"requested_datetime": "soon"}]
    ended = backfill(loaded.context, HOTLINE, SECOND, SECOND)
    assert ended.result is not None
    assert ended.result.counts["quarantined"] == 1
    assert [reasons for _, reasons, _, _ in loaded.quarantined()] == [["requested_at:type"]]


@pytest.mark.parametrize(
    ("source", "first", "last", "told"),
    [
        (HOTLINE, SECOND, FIRST, "before it begins"),
        (HOTLINE, SECOND, THIRD + timedelta(days=1), f"loaded up to {THIRD}"),
        (REGISTER, FIRST, FIRST, "every run reads it whole"),
        ("feedback.nothing", FIRST, FIRST, f"no source feedback.nothing .*{HOTLINE}"),
    ],
    ids=["backwards", "beyond-the-cursor", "no-window", "no-source"],
)
def test_what_is_no_window_of_the_past_is_refused(
    loaded: Town, source: str, first: date, last: date, told: str
) -> None:
    before = _state(loaded)
    loaded.server.asked.clear()
    with pytest.raises(BackfillError, match=told):
        backfill(loaded.context, source, first, last)
    assert _state(loaded) == before
    assert loaded.server.asked == []


def test_a_stream_that_was_never_loaded_is_refused(town: Town) -> None:
    with pytest.raises(BackfillError, match="not loaded yet"):
        backfill(town.context, HOTLINE, FIRST, FIRST)


def test_a_source_that_fails_leaves_the_lake(
    loaded: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _state(loaded)
    loaded.requests = requests()
    loaded.broken[3] = Answer(b"", status=500)
    assert run_backfill(str(loaded.folder), HOTLINE, FIRST, SECOND) == 1
    assert _state(loaded) == before
    assert f"error: source {HOTLINE}" in capsys.readouterr().out
    assert loaded.outcomes()[-1]["status"] == "transient"


def test_the_real_command_loads_and_repeats(loaded: Town) -> None:
    loaded.requests = requests()
    window = ("--source", HOTLINE, "--from", str(FIRST), "--to", str(SECOND))
    done = loaded.call("backfill", *window)
    assert done.returncode == 0, done.stderr
    assert len(_statuses(loaded)) == 13
    refused = loaded.call("backfill", "--source", REGISTER, *window[2:])
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)


def test_the_step_of_a_scheduler_asks_for_the_same_window(loaded: Town) -> None:
    loaded.requests = requests()
    loaded.server.asked.clear()
    window = ("--source", HOTLINE, "--first", str(FIRST), "--date", str(SECOND))
    done = loaded.call("step", "extract", *window)
    assert done.returncode == 0, done.stderr
    assert {each.parameters["updated_after"] for each in loaded.server.asked} == {
        "2025-07-01T17:00:00Z"
    }
    _, cursors = _state(loaded)
    loaded.call("step", "load", "--extraction", json.loads(done.stdout)["extraction"])
    assert _statuses(loaded)["H-5"] == ("open", SECOND)
    _, moved = _state(loaded)
    assert moved[f"{HOTLINE}/as_of"] == cursors[f"{HOTLINE}/as_of"]
    refused = loaded.call("step", "extract", *window[:3], str(THIRD), *window[4:])
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "before it begins" in refused.stderr
