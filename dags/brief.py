"""One DAG a recipient: the brief by e-mail, with the recipient's own rights."""

from typing import Any

from airflow.sdk import DAG, PartitionedAssetTimetable, get_current_context, task

from dags.common import START, TASK, day_of, day_parameter, owner, serving_asset
from pipeline.orchestration.plan import CityPlan, RecipientPlan

DOC = """
Gửi bản tin hai trang qua thư điện tử cho **{vi}**, với đúng quyền xem của người nhận; mỗi nội dung
chỉ gửi một lần. Chưa khai báo máy chủ thư hoặc địa chỉ thì bỏ qua.

Sends the two-page brief to **{en}** by e-mail, with the recipient's own rights; each content is
sent once. Where mail server or address are not set up, it is skipped.
"""


def brief_dag(city: str, plan: CityPlan, recipient: RecipientPlan) -> DAG:
    """The DAG of one recipient; follows the serving file of a day.

    Args:
        city: Name or folder of the city, as the steps take it.
        plan: The city.
        recipient: Who is sent the brief.
    """
    name = recipient.code
    with DAG(
        f"brief_{name}",
        dag_display_name=f"Bản tin | Brief: {recipient.title['vi']}",
        description=f"Bản tin cho {recipient.title['vi']} | Brief for {recipient.title['en']}",
        doc_md=DOC.format(**recipient.title),
        schedule=PartitionedAssetTimetable(assets=serving_asset(plan.name)),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        tags=["brief", recipient.language],
        params={"day": day_parameter()},
        default_args={"owner": owner(plan.title["vi"]), **TASK},
    ) as dag:

        @task
        def send() -> dict[str, Any]:
            """Gửi bản tin qua thư điện tử | Send the brief by e-mail."""
            from airflow.sdk.exceptions import AirflowSkipException

            from pipeline import steps
            from pipeline.brief_sending import NotSetUpError

            try:
                return steps.send_brief(city, day_of(get_current_context()), name)
            except NotSetUpError as error:
                raise AirflowSkipException(str(error)) from error

        send()
    return dag
