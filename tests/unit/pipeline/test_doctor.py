"""Each check of the doctor finds what it is there for, and a sound town passes all of them."""

import fcntl
import json
import shutil
import sys
from collections import namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable, TableFeatures

from pipeline.doctor import checkup, print_checkup
from pipeline.doctor_environment import (
    check_disk,
    check_gx_packages,
    check_packages,
    check_python,
)
from pipeline.doctor_lake import check_evidence, check_lock, check_scratch, check_tables
from pipeline.finding import Finding, Health, guarded
from pipeline.variables import check_variables
from quality.gx_environment import VARIABLE
from quality.ledger import Ledger
from tests.e2e.small_town import FIRST, REGISTER, TOKEN, TOKEN_VARIABLE, URL_VARIABLE, Town
from tests.unit.pipeline.conftest import prepared_town
from warehouse.errors import CitylakeError
from warehouse.workspace import workspace

CHECKS = [
    "python",
    "packages",
    "gx packages",
    "contracts",
    "variables",
    "disk",
    "permissions",
    "run lock",
    "scratch",
    "tables",
    "ledger and releases",
]
Usage = namedtuple("Usage", ["total", "used", "free"])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with prepared_town(tmp_path_factory.mktemp("loaded")) as town:
        town.ingest(REGISTER, FIRST)
        Ledger(town.context.paths).append("verdict", "first", {"verdict": "publish"})
        Ledger(town.context.paths).append("verdict", "second", {"verdict": "publish"})
        yield town


