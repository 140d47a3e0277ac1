"""Extraction and load as two steps: what can be loaded, and what is refused."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from extract.errors import TransientError
from extract.extraction import ExtractionError
from extract.raw import RawStore
from pipeline import steps
from pipeline.backfill import BackfillError
from pipeline.maintain import maintain
from tests.e2e.small_town import (
    FIRST,
    HOTLINE,
    REGISTER,
    SECOND,
    THIRD,
    Town,
    case,
    cases,
    register,
    requests,
)
from tests.unit.extract.server import Answer
from warehouse.errors import CitylakeError
from warehouse.workspace import any_writer, workspace

CLOCK = {"started_at", "ended_at"}


def extracted(town: Town, source: str, day: date) -> str:
    """A source extracted for a day; the extraction's id."""
    return str(steps.extract(str(town.folder), source, day.isoformat())["extraction"])


def load(town: Town, extraction: str) -> dict[str, Any]:
    """An extraction loaded; what the step says."""
    return steps.load(str(town.folder), extraction)


def files(town: Town) -> list[Path]:
    return sorted((town.root / "journal" / "extractions").glob("*"))


def told(town: Town) -> list[dict[str, Any]]:
    """The journal of attempts without the clock."""
    return [
        {key: value for key, value in each.items() if key not in CLOCK} for each in town.outcomes()
    ]


def test_nothing_reaches_core_before_the_load(town: Town) -> None:
    said = steps.extract(str(town.folder), HOTLINE, FIRST.isoformat())
    assert said == {
        "extraction": said["extraction"],
        "source": HOTLINE,
        "day": "2025-07-02",
        "objects": 7,
        "bytes": said["bytes"],
        "records": 13,
    }
    assert town.content() == {}
    assert town.outcomes() == []
    loaded = load(town, said["extraction"])
    assert loaded == {
        "source": HOTLINE,
        "table": "service_request",
        "day": "2025-07-02",
        "version": 1,
        "sequence": 1,
        "records": 13,
        "counts": {**dict.fromkeys(loaded["counts"], 0), "new": 13},
        "deleted": 0,
        "held_back": None,
        "notes": [],
    }
    assert json.loads(json.dumps(loaded)) == loaded
    assert len(town.rows(HOTLINE)) == 13


def test_names_pages_and_notes_are_those_of_the_source(town: Town) -> None:
    broken = requests()
    broken[8]["requested_datetime"] = "someday"
    town.requests = broken
    at_once = town.ingest(HOTLINE, FIRST)
    quarantined = town.quarantined()
    said = load(town, extracted(town, HOTLINE, FIRST))
    one, other = told(town)
    assert other == one
    assert said["notes"] == list(at_once.outcome.notes)
    assert "file requests.json page 5, row 0, column requested_at" in said["notes"][0]
    assert town.quarantined() == quarantined
    assert said["counts"]["unchanged"] == 12
    assert said["sequence"] == 1


def test_the_same_answer_is_the_same_extraction_and_loads_once(town: Town) -> None:
    one, other = extracted(town, REGISTER, FIRST), extracted(town, REGISTER, FIRST)
    assert one == other
    (file,) = files(town)
    assert file.stem == one
    first, again = load(town, one), load(town, one)
    assert (first["version"], first["sequence"]) == (again["version"], again["sequence"])
    assert again["counts"]["unchanged"] == first["counts"]["new"] == 20


def test_absence_deletes_as_it_does_at_once(town: Town) -> None:
    load(town, extracted(town, REGISTER, FIRST))
    town.file.write_bytes(register(cases()[:18]))
    last = extracted(town, REGISTER, SECOND)
    assert load(town, last)["deleted"] == 2
    assert len(town.rows(REGISTER)) == 18


def test_a_window_that_is_read_whole_by_now_deletes_nothing(town: Town) -> None:
    """A contract that turned into one of snapshots says nothing of an extraction before."""
    load(town, extracted(town, REGISTER, FIRST))
    contract = town.folder / "sources/feedback/register.yaml"
    text = contract.read_text("utf-8")
    town.file.write_bytes(register(cases()[:18]))
    as_window = text.replace("value: absence", "value: none").replace(
        "- {property: drift", "- {property: cursor, value: window}\n  - {property: drift"
    )
    contract.write_text(as_window, encoding="utf-8")
    part = extracted(town, REGISTER, SECOND)
    contract.write_text(text, encoding="utf-8")
    assert load(town, part)["deleted"] == 0
    assert len(town.rows(REGISTER)) == 20


def test_a_reading_that_failed_midway_cannot_be_loaded(town: Town) -> None:
    town.broken[5] = Answer(b"[]", status=503)
    with pytest.raises(TransientError, match=r"page 5"):
        steps.extract(str(town.folder), HOTLINE, FIRST.isoformat())
    assert files(town) == []
    (outcome,) = town.outcomes()
    assert outcome["status"] == "transient"
    assert outcome["objects"] == 4
    town.broken.clear()
    load(town, extracted(town, HOTLINE, FIRST))
    assert len(town.rows(HOTLINE)) == 13


