"""Every fault planted in the health system is found, by record and reason, and nothing else."""

import dataclasses
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import zstandard

from publish.wording import NOT_CLEARED
from tests.e2e.accounts import Delivered, as_text, core_rows, pairs, tombstones, untrue
from tests.e2e.cities import part_of_danang
from tests.e2e.processes import call, planted, printed, serving
from tests.e2e.world import FIRST

HISTORY, LAST = date(2025, 7, 1), date(2025, 7, 3)
DAYS = (HISTORY, date(2025, 7, 2), LAST)
OVERLAP = timedelta(days=2)  # by which a read goes back before the last one
SCALE = 0.02
TOKEN = "health-token"  # noqa: S105 - of this test's server

# What the pipeline must say of each kind: the demo city knows nothing of these codes.
REASONS = {
    "broken_line": "row:json",
    "missing_id": "encounter_id:required",
    "wrong_type_id": "encounter_id:pattern",
    "wrong_resource": "encounter_id:type",
    "missing_status": "status:required",
    "wrong_status": "status:enum",
    "missing_class": "class_code:required",
    "unknown_class": "class_code:enum",
    "bad_update": "class_code:enum",
    "missing_start": "started_at:required",
    "impossible_start": "started_at:type",
    "start_in_future": "started_at:started_not_in_future",
    "missing_updated": "updated_at:required",
    "impossible_updated": "updated_at:type",
    "impossible_end": "ended_at:type",
    "end_before_start": "ended_at:ended_not_before_started",
    "end_in_future": "ended_at:ended_not_in_future",
    "finished_without_end": "ended_at:finished_has_ended_at",
    "open_with_end": "ended_at:open_has_no_ended_at",
    "missing_area": "area_code:required",
    "wrong_area_code": "area_code:pattern",
    "missing_facility": "facility_id:required",
    "wrong_facility": "facility_id:pattern",
}
IDENTIFIER = re.compile(r'"id": ?"(KCB-[0-9]{6}-[0-9]{5})"')


@dataclasses.dataclass(frozen=True)
class Found:
    """One delivered resource and what became of it."""

    record_id: str | None
    start: str | None
    updated: str | None
    outcome: str
    reasons: frozenset[str]
    read_on: str
    content: str

    def delivered(self) -> Delivered:
        """The resource as the accounts know it."""
        return Delivered(self.record_id, self.updated, self.content, self.outcome, self.read_on)


@dataclasses.dataclass(frozen=True)
class Told:
    """A lake after the reads of all days, the manifest, and what became of every resource.

    Attributes:
        told_again: What was removed within the overlap before the first read. The export of
            everything has neither the resource nor the deletion; the next one lists the deletion.
    """

    root: Path
    manifest: list[dict[str, Any]]
    told_again: set[str]
    found: list[Found]

    def planted(self, effect: str) -> set[tuple[str, str]]:
        """Number and day of the read of all that is planted with an effect."""
        return {
            (line["encounter_id"], line["seen"])
            for line in self.manifest
            if line["effect"] == effect
        }


@contextmanager
def system(seed: int, days: int = 121, scale: float = SCALE) -> Iterator[dict[str, Any]]:
    """The health system alone; what it says when it answers."""
    options = ["--seed", str(seed), "--scale", str(scale), "--start", FIRST.isoformat()]
    options += ["--systems", "health", "--days", str(days)]
    with serving(*options, variables={"DEMO_TOKEN": TOKEN}) as ready:
        yield ready


