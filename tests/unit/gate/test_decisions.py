"""What was decided, held against the ledger: every change by hand is told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from quality.decisions import promotion_problems, record_decisions
from quality.ledger import Ledger
from tests.unit.gate.small_city import city_paths
from tests.unit.gate.test_promotion import run_day
from warehouse.paths import CityPaths
from warehouse.promotion_record import evidence_files, latest, record_path


@pytest.fixture
def paths(tmp_path: Path) -> CityPaths:
    """Two days of which the second held one publication back."""
    paths = city_paths(tmp_path)
    run_day(paths, {1: 1, 2: 2, 3: 3}, "ppp")
    run_day(paths, {1: 4, 2: 5, 3: 6}, "pph", version=2)
    assert record_decisions(paths) == 2
    return paths


def _problems(paths: CityPaths) -> list[str]:
    return list(promotion_problems(paths, Ledger(paths)))


def _approve_by_hand(paths: CityPaths) -> None:
    path = record_path(paths, 1)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b'"approved_by":null', b'"approved_by":"A"', 1))


def _remove_newest(paths: CityPaths) -> None:
    record_path(paths, 2).unlink()


def _change_evidence(paths: CityPaths) -> None:
    path = evidence_files(paths)[0]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b" ")


def _remove_marts(paths: CityPaths) -> None:
    record = latest(paths)
    assert record is not None
    (paths.marts / str(record.mart_file)).unlink()


def test_what_is_as_it_was_written_is_no_problem(paths: CityPaths) -> None:
    assert evidence_files(paths)
    assert _problems(paths) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_approve_by_hand, "promotion record 1 is not the one that the ledger records"),
        (_remove_newest, "promotion record 2 is in the ledger, but not here"),
        (_change_evidence, "was changed"),
        (_remove_marts, "which readers see, is not here"),
    ],
)
def test_a_change_by_hand_is_told(
    paths: CityPaths, change: Callable[[CityPaths], None], says: str
) -> None:
    change(paths)
    (problem,) = _problems(paths)
    assert says in problem
