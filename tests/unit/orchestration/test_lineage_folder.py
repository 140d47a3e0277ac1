"""A place of lineage that cannot be written to is said before anything starts."""

from pathlib import Path

import pytest

from pipeline.orchestration.configuration import Home, prepare
from pipeline.orchestration.errors import OrchestrationError


@pytest.mark.parametrize(
    ("below", "why"),
    [("", "File exists"), ("/events", "Not a directory")],
    ids=["a file", "below a file"],
)
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, below: str, why: str) -> None:
    (tmp_path / "file").touch()
    base = {"CITYLAKE_LINEAGE": f"{tmp_path}/file{below}"}
    with pytest.raises(OrchestrationError, match=rf"CITYLAKE_LINEAGE: .*/file.*\({why}\)") as said:
        prepare(Home(tmp_path / "airflow"), "danang", 8123, base)
    assert "\n" not in str(said.value)


def test_a_folder_that_exists_and_is_closed_is_named(tmp_path: Path) -> None:
    # In /proc nobody can make a file, root neither.
    with pytest.raises(OrchestrationError, match=r"CITYLAKE_LINEAGE: /proc/self cannot be written"):
        prepare(Home(tmp_path / "airflow"), "danang", 8123, {"CITYLAKE_LINEAGE": "/proc/self"})
