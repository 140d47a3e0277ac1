"""`citylake demo run` from an empty home, as a reader of its output and of the lake sees it.

What the closing tables say is compared with what the lake holds: the rows of core by the Delta
log, the journal, the release folders. Nothing here is read by the project's own code.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from deltalake import DeltaTable

from tests.e2e.cities import DANANG, DATASETS
from tests.e2e.conftest import SCALE
from tests.e2e.processes import REPOSITORY, call
from tests.e2e.world import FIRST, DemoServer, Lake
from tests.release_folder import (
    assert_frictionless_accepts,
    assert_sums_cover,
    assert_the_pointer_names,
    release_folders,
)

# Day 117 is the history in bulk; 118, 119 and 120 are run one by one.
DAYS = [date(2025, 7, day) for day in (2, 3, 4, 5)]
SOURCE_HEADER = [
    *("source", "state", "in", "new", "changed", "unchanged"),
    *("superseded", "duplicate", "quarantined", "deleted"),
]
DATASET_HEADER = ["dataset", "verdict", "version", "readers see", "path"]
# Core table and its key by the source that alone fills it.
TABLES = {
    "administration.one_stop_shop": ("dossier", ["dossier_id"]),
    "feedback.open311": ("service_request", ["service_request_id"]),
    "health.encounters": ("encounter", ["encounter_id"]),
    "socioeconomic.statistics_office": (
        "indicator_observation",
        ["dataflow", "ref_area", "indicator", "freq", "dimension_key", "time_period"],
    ),
}
OPEN = sorted(name for names in DATASETS.values() for name in names)
INDICATORS = [f"indicators-{group}" for group in DATASETS]
KEPT = ("marts", "promotions", "releases", "ledger")
Table = list[dict[str, str]]


@dataclass(frozen=True)
class Day:
    """The closing tables of a day, as printed."""

    day: str
    sources: Table
    datasets: Table
    rest: list[str]


@dataclass(frozen=True)
class Stand:
    """What the lake holds at one moment; `records` are outcomes counted by source and day."""

    versions: dict[str, int]
    files: set[str]
    hashes: dict[str, str]
    status: dict[str, Any]
    journal: set[str]
    records: dict[tuple[str, str], Counter[str]]


@dataclass(frozen=True)
class WholeCity:
    """The demo city run from nothing, and its last day once more."""

    lake: Lake
    code: int
    days: list[Day]
    stand: Stand
    again_code: int
    again: list[Day]
    after: Stand


def _demo_run(home: Path, *options: str) -> tuple[int, list[Day]]:
    """Run the real command; its exit code, and what it said of every day."""
    arguments = ("demo", "run", "--city", "danang", "--scale", str(SCALE), *options)
    done = call(*arguments, variables={"CITYLAKE_HOME": str(home)}, patience=900)
    first, *parts = done.stdout.split("Sources, processing day ")
    assert first == "", done.stdout + done.stderr
    return done.returncode, [_day(part) for part in parts]


def _day(text: str) -> Day:
    """Read the closing tables of a day from what follows their first title."""
    sources, datasets = text.split("Publications, in ")
    day, *lines = sources.splitlines()
    _, *rest = datasets.splitlines()
    ruled, after = _rows(rest, DATASET_HEADER)
    return Day(day.strip(), _rows(lines, SOURCE_HEADER)[0], ruled, after)


def _rows(lines: list[str], header: list[str]) -> tuple[Table, list[str]]:
    """The rows of a table by its header, and the lines after it."""
    blank, head, rule, *body = [line.strip() for line in lines]
    assert blank == ""
    assert re.split(r"\s{2,}", head) == header
    assert set(rule) == {"─"}
    end = body.index("")
    rows = [re.split(r"\s{2,}", line) for line in body[:end]]
    return [dict(zip(header, row, strict=True)) for row in rows], body[end + 1 :]


def _stand(lake: Lake) -> Stand:
    return Stand(
        lake.versions(),
        lake.files(*KEPT),
        lake.hashes(),
        json.loads(lake.call("status", "--city", lake.city, "--json")),
        lake.files("journal/outcomes"),
        {
            (source, day.isoformat()): _records(lake.root, source, day)
            for source in TABLES
            for day in DAYS
        },
    )


def _records(root: Path, source: str, day: date) -> Counter[str]:
    """Outcome of every record of a source on a day, over all of its attempts."""
    paths = (root / "journal" / "records").glob(f"{source}_{day}_*.parquet")
    return Counter(
        outcome for path in paths for outcome in pl.read_parquet(path)["outcome"].to_list()
    )


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> WholeCity:
    """The seed is that of `make run`: what is compared is the output with the lake, not luck."""
    home = tmp_path_factory.mktemp("whole") / "home"
    lake = Lake(home, DemoServer(1022, SCALE, FIRST, 120, "", ""), city="danang")
    code, days = _demo_run(home)
    stand = _stand(lake)
    again_code, again = _demo_run(home, "--date", DAYS[-1].isoformat())
    return WholeCity(lake, code, days, stand, again_code, again, _stand(lake))


def test_the_history_and_three_days_are_run_and_published(city: WholeCity) -> None:
    assert [each.day for each in city.days] == [day.isoformat() for day in DAYS]
    assert [(day - FIRST).days + 1 for day in DAYS] == [117, 118, 119, 120]
    assert city.code == 0
    assert city.stand.status["record"] == len(DAYS)
    for name, source in city.stand.status["sources"].items():
        told = (source["as_of"], source["sequence"], source["last_attempt"], source["error"])
        assert told == (DAYS[-1].isoformat(), len(DAYS), "ok", None), name


def test_the_closing_table_names_every_source(city: WholeCity) -> None:
    assert {each["source"] for each in city.days[0].sources} == _declared_sources()
    for day in city.days:
        assert [each["source"] for each in day.sources] == sorted(TABLES)
        assert {each["state"] for each in day.sources} == {"ok"}
        for row in day.sources:
            counted = city.stand.records[row["source"], day.day]
            for name in ("new", "changed", "unchanged", "superseded", "duplicate", "quarantined"):
                assert _number(row[name]) == counted[name], (day.day, row["source"], name)
            assert _number(row["in"]) == counted.total() > 0
            assert _number(row["quarantined"]) > 0
    figures = [row[name] for row in city.days[0].sources for name in ("in", "new")]
    assert all("," in figure for figure in figures), "thousands are set apart"


def _declared_sources() -> set[str]:
    paths = (DANANG / "sources").glob("*/*.yaml")
    return {f"{path.parent.name}.{path.stem}" for path in paths}


def _number(text: str) -> int:
    assert re.fullmatch(r"\d{1,3}(,\d{3})*", text)
    return int(text.replace(",", ""))


@pytest.mark.parametrize("source", TABLES)
def test_the_closing_table_says_what_core_became(city: WholeCity, source: str) -> None:
    """Each day is one version of the table; new, changed, deleted are what differs between two."""
    table, key = TABLES[source]
    before: dict[Any, tuple[str, bool]] = {}
    deleted = 0
    for number, day in enumerate(city.days, 1):
        after = _core(city.lake.root / "core" / table, number, key)
        same = before.keys() & after.keys()
        gone = [each for each in same if after[each][1] and not before[each][1]]
        (row,) = (each for each in day.sources if each["source"] == source)
        told = [_number(row[name]) for name in ("new", "changed", "deleted")]
        changed = sum(before[each] != after[each] for each in same)
        assert told == [len(after.keys() - before.keys()), changed, len(gone)], day.day
        assert before.keys() <= after.keys()
        before, deleted = after, deleted + len(gone)
    assert before


def _core(folder: Path, version: int, key: list[str]) -> dict[Any, tuple[str, bool]]:
    """Row hash and whether it is a tombstone by key, of a version of a core table."""
    files = DeltaTable(folder, version=version).file_uris()
    columns = [*key, "_row_hash", "_is_deleted"]
    rows = pl.concat([pl.read_parquet(path, columns=columns) for path in files])
    found = {tuple(each[:-2]): (each[-2], each[-1]) for each in rows.rows()}
    assert len(found) == rows.height
    return found


def test_the_closing_table_names_every_dataset(city: WholeCity) -> None:
    declared = {path.stem for path in (DANANG / "datasets").glob("*.yaml")}
    assert declared == {*OPEN, *INDICATORS}
    seen: dict[str, str] = {}
    for number, day in enumerate(city.days, 1):
        record = _record(city.lake.root, number)
        assert [each["dataset"] for each in day.datasets] == sorted(declared)
        for row in day.datasets:
            name, version = row["dataset"], row["version"]
            entry = record[name]
            assert row["verdict"] == entry["verdict"] == "publish"
            promoted = entry["promoted"]
            assert version == f"{promoted['data_as_of']}-{promoted['content_hash'][:12]}"
            assert (row["readers see"] == "new") == (seen.get(name) != version)
            assert row["readers see"] in ("new", "as before")
            assert row["path"] == _place(name, version)
            assert (city.lake.root / row["path"]).exists()
            seen[name] = version


def _record(root: Path, number: int) -> dict[str, Any]:
    content = json.loads((root / "promotions" / f"{number:06}.json").read_text("utf-8"))
    return dict(content["publications"])


def _place(name: str, version: str) -> str:
    """Where readers find a dataset; health has no readers and stays among the mart files."""
    if name in OPEN:
        return f"releases/{name}/{version}"
    return "marts" if name == "indicators-health" else "serving/marts.duckdb"


def test_after_the_tables_stands_what_the_lake_takes_up_and_where_to_look(city: WholeCity) -> None:
    for day in city.days:
        disk, first, *others = day.rest
        assert re.fullmatch(r"tables: \d+\.\d MB live, \d+\.\d MB on disk", disk)
        assert first.startswith("open first: ")
        page = REPOSITORY / first.removeprefix("open first: ")
        assert page.resolve() == (city.lake.root / "serving/site/index.html").resolve()
        assert page.is_file()
        assert others == []


@pytest.mark.parametrize("dataset", OPEN)
def test_every_version_of_every_dataset_is_released(city: WholeCity, dataset: str) -> None:
    assert _is_open(dataset)
    told = [
        row["version"] for day in city.days for row in day.datasets if row["dataset"] == dataset
    ]
    folders = release_folders(city.lake.root, dataset)
    assert [folder.name for folder in folders] == sorted(set(told))
    assert len(folders) >= 2
    for folder in folders:
        assert_sums_cover(folder)
    assert folders[-1].name == told[-1]
    assert_the_pointer_names(folders[-1])


def _is_open(dataset: str) -> bool:
    declared = yaml.safe_load((DANANG / "datasets" / f"{dataset}.yaml").read_text("utf-8"))
    return bool(declared["class"] == "open")


def test_what_is_internal_is_not_released(city: WholeCity) -> None:
    assert {path.name for path in (city.lake.root / "releases").iterdir()} == set(OPEN)
    assert not any(_is_open(each) for each in INDICATORS)


@pytest.mark.parametrize("dataset", OPEN)
def test_frictionless_accepts_every_package(city: WholeCity, dataset: str) -> None:
    folders = release_folders(city.lake.root, dataset)
    assert folders
    for folder in folders:
        assert_frictionless_accepts(folder)


def test_the_last_day_again_changes_nothing(city: WholeCity) -> None:
    assert city.again_code == 0
    before, after = city.stand, city.after
    tables = {f"{kind}/{table}" for kind in ("core", "quarantine") for table, _ in TABLES.values()}
    assert before.versions.keys() == tables
    assert after.versions == before.versions
    assert after.files == before.files
    assert {name.split("/")[0] for name in before.files} == set(KEPT)
    assert after.status == before.status
    assert after.hashes == before.hashes
    assert "unchanged" in city.lake.call("verify", "--city", city.lake.city)


def test_the_journal_grows_by_one_attempt_of_each_source(city: WholeCity) -> None:
    assert _attempts(city.lake.root, city.stand.journal) == {
        (source, day.isoformat()): 1 for source in TABLES for day in DAYS
    }
    assert city.stand.journal <= city.after.journal
    assert _attempts(city.lake.root, city.after.journal - city.stand.journal) == {
        (source, DAYS[-1].isoformat()): 1 for source in TABLES
    }


def _attempts(root: Path, names: set[str]) -> Counter[tuple[str, str]]:
    told = [json.loads((root / name).read_text("utf-8")) for name in names]
    return Counter((each["source"], each["as_of"]) for each in told)


def test_the_closing_tables_say_that_nothing_changed(city: WholeCity) -> None:
    (again,), last = city.again, city.days[-1]
    assert again.day == last.day
    assert [row["source"] for row in again.sources] == sorted(TABLES)
    for row, earlier in zip(again.sources, last.sources, strict=True):
        assert [row[name] for name in ("new", "changed", "deleted")] == ["0", "0", "0"]
        for name in ("source", "state", "in", "superseded", "duplicate", "quarantined"):
            assert row[name] == earlier[name]
        parts = ("unchanged", "superseded", "duplicate", "quarantined")
        assert _number(row["in"]) == sum(_number(row[name]) for name in parts)
    assert again.datasets == [{**row, "readers see": "as before"} for row in last.datasets]
