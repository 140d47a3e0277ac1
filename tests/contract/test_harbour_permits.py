"""Harbour's building permits: a file number is no key, and no row is lost."""

from collections import Counter, defaultdict
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from tests.contract.expected_permits import Permit

ZONE = ZoneInfo("America/Toronto")
WRONG = "completed_at:completed_not_before_received"


@pytest.fixture(scope="module")
def dossiers(permits: list[Permit]) -> dict[str, list[Permit]]:
    """The rows of each dossier, those that were issued before they were applied for left out."""
    found: dict[str, list[Permit]] = defaultdict(list)
    for each in permits:
        if each.issued >= each.applied:
            found[each.key].append(each)
    return found


@pytest.fixture(scope="module")
def core(harbour: Path) -> dict[str, dict[str, Any]]:
    rows = pl.read_parquet(harbour / "core/dossier/**/*.parquet").to_dicts()
    found = {row["dossier_id"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def test_the_file_is_the_one_that_was_measured(permits: list[Permit]) -> None:
    assert len(permits) == 5_026
    assert len({each.row["FILENO"] for each in permits}) == 4_670
    assert sum(each.row["CONSTRUCTVALUE"] == "0" for each in permits) == 308
    assert sum(each.issued < each.applied for each in permits) == 1


def test_rows_of_one_dossier_differ_in_the_address_alone(
    dossiers: dict[str, list[Permit]],
) -> None:
    """The key is as long as it must be: no two rows that say different things share it."""
    assert all(len({each.told for each in rows}) == 1 for rows in dossiers.values())
    assert all(
        len({each.row["ADDRESS"] for each in rows}) == len(rows) for rows in dossiers.values()
    )


def test_every_row_has_one_outcome(
    harbour: Path, permits: list[Permit], dossiers: dict[str, list[Permit]]
) -> None:
    (path,) = (harbour / "journal/records").glob("public_services.burlington_permits_*.parquet")
    journal = {
        row: (outcome, tuple(reasons))
        for row, outcome, reasons in pl.read_parquet(path)
        .select("raw_row", "outcome", "reasons")
        .rows()
    }
    assert sorted(journal) == list(range(5_026))
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row, (outcome, reasons) in journal.items():
        permit = permits[row]
        if permit.issued < permit.applied:
            assert (outcome, reasons) == ("quarantined", (WRONG,))
        else:
            found[permit.key][outcome] += 1
    assert found == {
        key: Counter({"new": 1, "duplicate": len(rows) - 1} if len(rows) > 1 else {"new": 1})
        for key, rows in dossiers.items()
    }


def test_core_holds_each_dossier_once(
    core: dict[str, dict[str, Any]], dossiers: dict[str, list[Permit]]
) -> None:
    assert set(core) == set(dossiers)
    assert len(core) == 4_937
    for key, rows in dossiers.items():
        permit, row = rows[0], core[key]
        assert row["procedure_code"] == permit.row["FOLDERTYPE"][:2].strip()
        assert row["status"] == "completed"
        assert row["area_code"] == f"B0{permit.row['PROPINFOVALUE_WARD']}"
        assert row["received_date"] == permit.applied
        assert row["completed_date"] == permit.issued
        assert row["received_at"] == datetime.combine(permit.applied, time(), ZONE)
        assert row["completed_at"] == datetime.combine(permit.issued, time(), ZONE)
        assert (row["channel"], row["due_at"], row["updated_at"]) == (None, None, None)


def test_a_file_number_would_lose_rows(dossiers: dict[str, list[Permit]]) -> None:
    told: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for rows in dossiers.values():
        told[rows[0].row["FILENO"]].add(rows[0].told)
    assert sum(len(each) > 1 for each in told.values()) > 200
