"""Extracted and loaded as two steps, each demo source comes to what it comes to at once."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from extract.outcomes import outcomes
from pipeline.ingest import Ingested, day_window, extract_window, load_extraction
from tests.e2e.one_system import OneSystem, hashes, one_system
from warehouse.views import quarantine_sql

DAYS = (date(2025, 3, 14), date(2025, 3, 18))
OPTIONS = {
    "dossiers": ("--scale", "0.02"),
    "feedback": ("--scale", "0.02"),
    "health": ("--scale", "0.02"),
    "statistics": (),
}
CLOCK = {"started_at", "ended_at"}


@pytest.fixture(scope="module", params=OPTIONS)
def system(request: pytest.FixtureRequest, seed: int) -> Iterator[OneSystem]:
    with one_system(OneSystem(request.param, seed, 15, OPTIONS[request.param])) as running:
        yield running


def _in_two_steps(system: OneSystem, home: Path, day: date) -> Ingested:
    context = system.context(home, day)
    extracted = extract_window(context, system.source, day_window(context))
    assert extracted.failure is None
    assert extracted.extraction is not None
    return load_extraction(system.context(home, day), extracted.extraction.id)


def _quarantined(system: OneSystem, home: Path) -> list[tuple[Any, ...]]:
    """Place and reasons of every quarantined record."""
    context = system.context(home, DAYS[-1])
    table = context.city.sources[system.source].table
    snapshot = context.lake.snapshot("quarantine", table)
    select = f"SELECT _raw_name, _raw_row, key_text, reasons FROM ({quarantine_sql(snapshot)})"  # noqa: S608 - own text
    return duckdb.sql(f"{select} ORDER BY ALL").fetchall()


def _told(system: OneSystem, home: Path) -> list[dict[str, Any]]:
    """What the journal says of every attempt, without the clock."""
    journal = system.context(home, DAYS[-1]).paths.journal
    return [
        {name: value for name, value in each.items() if name not in CLOCK}
        for each in outcomes(journal, system.source)
    ]


def test_two_steps_come_to_the_same(system: OneSystem, tmp_path: Path) -> None:
    at_once, in_steps = tmp_path / "at_once", tmp_path / "in_steps"
    for day in DAYS:
        one, other = system.load(at_once, day), _in_two_steps(system, in_steps, day)
        assert (one.error, other.error) == (None, None)
        assert one.result is not None
        assert other.result is not None
        assert other.result.counts == one.result.counts
        assert other.result.deleted == one.result.deleted
        assert hashes(in_steps, day) == hashes(at_once, day)
    assert one.result is not None
    assert one.result.records_in
    assert _told(system, in_steps) == _told(system, at_once)
    assert len(_told(system, in_steps)) == len(DAYS)
    assert _quarantined(system, in_steps) == _quarantined(system, at_once)
    assert _quarantined(system, in_steps)
