"""Answers of the statistics office that are broken: one clear line each, and nothing is lost."""

import re
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from extract.transport.retry import Tries
from tests.e2e.accounts import core_rows
from tests.e2e.one_system import TOKEN, OneSystem, hashes, one_system

START = date(2025, 7, 3)
BROKEN = START + timedelta(days=1)
LAST = BROKEN + timedelta(days=1)
TABLE = "indicator_observation"
KEY = ["dataflow", "ref_area", "indicator", "freq", "dimension_key", "time_period"]
# What is broken: the rule, and how it is told.
KINDS = {
    "dimension_added": (
        "dsd_changed",
        r"file SOCIO_ECONOMIC structure: DNSO:SOCIO_ECONOMIC.*: new dimensions 'EDUCATION' ",
    ),
    "dimension_renamed": (
        "dsd_changed",
        "file SOCIO_ECONOMIC structure: .*new dimensions 'AGE_GROUP'; .*are gone: 'AGE' ",
    ),
    "no_structure": ("status", "file SOCIO_ECONOMIC structure: the server answered 404 "),
    "html": ("html", "file SOCIO_ECONOMIC data: the server answered 200 with an HTML page "),
    "always_error": ("status", "file SOCIO_ECONOMIC structure: the server answered 500 .*5 of 5"),
}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tries, "_wait", lambda *_: 0.01)


@pytest.fixture(scope="module")
def office(seed: int) -> Iterator[OneSystem]:
    """An office that answers as it should."""
    with one_system(OneSystem("statistics", seed, 121, ("--no-transport-faults",))) as running:
        yield running


@pytest.fixture(scope="module")
def before(office: OneSystem, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake that holds the first day."""
    home = tmp_path_factory.mktemp("before") / "home"
    assert office.load(home, START).error is None
    return home


@pytest.fixture(scope="module")
def undisturbed(
    office: OneSystem, before: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Content hashes of a lake that was never given anything broken."""
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    shutil.copytree(before, home)
    assert office.load(home, LAST).error is None
    return hashes(home, LAST)


@pytest.fixture
def home(before: Path, tmp_path: Path) -> Path:
    """A lake of its own that holds the first day."""
    shutil.copytree(before, tmp_path / "home")
    return tmp_path / "home"


def _broken(seed: int, kind: str) -> OneSystem:
    options = (f"--break=statistics:{kind}:{BROKEN}", "--no-transport-faults")
    return OneSystem("statistics", seed, 121, options)


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_answer_changes_nothing_and_the_next_brings_all(
    seed: int, office: OneSystem, home: Path, undisturbed: dict[str, str], kind: str
) -> None:
    kept = hashes(home, START)
    with one_system(_broken(seed, kind)) as broken:
        told = broken.load(home, BROKEN)
    assert told.result is None
    rule, says = KINDS[kind]
    assert told.outcome.rule == rule
    assert told.error is not None
    assert told.error.startswith("source socioeconomic.statistics_office, file ")
    assert told.error.endswith(f"[{rule}]")
    assert re.search(says, told.error)
    assert "\n" not in told.error
    assert TOKEN not in told.error
    assert hashes(home, START) == kept != {}
    assert office.load(home, LAST).error is None
    assert hashes(home, LAST) == undisturbed != kept


def test_data_that_end_in_a_record_lose_nothing(
    seed: int, office: OneSystem, home: Path, undisturbed: dict[str, str]
) -> None:
    """Nothing else tells that they are cut; what they lack comes by the overlap of two reads."""
    kept = core_rows(home / "danang", TABLE).select(KEY)
    with one_system(_broken(seed, "cut_data")) as broken:
        told = broken.load(home, BROKEN)
    assert told.error is None
    assert told.result is not None
    reasons = [each.reason for each in told.result.set_aside]
    assert reasons.count("row:field_count") == 1
    after = core_rows(home / "danang", TABLE).select(KEY)
    assert kept.join(after, on=KEY, how="anti").is_empty()
    assert kept.height > 1_000
    assert office.load(home, LAST).error is None
    name = f"core/{TABLE}"
    assert hashes(home, LAST)[name] == undisturbed[name]
