"""`citylake airflow up`, `down` and `status`: Airflow in the background of this machine."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

from pipeline.exit_codes import ExitCode
from pipeline.orchestration.configuration import ADDRESS, Home, program, usual_home
from pipeline.orchestration.errors import OrchestrationError
from pipeline.orchestration.health import HEALTHY, TOLD, health_of
from pipeline.orchestration.session import (
    end_all,
    is_free,
    mark_of,
    marked,
    members,
    read_state,
)
from pipeline.orchestration.users import users
from pipeline.settings import REPOSITORY, city_argument, city_folder
from warehouse.paths import HOME_VARIABLE, lake_home

READY_SECONDS = 240
END_SECONDS = 30
LOOK_SECONDS = 0.5


def up(city: str, *, port: int, scale: float) -> ExitCode:
    """Start Airflow and, for the demo city, its systems; wait until they answer.

    Where it runs for this city already, say where.

    Args:
        city: Name or folder of the city.
        port: On loopback.
        scale: Share of the demo city's volume.

    Raises:
        OrchestrationError: when it runs for another city, or does not come up; the message names
            the log.
    """
    # The keeper works in another folder, where a path from here would name another one.
    city = city_argument(city, city_folder(city))
    program()
    names = users(os.environ)
    home = usual_home()
    home.create()
    if _is_kept(home):
        return _told_again(home, city)
    _end_left(home)
    if not is_free(ADDRESS, port):
        raise OrchestrationError(f"port {port} is taken; --port names another")
    home.state.unlink(missing_ok=True)
    log = home.logs / "keeper.log"
    command = [sys.executable, "-m", "pipeline.orchestration.keeper", "--city", city]
    command += ["--port", str(port), "--scale", str(scale)]
    with log.open("ab") as output:
        keeper = subprocess.Popen(  # noqa: S603 - own module
            command,
            cwd=REPOSITORY,
            env={**os.environ, HOME_VARIABLE: str(lake_home().absolute()), **marked(home.folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait(keeper, port, log.read_text)
    except (OrchestrationError, KeyboardInterrupt):
        keeper.terminate()
        _end(home, keeper.pid)
        raise
    sys.stdout.write(f"Airflow: http://{ADDRESS}:{port}\n")
    sys.stdout.write(f"users: {', '.join(f'{each.name} ({each.role})' for each in names)}\n")
    sys.stdout.write(f"passwords: {home.passwords}\nlogs: {home.logs}\n")
    return ExitCode.PUBLISHED


def _told_again(home: Home, city: str) -> ExitCode:
    """Say where Airflow runs that was started for a city before.

    Raises:
        OrchestrationError: when it runs for another city, or is not well.
    """
    state = read_state(home.state)
    if state is None or state.get("city") != city or not _is_well(_health(state["port"])):
        told = f"for {state['city']} " if state and state.get("city") != city else ""
        raise OrchestrationError(
            f"Airflow runs {told}in {home.folder} already, or is about to; `status` tells how it "
            "is, `down` ends it"
        )
    sys.stdout.write(f"Airflow runs already: http://{ADDRESS}:{state['port']}\n")
    sys.stdout.write(f"users and passwords: {home.passwords}\nlogs: {home.logs}\n")
    return ExitCode.PUBLISHED


def down() -> ExitCode:
    """End the keeper and every process that it started, tasks too."""
    home = usual_home()
    state = read_state(home.state)
    if state is None:
        sys.stdout.write(f"nothing runs in {home.folder}\n")
        return ExitCode.PUBLISHED
    if _is_kept(home):
        with suppress(ProcessLookupError):
            os.kill(state["pid"], signal.SIGTERM)
    _end(home, state["pid"])
    home.state.unlink(missing_ok=True)
    sys.stdout.write("ended\n")
    return ExitCode.PUBLISHED


def status() -> ExitCode:
    """Print what each component says of itself; exit code 1 where one is not well."""
    home = usual_home()
    state = read_state(home.state)
    if state is None or not _is_kept(home):
        sys.stdout.write(f"nothing runs in {home.folder}\n")
        return ExitCode.ERROR
    health = _health(state["port"])
    for name in TOLD:
        sys.stdout.write(f"{name}: {health.get(name) or 'does not answer'}\n")
    return ExitCode.PUBLISHED if _is_well(health) else ExitCode.ERROR


def _is_kept(home: Home) -> bool:
    """Whether a keeper lives in this home: it holds the lock."""
    if not home.lock.exists():
        return False
    with home.lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _end_left(home: Home) -> None:
    """End what a keeper left behind that was itself ended by force."""
    state = read_state(home.state)
    if state is not None:
        _end(home, state["pid"])


def _end(home: Home, session: int) -> None:
    """Give the keeper time to end what it started, then end what is left of its session."""
    mark = mark_of(home.folder)
    until = time.monotonic() + END_SECONDS
    while session in members(session, mark) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
    end_all(session, mark, END_SECONDS / 3)


def _wait(keeper: subprocess.Popen[bytes], port: int, log: Any) -> None:
    until = time.monotonic() + READY_SECONDS
    while not _is_well(_health(port)):
        if keeper.poll() is not None:
            said = log(encoding="utf-8").strip().splitlines()
            raise OrchestrationError(said[-1].removeprefix("citylake: ") if said else "no keeper")
        if time.monotonic() > until:
            raise OrchestrationError(f"Airflow did not come up in {READY_SECONDS} seconds")
        time.sleep(LOOK_SECONDS)


def _health(port: int) -> dict[str, str | None]:
    return health_of(f"http://{ADDRESS}:{port}")


def _is_well(health: dict[str, str | None]) -> bool:
    return all(health.get(name) == HEALTHY for name in TOLD)
