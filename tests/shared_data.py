"""Where real input lies: the folder named by `CITYLAKE_SHARED`, else `../shared`."""

import os
from pathlib import Path

import pytest

SHARED_VARIABLE = "CITYLAKE_SHARED"
REQUIRE_VARIABLE = "CITYLAKE_REQUIRE_SHARED"


def shared_path(name: str) -> Path:
    """A file or folder under the shared folder's `data`.

    Skips the test where it is absent; fails it where `CITYLAKE_REQUIRE_SHARED` is `1`.
    """
    beside = Path(__file__).resolve().parents[2] / "shared"
    path = Path(os.environ.get(SHARED_VARIABLE) or beside) / "data" / name
    if path.exists():
        return path
    if os.environ.get(REQUIRE_VARIABLE) == "1":
        pytest.fail(f"shared input {name or 'data'} is not there")
    pytest.skip(f"shared input {name or 'data'} is not there")
