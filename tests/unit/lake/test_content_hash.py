"""The city's hash changes with one cell, one row or one status, and with nothing else."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest

from tests.unit.lake.streams import DAY_1, Record, load, new_lake, record, request_table
from warehouse.city import City
from warehouse.content_hash import city_hash
from warehouse.lake import Lake

CITY = cast(City, SimpleNamespace(tables={"request": request_table()}))
RECORDS = [record("a"), record("b"), record("bad", "broken")]


def filled(folder: Path, records: list[Record], days: int = 1) -> Lake:
    lake = new_lake(folder)
    for day in range(days):
        load(lake, records, DAY_1 + timedelta(days=day))
    return lake


def hashes(lake: Lake) -> dict[str, str]:
    return city_hash(lake.paths, CITY)


def test_the_same_content_has_the_same_hash_wherever_and_however_often(tmp_path: Path) -> None:
    one = hashes(filled(tmp_path / "one", RECORDS))
    assert one == hashes(filled(tmp_path / "two", RECORDS[::-1], days=3))
    assert set(one) == {"core/request", "quarantine/request"}


@pytest.mark.parametrize(
    ("records", "changed"),
    [
        ([record("a", "closed"), *RECORDS[1:]], {"core/request"}),
        ([*RECORDS, record("c")], {"core/request"}),
        ([record("a", deleted="yes"), *RECORDS[1:]], {"core/request"}),
        ([*RECORDS, record("c", deleted="yes")], {"core/request"}),
        ([*RECORDS[:2], record("bad", "broken", updated=None)], {"quarantine/request"}),
    ],
    ids=["cell", "row", "tombstone", "tombstone-alone", "quarantined-cell"],
)
def test_one_change_in_the_lake_changes_its_hash(
    tmp_path: Path, records: list[Record], changed: set[str]
) -> None:
    one = hashes(filled(tmp_path / "one", RECORDS))
    two = hashes(filled(tmp_path / "two", records))
    assert {name for name in one if one[name] != two[name]} == changed


def release_cell(lake: Lake) -> None:
    file = lake.paths.releases / "requests" / "2025-03-08-aa" / "data.csv"
    file.write_text("a\n2\n", encoding="utf-8")


def serving_status(lake: Lake) -> None:
    with duckdb.connect(str(lake.paths.serving / "marts.duckdb")) as connection:
        connection.execute("UPDATE publication_status SET verdict = 'hold'")


def latest_release(lake: Lake) -> None:
    (lake.paths.releases / "requests" / "latest.json").write_text('{"version": 2}')


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (release_cell, "release/requests/2025-03-08-aa"),
        (serving_status, "serving/publication_status"),
        (latest_release, "latest/requests"),
    ],
    ids=["release-cell", "status", "latest"],
)
def test_one_change_in_what_is_published_changes_its_hash(
    tmp_path: Path, change: Callable[[Lake], Any], name: str
) -> None:
    lake = new_lake(tmp_path)
    release = lake.paths.releases / "requests" / "2025-03-08-aa"
    release.mkdir(parents=True)
    (release / "data.csv").write_text("a\n1\n", encoding="utf-8")
    (release.parent / "latest.json").write_text('{"version": 1}')
    with duckdb.connect(str(lake.paths.serving / "marts.duckdb")) as connection:
        connection.execute("CREATE TABLE publication_status AS SELECT 'publish' AS verdict")
    before = hashes(lake)
    change(lake)
    after = hashes(lake)
    assert {each for each in before if before[each] != after[each]} == {name}
