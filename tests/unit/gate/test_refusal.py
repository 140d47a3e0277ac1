"""A held candidate to which the answer is no: readers see what they saw, and it waits no more."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from quality.decisions import promotion_problems, record_decisions
from quality.ledger import Ledger
from tests.unit.gate.small_city import CONTRACTS, DAY, C, city_paths
from tests.unit.gate.test_promotion import run_day, seen
from warehouse.paths import CityPaths
from warehouse.promotion import approve, refuse
from warehouse.promotion_record import (
    Content,
    PromotionError,
    Record,
    held_path,
    latest,
    record_path,
)

LATER = DAY + timedelta(days=1)


@pytest.fixture
def paths(tmp_path: Path) -> CityPaths:
    """Readers see 3 of publication c; 9 waits for a person."""
    paths = city_paths(tmp_path)
    run_day(paths, {1: 1, 2: 2, 3: 3}, "ppp")
    run_day(paths, {1: 1, 2: 2, 3: 9}, "pph", version=2)
    return paths


def _waiting(paths: CityPaths) -> Content:
    record = latest(paths)
    assert record is not None
    candidate = record.entries["c"].candidate
    assert candidate is not None
    return candidate


def _entries(paths: CityPaths) -> list[dict[str, object]]:
    return [dict(each.body) for each in Ledger(paths).entries() if each.kind == "refusal"]


@pytest.mark.parametrize(
    ("person", "said_by", "how"),
    [
        (
            " Trần Thị Lan ",
            {"person": "Trần Thị Lan", "attestation": "stated"},
            "a person's decision",
        ),
        (None, {"person": None, "attestation": "silence"}, "nobody decided in time"),
    ],
    ids=["person", "silence"],
)
def test_a_refusal_enters_the_ledger_and_changes_nothing_that_readers_see(
    paths: CityPaths, person: str | None, said_by: dict[str, str | None], how: str
) -> None:
    candidate, before = _waiting(paths), latest(paths)
    assert before is not None
    refused = refuse(paths, "c", candidate.content_hash, person)
    assert refused.is_new
    record = refused.record
    assert (record.number, record.kind, record.mart_file) == (3, "refusal", before.mart_file)
    assert seen(paths, C) == 3
    assert record.entries["c"].promoted == before.entries["c"].promoted
    assert {name: record.entries[name] for name in "ab"} == {
        name: before.entries[name] for name in "ab"
    }
    assert (record.entries["c"].verdict, record.entries["c"].candidate) == ("reject", None)
    assert not held_path(paths, candidate.content_hash).exists()
    reason = f"candidate {candidate.content_hash[:12]} was refused: {how}"
    assert record.entries["c"].reasons[-1] == reason
    assert latest(paths) == record
    assert record_decisions(paths) == 3
    (entry,) = _entries(paths)
    assert (entry["refused"], entry["refused_by"]) == (candidate.content_hash, said_by)
    assert list(promotion_problems(paths, Ledger(paths))) == []


def test_what_was_refused_is_never_approved(paths: CityPaths) -> None:
    candidate = _waiting(paths)
    refuse(paths, "c", candidate.content_hash, "Lan")
    again = run_day(paths, {1: 1, 2: 2, 3: 9}, "pph", version=3)
    assert not again.is_new
    for version, value in ((4, 8), (5, 9)):
        held = run_day(paths, {1: 1, 2: 2, 3: value}, "pph", LATER, version).record
        assert (held.entries["c"].candidate is None) == (value == 9)
    assert held.entries["c"].verdict == "reject"
    assert "was refused" in held.entries["c"].reasons[-1]
    with pytest.raises(PromotionError, match="was refused: a person's decision in promotion re"):
        approve(paths, "c", candidate.content_hash, "Minh", CONTRACTS)
    assert seen(paths, C) == 3


def test_the_gate_may_let_pass_what_a_person_refused(paths: CityPaths) -> None:
    """A rule was changed in the open; nobody approves against the refusal."""
    refuse(paths, "c", _waiting(paths).content_hash, "Lan")
    run_day(paths, {1: 1, 2: 2, 3: 9}, "ppp", version=3)
    assert seen(paths, C) == 9


def test_another_candidate_waits_as_ever(paths: CityPaths) -> None:
    refuse(paths, "c", _waiting(paths).content_hash, None)
    run_day(paths, {1: 1, 2: 2, 3: 7}, "pph", LATER, version=3)
    approve(paths, "c", _waiting(paths).content_hash, "Minh", CONTRACTS)
    assert seen(paths, C) == 7
    record = latest(paths)
    assert record is not None
    assert [each.record for each in record.entries["c"].refused] == [3]


def test_said_again_it_is_the_same_refusal(paths: CityPaths) -> None:
    candidate = _waiting(paths).content_hash
    refuse(paths, "c", candidate, "Lan")
    assert not refuse(paths, "c", candidate, " Lan").is_new
    with pytest.raises(PromotionError, match="was refused"):
        refuse(paths, "c", candidate, "Minh")
    assert record_decisions(paths) == record_decisions(paths) == 3
    assert len(_entries(paths)) == 1


def test_what_does_not_wait_is_not_refused(paths: CityPaths) -> None:
    superseded = _waiting(paths).content_hash
    run_day(paths, {1: 1, 2: 2, 3: 8}, "pph", version=3)
    before = latest(paths)
    for publication, candidate, match in (
        ("c", superseded, "superseded"),
        ("c", "0" * 64, "never held"),
        ("a", _waiting(paths).content_hash, "no candidate"),
        ("z", _waiting(paths).content_hash, "no promotion record"),
    ):
        with pytest.raises(PromotionError, match=match):
            refuse(paths, publication, candidate, "Lan")
    with pytest.raises(PromotionError, match="names the person"):
        refuse(paths, "c", _waiting(paths).content_hash, " ")
    assert latest(paths) == before


def test_records_without_refusals_are_written_as_before(paths: CityPaths) -> None:
    fields = json.loads(record_path(paths, 2).read_bytes())
    assert all("refused" not in each for each in fields["publications"].values())
    assert isinstance(latest(paths), Record)
