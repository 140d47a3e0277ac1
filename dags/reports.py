"""What people read, brought in line with the newest promotion record."""

from typing import Any

from airflow.sdk import DAG, PartitionedAssetTimetable, get_current_context, task

from dags.common import (
    START,
    TASK,
    day_of,
    day_parameter,
    promotion_asset,
    serving_asset,
)
from pipeline.orchestration.plan import CityPlan


def reports_dag(city: str, plan: CityPlan) -> DAG:
    """Repair of releases and serving file after each record; what derives from them follows it."""
    readable = serving_asset(plan.name)
    with DAG(
        "reports",
        dag_display_name="Những gì người đọc thấy | Reports",
        description="Những gì người đọc thấy | What people read",
        doc_md="Sửa lại bản phát hành và tệp phục vụ cho khớp bản ghi công bố mới nhất | Brings "
        "releases and serving file in line with the newest promotion record; harmless to repeat.",
        schedule=PartitionedAssetTimetable(assets=promotion_asset(plan.name)),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        tags=["reports"],
        params={"day": day_parameter()},
        default_args={"owner": plan.title["vi"], **TASK},
    ) as dag:

        @task(outlets=[readable])
        def serving() -> dict[str, Any]:
            """Tệp phục vụ và bản phát hành | The serving file and the releases."""
            from pipeline import steps

            context = get_current_context()
            day = day_of(context)
            published = steps.publish(city, day)
            context["outlet_events"][readable].add_partitions(day)
            context["outlet_events"][readable].extra = {"day": day, "record": published["record"]}
            return published

        serving()
    return dag