def test_a_delivery_that_the_contract_does_not_take_is_no_extraction(town: Town) -> None:
    town.file.write_bytes(b"SOMETHING,ELSE\n1,2\n")
    with pytest.raises(CitylakeError, match="missing_column"):
        steps.extract(str(town.folder), REGISTER, FIRST.isoformat())
    assert files(town) == []
    assert told(town)[0]["rule"] == "missing_column"


def _unknown(_town: Town, name: str) -> str:
    return name.replace("2025-07-02", "2025-07-01")


def _elsewhere(_town: Town, name: str) -> str:
    return f"../extractions/{name}"


def _edited(town: Town, name: str) -> str:
    (file,) = files(town)
    file.write_text(file.read_text().replace("2025-07-02", "2025-07-09"))
    return name


def _object_gone(town: Town, name: str) -> str:
    (stored,) = RawStore(town.context.paths).stored()
    stored[1].unlink()
    return name


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_unknown, "there is no extraction"),
        (_elsewhere, "there is no extraction"),
        (_edited, "was changed: extract again"),
        (_object_gone, r"register.csv \(raw object [0-9a-f]{12}\) is gone: extract again"),
    ],
    ids=["unknown", "elsewhere", "edited", "object gone"],
)
def test_what_is_not_whole_is_refused(
    town: Town, spoil: Callable[[Town, str], str], reason: str
) -> None:
    name = spoil(town, extracted(town, REGISTER, FIRST))
    with pytest.raises(ExtractionError, match=reason):
        load(town, name)
    assert town.content() == {}


def test_a_window_that_starts_after_what_the_lake_has_is_refused(town: Town) -> None:
    """As after a lake was restored: its load would move the cursor over what nobody asked for."""
    town.ingest(HOTLINE, SECOND)
    later = extracted(town, HOTLINE, THIRD)
    for path in sorted((town.root / "core").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(ExtractionError, match="starts from 2025-07-03, but the lake has nothing"):
        load(town, later)
    assert told(town)[-1]["status"] == "failed"


def test_an_extraction_that_waited_is_overtaken_by_later_rows(town: Town) -> None:
    first = extracted(town, REGISTER, FIRST)
    closed = case(3, STATE="closed", CLOSED="02/07/2025 17:00")
    town.file.write_bytes(register([*cases()[:2], closed, *cases()[3:]]))
    load(town, extracted(town, REGISTER, SECOND))
    before = town.rows(REGISTER)
    late = load(town, first)
    assert (late["deleted"], late["counts"]["new"], late["counts"]["changed"]) == (0, 0, 0)
    assert town.rows(REGISTER) == before
    assert town.context.lake.snapshot("core", "service_request").as_of(REGISTER) == SECOND  # type: ignore[union-attr]


def test_a_backfill_is_an_extraction_of_a_window(town: Town) -> None:
    town.requests = requests(10)
    town.ingest(HOTLINE, THIRD)
    town.requests = requests()
    said = steps.backfill(str(town.folder), HOTLINE, "2025-07-02", "2025-07-03")
    assert (said["day"], said["counts"]["new"]) == ("2025-07-03", 3)
    window = {"first": "2025-07-02", "last": "2025-07-03"}
    with pytest.raises(steps.StepError, match="the window ends on 2025-07-03"):
        steps.extract(str(town.folder), HOTLINE, "2025-07-04", window)
    with pytest.raises(BackfillError, match="has no window"):
        steps.backfill(str(town.folder), REGISTER, "2025-07-02", "2025-07-03")


def test_a_source_that_there_is_not(town: Town) -> None:
    with pytest.raises(steps.StepError, match=r"no source feedback.other \(feedback"):
        steps.extract(str(town.folder), "feedback.other", "2025-07-02")


def _days_later(town: Town, days: int) -> int:
    """Maintenance some days after the first; raw objects that are left."""
    context = town.context
    city = steps.open_context(str(town.folder), FIRST + timedelta(days=days)).city
    assert city.raw_days is not None
    maintain(steps.open_context(str(town.folder), FIRST + timedelta(days=days)), None)
    return len(list(RawStore(context.paths).stored()))


def test_an_extraction_goes_with_its_raw_objects(town: Town) -> None:
    city = town.folder / "city.yaml"
    city.write_text(f"{city.read_text('utf-8')}retention: {{raw_days: 5}}\n", encoding="utf-8")
    extracted(town, REGISTER, FIRST)
    assert _days_later(town, 5) == len(files(town)) == 1
    with workspace(town.context.paths):
        # Whoever reads a source may count on an object that no list names yet.
        assert any_writer(town.context.paths)
        assert _days_later(town, 6) == 1
    assert _days_later(town, 6) == len(files(town)) == 0
