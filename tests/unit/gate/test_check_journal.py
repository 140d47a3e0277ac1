"""Check results of old runs are put together, and read as before at every instant."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quality import journal
from quality.result import CheckResult, CheckStatus
from warehouse.contract.model import Severity
from warehouse.paths import CityPaths

ROOT = Path(__file__).resolve().parents[3]
BOUNDARIES = ["checks.before_file", "checks.before_unlink", "checks.before_unlink:50"]
RUNS = [f"2025-{1 + day // 28:02}-{1 + day % 28:02}-{day:08x}" for day in range(205)]
GATHER = """
import sys
from pathlib import Path
from quality.journal import gather
from warehouse.paths import CityPaths
gather(CityPaths(Path(sys.argv[1]), "town"))
"""


def result(observed: Any, check: str = "key", publication: str = "city") -> CheckResult:
    return CheckResult(
        publication, check, "contract", Severity.BLOCK, CheckStatus.PASSED, observed=observed
    )


@pytest.fixture
def paths(tmp_path: Path) -> CityPaths:
    """Two hundred and five runs, told apart by what they observed."""
    paths = CityPaths(tmp_path, "town")
    paths.create()
    for number, run_id in enumerate(RUNS):
        # Text of a check that looks like the end of a line of the journal.
        odd = result('"run":"2025-01-01-00000000"}\n', "odd", "open")
        journal.write(paths, run_id, [result(number), odd])
    return paths


def told(paths: CityPaths) -> dict[str, Any]:
    return {run_id: journal.read(paths, run_id) for run_id in RUNS}


def names(paths: CityPaths) -> list[str]:
    return sorted(path.name for path in (paths.journal / "checks").iterdir())


def killed(paths: CityPaths, boundary: str) -> None:
    process = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", GATHER, str(paths.root.parent)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CITYLAKE_KILL_AT": boundary},
        check=False,
        timeout=120,
    )
    assert process.returncode == -signal.SIGKILL


def test_old_runs_are_put_together_and_read_as_before(paths: CityPaths) -> None:
    before = told(paths)
    assert [each["city"][0]["observed"] for each in before.values()] == list(range(205))
    assert journal.gather(paths) == 105
    assert names(paths) == ["000001.jsonl", *(f"{run_id}.json" for run_id in RUNS[105:])]
    assert told(paths) == before
    assert journal.gather(paths) == 0
    assert journal.read(paths, "2025-01-01-ffffffff") is None


@pytest.mark.parametrize(
    "boundary",
    BOUNDARIES,
    ids=["before the file", "before the first goes", "half are gone"],
)
def test_killed_anywhere_nothing_is_lost_or_told_otherwise(paths: CityPaths, boundary: str) -> None:
    before = told(paths)
    killed(paths, boundary)
    assert told(paths) == before
    # As many again, so that the next call finds enough.
    for number in range(100):
        journal.write(paths, f"2026-01-01-{number:08x}", [result(number)])
    journal.gather(paths)
    assert told(paths) == before
    lines = [
        line
        for path in sorted((paths.journal / "checks").glob("*.jsonl"))
        for line in path.read_bytes().splitlines()
    ]
    assert len(lines) == len(set(lines)) == 205


def test_a_run_that_is_checked_again_is_told_as_it_was_checked_last(paths: CityPaths) -> None:
    journal.gather(paths)
    for turn, last in enumerate(("again", "once more"), start=1):
        journal.write(paths, RUNS[3], [result(last)])
        assert told(paths)[RUNS[3]] == {"city": [journal.plain(result(last))]}
        for number in range(100):
            journal.write(paths, f"2026-01-{turn:02}-{number:08x}", [result(number)])
        assert journal.gather(paths) > 0
        assert told(paths)[RUNS[3]] == {"city": [journal.plain(result(last))]}
    assert f"{RUNS[3]}.json" not in names(paths)


def test_who_was_overtaken_removes_nothing(
    paths: CityPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, listed = told(paths), names(paths)
    monkeypatch.setattr(journal, "create_exclusively", lambda *_: False)
    assert journal.gather(paths) == 0
    assert (told(paths), names(paths)) == (before, listed)
