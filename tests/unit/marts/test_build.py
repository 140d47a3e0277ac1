"""One dbt process builds everything, from any city, and leaves a file that stands on its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.unit.marts.conftest import MARTS, Built
from tests.unit.marts.tiny_city import requests
from warehouse.duck import session
from warehouse.event_model import ANCHORS, EVENT_COLUMNS, EVENT_KEYS, EVENT_RECORDS
from warehouse.explain_mart import create_event_views


def test_every_model_and_test_passes(built: Built) -> None:
    assert built.run.returncode == 0, built.run.log.read_text(encoding="utf-8")
    results = json.loads(built.run.run_results.read_text(encoding="utf-8"))["results"]
    assert {result["status"] for result in results} <= {"success", "pass"}
    assert sum(result["unique_id"].startswith("test.") for result in results) >= 15


def test_no_dbt_test_can_hold_up_a_model(built: Built) -> None:
    """A failing test must not skip the marts of other publications."""
    manifest = json.loads(built.run.manifest.read_text(encoding="utf-8"))
    feeding = {
        parent
        for name, parents in manifest["parent_map"].items()
        if name.startswith("model.")
        for parent in parents
    }
    for name, parents in manifest["parent_map"].items():
        if name.startswith("test."):
            assert any(p.startswith("model.") and p not in feeding for p in parents), name


@pytest.mark.parametrize("mart", sorted(MARTS))
def test_marts_are_as_their_contracts_say(built: Built, mart: str) -> None:
    rows = built.rows(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = 'marts' "  # noqa: S608 - our own name
        f"AND table_name = '{mart}'"
    )
    found = {row["column_name"]: row["data_type"] for row in rows}
    assert found == {column.name: column.sql_type for column in MARTS[mart].columns}


@pytest.mark.parametrize("mart", sorted(MARTS))
def test_marts_keep_the_rules_of_their_contracts(built: Built, mart: str) -> None:
    for rule in MARTS[mart].rules:
        broken = f"SELECT * FROM {mart} WHERE NOT ({rule.expression})"  # noqa: S608 - our own text
        assert built.rows(broken) == [], rule.name


@pytest.mark.parametrize("event", sorted(EVENT_COLUMNS))
def test_event_models_have_the_declared_columns(
    connection: duckdb.DuckDBPyConnection, event: str
) -> None:
    create_event_views(connection)
    rows = connection.execute(f"DESCRIBE temp.main.int_{event}_event").fetchall()
    found = {row[0]: row[1] for row in rows}
    declared = EVENT_COLUMNS[event]
    assert {name: found[name] for name in declared} == dict(declared)
    assert set(EVENT_KEYS[event]) <= set(found)
    assert found[EVENT_RECORDS] == "VARCHAR[]"
    assert {f"{anchor}_date" for anchor in ANCHORS[event]} <= set(found)


def test_a_city_without_events_has_no_rows(built_empty: Built) -> None:
    assert built_empty.run.returncode == 0, built_empty.run.log.read_text(encoding="utf-8")
    for mart in MARTS:
        assert built_empty.rows(f"SELECT * FROM {mart}") == []  # noqa: S608 - our own name


def test_the_second_build_reuses_the_parsed_project(built_empty: Built) -> None:
    log = (built_empty.work / "logs" / "dbt.log").read_text(encoding="utf-8")
    assert "Unable to do partial parsing" not in log
    assert "starting full parse" not in log


def test_the_file_names_no_path(built: Built) -> None:
    with session() as connection:
        connection.execute(f"ATTACH '{built.inputs.candidate}' AS marts (READ_ONLY)")
        views = connection.execute(
            "SELECT sql FROM duckdb_views() WHERE database_name = 'marts' AND NOT internal"
        ).fetchall()
    assert len(views) == 10
    assert not [sql for (sql,) in views if str(built.work.parent) in sql or "parquet" in sql]


def test_views_answer_in_another_process(built: Built) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from warehouse.dbt_build import attach_inputs, read_inputs\n"
        "from warehouse.duck import session\n"
        "inputs = read_inputs(Path(sys.argv[1]))\n"
        "connection = session()\n"
        "attach_inputs(connection, inputs)\n"
        "connection.execute(f\"ATTACH '{inputs.candidate}' AS marts (READ_ONLY)\")\n"
        "query = 'SELECT count(*) FROM marts.int_service_request_event'\n"
        "sys.stdout.write(str(connection.execute(query).fetchall()[0][0]))\n"
    )
    answer = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", program, str(built.work / "inputs.json")],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    assert int(answer.stdout) == len(requests())


def test_the_repository_does_not_merge_into_dbt(built: Built) -> None:
    """The folder holds no Python; in a run's folder the package of that name is loaded alone."""
    root = Path(__file__).resolve().parents[3]
    assert not list((root / "dbt").rglob("*.py"))
    paths = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", "import dbt, sys; sys.stdout.write(str(list(dbt.__path__)))"],
        capture_output=True,
        text=True,
        check=True,
        cwd=built.work,
    )
    assert str(root / "dbt'") not in paths.stdout


