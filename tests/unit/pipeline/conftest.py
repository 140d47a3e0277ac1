"""A small town with its lake and its sources: one for each test, or one for a file's tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.small_town import TOKEN, TOKEN_VARIABLE, URL_VARIABLE, Town, small_town


@contextmanager
def prepared_town(folder: Path) -> Iterator[Town]:
    """A town whose variables are set while it lasts."""
    with small_town(folder) as town, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYLAKE_HOME", str(town.home))
        patch.setenv(URL_VARIABLE, town.server.url)
        patch.setenv(TOKEN_VARIABLE, TOKEN)
        yield town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with prepared_town(tmp_path) as town:
        yield town
