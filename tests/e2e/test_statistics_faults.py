"""Every fault planted in the statistics office is found, and nothing else is set aside."""

import csv
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard

from pipeline.context import open_context
from pipeline.ingest import Ingested, ingest
from pipeline.reprocess import reprocess
from tests.e2e.accounts import Delivered, as_text, pairs, tombstones, untrue
from tests.e2e.processes import planted, serving

SOURCE = "socioeconomic.statistics_office"
FIRST, LAST = date(2025, 7, 1), date(2025, 7, 5)
DIMENSIONS = ("FREQ", "REF_AREA", "INDICATOR", "SEX", "AGE", "TIME_PERIOD")
# What the pipeline must say of each kind: the demo city knows nothing of these codes.
REASONS = {
    "unknown_area": "REF_AREA:unknown_code",
    "unknown_indicator": "INDICATOR:unknown_code",
    "unknown_status": "OBS_STATUS:unknown_code",
    "value_not_number": "obs_value:type",
    "missing_value": "obs_value:missing_value_says_why",
    "missing_indicator": "indicator:required",
    "future_period": "time_period:period_has_begun",
    "impossible_period": "time_period:period_is_known",
    "negative_error": "standard_error:range",
    "negative_sample": "sample_size:range",
    "missing_status": "obs_status:required",
    "missing_unit": "unit_measure:required",
    "impossible_multiplier": "unit_mult:range",
    "impossible_decimals": "decimals:range",
    "impossible_update": "updated_at:type",
}


@contextmanager
def served(*options: str) -> Iterator[dict[str, str]]:
    """The statistics office alone; address and token by the variables that contracts read."""
    own = ("--systems", "statistics", "--days", "120")
    with serving(*own, *options, variables={"DEMO_TOKEN": "t"}) as ready:
        yield {**ready["variables"], **dict.fromkeys(ready["token_variables"], "t")}


