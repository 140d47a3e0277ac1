"""Marts of a day: built when every source has come, or at the deadline with what is there."""

from typing import Any

from airflow.sdk import (
    DAG,
    Asset,
    AssetAll,
    AssetAny,
    PartitionedAssetTimetable,
    get_current_context,
    task,
)

from dags.common import (
    START,
    TASK,
    core_asset,
    daily,
    day_of,
    day_parameter,
    deadline,
    deadline_asset,
    limits,
    promoted,
    promotion_asset,
    publication_asset,
)
from dags.logs import tell
from pipeline.orchestration.plan import CityPlan

# A run of a day takes minutes; what takes this long hangs.
LONGEST_HOURS = 2.0
DOC = """
Dựng các bảng kết quả của một ngày, kiểm tra và đưa qua cổng. Chạy khi mọi nguồn đã về, hoặc đến hạn
thì chạy với những gì đang có; mỗi lần một lượt.

Builds the marts of a day, checks them and takes them through the gate. Runs when every source has
come, or at the deadline with what is there; one run at a time.

Một lượt ghi nhiều nhất một bản ghi công bố | A run writes at most one promotion record.
"""


def transform_dag(city: str, plan: CityPlan) -> DAG:
    """Build, check, promote, serve; a publication's asset carries verdict and candidate."""
    publications = {
        each.name: publication_asset(plan.name, each.name) for each in plan.publications
    }
    promotion = promotion_asset(plan.name)
    with DAG(
        "transform",
        dag_display_name="Dựng kết quả | Transform",
        description="Dựng, kiểm tra, qua cổng | Build, check, gate",
        doc_md=DOC,
        schedule=PartitionedAssetTimetable(assets=_condition(plan)),
        start_date=START,
        catchup=False,
        deadline=deadline(plan, "transform", LONGEST_HOURS),
        max_active_runs=1,
        tags=["transform"],
        params={"day": day_parameter()},
        default_args={"owner": plan.title["vi"], **TASK},
    ) as dag:

        @task
        def build() -> dict[str, Any]:
            """Dựng ứng viên từ lõi mới nhất | Build the candidate from the newest core."""
            from pipeline import steps
            from pipeline.orchestration.triggers import versions_read

            context = get_current_context()
            built = steps.build(city, day_of(context))
            events = [
                event.extra
                for found in context["triggering_asset_events"].values()
                for event in found
            ]
            read = versions_read(built["versions"], events)
            tell("built", built["build"], **built["versions"])
            return {**built, "read": read}

        @task
        def check(built: Any) -> dict[str, Any]:
            """Chạy mọi phép kiểm tra và kết luận của cổng | Run every check; the gate decides."""
            from pipeline import steps

            checked = steps.check(city, built["build"])
            verdicts = {name: each["verdict"] for name, each in checked["publications"].items()}
            tell("checked", built["build"], **verdicts)
            return checked

        @task(outlets=[promotion, *publications.values()])
        def promote(built: Any) -> dict[str, Any]:
            """Ghi một bản ghi công bố | Write one promotion record: the only commit."""
            from pipeline.orchestration.judged import promote_judged

            written = promote_judged(city, built["build"])
            tell("promoted", built["build"], record=written["record"])
            context = get_current_context()
            day = day_of(context)
            for name, asset in publications.items():
                event = context["outlet_events"][asset]
                event.add_partitions(day)
                event.extra = {
                    "day": day,
                    "record": written["record"],
                    **written["publications"][name],
                }
            return promoted(context, promotion, written)

        @task
        def serve() -> dict[str, Any]:
            """Phát hành và tệp phục vụ theo bản ghi | Releases and serving file, by the records."""
            from pipeline import steps

            return steps.publish(city, day_of(get_current_context()))

        built = build()
        check(built) >> promote(built) >> serve()
    return dag


def _condition(plan: CityPlan) -> Any:
    """Every source of the day, or its deadline."""
    late = deadline_asset(plan.name)
    sources: list[Asset] = [core_asset(plan.name, each) for each in plan.sources]
    return AssetAny(AssetAll(*sources), late) if sources else late


def deadline_dag(city: str, plan: CityPlan) -> DAG:
    """At the hour that `city.yaml` names, says what is missing and starts `transform`."""
    asset, promotion = deadline_asset(plan.name), promotion_asset(plan.name)
    with DAG(
        "deadline",
        dag_display_name="Đến hạn | Deadline",
        description="Đến hạn dựng kết quả | The hour by which marts are built",
        doc_md="Ghi lại nguồn còn thiếu, rồi cho `transform` chạy; nguồn nào cũng về và kết quả đã "
        "dựng thì bỏ qua | Writes down which source is missing, then lets `transform` run with "
        "what is there; skipped where every source has come and the marts were built.",
        schedule=daily(plan.deadline, plan.timezone),
        **limits(plan),
        max_active_runs=1,
        tags=["transform", "deadline"],
        params={"day": day_parameter()},
        default_args={"owner": plan.title["vi"], **TASK},
    ) as dag:

        @task(inlets=[promotion], outlets=[asset])
        def missing() -> dict[str, Any]:
            """Nguồn nào chưa về | Which source has not come by the deadline."""
            from airflow.sdk.exceptions import AirflowSkipException

            from pipeline.orchestration.deadline import missing_sources
            from pipeline.orchestration.triggers import was_promoted

            context = get_current_context()
            day = day_of(context)
            late: list[Any] = list(missing_sources(city, day, context["run_id"]))
            records = [each.extra for each in context["inlet_events"][promotion]]
            if not late and was_promoted(records, day):
                raise AirflowSkipException("every source has come, and the marts were built")
            event = context["outlet_events"][asset]
            event.add_partitions(day)
            event.extra = {"day": day, "missing": late}
            return {"day": day, "missing": late}

        missing()
    return dag
