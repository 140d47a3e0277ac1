"""Every planted fault is found, by source record and reason, and nothing else is set aside."""

import dataclasses
import gzip
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard

from tests.e2e.accounts import Delivered, as_text, pairs, tombstones, untrue
from tests.e2e.conftest import HISTORY
from tests.e2e.world import Lake

LAST = date(2025, 7, 3)

# What the pipeline must say of each kind: the demo city knows nothing of these codes.
REASONS = {
    "missing_id": "service_request_id:required",
    "wrong_type_id": "service_request_id:pattern",
    "missing_status": "status:required",
    "wrong_status": "status:enum",
    "missing_service_code": "service_code:required",
    "unknown_service_code": "service_code:enum",
    "bad_update": "service_code:enum",
    "missing_requested": "requested_at:required",
    "impossible_requested": "requested_at:type",
    "requested_in_future": "requested_at:requested_not_in_future",
    "impossible_updated": "updated_at:type",
    "impossible_expected": "expected_at:type",
    "expected_before_requested": "expected_at:expected_not_before_requested",
    "impossible_closed": "closed_at:type",
    "closed_before_requested": "closed_at:closed_not_before_requested",
    "closed_in_future": "closed_at:closed_not_in_future",
    "closed_without_closed_time": "closed_at:closed_has_closed_at",
    "open_with_closed_time": "closed_at:open_has_no_closed_at",
    "missing_area": "area_code:required",
    "wrong_area_code": "area_code:pattern",
    "wrong_satisfaction": "satisfaction:enum",
    "wrong_channel": "channel:enum",
    "wrong_competence": "is_within_competence:type",
    "wrong_reopened": "is_reopened:type",
    "latitude_outside": "latitude:range",
    "longitude_outside": "longitude:range",
    "latitude_not_number": "latitude:type",
    "longitude_not_number": "longitude:type",
}


@dataclasses.dataclass(frozen=True)
class Found:
    """One delivered record and what became of it."""

    record_id: str | None
    requested: str | None
    updated: str | None
    outcome: str
    reasons: frozenset[str]
    read_on: str
    content: str

    def delivered(self) -> Delivered:
        """The record as the accounts know it."""
        return Delivered(self.record_id, self.updated, self.content, self.outcome, self.read_on)


def _raw_objects(root: Path) -> dict[str, list[dict[str, Any]]]:
    """Every raw page by digest, read without the project's code."""
    pages = {}
    for path in (root / "raw").rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        if content[:4] == b"\x28\xb5\x2f\xfd":
            content = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content)).read()
        elif content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        if content[:1] == b"[":
            pages[path.name.split(".")[0]] = json.loads(content)
    return pages


def _found(root: Path) -> Iterator[Found]:
    pages = _raw_objects(root)
    for path in sorted((root / "journal" / "records").glob("*.parquet")):
        day = path.name.split("_")[1]
        for row in pl.read_parquet(path).iter_rows(named=True):
            record = pages[row["raw_digest"]][row["raw_row"]]
            yield Found(
                record.get("service_request_id"),
                record.get("requested_datetime"),
                record.get("updated_datetime"),
                row["outcome"],
                frozenset(row["reasons"] or ()),
                day,
                as_text(record),
            )


def _lost_its_id(found: Found) -> bool:
    return any(reason.startswith("service_request_id:") for reason in found.reasons)


@pytest.fixture(scope="module")
def told(
    base: Lake, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Lake, list[dict[str, Any]], list[Found]]:
    """A lake with three reads, the manifest, and what became of every record."""
    import shutil

    home = tmp_path_factory.mktemp("faults") / "home"
    shutil.copytree(base.home, home)
    lake = Lake(home, base.server)
    for day in (date(2025, 7, 2), LAST):
        lake.run(day)
    manifest = base.server.manifest(LAST, HISTORY)
    return lake, manifest, list(_found(lake.root))


