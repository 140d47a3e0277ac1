"""What each line of a task's log carries: run, day, source and batch."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

Context = Mapping[str, Any]


def named(source: str | None = None) -> Callable[[Context], None]:
    """What a DAG calls before each of its tasks: names the run, its day and the source.

    Args:
        source: Id of the source, where the DAG is that of one.
    """

    def name(context: Context) -> None:
        run = context["dag_run"]
        day = context["params"].get("day") or run.partition_key
        names = {"run": run.run_id, "day": day, "source": source}
        structlog.contextvars.bind_contextvars(
            **{key: value for key, value in names.items() if value is not None}
        )

    return name


def tell(event: str, batch: str | None, **figures: Any) -> None:
    """Log one line; it and those after it name the batch.

    Args:
        event: What happened.
        batch: Id of the extraction or of the build; None where there was nothing to do.
        figures: Counts and versions; nothing of any record.
    """
    structlog.contextvars.bind_contextvars(batch=batch)
    structlog.get_logger(__name__).info(event, **figures)
