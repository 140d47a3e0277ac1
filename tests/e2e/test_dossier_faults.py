"""Every fault planted in the one-stop shop is found, by source record and reason, and no other."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from tests.e2e.accounts import Delivered, as_text, pairs, tombstones, untrue
from tests.e2e.one_stop import OneStop, Shop, one_stop

FIRST, LAST = date(2025, 6, 30), date(2025, 7, 2)

# What the pipeline must say of each kind: the demo city knows nothing of these codes.
REASONS = {
    "missing_id": {"dossier_id:required"},
    "wrong_id": {"dossier_id:pattern"},
    "missing_procedure": {"procedure_code:required"},
    "unknown_procedure": {"procedure_code:enum"},
    "bad_update": {"procedure_code:enum"},
    "wrong_level": {"procedure_level:enum"},
    "missing_channel": {"channel:required"},
    "wrong_channel": {"channel:enum"},
    "missing_status": {"status:required"},
    "wrong_status": {"status:enum"},
    "missing_ward": {"area_code:required"},
    "wrong_ward": {"area_code:pattern"},
    "missing_received": {"received_at:required"},
    "endless_received": {"received_at:type"},
    # filed after it was updated, whatever day it is
    "received_in_future": {
        "received_at:received_not_in_future",
        "updated_at:updated_not_before_received",
    },
    "missing_due": {"due_at:required"},
    "endless_due": {"due_at:type"},
    "due_before_received": {"due_at:due_not_before_received"},
    "finished_before_received": {"completed_at:completed_not_before_received"},
    "finished_in_future": {"completed_at:completed_not_in_future"},
    "endless_finished": {"completed_at:type"},
    "completed_without_end": {"completed_at:completed_has_completed_at"},
    "open_with_end": {"completed_at:open_has_no_completed_at"},
    "missing_updated": {"updated_at:required"},
    "endless_updated": {"updated_at:type"},
    "updated_before_received": {"updated_at:updated_not_before_received"},
    "result_without_completion": {"is_digitised_result:result_needs_completion"},
    "fee_negative": {"fee_vnd:range"},
    "fee_with_fraction": {"fee_vnd:type"},
    "fee_no_number": {"fee_vnd:type"},
    "fee_too_large": {"fee_vnd:type"},
    "fee_implausible": {"fee_vnd:range"},
}
LOST_ITS_ID = {"missing_id", "wrong_id"}


@dataclass(frozen=True)
class Found:
    """One delivered row and what became of it."""

    dossier_id: str | None
    received: str | None
    updated: str | None
    outcome: str
    reasons: frozenset[str]
    read_on: str
    content: str

    def delivered(self) -> Delivered:
        """The row as the accounts know it."""
        return Delivered(self.dossier_id, self.updated, self.content, self.outcome, self.read_on)


@dataclass(frozen=True)
class Told:
    """A lake with three reads, the manifest, and what became of every row."""

    shop: Shop
    manifest: list[dict[str, Any]]
    found: list[Found]

    def planted(self, effect: str) -> set[tuple[str, str]]:
        """Number and day of the read of all that is planted with an effect."""
        return {
            (line["dossier_id"], line["seen"]) for line in self.manifest if line["effect"] == effect
        }


def _time(value: Any) -> str | None:
    """A time as the manifest writes it; the ends of the calendar stand for the endless ones."""
    if value is None:
        return None
    ends = {1: "-infinity", 9999: "infinity"}
    return ends.get(value.year) or str(value.isoformat())


def _raw_objects(root: Path) -> dict[str, list[dict[str, Any]]]:
    """Every raw object by digest, read without the project's code."""
    objects = {}
    for path in (root / "raw").rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        if content[:6] == b"ARROW1":
            rows = pa.ipc.open_file(pa.BufferReader(content)).read_all().to_pylist()
            objects[path.name.split(".")[0]] = rows
    return objects


