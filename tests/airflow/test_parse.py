"""Reading the DAG file: quick, light, and every task explained."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.orchestra import REPOSITORY, change

SECONDS = 5.0
HEAVY = {"dbt", "deltalake", "duckdb", "great_expectations", "pandas", "polars", "pyarrow"}
READ = """
import json, sys, time
import airflow.sdk
started = time.process_time()
sys.path.insert(0, sys.argv[1])
import city
took = time.process_time() - started
from airflow.sdk import DAG
dags = {name: each for name, each in vars(city).items() if isinstance(each, DAG)}

def assets(condition):
    if hasattr(condition, "objects"):
        return [type(condition).__name__, *map(assets, condition.objects)]
    return condition.uri

def schedule(table):
    if getattr(table, "asset_condition", None) is not None:
        return [type(table).__name__, assets(table.asset_condition)]
    return [type(table).__name__, table.expression, table.timezone, table.run_offset]

print(json.dumps({
    "seconds": took,
    "modules": sorted({name.partition(".")[0] for name in sys.modules}),
    "dags": {
        name: {
            "doc": dag.doc_md, "description": dag.description, "tags": sorted(dag.tags),
            "schedule": schedule(dag.timetable) if dag.timetable.can_be_scheduled else None,
            "max_active_runs": dag.max_active_runs,
            "deadline": [
                [each.name, type(each.reference).__name__, each.interval.total_seconds()]
                for each in dag.deadline or ()
            ],
            "params": {key: dag.params.get_param(key).description for key in dag.params},
            "tasks": {
                task.task_id: {
                    "doc": task.doc_md, "owner": task.owner, "pool": task.pool,
                    "retries": task.retries, "policy": task.retry_policy is not None,
                    "delay": task.retry_delay.total_seconds(), "slots": task.pool_slots,
                    "longest": task.max_retry_delay and task.max_retry_delay.total_seconds(),
                    "outlets": [each.uri for each in task.outlets],
                    "inlets": [each.uri for each in task.inlets],
                }
                for task in dag.tasks
            },
        }
        for name, dag in dags.items()
    },
}))
"""
EXPECTED = 17
# Airflow takes a comma for the end of an owner's name.
AGENCY = "Trung tâm Giám sát; điều hành thông minh thành phố Đà Nẵng (Tổng đài 1022)"


def read(program: Path, home: Path, city: str) -> dict[str, Any]:
    """What the DAG file holds, read by a process of its own as Airflow would."""
    done = subprocess.run(  # noqa: S603 - the project's own environment
        [program.with_name("python"), "-P", "-c", READ, str(REPOSITORY / "dags" / "bundle")],
        env={**os.environ, "AIRFLOW_HOME": str(home), "CITYLAKE_CITY": city},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def parsed(airflow_program: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return read(airflow_program, tmp_path_factory.mktemp("home"), "danang")


def test_it_is_quick_and_imports_nothing_heavy(parsed: dict[str, Any]) -> None:
    assert len(parsed["dags"]) == EXPECTED
    assert parsed["seconds"] < SECONDS
    assert HEAVY & set(parsed["modules"]) == set()


def test_everything_is_explained(parsed: dict[str, Any]) -> None:
    assert len(parsed["dags"]) == EXPECTED
    for name, dag in parsed["dags"].items():
        assert "|" in dag["description"], name
        assert dag["doc"], name
        assert dag["tags"], name
        assert set(dag["params"]) == {"day"} | ({"first"} if name.startswith("ingest_") else set())
        assert dag["tasks"], name
        assert all("|" in text for text in dag["params"].values()), name
        assert all("|" in task["doc"] for task in dag["tasks"].values()), name
        assert not any("," in task["owner"] for task in dag["tasks"].values()), name


def test_what_contracts_say_stands_in_the_dags(parsed: dict[str, Any]) -> None:
    dag = parsed["dags"]["ingest_feedback.open311"]
    assert set(dag["tags"]) == {"feedback", "ingest", "trung_tam_1022"}
    assert list(dag["tasks"]) == ["extract", "load", "account"]
    for task in dag["tasks"].values():
        assert (task["pool"], task["retries"], task["policy"]) == ("open311", 3, True)
        assert task["owner"] == AGENCY


def test_the_bundle_holds_one_file_and_hides_no_package() -> None:
    assert [path.name for path in (REPOSITORY / "dags" / "bundle").glob("*.py")] == ["city.py"]


@pytest.mark.parametrize(
    ("file", "old", "new", "dag", "tags", "owner"),
    [
        pytest.param(
            "sources/health/encounters.yaml",
            "agency, value: ",
            "agency, value: no_",
            "ingest_health.encounters",
            {"ingest", "health"},
            "Thành phố Đà Nẵng",
            id="unknown_agency",
        ),
        pytest.param(
            "sources/feedback/open311.yaml",
            "schedule: 30 0",
            "schedule: 30 25",
            "ingest_feedback.open311",
            {"ingest", "feedback", "trung_tam_1022"},
            AGENCY,
            id="no_cron",
        ),
        pytest.param(
            "datasets/indicators-health.yaml",
            "class: internal",
            "class: secret",
            "publish_indicators-health",
            {"publish", "health", "so_y_te"},
            "Sở Y tế",
            id="dataset",
        ),
    ],
)
def test_a_broken_contract_breaks_its_own_dag_only(
    airflow_program: Path,
    tmp_path: Path,
    parsed: dict[str, Any],
    file: str,
    old: str,
    new: str,
    dag: str,
    tags: set[str],
    owner: str,
) -> None:
    import shutil

    city = tmp_path / "danang"
    shutil.copytree(REPOSITORY / "cities" / "danang", city)
    change(city / file, old, new)
    broken = read(airflow_program, tmp_path / "home", str(city))["dags"]
    assert len(broken) == EXPECTED
    assert broken.keys() == parsed["dags"].keys()
    # It is found where it would be, and is somebody's.
    assert set(broken[dag]["tags"]) == {"broken contract", *tags}
    assert {task["owner"] for task in broken[dag]["tasks"].values()} == {owner}
    assert f"{file}:" in broken[dag]["doc"]
    # The others are as they were, but that `transform` neither waits for it nor tells of it.
    ending = f"/{dag.partition('_')[2]}"
    assert {name: each for name, each in broken.items() if name != dag} == {
        name: _without(each, ending) for name, each in parsed["dags"].items() if name != dag
    }
    assert _without(parsed["dags"]["transform"], ending) != parsed["dags"]["transform"]


def _without(told: Any, ending: str) -> Any:
    """What is told of a DAG without an asset: that whose address ends so."""
    if isinstance(told, dict):
        return {key: _without(each, ending) for key, each in told.items()}
    if isinstance(told, list):
        kept = [each for each in told if not (isinstance(each, str) and each.endswith(ending))]
        return [_without(each, ending) for each in kept]
    return told
