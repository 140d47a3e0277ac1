"""A real process is ended with signal 9 at every named boundary of the code."""

from pathlib import Path
from typing import get_args

import pytest

from tests.e2e import test_kill, test_kill_loads, test_steps
from tests.unit.extract import test_outcomes
from tests.unit.gate import test_check_journal
from tests.unit.house.boundaries import KINDS, boundary_names
from tests.unit.house.import_rules import ARROWS
from tests.unit.lake import test_record_compaction
from tests.unit.publish import test_crash
from tests.unit.reports import test_brief_mail
from warehouse.lake import Kind

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = tuple(name for name in ARROWS if name != "bench")
# Where each is killed at; `name:2` is its second time in one process.
KILLED = {
    "run": test_kill.BOUNDARIES,
    "retention of raw objects": test_kill.RAW_BOUNDARIES,
    "load of each source": test_kill_loads.BOUNDARIES,
    "steps": [name for names in test_steps.BOUNDARIES.values() for name in names],
    "promotion and release": test_crash.BOUNDARIES,
    "compaction of outcomes": [test_outcomes.BOUNDARY],
    "compaction of records": [*test_record_compaction.BOUNDARIES],
    "compaction of check results": test_check_journal.BOUNDARIES,
    "sending of the brief": [test_brief_mail.BOUNDARY],
}


def test_every_boundary_is_killed_at() -> None:
    named = boundary_names(ROOT, PACKAGES)
    killed = {name.partition(":")[0] for names in KILLED.values() for name in names}
    assert sorted(named - killed) == [], "no test ends a process there"
    assert sorted(killed - named) == [], "the code has no such boundary"
    assert len(named) > 8
    assert get_args(Kind) == KINDS


def test_a_new_boundary_is_found(tmp_path: Path) -> None:
    package = tmp_path / "extract"
    package.mkdir()
    module = package / "new.py"
    module.write_text('reached("new.before")\nboundary.reached("new.after")\n', "utf-8")
    assert boundary_names(tmp_path, ("extract",)) == {"new.before", "new.after"}
    module.write_text('reached(f"{snapshot.kind}.before_new")\n', "utf-8")
    assert boundary_names(tmp_path, ("extract",)) == {f"{kind}.before_new" for kind in KINDS}
    for unreadable in ("reached(name)", 'reached(f"{name}.before")', "reached()"):
        module.write_text(unreadable, "utf-8")
        with pytest.raises(ValueError, match=r"new.py:1"):
            boundary_names(tmp_path, ("extract",))