def _found(root: Path) -> Iterator[Found]:
    objects = _raw_objects(root)
    for path in sorted((root / "journal" / "records").glob("*.parquet")):
        day = re.search(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", path.name)
        assert day
        for row in pl.read_parquet(path).iter_rows(named=True):
            record = objects[row["raw_digest"]][row["raw_row"]]
            yield Found(
                record["dossier_id"],
                _time(record["received_at"]),
                _time(record["updated_at"]),
                row["outcome"],
                frozenset(row["reasons"] or ()),
                day[0],
                as_text(record),
            )


@pytest.fixture(scope="module")
def told(seed: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with one_stop(OneStop(seed, 0.02, 118)) as source:
        shop = Shop(tmp_path_factory.mktemp("dossiers"), source)
        for day in (FIRST, date(2025, 7, 1), LAST):
            shop.run(day)
        yield Told(shop, source.manifest(LAST, FIRST), list(_found(shop.root)))


def test_every_row_has_one_outcome(told: Told) -> None:
    outcomes = sorted((told.shop.root / "journal" / "outcomes").glob("*.json"))
    read = [json.loads(path.read_text()) for path in outcomes]
    assert len(told.found) == sum(each["records"] for each in read) > 0
    assert {each.outcome for each in told.found} == {
        *("new", "changed", "unchanged", "superseded", "duplicate", "quarantined"),
    }


def test_planted_and_quarantined_are_the_same(told: Told) -> None:
    planted = {
        (line["received_at"], line["updated_at"]): (line["dossier_id"], line["kind"])
        for line in told.manifest
        if line["effect"] == "quarantine"
    }
    set_aside = {
        (each.received, each.updated): each for each in told.found if each.outcome == "quarantined"
    }
    assert set_aside.keys() - planted.keys() == set(), "quarantined, but not planted"
    assert planted.keys() - set_aside.keys() == set(), "planted, but not quarantined"
    wrong = {
        key: (planted[key], each)
        for key, each in set_aside.items()
        if each.reasons != REASONS[planted[key][1]]
        or (
            planted[key][1] not in ("missing_id", "wrong_id") and each.dossier_id != planted[key][0]
        )
    }
    assert wrong == {}
    kinds = {line["kind"] for line in told.manifest if line["effect"] == "quarantine"}
    assert kinds == set(REASONS)


@pytest.mark.parametrize("effect", ["duplicate", "superseded", "changed", "new"])
def test_planted_changes_end_as_planted(told: Told, effect: str) -> None:
    planted = told.planted(effect)
    ended = {(each.dossier_id, each.read_on) for each in told.found if each.outcome == effect}
    assert planted
    assert planted - ended == set()


@pytest.mark.parametrize("effect", ["duplicate", "superseded"])
def test_nothing_else_ends_as_only_planted_rows_can(told: Told, effect: str) -> None:
    since = dict(told.planted(effect))
    ended = set(pairs((each.delivered() for each in told.found), effect))
    assert {dossier_id for dossier_id, _ in ended} == since.keys()
    # The overlap of two reads shows a pair once more, never before it was planted.
    assert {(dossier_id, day) for dossier_id, day in ended if day < since[dossier_id]} == set()


def test_nothing_ends_as_new_or_changed_without_a_cause(told: Told) -> None:
    planted = {pair for effect in ("new", "changed", "deleted") for pair in told.planted(effect)}
    delivered = [each.delivered() for each in told.found]
    assert untrue(delivered, planted, _made_on) == []


def _made_on(each: Delivered) -> str:
    """The day that the dossier's number holds."""
    digits = str(each.identity).split("-")[1]
    return f"20{digits[:2]}-{digits[2:4]}-{digits[4:]}"


def test_planted_deletions_are_tombstones_and_no_other_row_is(told: Told) -> None:
    deleted = sorted(dossier_id for dossier_id, _ in told.planted("deleted"))
    assert deleted
    assert tombstones(told.shop.root, "dossier", "dossier_id") == deleted
    for dossier_id in deleted[:3]:
        reference = f"administration.one_stop_shop:{dossier_id}"
        explained = json.loads(told.shop.call("explain", reference, "--json"))
        assert [row["_is_deleted"] for row in explained["core"]] == [True]


def test_who_filed_a_dossier_is_nowhere_in_the_lake(told: Told) -> None:
    names = told.shop.source.ask(LAST, "SELECT applicant_name, applicant_identity FROM dossier")
    assert names
    told_names = {row["applicant_identity"] for row in names[:200] if row["applicant_identity"]}
    for rows in _raw_objects(told.shop.root).values():
        assert not {"applicant_name", "applicant_identity"} & rows[0].keys()
    for path in told.shop.root.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not any(name.encode() in content for name in told_names), path
        assert told.shop.source.token.encode() not in content, path


def test_a_day_read_again_changes_nothing(told: Told) -> None:
    before = told.shop.call("hash", "--json")
    told.shop.run(LAST)
    assert told.shop.call("hash", "--json") == before
