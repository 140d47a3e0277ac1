"""What passed its deadline: entered in the journal, said in the log, told to who wants to know.

Airflow imports this module where it reads the DAGs, so whatever is heavy is imported when needed.
"""

import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

VARIABLE = "CITYLAKE_NOTIFY_URL"
FOLDER = "deadlines"
MISSING = "missing"
LATE = "late"
_PATIENCE_SECONDS = 10
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notice:
    """A deadline that has passed.

    Attributes:
        city: The city's code.
        what: Id of the source, or `transform`.
        day: Processing day, or None of a run that has none.
        status: `missing` (no batch of the day by the deadline of the marts) or `late` (a run that
            takes longer than it may).
        run: Airflow's id of the run, or None.
        deadline: The instant that passed, or None where the schedule says it.
    """

    city: str
    what: str
    day: str | None
    status: str
    run: str | None = None
    deadline: str | None = None

    def __str__(self) -> str:
        """One line for the log."""
        wrong = "not there at the deadline" if self.status == MISSING else "takes too long"
        return f"{self.what}, day {self.day}: {wrong}"


def give(notice: Notice, journal: Path, work: Path, environ: Mapping[str, str]) -> Path:
    """Enter a notice in the journal, log it, and post it where `CITYLAKE_NOTIFY_URL` says.

    Who does not answer is a warning: the journal has the notice.

    Args:
        notice: What passed its deadline; it holds nothing of any record.
        journal: The city's journal folder; the file goes to its `deadlines`.
        work: Scratch folder on the same file system.
        environ: Where the address stands; it may hold a token and is never shown.

    Returns:
        The file's path; names sort by the instant of the notice.
    """
    from warehouse.files import canonical_json, create_exclusively

    LOG.warning("%s", notice)
    noticed_at = datetime.now(UTC)
    told = {**asdict(notice), "noticed_at": noticed_at.isoformat()}
    folder = journal / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        instant = noticed_at.strftime("%Y%m%dT%H%M%S%fZ")
        path = folder / f"{instant}-{notice.what}-{secrets.token_hex(4)}.json"
        if create_exclusively(path, canonical_json(told), work):
            break
    if address := environ.get(VARIABLE, "").strip():
        _post(address, told)
    return path


def run_is_late(city: str, what: str, context: Mapping[str, Any]) -> None:
    """What Airflow calls when a run has not ended by its deadline.

    Args:
        city: The city's code.
        what: Id of the source, or `transform`.
        context: Airflow's: `dag_run` and `deadline`.
    """
    from pipeline.settings import city_paths

    run, deadline = context["dag_run"], context["deadline"]
    day = (run.get("conf") or {}).get("day") or run.get("partition_key")
    told = Notice(city, what, day, LATE, run["dag_run_id"], str(deadline["deadline_time"]))
    paths = city_paths(city)
    give(told, paths.journal, paths.work, os.environ)


def _post(address: str, told: Mapping[str, Any]) -> None:
    import httpx

    try:
        httpx.post(address, json=dict(told), timeout=_PATIENCE_SECONDS).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        LOG.warning("%s: the notice was not taken (%s)", VARIABLE, type(error).__name__)
