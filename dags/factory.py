"""Every DAG of a city, from its contracts."""

import os
from collections.abc import Iterator

from airflow.sdk import DAG

from dags.brief import brief_dag
from dags.broken import broken_dag
from dags.common import owner
from dags.ingest import ingest_dag
from dags.maintenance import maintenance_dag
from dags.publish import publish_dag
from dags.reports import reports_dag
from dags.transform import deadline_dag, transform_dag
from pipeline.orchestration.configuration import CITY_VARIABLE
from pipeline.orchestration.plan import BrokenPlan, read_plan
from pipeline.orchestration.users import approvers, users

USUAL_CITY = "danang"


def city_dags() -> Iterator[DAG]:
    """One DAG a source, a publication and a recipient, and those of the city as a whole.

    A contract that cannot be read becomes a DAG of the name that it would have had, which says
    what is wrong and fails; the others are untouched.

    Raises:
        CitylakeError: when what all of them share cannot be read.
    """
    city = os.environ.get(CITY_VARIABLE, USUAL_CITY)
    plan = read_plan(city)
    people = approvers(users(os.environ))
    for source in plan.sources:
        yield ingest_dag(city, plan, source)
    for name, broken in plan.broken_sources.items():
        yield broken_dag(f"ingest_{name}", *_told("ingest", broken))
    yield transform_dag(city, plan)
    yield deadline_dag(city, plan)
    for publication in plan.publications:
        yield publish_dag(city, plan, publication, people)
    for name, broken in plan.broken_publications.items():
        yield broken_dag(f"publish_{name}", *_told("publish", broken))
    yield reports_dag(city, plan)
    for recipient in plan.recipients:
        yield brief_dag(city, plan, recipient)
    for name, message in plan.broken_recipients.items():
        yield broken_dag(f"brief_{name}", message, ("brief",), owner(plan.title["vi"]))
    yield maintenance_dag(city, plan)


def _told(kind: str, broken: BrokenPlan) -> tuple[str, tuple[str, ...], str]:
    """Message, tags and owner of a contract that cannot be used: it is found where it would be."""
    code = (broken.body_code,) if broken.body_code else ()
    return broken.message, (kind, *broken.groups, *code), owner(broken.body["vi"])
