"""A contract that cannot be read, as a DAG that says so."""

from collections.abc import Iterable

from airflow.sdk import DAG, task

TAG = "broken contract"


def broken_dag(dag_id: str, message: str, tags: Iterable[str], owner: str) -> DAG:
    """The DAG that stands in for one whose contract is wrong: its page shows the message.

    Args:
        dag_id: The name that the DAG would have.
        message: What is wrong, one line a problem: file, line, rule.
        tags: By which the DAG would be found.
        owner: Who answers for it.
    """
    with DAG(
        dag_id,
        dag_display_name=f"{dag_id} (contract broken)",
        description=message.partition("\n")[0],
        doc_md=f"The contract cannot be used:\n\n```\n{message}\n```\n",
        schedule=None,
        tags=[TAG, *tags],
        default_args={"owner": owner},
    ) as dag:

        @task(retries=0)
        def contract() -> None:
            """Fails with what is wrong in the contract."""
            from airflow.sdk.exceptions import AirflowFailException

            raise AirflowFailException(message)

        contract()
    return dag
