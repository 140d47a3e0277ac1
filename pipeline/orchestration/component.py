"""Becomes a component of an Airflow that is deployed apart, and prepares its database."""

import os
import sys
from collections.abc import Mapping
from typing import NoReturn

from pipeline.context import open_context
from pipeline.exit_codes import ExitCode
from pipeline.orchestration.configuration import (
    COMPONENTS,
    Seat,
    environment,
    program,
    usual_home,
)
from pipeline.orchestration.database import bring_up_to_date
from pipeline.orchestration.deployment import give_passwords, seat_of, without_secrets
from pipeline.orchestration.errors import OrchestrationError
from pipeline.orchestration.users import users
from pipeline.settings import REPOSITORY, city_folder

WITH_PAGES = "api-server"


def become(name: str, city: str) -> NoReturn:
    """Take the place of this process with a component; signals reach it as they are sent.

    Args:
        name: One of `COMPONENTS`.
        city: Name or folder of the city.

    Raises:
        OrchestrationError: for another name, or when the deployment's variables cannot be used.
    """
    if name not in COMPONENTS:
        raise OrchestrationError(f"no component {name!r}; there are {', '.join(COMPONENTS)}")
    seat, environ = _deployed(city, os.environ)
    if name == WITH_PAGES:
        give_passwords(seat, users(os.environ), os.environ)
    os.chdir(REPOSITORY)
    command = [str(program()), name, *COMPONENTS[name], *_behind_a_proxy(name, seat)]
    os.execve(command[0], command, environ)  # noqa: S606 - Airflow's own program


def initialise(city: str) -> ExitCode:
    """Bring the database up to date: tables, and pools from the contracts; harmless to repeat.

    The city's folders of the lake are there afterwards: what is given one of them alone, as
    Superset is, can then be started.

    Raises:
        OrchestrationError: when the deployment's variables cannot be used, or Airflow refuses.
    """
    seat, environ = _deployed(city, os.environ)
    os.chdir(REPOSITORY)
    open_context(city, without_broken=True)
    bring_up_to_date(seat.home, environ, city)
    sys.stdout.write("database and pools are up to date\n")
    return ExitCode.PUBLISHED


def _deployed(city: str, base: Mapping[str, str]) -> tuple[Seat, dict[str, str]]:
    city_folder(city)
    seat = seat_of(usual_home(), base)
    seat.home.create()
    return seat, environment(seat, city, users(base), without_secrets(base))


def _behind_a_proxy(name: str, seat: Seat) -> tuple[str, ...]:
    """Pages that people reach by TLS believe the proxy that ends it, so that cookies are secure."""
    by_tls = seat.public_address.startswith("https://")
    return ("--proxy-headers",) if name == WITH_PAGES and by_tls else ()