@pytest.fixture(scope="module")
def told(seed: int, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Three reads of the health system alone."""
    home = tmp_path_factory.mktemp("health")
    with system(seed) as ready:
        for day in DAYS:
            _run(home, ready, day)
    root = home / "danang"
    removed = {
        line["encounter_id"]
        for line in manifest(seed, HISTORY, HISTORY - OVERLAP)
        if line["kind"] == "removed" and line["day"] > (HISTORY - OVERLAP).isoformat()
    }
    return Told(root, manifest(seed, LAST), removed, list(_found(root)))


def manifest(seed: int, last: date, first_read: date = HISTORY) -> list[dict[str, Any]]:
    """What is planted, as the demo city itself lists it to a reader from a day on."""
    options = ["--seed", str(seed), "--scale", str(SCALE), "--start", FIRST.isoformat()]
    options += ["--systems", "health"]
    options += ["--to", last.isoformat(), "--first-read", first_read.isoformat()]
    return planted(*options)


def _run(home: Path, ready: dict[str, Any], day: date) -> None:
    variables = {
        name: address.replace("{day}", day.isoformat())
        for name, address in ready["variables"].items()
    }
    variables |= {**dict.fromkeys(ready["token_variables"], TOKEN), "CITYLAKE_HOME": str(home)}
    arguments = ("run", "--city", part_of_danang("health"), "--date", day.isoformat())
    done = call(*arguments, variables=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert TOKEN not in done.stdout + done.stderr


def lines_of(root: Path) -> dict[str, list[dict[str, Any] | str]]:
    """Every raw file by digest: its resources, Bundles as their deletions, read by hand."""
    files = {}
    for path in (root / "raw" / "objects").rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        if content[:4] == b"\x28\xb5\x2f\xfd":
            content = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content)).read()
        if path.is_file():
            files[path.name.split(".")[0]] = list(_records(content.decode()))
    return files


def _records(text: str) -> Iterator[dict[str, Any] | str]:
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            yield line
            continue
        if record.get("resourceType") == "Bundle":
            for entry in record["entry"]:
                assert entry["request"]["method"] == "DELETE"
                yield {"id": entry["request"]["url"].split("/")[1]}
        else:
            yield record


def _found(root: Path) -> Iterator[Found]:
    files = lines_of(root)
    for path in sorted((root / "journal" / "records").glob("*.parquet")):
        day = path.name.split("_")[1]
        for row in pl.read_parquet(path).iter_rows(named=True):
            record = files[row["raw_digest"]][row["raw_row"]]
            reasons = frozenset(row["reasons"] or ())
            if isinstance(record, str):
                match = IDENTIFIER.search(record)
                identifier = match[1] if match else None
                yield Found(identifier, None, None, row["outcome"], reasons, day, record)
                continue
            yield Found(
                record["id"] if isinstance(record.get("id"), str) else None,
                record.get("period", {}).get("start"),
                record.get("meta", {}).get("lastUpdated"),
                row["outcome"],
                reasons,
                day,
                as_text(record),
            )


def test_every_record_has_one_outcome(told: Told) -> None:
    outcomes = sorted((told.root / "journal" / "outcomes").glob("*.json"))
    read = [json.loads(path.read_text()) for path in outcomes]
    assert len(told.found) == sum(each["records"] for each in read) > 0
    assert {each["status"] for each in read} == {"ok"}
    assert {each.outcome for each in told.found} >= {"new", "changed", "unchanged", "quarantined"}


def test_planted_and_quarantined_are_the_same(told: Told) -> None:
    lines = [line for line in told.manifest if line["effect"] == "quarantine"]
    set_aside = [each for each in told.found if each.outcome == "quarantined"]
    planted = {(line["start"], line["last_updated"]): line for line in lines}
    broken = {line["encounter_id"] for line in lines if line["kind"] == "broken_line"}
    assert {each.record_id for each in set_aside if each.reasons == {"row:json"}} == broken
    whole = {(each.start, each.updated): each for each in set_aside if each.reasons != {"row:json"}}
    expected = {key: line for key, line in planted.items() if line["kind"] != "broken_line"}
    assert whole.keys() - expected.keys() == set(), "quarantined, but not planted"
    assert expected.keys() - whole.keys() == set(), "planted, but not quarantined"
    wrong = {
        key: (expected[key]["kind"], each)
        for key, each in whole.items()
        if each.reasons != {REASONS[expected[key]["kind"]]}
        or each.record_id not in {None, expected[key]["encounter_id"]}
    }
    assert wrong == {}
    assert {line["kind"] for line in lines} == set(REASONS)


@pytest.mark.parametrize("effect", ["duplicate", "superseded", "changed", "new"])
def test_planted_changes_end_as_planted(told: Told, effect: str) -> None:
    planted = told.planted(effect)
    ended = {(each.record_id, each.read_on) for each in told.found if each.outcome == effect}
    assert planted - ended == set()
    assert planted or effect == "changed"


@pytest.mark.parametrize("effect", ["duplicate", "superseded"])
def test_nothing_else_ends_as_only_planted_resources_can(told: Told, effect: str) -> None:
    since = dict(told.planted(effect))
    ended = set(pairs((each.delivered() for each in told.found), effect))
    assert {encounter_id for encounter_id, _ in ended} == since.keys()
    # The overlap of two reads shows a pair once more, never before it was planted.
    assert {(name, day) for name, day in ended if day < since[name]} == set()


def test_nothing_ends_as_new_or_changed_without_a_cause(told: Told) -> None:
    planted = {pair for effect in ("new", "changed", "deleted") for pair in told.planted(effect)}
    planted |= {(encounter_id, DAYS[1].isoformat()) for encounter_id in told.told_again}
    delivered = [each.delivered() for each in told.found]
    assert untrue(delivered, planted, _made_on) == []


def _made_on(each: Delivered) -> str:
    """The day that the encounter's number holds."""
    digits = str(each.identity).split("-")[1]
    return f"20{digits[:2]}-{digits[2:4]}-{digits[4:]}"


def test_planted_deletions_are_tombstones_and_no_other_resource_is(told: Told) -> None:
    deleted = sorted(encounter_id for encounter_id, _ in told.planted("deleted"))
    assert deleted
    assert tombstones(told.root, "encounter", "encounter_id") == sorted(
        {*deleted, *told.told_again}
    )
    rows = core_rows(told.root, "encounter").filter(pl.col("encounter_id").is_in(deleted))
    assert rows.height == len(deleted)


def test_an_expired_export_is_among_the_faults(told: Told) -> None:
    kinds = {line["kind"] for line in told.manifest if line["effect"] == "retried"}
    assert kinds == {"server_error", "too_many_requests", "cut_connection", "expired_export"}


def test_nothing_on_health_is_served_or_released(told: Told) -> None:
    with duckdb.connect(str(told.root / "serving" / "marts.duckdb"), read_only=True) as serving:
        tables = {row[0] for row in serving.execute("SHOW TABLES").fetchall()}
        assert "mart_health_indicator" not in tables
        # Of an indicator there is the name, and of a source that and when it delivers; no number.
        assert serving.execute("SELECT * FROM withheld_indicator").fetchall() == [
            ("HE1", "Số lượt khám bệnh trên 1.000 dân", "Visits per 1,000 people", 10, "so_y_te")
        ]
        assert serving.execute(
            "SELECT source, attempt_status_text_en, records, new, changed, unchanged, quarantined, "
            "deleted FROM report_source"
        ).fetchall() == [("health.encounters", "delivered", None, None, None, None, None, None)]
        named = {"dim_area", "dim_agency", "withheld_indicator", "audit_source", "report_source"}
        assert named < tables
        for table in tables - named:
            assert serving.execute(f"SELECT count(*) FROM {table}").fetchall() == [(0,)]  # noqa: S608 - names of tables
    page = (told.root / "serving" / "site" / "index.html").read_text(encoding="utf-8")
    assert f"<b>{NOT_CLEARED.vi}</b>" in page
    variables = {"CITYLAKE_HOME": str(told.root.parent)}
    said = printed("status", "--city", part_of_danang("health"), variables=variables)
    assert "indicators-health: publish, readers see nothing: " in said
    assert said.endswith(" is not cleared for display\n")
    assert '<article class="card' not in page
    assert not list((told.root / "releases").rglob("*.parquet"))
    assert (told.root / "marts").stat().st_mode & 0o777 == 0o700
    newest = max((told.root / "marts").glob("*.duckdb"), key=lambda path: path.stat().st_mtime)
    with duckdb.connect(str(newest), read_only=True) as promoted:
        count = promoted.execute("SELECT count(*) FROM mart_health_indicator").fetchall()
    assert count[0][0] > 0


def test_no_personal_field_leaves_raw_and_quarantine(told: Told) -> None:
    resources = [each for records in lines_of(told.root).values() for each in records]
    people = [each["subject"] for each in resources if isinstance(each, dict) and "subject" in each]
    names = {each["display"] for each in people}
    numbers = {each["identifier"]["value"] for each in people}
    assert names
    assert numbers
    core = core_rows(told.root, "encounter")
    columns = [name for name in core.columns if core.schema[name] == pl.String]
    texts = {value for name in columns for value in core[name].unique()}
    assert not texts & (names | numbers)
    for folder in ("journal", "promotions", "ledger"):
        for path in (told.root / folder).rglob("*.json"):
            content = path.read_text()
            assert not [name for name in names if name in content]
