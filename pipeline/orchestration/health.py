"""How the components of an Airflow are, as its API tells it."""

import os
import sys
from typing import Any

import httpx

from pipeline.exit_codes import ExitCode
from pipeline.orchestration.configuration import COMPONENTS
from pipeline.orchestration.deployment import api_address
from pipeline.orchestration.errors import OrchestrationError

HEALTHY = "healthy"
TOLD = ("metadatabase", "scheduler", "triggerer", "dag_processor")


def health_of(address: str) -> dict[str, str | None]:
    """What each component says of itself; empty where nobody answers.

    Args:
        address: Of the API, without a path.
    """
    try:
        answer = httpx.get(f"{address}/api/v2/monitor/health", timeout=5, trust_env=False)
        told: dict[str, dict[str, Any]] = answer.json()
    except (httpx.HTTPError, ValueError):
        return {}
    return {name: each.get("status") for name, each in told.items() if isinstance(each, dict)}


def print_health(component: str) -> ExitCode:
    """Print how a component is; exit code 1 where it is not well.

    A component is well when its heartbeat reaches the database; the API server, when it answers
    and reaches the database itself.

    Raises:
        OrchestrationError: for a name that is no component.
    """
    if component not in COMPONENTS:
        raise OrchestrationError(f"no component {component!r}; there are {', '.join(COMPONENTS)}")
    asked = component.replace("-", "_")
    found = health_of(api_address(os.environ)).get(asked if asked in TOLD else TOLD[0])
    sys.stdout.write(f"{component}: {found or 'does not answer'}\n")
    return ExitCode.PUBLISHED if found == HEALTHY else ExitCode.ERROR
