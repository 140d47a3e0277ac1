"""Exports that are broken for good: one clear line each, and nothing of what was there is lost."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from extract.transport.retry import Tries
from tests.e2e.one_system import TOKEN, OneSystem, hashes, one_system

START = date(2025, 3, 14)
# What is broken on each of the days after: how it is told.
BROKEN = {
    "missing_file": ("expired", r"file Encounter\.[0-9]+\.ndjson: is gone, of a second export too"),
    "short_file": (
        "count",
        "file Encounter.*ndjson: the file holds [0-9]+ resources, the manifest ",
    ),
    "always_expired": ("expired", r"file \$export status: is gone, of a second export too"),
    "outcome_error": ("outcome", "the export reports errors: 1 error/exception"),
    "failed_export": ("status", r"file \$export status: the server answered 500 .*5 of 5"),
}
DAYS = {kind: START + timedelta(days=1 + number) for number, kind in enumerate(BROKEN)}
LAST = max(DAYS.values()) + timedelta(days=1)


@pytest.fixture(scope="module")
def health(seed: int) -> Iterator[OneSystem]:
    breaks = [f"--break=health:{kind}:{day}" for kind, day in DAYS.items()]
    options = ("--scale", "0.02", "--no-transport-faults", *breaks)
    with one_system(OneSystem("health", seed, 20, options)) as running:
        yield running


@pytest.fixture(scope="module")
def home(health: OneSystem, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake that holds the first day."""
    home = tmp_path_factory.mktemp("exports")
    assert health.load(home, START).error is None
    return home


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_export_changes_nothing(
    health: OneSystem, home: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tries, "_wait", lambda *_: 0.01)
    before = hashes(home, START)
    told = health.load(home, DAYS[kind])
    assert told.result is None
    rule, says = BROKEN[kind]
    assert told.outcome.rule == rule
    assert told.error is not None
    assert told.error.startswith("source health.encounters")
    assert told.error.endswith(f"[{rule}]")
    assert re.search(says, told.error)
    assert "\n" not in told.error
    assert TOKEN not in told.error
    assert hashes(home, START) == before != {}


def test_the_next_export_brings_all_that_was_missed(
    health: OneSystem, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tries, "_wait", lambda *_: 0.01)
    for day in DAYS.values():
        assert health.load(home, day).result is None
    assert health.load(home, LAST).error is None
    for day in (START, LAST):
        assert health.load(tmp_path, day).error is None
    assert hashes(home, LAST) == hashes(tmp_path, LAST)
