"""One DAG a publication: what the gate said, a named person where it held, the release."""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import (
    DAG,
    PartitionedAssetTimetable,
    TriggerRule,
    get_current_context,
    task,
)
from airflow.sdk.execution_time.hitl import HITLUser

from dags.common import (
    START,
    TASK,
    day_of,
    day_parameter,
    owner,
    promoted,
    promotion_asset,
    publication_asset,
)
from pipeline.orchestration.errors import OrchestrationError
from pipeline.orchestration.plan import CityPlan, PublicationPlan

DOC = """
**{title_vi}** | **{title_en}**

{vi}

{en}

`gate` đọc kết luận của cổng. Khi cổng giữ lại, `approval` chờ một người được nêu tên; quá hạn là từ
chối.

`gate` reads what the gate said. Where it held, `approval` waits for a named person;
silence rejects.
"""
ANSWER = "answer"
LOST_ANSWERS = 3
BODY = """
{{% set told = ti.xcom_pull(task_ids='gate', key='event') %}}
Ấn phẩm | Publication: **{vi}** | **{en}** (`{name}`)

Ứng viên | Candidate: `{{{{ told.candidate }}}}`

Lý do giữ lại | Held because:
{{% for reason in told.reasons %}}
- {{{{ reason }}}}
{{% endfor %}}

Không trả lời trong {hours:g} giờ là từ chối | No answer within {hours:g} hours rejects.
"""


class NamedApproval(ApprovalOperator):
    """An approval whose answer can be read whatever it is.

    Airflow's own skips what follows a no, and keeps the answer only of a yes: nobody could enter
    in the ledger who refused.
    """

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Keep who answered what, then go on as Airflow does."""
        if "error" not in event:
            answer = {name: event[name] for name in ("chosen_options", "responded_by_user")}
            context["ti"].xcom_push(key=ANSWER, value=answer)
        return super().execute_complete(context=context, event=event)


def publish_dag(
    city: str, plan: CityPlan, publication: PublicationPlan, approvers: tuple[str, ...]
) -> DAG:
    """The DAG of one publication; started by what `transform` said of it.

    Args:
        city: Name or folder of the city, as the steps take it.
        plan: The city.
        publication: The publication.
        approvers: Names of those who may answer; nobody else can.
    """
    name, promotion = publication.name, promotion_asset(plan.name)
    with DAG(
        f"publish_{name}",
        dag_display_name=f"Công bố | Publish: {publication.title['vi']}",
        description=f"{publication.title['vi']} | {publication.title['en']}",
        doc_md=DOC.format(
            title_vi=publication.title["vi"],
            title_en=publication.title["en"],
            **publication.description,
        ),
        schedule=PartitionedAssetTimetable(assets=publication_asset(plan.name, name)),
        start_date=START,
        catchup=False,
        # A candidate that waits must not stop the next one, which supersedes it.
        max_active_runs=8,
        tags=[
            "publish",
            *publication.groups,
            publication.dataset_class,
            publication.owner_code,
        ],
        params={"day": day_parameter()},
        default_args={"owner": owner(publication.owner["vi"]), **TASK},
    ) as dag:

        @task.branch
        def gate() -> str:
            """Kết luận của cổng | What the gate said of the candidate: publish, hold or reject."""
            from pipeline.orchestration.triggers import branch_of, newest

            context = get_current_context()
            events = [
                event.extra
                for found in context["triggering_asset_events"].values()
                for event in found
            ]
            told = newest(events)
            context["ti"].xcom_push(key="event", value=told)
            return branch_of(told)

        approval = NamedApproval(
            task_id="approval",
            subject=f"Duyệt | Approve: {publication.title['vi']}",
            body=BODY.format(name=name, hours=plan.approval_hours, **publication.title),
            defaults=ApprovalOperator.REJECT,
            response_timeout=timedelta(hours=plan.approval_hours),
            assigned_users=[HITLUser(id=each, name=each) for each in approvers],
            doc_md="Chờ người được nêu tên; quá hạn là từ chối | Waits for a named person; "
            "silence rejects",
            # Airflow may lose an answer that comes while the task parks itself, and fails the task:
            # it is asked again.
            retries=LOST_ANSWERS,
            retry_policy=None,
        )

        @task(outlets=[promotion])
        def approve() -> dict[str, Any]:
            """Công bố theo lời người duyệt | Publish on the word of the named person."""
            from pipeline import steps
            from pipeline.orchestration.triggers import person_of

            context = get_current_context()
            ti = context["ti"]
            told = ti.xcom_pull(task_ids="gate", key="event")
            person = person_of(ti.xcom_pull(task_ids="approval", key=ANSWER), approvers)
            return promoted(
                context, promotion, steps.approve(city, name, told["candidate"], person)
            )

        @task(trigger_rule=TriggerRule.ALL_SKIPPED, outlets=[promotion])
        def refuse() -> dict[str, Any]:
            """Ghi lời từ chối hoặc sự im lặng | Enter refusal or silence in the ledger."""
            from airflow.sdk.exceptions import AirflowSkipException

            from pipeline import steps
            from pipeline.orchestration.triggers import refused_by
            from pipeline.status import is_waiting

            context = get_current_context()
            ti = context["ti"]
            answer = ti.xcom_pull(task_ids="approval", key=ANSWER)
            if not answer:
                raise AirflowSkipException("nothing was held")
            told, person = ti.xcom_pull(task_ids="gate", key="event"), refused_by(answer)
            if is_waiting(city, name, told["candidate"]):
                refused = steps.refuse(city, name, told["candidate"], person)
                return promoted(context, promotion, refused)
            if person is None:
                raise AirflowSkipException("it does not wait any more: decided, or superseded")
            raise OrchestrationError(
                f"the no of {person} came too late: the candidate was decided elsewhere, or a "
                "newer one has taken its place; `citylake status` says what readers see"
            )

        @task
        def rejected() -> None:
            """Cổng từ chối: người đọc vẫn thấy bản trước | Rejected: readers keep what they see."""

        @task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
        def release() -> dict[str, Any]:
            """Bản phát hành và tệp phục vụ | The release and the serving file, by the records."""
            from pipeline import steps

            return steps.publish(city, day_of(get_current_context()))

        start, done, said_yes = gate(), release(), approve()
        start >> [approval, rejected(), done]
        approval >> said_yes >> [done, refuse()]
    return dag