@pytest.fixture
def sick(loaded: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    """A copy of the sound town and its lake, to be spoilt."""
    folder, home = tmp_path / "smalltown", tmp_path / "home"
    shutil.copytree(loaded.folder, folder)
    shutil.copytree(loaded.home, home)
    monkeypatch.setenv("CITYLAKE_HOME", str(home))
    return Town(folder, home, loaded.server, _declared=loaded._declared)


def _health(town: Town, environ: Mapping[str, str] | None = None) -> dict[str, Finding]:
    given = {URL_VARIABLE: "http://x", TOKEN_VARIABLE: TOKEN} if environ is None else environ
    return {each.check: each for each in checkup(town.folder, given)}


def _failed(town: Town, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The checks that are not ok, each with its first line."""
    found = _health(town, environ)
    return {name: each.details[0] for name, each in found.items() if each.health is not Health.OK}


def test_a_sound_town_passes_every_check(loaded: Town) -> None:
    found = _health(loaded)
    assert list(found) == CHECKS
    assert {name for name, each in found.items() if each.health is not Health.OK} == set()


def test_the_doctor_creates_and_repairs_nothing(sick: Town) -> None:
    shutil.rmtree(sick.home)
    assert _failed(sick) == {}
    assert not sick.home.exists()


@pytest.mark.parametrize("version", [(3, 10), (3, 13)], ids=str)
def test_another_python_fails(version: tuple[int, int]) -> None:
    assert check_python("<3.13,>=3.11", (3, 11)).health is Health.OK
    found = check_python("<3.13,>=3.11", version)
    assert found.health is Health.FAIL
    assert found.details[0].startswith(f"Python 3.{version[1]} is outside")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("duckdb==1.9.9 \\", "duckdb 2.0.0, the lock has 1.9.9"),
        ("absent-package==1.0 \\", "absent-package is missing, the lock has 1.0"),
    ],
    ids=["other-version", "missing"],
)
def test_a_package_that_is_not_of_the_lock_fails(tmp_path: Path, line: str, told: str) -> None:
    lock = tmp_path / "runtime.txt"
    lock.write_text(f"{line}\n    --hash=sha256:00\nDuckDB==2.0.0 \\\n", encoding="utf-8")
    found = check_packages(lock)
    assert (found.health, found.details) == (Health.FAIL, (told,))


def test_a_package_for_another_machine_may_be_missing(tmp_path: Path) -> None:
    lock = tmp_path / "runtime.txt"
    lock.write_text(
        "absent-package==1.0 ; sys_platform == 'win32' \\\n"
        "duckdb==1.0 ; python_full_version < '3.2' \\\n"
        "duckdb==2.0.0 ; python_full_version >= '3.2' \\\n",
        encoding="utf-8",
    )
    assert check_packages(lock).health is Health.OK


def test_without_a_lock_packages_are_a_warning(tmp_path: Path) -> None:
    assert check_packages(tmp_path / "runtime.txt").health is Health.WARN


def _gx_finding(lock: Path) -> Finding:
    return guarded("gx packages", lambda: check_gx_packages(lock))


def test_a_package_of_great_expectations_that_is_not_of_its_lock_fails(tmp_path: Path) -> None:
    lock = tmp_path / "gx.txt"
    assert _gx_finding(lock).health is Health.WARN
    lock.write_text("great-expectations==0.1 \\\nruff==0.1 \\\nduckdb==2.0.0 \\\n", "utf-8")
    found = _gx_finding(lock)
    assert found.health is Health.FAIL
    # It is the other environment that is looked at: ours has ruff.
    assert [each.partition(",")[0] for each in found.details] == [
        "great-expectations 1.24.1",
        "ruff is missing",
    ]


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (None, f"{VARIABLE} names no Python that can be executed"),
        ("exit 1", "Python does not run in its environment"),
        ("echo none", "Python does not run in its environment"),
    ],
    ids=["absent", "fails", "no-python"],
)
def test_an_environment_that_does_not_run_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, told: str
) -> None:
    python = tmp_path / "python"
    if program is not None:
        python.write_text(f"#!/bin/sh\n{program}\n", "utf-8")
        python.chmod(0o700)
    monkeypatch.setenv(VARIABLE, str(python))
    found = _gx_finding(tmp_path / "gx.txt")
    assert (found.health, found.details) == (Health.FAIL, (told,))


def test_without_an_environment_of_great_expectations_the_doctor_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    found = _gx_finding(tmp_path / "gx.txt")
    assert found.health is Health.FAIL
    assert "`requirements/install.sh gx` sets it up" in found.details[0]


def test_a_broken_contract_fails_and_the_lake_is_still_looked_at(sick: Town) -> None:
    contract = sick.folder / "sources" / "feedback" / "register.yaml"
    contract.write_text(contract.read_text("utf-8").replace("STATE", "NOWHERE", 1), "utf-8")
    found = _health(sick)
    assert found["contracts"].health is Health.FAIL
    assert "register.yaml" in found["contracts"].details[0]
    assert found["tables"].details[0].startswith("1 tables")
    (sick.folder / "city.yaml").write_text("city: smalltown\n", encoding="utf-8")
    found = _health(sick)
    assert found["contracts"].health is found["variables"].health is Health.FAIL
    assert found["tables"].details[0].startswith("1 tables")


@pytest.mark.parametrize("value", [None, "", "  "], ids=["unset", "empty", "blank"])
@pytest.mark.parametrize("name", [URL_VARIABLE, TOKEN_VARIABLE])
def test_a_missing_variable_fails(loaded: Town, name: str, value: str | None) -> None:
    environ = {URL_VARIABLE: "http://x", TOKEN_VARIABLE: TOKEN}
    del environ[name]
    environ |= {} if value is None else {name: value}
    found = check_variables(loaded.context.city, environ)
    assert found.health is Health.FAIL
    assert found.details[0].startswith(f"{name} missing (feedback.hotline, ")


def test_what_a_variable_holds_is_not_told(
    loaded: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    for as_json in (False, True):
        assert print_checkup(str(loaded.folder), as_json=as_json) == 0
        told = capsys.readouterr()
        assert f"{TOKEN_VARIABLE} set" in told.out
        assert TOKEN not in told.out + told.err
        assert loaded.server.url not in told.out + told.err


def test_a_database_needs_its_address(loaded: Town) -> None:
    source = loaded.context.city.sources[REGISTER]
    source = replace(source, transport={"kind": "postgres", "uri_env": "TOWN_DATABASE"})
    city = replace(loaded.context.city, sources={REGISTER: source})
    found = check_variables(city, {})
    assert found.health is Health.FAIL
    assert found.details[0] == f"TOWN_DATABASE missing ({REGISTER}, uri)"


def test_the_demo_city_without_its_servers_is_told_how_to_start_them(loaded: Town) -> None:
    demo = replace(loaded.context.city, history_from=FIRST, history_to=FIRST)
    found = check_variables(demo, {})
    assert found.health is Health.WARN
    assert found.details[0].startswith(f"{URL_VARIABLE} missing")
    assert f"`citylake demo run --city {loaded.folder}`" in found.details[-1]
    assert "`python -m demo serve`" in found.details[-1]


def test_a_variable_with_a_default_is_not_needed(loaded: Town) -> None:
    source = loaded.context.city.sources[REGISTER]
    source = replace(source, transport={"kind": "file", "path": "x", "root_env": "TOWN_ROOT"})
    city = replace(loaded.context.city, sources={REGISTER: source})
    found = check_variables(city, {})
    told = f"TOWN_ROOT not set, not needed ({REGISTER}, root)"
    assert (found.health, found.details) == (Health.OK, (told,))


@pytest.mark.parametrize(
    ("free", "health"),
    [(100 << 20, Health.FAIL), (600 << 20, Health.WARN), (4 << 30, Health.OK)],
    ids=["full", "narrow", "wide"],
)
def test_a_full_disk_fails(
    loaded: Town, monkeypatch: pytest.MonkeyPatch, free: int, health: Health
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(1 << 40, 0, free))
    assert check_disk(loaded.context.paths).health is health


@pytest.mark.parametrize("folder", ["raw", "core", "quarantine", "work"])
def test_a_folder_that_others_can_read_fails(sick: Town, folder: str) -> None:
    (sick.root / folder).chmod(0o750)
    assert _failed(sick) == {"permissions": f"{folder}/ has mode 0750, not 0700"}


def test_a_run_that_is_on_is_a_warning(sick: Town) -> None:
    paths = sick.context.paths
    (paths.work / "build.1.ab").mkdir()
    (paths.work / "build.1.ab" / "candidate.duckdb").write_bytes(b"x")
    with paths.lock.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert check_lock(paths).health is Health.WARN
        assert check_scratch(paths).health is Health.OK
    assert check_lock(paths).health is Health.OK
    assert check_scratch(paths).health is Health.WARN


def test_leftover_scratch_is_a_warning_and_stays(sick: Town) -> None:
    paths = sick.context.paths
    with workspace(paths) as alive:
        (alive / "spill").write_bytes(b"x")
        assert check_scratch(paths).health is Health.OK
        dead = paths.work / "writing.1.dead"
        shutil.copytree(alive, dead)
        assert check_scratch(paths).health is Health.WARN
        assert dead.exists()
    (paths.work / "dbt-cache").mkdir(exist_ok=True)
    (paths.work / "dbt-cache" / "manifest").write_bytes(b"x")
    (paths.work / "gx.log").write_bytes(b"x")
    shutil.rmtree(dead)
    assert check_scratch(paths).health is Health.OK


@pytest.mark.parametrize(
    "feature", [TableFeatures.DeletionVectors, TableFeatures.ColumnMapping], ids=str
)
def test_a_table_of_a_refused_feature_fails(sick: Town, feature: TableFeatures) -> None:
    delta = DeltaTable(sick.root / "core" / "service_request")
    delta.alter.add_feature(feature, allow_protocol_versions_increase=True)
    found = check_tables(sick.context.paths)
    assert found.health is Health.FAIL
    assert found.details[0].startswith("core table service_request uses ")
    assert found.details[0].endswith("which the lake refuses")


def test_a_table_whose_files_are_gone_fails(sick: Town) -> None:
    files = list((sick.root / "core" / "service_request").rglob("*=*/*.parquet"))
    files[0].unlink()
    assert _failed(sick) == {"tables": "core table service_request: 1 files of version 1 are gone"}


def test_a_table_that_does_not_open_fails(sick: Town) -> None:
    for log in (sick.root / "core" / "service_request" / "_delta_log").glob("*.json"):
        log.write_text("{", encoding="utf-8")
    assert "core table service_request cannot be opened" in _failed(sick)["tables"]


def test_a_changed_ledger_fails(sick: Town) -> None:
    entry = sick.root / "ledger" / "000001.json"
    entry.write_text(entry.read_text("utf-8").replace("publish", "reject"), encoding="utf-8")
    told = {"ledger and releases": "ledger entry 1: does not have the hash that entry 2 records"}
    assert _failed(sick) == told


def test_a_release_that_is_not_in_the_ledger_fails(sick: Town) -> None:
    (sick.root / "releases" / "monthly" / "2025-07-02-abc").mkdir(parents=True)
    found = check_evidence(sick.context.paths)
    assert found.health is Health.FAIL
    assert len(found.details) == 2


@pytest.mark.parametrize(
    ("error", "told"),
    [(CitylakeError("table x is away"), "table x is away"), (OSError(TOKEN), "(OSError)")],
    ids=["ours", "foreign"],
)
def test_a_check_that_breaks_has_failed(error: Exception, told: str) -> None:
    def broken() -> Finding:
        raise error

    found = guarded("disk", broken)
    assert found.health is Health.FAIL
    assert told in found.details[0]
    assert TOKEN not in found.details[0]


def test_the_real_command_ends_with_the_right_code(sick: Town) -> None:
    done = sick.call("doctor", "--json")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert [each["check"] for each in found] == CHECKS
    assert (done.returncode, {each["status"] for each in found}) == (0, {"ok"})
    (sick.root / "raw").chmod(0o755)
    done = sick.call("doctor")
    assert done.returncode == 1
    assert "fail  permissions" in done.stdout
