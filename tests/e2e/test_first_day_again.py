"""The day that a stream began with, run again, changes nothing: deletions of before are no news."""

from datetime import timedelta
from pathlib import Path

from deltalake import DeltaTable

from tests.e2e.one_system import OneSystem, one_system
from tests.e2e.world import FIRST

DAY = FIRST + timedelta(days=20)


def test_a_whole_export_is_asked_for_whole_again(seed: int, tmp_path: Path) -> None:
    options = ("--scale", "0.2")
    table = tmp_path / "danang" / "core" / "encounter"
    with one_system(OneSystem("health", seed, 24, options)) as system:
        for day in (DAY, DAY + timedelta(days=1)):
            assert system.load(tmp_path, day).failure is None
        version, loaded = DeltaTable(table).version(), system.load(tmp_path, DAY)
        later = system.load(tmp_path, DAY + timedelta(days=1))

    assert loaded.result is not None
    assert later.result is not None
    assert loaded.result.records_in > 2 * later.result.records_in
    assert (loaded.result.counts["new"], loaded.result.counts["changed"]) == (0, 0)
    assert DeltaTable(table).version() == version
