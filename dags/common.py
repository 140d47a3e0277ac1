"""What the DAGs of a city share: times, retries, parameters, assets."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from airflow.sdk import (
    Asset,
    CronPartitionTimetable,
    ExceptionRetryPolicy,
    Param,
    PartitionedAtRuntime,
    RetryAction,
    RetryRule,
)
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from dags.logs import named
from pipeline.orchestration.errors import OrchestrationError
from pipeline.orchestration.failures import LASTING, PASSING
from pipeline.orchestration.notice import run_is_late
from pipeline.orchestration.plan import CityPlan, SourcePlan

# Before any city's first run; what is older is asked for by hand or by a backfill.
START = datetime(2025, 1, 1, tzinfo=UTC)
KEY_FORMAT = "%Y-%m-%d"
# The last day that ended when the clock strikes.
PREVIOUS = -1

RETRIES = ExceptionRetryPolicy(
    rules=[
        RetryRule(PASSING, RetryAction.RETRY, reason="the source may answer later"),
        RetryRule(LASTING, RetryAction.FAIL, reason="trying again changes nothing"),
    ]
)
# What ends a task from outside (memory, a machine) is tried again, whatever the source.
TASK = {
    "retries": 2,
    "retry_delay": timedelta(seconds=10),
    "retry_policy": RETRIES,
    "on_execute_callback": named(),
}


def daily(cron: str | None, timezone: str) -> CronPartitionTimetable | PartitionedAtRuntime:
    """Runs whose partition key is the processing day that ended last; none without a schedule."""
    if cron is None:
        return PartitionedAtRuntime()
    return CronPartitionTimetable(
        cron, timezone=timezone, run_offset=PREVIOUS, key_format=KEY_FORMAT
    )


def owner(name: str) -> str:
    """A name as the owner of tasks: Airflow would take a comma in it for the end of a name."""
    return name.replace(",", ";")


def limits(plan: CityPlan) -> dict[str, Any]:
    """When the scheduler itself starts runs: for a demo city never, its days are past."""
    end = datetime.combine(plan.default_day, datetime.min.time(), UTC) if plan.is_demo else None
    return {"start_date": START, "end_date": end, "catchup": False}


def deadline(plan: CityPlan, what: str, hours: float) -> DeadlineAlert:
    """When a run takes too long: an entry in the journal, and a notice.

    Args:
        plan: The city.
        what: Id of the source, or the name of the DAG.
        hours: From when the run was queued.
    """
    return DeadlineAlert(
        name=f"{what} takes too long",
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=hours),
        callback=SyncCallback(run_is_late, kwargs={"city": plan.name, "what": what}),
    )


def day_parameter() -> Param:
    """The parameter `day`."""
    return Param(
        None,
        type=["null", "string"],
        format="date",
        title="Ngày xử lý | Processing day",
        description="YYYY-MM-DD; để trống: ngày của phân vùng | empty: the day of the partition",
    )


def day_of(context: Mapping[str, Any]) -> str:
    """The processing day of a run: its parameter, else its partition key.

    Raises:
        OrchestrationError: when it has neither, or the key is no day; to try again is of no use.
    """
    told = context["params"].get("day") or context["dag_run"].partition_key
    if not told:
        raise OrchestrationError("the run has no processing day: give a partition key or `day`")
    try:
        return date.fromisoformat(told).isoformat()
    except ValueError as error:
        raise OrchestrationError(f"{told!r} is no processing day: write YYYY-MM-DD") from error


def core_asset(city: str, source: SourcePlan) -> Asset:
    """What a source's batches add to: its rows of a core table."""
    return Asset(
        name=f"core/{source.table}/{source.id}",
        uri=f"citylake://{city}/core/{source.table}/{source.id}",
        group="core",
    )


def deadline_asset(city: str) -> Asset:
    """The hour by which marts are built whatever is missing."""
    return Asset(name="deadline", uri=f"citylake://{city}/deadline", group="deadline")


def publication_asset(city: str, publication: str) -> Asset:
    """What the gate said of a publication's newest candidate."""
    return Asset(
        name=f"publication/{publication}",
        uri=f"citylake://{city}/publication/{publication}",
        group="publication",
    )


def serving_asset(city: str) -> Asset:
    """What people read, as of the newest promotion record."""
    return Asset(name="serving", uri=f"citylake://{city}/serving", group="serving")


def promotion_asset(city: str) -> Asset:
    """The newest promotion record."""
    return Asset(name="promotion", uri=f"citylake://{city}/promotion", group="promotion")


def promoted(context: Mapping[str, Any], asset: Asset, written: dict[str, Any]) -> dict[str, Any]:
    """Tell what follows promotion records of a new one; returns what was written.

    Args:
        context: Airflow's, of a task that has the asset as an outlet.
        asset: As `promotion_asset` gives it.
        written: As `pipeline.steps.promote` returns it.
    """
    day, event = day_of(context), context["outlet_events"][asset]
    event.add_partitions(day)
    event.extra = {"day": day, "record": written["record"]}
    return written
