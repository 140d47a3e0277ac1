"""Small files are put together, what is past its retention goes, the ledger is checked."""

from typing import Any

from airflow.sdk import DAG, get_current_context, task

from dags.common import TASK, daily, day_of, day_parameter, limits
from pipeline.orchestration.plan import CityPlan

SCHEDULE = "30 5 * * *"


def maintenance_dag(city: str, plan: CityPlan) -> DAG:
    """Compaction, retention, then the chain of the ledger and the digests of all it names."""
    with DAG(
        "maintenance",
        dag_display_name="Dọn dẹp | Maintenance",
        description="Dọn dẹp và kiểm tra sổ cái | Retention and ledger check",
        doc_md="Gộp các tệp nhỏ, xóa những gì quá hạn lưu giữ, rồi kiểm tra chuỗi băm của sổ cái | "
        "Puts small files together, removes what is past its retention, then checks the ledger's "
        "chain and every digest that it names.",
        schedule=daily(SCHEDULE, plan.timezone),
        **limits(plan),
        max_active_runs=1,
        tags=["maintenance"],
        params={"day": day_parameter()},
        default_args={"owner": plan.title["vi"], **TASK},
    ) as dag:

        @task
        def compaction() -> dict[str, Any]:
            """Gộp các tệp nhỏ | Put small files of tables and journal together."""
            from pipeline import steps

            return steps.compact(city, day_of(get_current_context()))

        @task
        def retention() -> dict[str, Any]:
            """Xóa những gì quá hạn | Remove superseded files and what is past its retention."""
            from pipeline import steps

            return steps.maintain(city, day_of(get_current_context()))

        @task
        def ledger() -> dict[str, Any]:
            """Kiểm tra sổ cái | Check the ledger, records, evidence and releases."""
            from airflow.sdk.exceptions import AirflowFailException

            from pipeline import steps

            found = steps.verify(city)
            if found["problems"]:
                raise AirflowFailException("; ".join(found["problems"]))
            return found

        compaction() >> retention() >> ledger()
    return dag
