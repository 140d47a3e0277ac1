"""A release as anyone else sees it: other people's tools accept it, and a changed byte shows."""

import csv
import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

import warehouse.dbt_build
from pipeline.console import Console
from pipeline.run import RunReport, run_day
from publish.audit_views import AUDITED
from publish.wording import STAMPS
from tests.e2e.conftest import HISTORY
from tests.e2e.small_town import (
    FIRST,
    TOKEN,
    TOKEN_VARIABLE,
    URL_VARIABLE,
    Town,
    register,
    small_town,
)
from tests.e2e.world import Lake
from tests.release_folder import (
    assert_frictionless_accepts,
    assert_sums_cover,
    assert_the_pointer_names,
    frictionless,
    release_folders,
)
from warehouse.promotion_record import evidence, latest

DAY = date(2025, 7, 2)
NAME = "service-request-monthly"
KEY = ("requested_month", "area_code", "area_valid_from", "service_code")


@pytest.fixture(scope="module")
def two_days(base: Lake, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with the releases of two days."""
    home = tmp_path_factory.mktemp("releases") / "home"
    shutil.copytree(base.home, home)
    lake = Lake(home, base.server)
    lake.run(DAY)
    return lake


def _versions(lake: Lake) -> list[Path]:
    found = release_folders(lake.root, NAME)
    assert [path.name[:10] for path in found] == [HISTORY.isoformat(), DAY.isoformat()]
    return found


def test_frictionless_accepts_every_package(two_days: Lake) -> None:
    for version in _versions(two_days):
        assert_frictionless_accepts(version)


def test_the_sums_cover_every_file(two_days: Lake) -> None:
    for version in _versions(two_days):
        assert_sums_cover(version)
    assert_the_pointer_names(_versions(two_days)[-1])


def _change_a_digit(path: Path) -> None:
    """Another digit in the last number of a CSV file: it stays as long and as well formed."""
    content = bytearray(path.read_bytes())
    place = max(i for i, byte in enumerate(content) if chr(byte).isdigit())
    content[place] = ord("1") if content[place] != ord("1") else ord("2")
    path.write_bytes(content)


def _change_the_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


CHANGES = {f"{NAME}.csv": _change_a_digit, f"{NAME}.parquet": _change_the_middle}


@pytest.mark.parametrize("name", CHANGES)
def test_one_changed_byte_is_refused(two_days: Lake, tmp_path: Path, name: str) -> None:
    home = shutil.copytree(two_days.home, tmp_path / "home")
    lake = Lake(home, two_days.server)
    assert "2 releases are unchanged" in lake.call("verify", "--city", lake.city)
    version = _versions(lake)[0]
    CHANGES[name](version / name)
    told = lake.call("verify", "--city", lake.city, expect=1)
    assert told.splitlines() == [f"release {version.name}: {name} was changed"]
    done = frictionless(version)
    assert done.returncode != 0
    wrong = [each for each in json.loads(done.stdout)["tasks"] if each["errors"]]
    assert [each["place"] for each in wrong] == [name]
    assert "hash-count" in {error["type"] for error in wrong[0]["errors"]}


SET = {
    "missing": "quality-report.md is missing",
    "unknown": "more.csv is not listed in SHA256SUMS",
    "sums": "SHA256SUMS is not the one that the ledger records",
    "folder": "is in the ledger, but not here",
    "planted": "is not in the ledger",
    "pointer": "latest.json does not name",
}


@pytest.mark.parametrize("change", SET)
def test_another_set_of_files_is_refused(two_days: Lake, tmp_path: Path, change: str) -> None:
    lake = Lake(shutil.copytree(two_days.home, tmp_path / "home"), two_days.server)
    version = _versions(lake)[1]
    if change == "missing":
        (version / "quality-report.md").unlink()
    elif change == "unknown":
        (version / "more.csv").write_text("a\n")
    elif change == "sums":
        _change_a_digit(version / f"{NAME}.csv")
        lines = [
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
            for path in sorted(version.iterdir())
            if path.name != "SHA256SUMS"
        ]
        (version / "SHA256SUMS").write_text("".join(lines))
    elif change == "folder":
        version = _versions(lake)[0]
        shutil.rmtree(version)
    elif change == "planted":
        version = shutil.copytree(version, version.with_name("2025-07-03-0123456789ab"))
    else:
        pointer = json.loads((version.parent / "latest.json").read_text())
        (version.parent / "latest.json").write_text(json.dumps(pointer | {"sha256": "0" * 64}))
    told = lake.call("verify", "--city", lake.city, expect=1).splitlines()
    assert len(told) == 1
    assert SET[change] in told[0]
    assert (version.name if change != "pointer" else NAME) in told[0]


def _read(version: Path) -> dict[tuple[str, ...], dict[str, str | None]]:
    """The rows of a release's CSV by key; a missing value is None."""
    with (version / f"{NAME}.csv").open(encoding="utf-8", newline="") as handle:
        rows = {
            tuple(row[name] for name in KEY): {
                name: value or None for name, value in row.items() if name not in KEY
            }
            for row in csv.DictReader(handle)
        }
    assert rows
    return rows


def _difference(old: Path, new: Path) -> set[tuple[Any, ...]]:
    """(key, op, column, old, new) of every cell that differs."""
    before, after = _read(old), _read(new)
    found = set()
    for key in before.keys() | after.keys():
        one, other = before.get(key), after.get(key)
        op = "insert" if one is None else "delete" if other is None else "update"
        for name in one or other or {}:
            cells = (one or {}).get(name), (other or {}).get(name)
            if op != "update" or cells[0] != cells[1]:
                found.add((key, op, name, *cells))
    return found


def test_the_changes_are_what_differs_between_two_days(two_days: Lake) -> None:
    first, second = _versions(two_days)
    assert pl.read_parquet(first / "changes.parquet").height == 0
    rows = pl.read_parquet(second / "changes.parquet").rows(named=True)
    told = [
        (
            tuple(json.loads(row["key"])[name] for name in KEY),
            row["op"],
            row["column"],
            row["old"],
            row["new"],
        )
        for row in rows
    ]
    assert len(told) == len(set(told))
    assert set(told) == _difference(first, second)
    assert {"insert", "update"} <= {op for _, op, _, _, _ in told}


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """The town before its first delivery: a register with a header alone, a silent hotline."""
    with small_town(tmp_path) as town:
        monkeypatch.setenv("CITYLAKE_HOME", str(town.home))
        monkeypatch.setenv(URL_VARIABLE, town.server.url)
        monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
        town.requests = []
        town.file.write_bytes(register([]))
        yield town


def _run(town: Town) -> RunReport:
    return run_day(town.context, Console(quiet=True))


def _failing(town: Town) -> set[str]:
    record = latest(town.context.paths)
    assert record is not None
    checks = evidence(town.context.paths, record.entries["monthly"].checks)
    return {each["check"] for each in checks if each["status"] != "passed"}


def _assert_nothing_is_published(town: Town, report: RunReport) -> None:
    assert report.as_of == FIRST
    assert [line.verdict for line in report.publications] == ["reject"]
    assert report.exit_code == 4
    assert not [path for path in (town.root / "releases").rglob("*") if path.is_file()]
    page = (town.root / "serving/site/index.html").read_text(encoding="utf-8")
    assert STAMPS["unpublished"].vi in page
    with duckdb.connect(str(town.root / "serving/marts.duckdb"), read_only=True) as serving:
        tables = serving.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        # What names the codes, and what tells of deliveries and checks, is no figure.
        beside = {name for (name,) in tables if name.startswith(("dim_", "audit_"))}
        for table in {name for (name,) in tables} - beside - set(AUDITED):
            rows = serving.execute(f'SELECT count(*) FROM "{table}"').fetchall()  # noqa: S608 - our file
            told = table in ("publication_status", "report_publication")
            assert rows == [(1 if told else 0,)], table


def test_an_empty_candidate_is_not_published(town: Town) -> None:
    _assert_nothing_is_published(town, _run(town))
    assert "not_empty" in _failing(town)


def test_an_empty_candidate_never_becomes_one_all_null_row(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an aggregate without groups makes of no rows: one row, and nothing in it."""
    project = tmp_path / "marts_project"
    shutil.copytree(
        warehouse.dbt_build.PROJECT, project, ignore=shutil.ignore_patterns("target", "logs")
    )
    model = project / "models/marts/mart_service_request_monthly.sql"
    columns = [
        f"cast(null as {column.sql_type}) as {column.name}"
        for column in town.context.city.marts["mart_service_request_monthly"].columns
    ]
    text = model.read_text("utf-8").rstrip().rstrip(";")
    config = text[: text.index("}}") + 2] if text.lstrip().startswith("{{") else ""
    nothing = ", ".join(columns)
    body = f"select * from ({text.removeprefix(config)}) union all by name select {nothing}"  # noqa: S608 - own text
    model.write_text(config + body + "\n", encoding="utf-8")
    monkeypatch.setattr(warehouse.dbt_build, "PROJECT", project)
    _assert_nothing_is_published(town, _run(town))
    failing = _failing(town)
    assert "mart_service_request_monthly:no_all_null_row" in failing
    assert "not_empty" not in failing


def test_the_quality_report_says_how_much_is_in_quarantine(base: Lake) -> None:
    found = sum(
        pl.read_parquet(path).height
        for path in (base.root / "quarantine/service_request").glob("*.parquet")
    )
    folder = next(base.root.glob("releases/service-request-monthly/*/quality-report.json")).parent
    report = json.loads((folder / "quality-report.json").read_text(encoding="utf-8"))
    assert report["accuracy"]["quarantined_records"] == {"feedback.open311": found}
    assert str(found) in (folder / "quality-report.md").read_text(encoding="utf-8")