def test_every_record_has_one_outcome(
    told: tuple[Lake, list[dict[str, Any]], list[Found]],
) -> None:
    lake, _, found = told
    outcomes = sorted((lake.root / "journal" / "outcomes").glob("*.json"))
    read = [json.loads(path.read_text()) for path in outcomes]
    assert len(found) == sum(each["records"] for each in read) > 0
    assert {each.outcome for each in found} == {
        "new",
        "changed",
        "unchanged",
        "superseded",
        "duplicate",
        "quarantined",
    }


def test_planted_and_quarantined_are_the_same(
    told: tuple[Lake, list[dict[str, Any]], list[Found]],
) -> None:
    _, manifest, found = told
    planted = {
        (line["requested_datetime"], line["updated_datetime"]): (
            line["service_request_id"],
            REASONS[line["kind"]],
        )
        for line in manifest
        if line["effect"] == "quarantine"
    }
    set_aside = {
        (each.requested, each.updated): each for each in found if each.outcome == "quarantined"
    }
    assert set_aside.keys() - planted.keys() == set(), "quarantined, but not planted"
    assert planted.keys() - set_aside.keys() == set(), "planted, but not quarantined"
    wrong = {
        key: (planted[key], each)
        for key, each in set_aside.items()
        if each.reasons != {planted[key][1]}
        or (not _lost_its_id(each) and each.record_id != planted[key][0])
    }
    assert wrong == {}
    kinds = {line["kind"] for line in manifest if line["effect"] == "quarantine"}
    assert kinds == set(REASONS)


@pytest.mark.parametrize("effect", ["duplicate", "superseded", "changed", "new"])
def test_planted_changes_end_as_planted(
    told: tuple[Lake, list[dict[str, Any]], list[Found]], effect: str
) -> None:
    _, manifest, found = told
    planted = _planted(manifest, effect)
    ended = {(each.record_id, each.read_on) for each in found if each.outcome == effect}
    assert planted
    assert planted - ended == set()


@pytest.mark.parametrize("effect", ["duplicate", "superseded"])
def test_nothing_else_ends_as_only_planted_records_can(
    told: tuple[Lake, list[dict[str, Any]], list[Found]], effect: str
) -> None:
    _, manifest, found = told
    since = dict(_planted(manifest, effect))
    ended = set(pairs((each.delivered() for each in found), effect))
    assert {record_id for record_id, _ in ended} == since.keys()
    # The overlap of two reads shows a pair once more, never before it was planted.
    assert {(record_id, day) for record_id, day in ended if day < since[record_id]} == set()


def test_nothing_ends_as_new_or_changed_without_a_cause(
    told: tuple[Lake, list[dict[str, Any]], list[Found]],
) -> None:
    _, manifest, found = told
    planted = {
        pair for effect in ("new", "changed", "deleted") for pair in _planted(manifest, effect)
    }
    delivered = [each.delivered() for each in found]
    assert untrue(delivered, planted, _made_on) == []


def test_planted_deletions_are_tombstones_and_no_other_record_is(
    told: tuple[Lake, list[dict[str, Any]], list[Found]],
) -> None:
    lake, manifest, _ = told
    deleted = sorted(record_id for record_id, _ in _planted(manifest, "deleted"))
    assert deleted
    assert tombstones(lake.root, "service_request", "service_request_id") == deleted
    for record_id in deleted[:3]:
        explained = json.loads(
            lake.call("explain", "--city", lake.city, f"feedback.open311:{record_id}", "--json")
        )
        assert [row["_is_deleted"] for row in explained["core"]] == [True]


def _planted(manifest: list[dict[str, Any]], effect: str) -> set[tuple[str, str]]:
    """Number and day of the read of all that is planted with an effect."""
    return {
        (line["service_request_id"], line["seen"]) for line in manifest if line["effect"] == effect
    }


def _made_on(each: Delivered) -> str:
    """The day that the receipt number holds."""
    digits = str(each.identity).split("-")[1]
    return f"20{digits[:2]}-{digits[2:4]}-{digits[4:]}"
