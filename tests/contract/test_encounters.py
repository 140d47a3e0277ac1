"""FHIR R4 encounters as published, from bulk export and bundles to core, by configuration only."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tests.contract.expected_encounters import Encounter, bulk_encounters, bundle_encounters
from tests.shared_data import SHARED_VARIABLE, shared_path

CITY = Path(__file__).resolve().parents[1] / "cities" / "harbour"
DAY = date(2017, 2, 28)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of harbour with its sources on health alone, after one run of the real command."""
    folder = tmp_path_factory.mktemp("encounters")
    city = folder / "harbour"
    shutil.copytree(CITY, city)
    for other in (*(city / "sources").iterdir(), *(city / "datasets").iterdir()):
        if other.name != "health":
            shutil.rmtree(other) if other.is_dir() else other.unlink()
    shutil.rmtree(city / "indicators")
    environment = {
        **os.environ,
        "CITYLAKE_HOME": str(folder / "home"),
        SHARED_VARIABLE: str(shared_path("").parent),
    }
    done = subprocess.run(  # noqa: S603 - our own command
        [
            sys.executable,
            "-m",
            "pipeline.cli",
            "run",
            "--city",
            str(city),
            "--date",
            DAY.isoformat(),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "home" / "harbour"


@pytest.fixture(scope="module")
def bulk() -> list[Encounter]:
    return bulk_encounters(shared_path(""))


@pytest.fixture(scope="module")
def bundled() -> tuple[list[Encounter], int]:
    return bundle_encounters(shared_path(""))


def _core(lake: Path, source: str) -> pl.DataFrame:
    files = [pl.read_parquet(path) for path in (lake / "core/encounter").rglob("*.parquet")]
    rows = pl.concat(files, how="diagonal")
    return rows.filter(pl.col("_source") == source)


def _accounts(lake: Path, source: str) -> Counter[str]:
    paths = (lake / "journal" / "records").glob(f"{source}_*.parquet")
    return Counter(pl.concat([pl.read_parquet(path) for path in paths])["outcome"].to_list())


def test_the_files_are_those_that_were_measured(
    bulk: list[Encounter], bundled: tuple[list[Encounter], int]
) -> None:
    assert len(bulk) == len({each.identifier for each in bulk}) == 1_215
    assert min(each.started for each in bulk).year == 1928
    assert len(bundled[0]) == len({each.identifier for each in bundled[0]})


@pytest.mark.parametrize("source", ["health.bulk_encounters", "health.bundle_encounters"])
def test_every_encounter_is_accounted_for(
    lake: Path, bulk: list[Encounter], bundled: tuple[list[Encounter], int], source: str
) -> None:
    encounters = bulk if source == "health.bulk_encounters" else bundled[0]
    later = sum(each.is_after(DAY) for each in encounters)
    expected = Counter(new=len(encounters) - later, quarantined=later)
    assert _accounts(lake, source) == +expected
    assert 0 < later < len(encounters)


@pytest.mark.parametrize("source", ["health.bulk_encounters", "health.bundle_encounters"])
def test_core_holds_what_the_files_hold(
    lake: Path, bulk: list[Encounter], bundled: tuple[list[Encounter], int], source: str
) -> None:
    encounters = bulk if source == "health.bulk_encounters" else bundled[0]
    rows = _core(lake, source)
    found = {
        Encounter(
            row["encounter_id"],
            row["status"],
            row["class_code"],
            row["type_code"],
            row["facility_id"],
            row["started_at"],
            row["ended_at"],
        )
        for row in rows.iter_rows(named=True)
    }
    assert found == {each for each in encounters if not each.is_after(DAY)}
    assert rows["area_code"].null_count() == rows["updated_at"].null_count() == rows.height


def test_other_resources_of_the_bundles_are_left_out(
    lake: Path, bundled: tuple[list[Encounter], int]
) -> None:
    outcomes = [
        json.loads(path.read_text())
        for path in (lake / "journal" / "outcomes").glob("*health.bundle_encounters*.json")
    ]
    assert [each["ignored"] for each in outcomes] == [{"not_selected": bundled[1]}]
    assert [each["objects"] for each in outcomes] == [30]


def test_nothing_of_a_person_is_in_core(lake: Path) -> None:
    names = set(pl.read_parquet(next((lake / "core/encounter").rglob("*.parquet"))).columns)
    assert not names & {"subject", "patient", "participant", "reason", "display"}
    for path in (lake / "core").rglob("*.parquet"):
        content = path.read_bytes()
        assert b"Patient/" not in content
        assert b"Upton904" not in content
