"""One DAG a source: extract, load, account."""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from dags.common import RETRIES, core_asset, daily, day_of, day_parameter, deadline, limits, owner
from dags.logs import named, tell
from pipeline.orchestration.plan import CityPlan, SourcePlan

DOC = """
{vi}

{en}

Bảng | Table: `{table}`; cơ quan | agency: {agency_vi} | {agency_en}.

`extract` lưu nguyên những gì nguồn gửi và ghi lại thành một tệp; `load` đưa vào bảng lõi hoặc khu
cách ly; `account` kiểm tra mọi bản ghi đều có kết cục.

`extract` stores what the source sent, as it came, and one file that lists it; `load` brings it into
the core table or into quarantine; `account` checks that every record has an outcome.
"""


def ingest_dag(city: str, plan: CityPlan, source: SourcePlan) -> DAG:
    """The DAG of one source; a run's partition key is its processing day.

    Args:
        city: Name or folder of the city, as the steps take it.
        plan: The city.
        source: The source; schedule, retries and pool are those of its contract.
    """
    asset = core_asset(plan.name, source)
    asked = source.orchestration
    with DAG(
        f"ingest_{source.id}",
        dag_display_name=f"Nạp | Ingest: {source.purpose['vi']}",
        description=f"{source.purpose['vi']} | {source.purpose['en']}",
        doc_md=DOC.format(
            **source.purpose,
            table=source.table,
            agency_vi=source.agency["vi"],
            agency_en=source.agency["en"],
        ),
        schedule=daily(asked.schedule, source.timezone),
        **limits(plan),
        deadline=deadline(plan, source.id, asked.latency_hours),
        max_active_runs=1,
        tags=["ingest", source.group, source.agency_code],
        params={"day": day_parameter(), "first": _first()},
        default_args={
            "owner": owner(source.agency["vi"]),
            "pool": source.pool,
            "retries": asked.retries,
            "retry_delay": timedelta(seconds=asked.retry_delay_seconds),
            "max_retry_delay": timedelta(seconds=asked.retry_delay_max_seconds),
            "retry_exponential_backoff": 2,
            "retry_policy": RETRIES,
            "on_execute_callback": named(source.id),
        },
    ) as dag:

        @task
        def extract() -> dict[str, Any]:
            """Đọc nguồn và lưu nguyên gốc | Read the source and store what it sends, as it came."""
            from pipeline import steps

            context = get_current_context()
            day, first = day_of(context), context["params"]["first"]
            window = {"first": first, "last": day} if first else None
            extracted = steps.extract(city, source.id, day, window)
            figures = {name: extracted[name] for name in ("objects", "bytes", "records")}
            tell("extracted", extracted["extraction"], **figures)
            return extracted

        @task
        def load(extracted: Any) -> dict[str, Any]:
            """Nạp vào bảng lõi và khu cách ly | Load into core and quarantine."""
            from pipeline import steps

            batch = extracted["extraction"]
            loaded = steps.load(city, batch)
            names = ("table", "sequence", "version", "records", "deleted")
            tell("loaded", batch, **{name: loaded[name] for name in names}, **loaded["counts"])
            return {**loaded, "extraction": batch}

        @task(outlets=[asset])
        def account(loaded: Any) -> dict[str, Any]:
            """Đối chiếu số bản ghi | Check that every record has an outcome; publish the batch."""
            from pipeline.orchestration.accounts import account_for

            told = account_for(loaded)
            tell("accounted for", loaded["extraction"], records=loaded["records"])
            event = get_current_context()["outlet_events"][asset]
            event.add_partitions(loaded["day"])
            event.extra = told
            return told

        account(load(extract()))
    return dag


def _first() -> Param:
    return Param(
        None,
        type=["null", "string"],
        format="date",
        title="Ngày đầu tiên hỏi lại | First day asked for again",
        description=(
            "YYYY-MM-DD; hỏi lại từ ngày này đến ngày xử lý, con trỏ không đổi | "
            "asks again from this day to the processing day; the cursor stays"
        ),
    )
