"""What Airflow's database needs before any component starts: its tables, and the pools."""

import json
import subprocess
from collections.abc import Mapping, Sequence

from pipeline.orchestration.configuration import Home, program
from pipeline.orchestration.errors import OrchestrationError
from pipeline.orchestration.plan import read_plan


def bring_up_to_date(home: Home, environ: Mapping[str, str], city: str) -> None:
    """Make the tables that are missing, and the pools of the contracts.

    Args:
        home: Where Airflow logs.
        environ: As `configuration.environment` gives it.
        city: Name or folder of the city.

    Raises:
        OrchestrationError: when Airflow refuses; the message names the log.
    """
    _once(home, environ, ["db", "migrate"])
    pools = {name: _pool(slots) for name, slots in read_plan(city).pools.items()}
    home.pools.write_text(json.dumps(pools), encoding="utf-8")
    _once(home, environ, ["pools", "import", str(home.pools)])


def _pool(slots: int) -> dict[str, object]:
    return {"slots": slots, "description": "From the contracts", "include_deferred": False}


def _once(home: Home, environ: Mapping[str, str], command: Sequence[str]) -> None:
    """Run a command of Airflow to its end."""
    log = home.logs / "prepare.log"
    with log.open("ab") as output:
        done = subprocess.run(  # noqa: S603 - Airflow's own program
            [program(), *command], env=dict(environ), stdout=output, stderr=output, check=False
        )
    if done.returncode:
        raise OrchestrationError(f"airflow {command[0]} {command[1]} failed; see {log}")