def test_monthly_figures_are_the_requests(built: Built) -> None:
    from tests.unit.marts.expected import late, on_time, parts
    from tests.unit.marts.tiny_city import AS_OF, local_day

    wanted: dict[tuple[str, str, str], list[int]] = {}
    for r in requests():
        day = local_day(r.requested)
        assert day
        unit = parts(r.area, day, day)[0][0]
        key = (str(day)[:7], unit[0] if unit else "_X", r.service)
        due = local_day(r.expected)
        adds = (
            1,
            r.closed is not None,
            on_time(r),
            late(r),
            r.closed is None and due is not None and due <= AS_OF,
        )
        wanted[key] = [a + b for a, b in zip(wanted.get(key, [0] * 5), adds, strict=True)]
    rows = built.rows("SELECT * FROM mart_service_request_monthly")
    assert len(rows) == len(wanted)
    assert {
        (row["requested_month"], row["area_code"], row["service_code"]): [
            row[f"requests_{name}"]
            for name in ("opened", "closed", "closed_on_time", "closed_late", "overdue")
        ]
        for row in rows
    } == wanted


def test_daily_air_figures_are_the_observations(built: Built) -> None:
    from fractions import Fraction

    from tests.unit.marts.expected import rounded
    from tests.unit.marts.tiny_city import local_day, observations

    values: dict[tuple[str, str, str], list[Fraction]] = {}
    for o in observations():
        if o.value is not None:
            key = (o.station, o.property, str(local_day(o.at)))
            values.setdefault(key, []).append(Fraction(o.value))
    rows = built.rows("SELECT * FROM mart_air_quality_daily")
    assert len(rows) == (23 + 30 + 11) * 2
    for row in rows:
        key = (row["station_id"], row["observed_property"], str(row["observed_date"]))
        found = values.pop(key, [])
        assert (row["value_count"], row["value_sum"] or 0) == (len(found), sum(found))
        assert row["expected_hours"] == 24
        assert (row["obs_status"] == "O") == (not found)
        if found:
            mean = sum(found) / len(found)
            half_away = rounded(abs(mean), 1) * (1 if mean >= 0 else -1)
            assert row["mean_value"] == half_away
    assert not values


def test_monthly_dossiers_are_the_dossiers(built: Built) -> None:
    from tests.unit.marts.expected import ended, parts
    from tests.unit.marts.tiny_city import AS_OF, dossiers, local_day

    names = ("received", "online", "completed", "completed_on_time", "completed_late")
    names += ("digitised", "overdue")
    wanted: dict[tuple[str, str], list[int]] = {}
    for d in dossiers():
        day, due = local_day(d.received), local_day(d.due)
        assert day
        unit = parts(d.area, day, day)[0][0]
        key = (str(day)[:7], unit[0] if unit else "_X")
        is_done = d.status == "completed" and d.completed is not None
        adds = (
            1,
            d.channel == "online",
            d.status == "completed",
            is_done and d.due is not None and d.completed <= d.due,  # type: ignore[operator]
            is_done and d.due is not None and d.completed > d.due,  # type: ignore[operator]
            d.digitised is True,
            ended(d) is None and due is not None and due <= AS_OF,
        )
        wanted[key] = [a + b for a, b in zip(wanted.get(key, [0] * 7), adds, strict=True)]
    rows = built.rows("SELECT * FROM mart_dossier_district_monthly")
    assert len(rows) == len(wanted)
    assert {
        (row["received_month"], row["area_code"]): [row[f"dossiers_{name}"] for name in names]
        for row in rows
    } == wanted
