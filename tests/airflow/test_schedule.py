"""Every DAG starts, waits and tells as the contracts say: compared with the plan of the city."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.orchestration.plan import CityPlan, PublicationPlan, SourcePlan, read_plan
from tests.airflow.orchestra import REPOSITORY
from tests.airflow.test_parse import read

CITY = "citylake://danang"
DEADLINE, PROMOTION, SERVING = f"{CITY}/deadline", f"{CITY}/promotion", f"{CITY}/serving"
# The day that ended last is the day of a run.
PREVIOUS = -1
DAILY, ON_ASSETS = "CronPartitionTimetable", "PartitionedAssetTimetable"
MAINTENANCE = "30 5 * * *"
TASK = {"pool": "default_pool", "retries": 2, "delay": 10.0, "longest": None, "policy": True}
# An answer that is lost is asked for again; of what went wrong nothing is known.
APPROVAL = {**TASK, "retries": 3, "policy": False}
OTHERS = {
    "transform": ("build", "check", "promote", "serve"),
    "deadline": ("missing",),
    "reports": ("serving",),
    "maintenance": ("compaction", "retention", "ledger"),
}
PUBLISH = ("gate", "approval", "approve", "refuse", "rejected", "release")


@pytest.fixture(scope="module")
def parsed(airflow_program: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found: dict[str, Any] = read(airflow_program, tmp_path_factory.mktemp("home"), "danang")["dags"]
    return found


@pytest.fixture(scope="module")
def plan() -> CityPlan:
    found = read_plan(str(REPOSITORY / "cities" / "danang"))
    assert (len(found.sources), len(found.publications), len(found.recipients)) == (4, 7, 2)
    return found


def test_every_dag_is_planned(parsed: dict[str, Any], plan: CityPlan) -> None:
    planned = {f"ingest_{each.id}" for each in plan.sources}
    planned |= {f"publish_{each.name}" for each in plan.publications}
    planned |= {f"brief_{each.code}" for each in plan.recipients}
    assert set(parsed) == planned | set(OTHERS)


def test_schedules(parsed: dict[str, Any], plan: CityPlan) -> None:
    expected: dict[str, Any] = {
        f"ingest_{each.id}": [DAILY, each.orchestration.schedule, each.timezone, PREVIOUS]
        for each in plan.sources
    }
    sources = [_core(each) for each in plan.sources]
    expected["transform"] = [ON_ASSETS, ["AssetAny", ["AssetAll", *sources], DEADLINE]]
    expected["deadline"] = [DAILY, plan.deadline, plan.timezone, PREVIOUS]
    expected["maintenance"] = [DAILY, MAINTENANCE, plan.timezone, PREVIOUS]
    expected["reports"] = [ON_ASSETS, PROMOTION]
    for publication in plan.publications:
        expected[f"publish_{publication.name}"] = [ON_ASSETS, _publication(publication)]
    for recipient in plan.recipients:
        expected[f"brief_{recipient.code}"] = [ON_ASSETS, SERVING]
    assert {name: dag["schedule"] for name, dag in parsed.items()} == expected


def test_runs_at_once_and_how_long_they_may_take(parsed: dict[str, Any], plan: CityPlan) -> None:
    hours = {each.id: each.orchestration.latency_hours for each in plan.sources}
    hours["transform"] = 2.0
    late = {name.removeprefix("ingest_"): dag["deadline"] for name, dag in parsed.items()}
    assert {name: found for name, found in late.items() if found} == {
        name: [[f"{name} takes too long", "DagRunQueuedAtDeadline", each * 3600]]
        for name, each in hours.items()
    }
    # A candidate that waits for a person stops no other; everything else comes one at a time.
    at_once = {name: dag["max_active_runs"] for name, dag in parsed.items()}
    assert at_once == {name: 8 if name.startswith("publish_") else 1 for name in parsed}


def test_what_tasks_publish(parsed: dict[str, Any], plan: CityPlan) -> None:
    expected: dict[str, Any] = {f"ingest_{each.id}.account": [_core(each)] for each in plan.sources}
    publications = [_publication(each) for each in plan.publications]
    expected["transform.promote"] = [PROMOTION, *publications]
    expected["deadline.missing"] = [DEADLINE]
    expected["reports.serving"] = [SERVING]
    for publication in plan.publications:
        for task in ("approve", "refuse"):
            expected[f"publish_{publication.name}.{task}"] = [PROMOTION]
    assert _of_tasks(parsed, "outlets") == expected
    assert _of_tasks(parsed, "inlets") == {"deadline.missing": [PROMOTION]}


def test_owners_and_tags(parsed: dict[str, Any], plan: CityPlan) -> None:
    city = plan.title["vi"]
    owners = dict.fromkeys((*OTHERS, *(f"brief_{each.code}" for each in plan.recipients)), city)
    tags = {name: {name} for name in OTHERS} | {"deadline": {"deadline", "transform"}}
    for source in plan.sources:
        owners[f"ingest_{source.id}"] = source.agency["vi"].replace(",", ";")
        tags[f"ingest_{source.id}"] = {"ingest", source.group, source.agency_code}
    for each in plan.publications:
        owners[f"publish_{each.name}"] = each.owner["vi"].replace(",", ";")
        assert each.groups, each.name
        tags[f"publish_{each.name}"] = {
            "publish",
            each.dataset_class,
            each.owner_code,
            *each.groups,
        }
    for recipient in plan.recipients:
        tags[f"brief_{recipient.code}"] = {"brief", recipient.language}
    assert {name: set(dag["tags"]) for name, dag in parsed.items()} == tags
    for name, dag in parsed.items():
        assert {task["owner"] for task in dag["tasks"].values()} == {owners[name]}, name


def test_pools_and_retries(parsed: dict[str, Any], plan: CityPlan) -> None:
    expected: dict[str, Any] = {
        f"{dag}.{task}": TASK for dag, tasks in OTHERS.items() for task in tasks
    }
    for source in plan.sources:
        asked = source.orchestration
        for task in ("extract", "load", "account"):
            expected[f"ingest_{source.id}.{task}"] = {
                "pool": source.pool,
                "retries": asked.retries,
                "delay": asked.retry_delay_seconds,
                "longest": asked.retry_delay_max_seconds,
                "policy": True,
            }
    for each in plan.publications:
        for task in PUBLISH:
            said = APPROVAL if task == "approval" else TASK
            expected[f"publish_{each.name}.{task}"] = said
    for recipient in plan.recipients:
        expected[f"brief_{recipient.code}.send"] = TASK
    found = {
        f"{name}.{task}": {key: told[key] for key in TASK}
        for name, dag in parsed.items()
        for task, told in dag["tasks"].items()
    }
    assert found == expected
    assert {told["slots"] for dag in parsed.values() for told in dag["tasks"].values()} == {1}
    assert plan.pools == {source.pool: source.orchestration.pool_slots for source in plan.sources}


def _of_tasks(parsed: dict[str, Any], what: str) -> dict[str, Any]:
    """What of tasks, by `<DAG>.<task>`, where there is any."""
    return {
        f"{name}.{task}": told[what]
        for name, dag in parsed.items()
        for task, told in dag["tasks"].items()
        if told[what]
    }


def _core(source: SourcePlan) -> str:
    return f"{CITY}/core/{source.table}/{source.id}"


def _publication(publication: PublicationPlan) -> str:
    return f"{CITY}/publication/{publication.name}"
