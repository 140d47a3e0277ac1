from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from publish.serving import Status, replace_serving
from tests.unit.gate.small_city import (
    CONTRACTS,
    DAY,
    INDICATOR,
    MONTHLY,
    REQUESTS,
    A,
    B,
    city_paths,
    decision,
    indicator_rows,
    request_rows,
    write_candidate,
)
from warehouse.duck import read_only
from warehouse.paths import CityPaths
from warehouse.promotion import promote

ALL = [A, B, REQUESTS]


@pytest.fixture
def paths(tmp_path: Path) -> CityPaths:
    return city_paths(tmp_path)


def run(paths: CityPaths, value: int, verdicts: tuple[str, str, str], version: int = 1) -> None:
    rows = {
        INDICATOR.name: [*indicator_rows(1, value), *indicator_rows(2, value)],
        MONTHLY.name: request_rows([value]),
    }
    day = DAY + timedelta(days=version)
    decisions = [
        decision(publication, verdict, day, version)
        for publication, verdict in zip(ALL, verdicts, strict=True)
    ]
    promote(paths, write_candidate(paths.work / "c.duckdb", rows), CONTRACTS, decisions)


def query(paths: CityPaths, sql: str) -> list[tuple[object, ...]]:
    with read_only(paths.serving / "marts.duckdb") as connection:
        return connection.execute(sql).fetchall()


STATUS = "SELECT publication, verdict, stale, record, failing_checks FROM publication_status"


def test_values_and_status_follow_the_records(paths: CityPaths) -> None:
    run(paths, 1, ("publish", "publish", "publish"))
    replace_serving(paths, ALL, CONTRACTS)
    assert query(paths, STATUS) == [
        ("a", "publish", False, 1, []),
        ("b", "publish", False, 1, []),
        ("request-monthly", "publish", False, 1, []),
    ]
    run(paths, 2, ("reject", "publish", "hold"), version=2)
    fresh = {"a": Status("reject", DAY + timedelta(days=2), ("not_empty",))}
    replace_serving(paths, ALL, CONTRACTS, fresh)
    values = query(
        paths,
        f"SELECT DISTINCT service_group, value::INT FROM {INDICATOR.name} ORDER BY 1",  # noqa: S608 - a fixed name
    )
    assert values == [(1, 1), (2, 2)]
    assert query(paths, f"SELECT requests FROM {MONTHLY.name}") == [(1,)]  # noqa: S608 - a fixed name
    assert query(paths, STATUS) == [
        ("a", "reject", True, 1, ["not_empty"]),
        ("b", "publish", False, 2, []),
        ("request-monthly", "hold", True, 1, []),
    ]
    days = query(paths, "SELECT data_as_of, delivered_as_of FROM publication_status LIMIT 1")
    assert days == [(DAY + timedelta(days=1), DAY + timedelta(days=2))]


def test_only_open_columns_are_served(paths: CityPaths) -> None:
    run(paths, 1, ("publish", "publish", "publish"))
    replace_serving(paths, ALL, CONTRACTS)
    names = {name for (name,) in query(paths, "SELECT column_name FROM duckdb_columns()")}
    assert "value" in names
    assert not names & {"internal_note", "agent"}


def test_before_the_first_promotion_marts_are_there_without_rows(paths: CityPaths) -> None:
    replace_serving(paths, ALL, CONTRACTS)
    assert query(paths, f"SELECT count(*) FROM {INDICATOR.name}") == [(0,)]  # noqa: S608 - a fixed name
    assert query(paths, STATUS)[0] == ("a", None, True, None, [])


def test_what_tells_of_health_is_not_served(paths: CityPaths) -> None:
    run(paths, 1, ("publish", "publish", "publish"))
    contracts = {**CONTRACTS, MONTHLY.name: replace(MONTHLY, health=True)}
    replace_serving(paths, ALL, contracts)
    assert [row[0] for row in query(paths, STATUS)] == ["a", "b"]
    tables = {row[0] for row in query(paths, "SELECT table_name FROM duckdb_tables()")}
    assert MONTHLY.name not in tables
    assert INDICATOR.name in tables