def _load(home: Path, day: date, variables: dict[str, str]) -> Ingested:
    shown = {name: value.replace("{day}", day.isoformat()) for name, value in variables.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYLAKE_HOME", str(home))
        context = open_context("danang", day)
    return ingest(replace(context, environ={**os.environ, **shown}), SOURCE)


def manifest(seed: int, last: date) -> list[dict[str, Any]]:
    """What is planted, as the demo city itself lists it to a reader from `FIRST` on."""
    options = ["--systems", "statistics", "--seed", str(seed)]
    return planted(*options, "--to", last.isoformat(), "--first-read", FIRST.isoformat())


@dataclass(frozen=True)
class Found:
    """One delivered record and what became of it."""

    key: tuple[str, ...]
    updated: str
    outcome: str
    reasons: frozenset[str]
    read_on: str
    content: str

    def delivered(self) -> Delivered:
        """The record as the accounts know it."""
        return Delivered(self.key, self.updated, self.content, self.outcome, self.read_on)


def _found(root: Path) -> list[Found]:
    objects = {}
    for path in (root / "raw" / "objects").rglob("*.zst"):
        content = zstandard.ZstdDecompressor().stream_reader(path.open("rb")).read()
        if content.startswith(b"STRUCTURE,"):
            rows = csv.DictReader(io.StringIO(content.decode()))
            objects[path.name.split(".")[0]] = list(rows)
    found = []
    for path in sorted((root / "journal" / "records").glob(f"{SOURCE}_*.parquet")):
        day = path.stem.rsplit("_", 2)[1]
        for row in pl.read_parquet(path).iter_rows(named=True):
            record = objects[row["raw_digest"]][row["raw_row"]]
            found.append(
                Found(
                    tuple(record[name] for name in DIMENSIONS),
                    record["UPDATED"],
                    row["outcome"],
                    frozenset(row["reasons"] or ()),
                    day,
                    as_text(record),
                )
            )
    return found


@dataclass(frozen=True)
class Told:
    """A lake after five reads, the manifest, and what became of every record."""

    home: Path
    results: dict[date, Ingested]
    manifest: list[dict[str, Any]]
    found: list[Found]

    def planted(self, effect: str) -> set[tuple[tuple[str, ...], str]]:
        """Key and day of the read of all that is planted with an effect."""
        return {
            (tuple(line["key"]), line["seen"]) for line in self.manifest if line["effect"] == effect
        }


@pytest.fixture(scope="module")
def told(seed: int, tmp_path_factory: pytest.TempPathFactory) -> Told:
    home = tmp_path_factory.mktemp("statistics")
    days = [date(2025, 7, day) for day in range(FIRST.day, LAST.day + 1)]
    with served("--seed", str(seed)) as variables:
        results = {day: _load(home, day, variables) for day in days}
    assert {each.error for each in results.values()} == {None}
    return Told(home, results, manifest(seed, LAST), _found(home / "danang"))


def test_every_record_has_one_outcome(told: Told) -> None:
    assert len(told.found) == sum(each.outcome.records for each in told.results.values())
    ended = {each.outcome for each in told.found}
    assert {"new", "changed", "unchanged", "duplicate", "quarantined"} <= ended


def test_planted_and_quarantined_are_the_same(told: Told) -> None:
    planted = {
        (tuple(line["key"]), line["updated"]): {REASONS[line["kind"]]}
        for line in told.manifest
        if line["effect"] == "quarantine"
    }
    set_aside = {
        (each.key, each.updated): set(each.reasons)
        for each in told.found
        if each.outcome == "quarantined"
    }
    assert set_aside == planted
    kinds = {line["kind"] for line in told.manifest if line["effect"] == "quarantine"}
    assert kinds == set(REASONS)


@pytest.mark.parametrize("effect", ["duplicate", "changed"])
def test_planted_changes_end_as_planted(told: Told, effect: str) -> None:
    planted = told.planted(effect)
    ended = {(each.key, each.read_on) for each in told.found if each.outcome == effect}
    assert planted
    assert planted - ended == set()


def test_nothing_else_ends_as_only_planted_records_can(told: Told) -> None:
    since = dict(told.planted("duplicate"))
    ended = set(pairs((each.delivered() for each in told.found), "duplicate"))
    assert {key for key, _ in ended} == since.keys()
    # The overlap of two reads shows a pair once more, never before it was planted.
    assert {(key, day) for key, day in ended if day < since[key]} == set()
    assert [each for each in told.found if each.outcome == "superseded"] == []


def test_nothing_ends_as_new_or_changed_without_a_cause(told: Told) -> None:
    planted = told.planted("changed") | told.planted("deleted")
    delivered = [each.delivered() for each in told.found]
    # A figure that is not planted shows on the day of its publication.
    assert untrue(delivered, planted, lambda each: (each.updated or "")[:10]) == []


def test_planted_withdrawals_are_tombstones_and_no_other_record_is(told: Told) -> None:
    withdrawn = sorted(key for key, _ in told.planted("deleted"))
    deleted = sum(each.result.deleted for each in told.results.values() if each.result)
    assert deleted == len(withdrawn) > 0
    columns = ("freq", "ref_area", "indicator", "dimension_key", "time_period")
    assert tombstones(told.home / "danang", "indicator_observation", *columns) == sorted(
        (freq, area, indicator, f"SEX={sex};AGE={age}", period)
        for freq, area, indicator, sex, age, period in withdrawn
    )


def test_reprocess_under_the_same_contract_moves_nothing(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYLAKE_HOME", str(told.home))
    moves = reprocess(open_context("danang", LAST), SOURCE, apply=False)
    assert moves.total == 0
    assert moves.still_quarantined > 0


def test_a_further_attribute_is_told_and_left_out(tmp_path: Path) -> None:
    with served(f"--break=statistics:attribute_added:{LAST}") as variables:
        _load(tmp_path, FIRST, variables)
        drifted = _load(tmp_path, LAST, variables)
    assert drifted.error is None
    assert drifted.outcome.undeclared == ("COMMENT_OBS",)
