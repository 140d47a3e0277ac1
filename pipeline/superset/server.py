"""`citylake superset up`, `down`, `status`, `serve`: one server, in the background or as itself."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import httpx

from pipeline.context import read_context
from pipeline.exit_codes import ExitCode
from pipeline.orchestration.session import (
    end_all,
    is_free,
    mark_of,
    marked,
    members,
    read_state,
    say,
)
from pipeline.orchestration.users import User, write_private
from pipeline.superset.errors import SupersetError
from pipeline.superset.home import BOOTSTRAP, SupersetHome, interpreter, prepare, usual_home
from pipeline.superset.users import users

ADDRESS = "127.0.0.1"
USUAL_PORT = 8088
USUAL_ADDRESS = f"http://{ADDRESS}:{USUAL_PORT}"
READY_SECONDS = 180
BOOTSTRAP_SECONDS = 600
END_SECONDS = 20
LOOK_SECONDS = 0.5
THREADS = 8


def up(city: str, *, port: int) -> ExitCode:
    """Start Superset on loopback, bring the city's reports into it, and say where it is.

    A demo city that has nothing to show yet is run first. Where a server runs for the city already,
    its reports are brought up to date.

    Args:
        city: Name or folder of the city.
        port: On loopback; one that runs keeps its own, which is told.

    Raises:
        SupersetError: when it runs for another city, the port is taken, or it does not come up; the
            message then names the log.
    """
    from pipeline.superset.reports import apply_assets

    home = usual_home()
    if _alive(home) is None:
        _refuse_taken(port)
    name, known = _prepared_city(city)
    address = _started(home, name)
    runs = address is not None
    if address is None:
        address = start(home, known, port, name)
    say("bringing the reports in")
    try:
        code = apply_assets(city, address, in_short=True)
    except BaseException:
        if not runs:
            end(home)
        raise
    sys.stdout.write(f"Superset: {address}\n")
    sys.stdout.write(f"users: {', '.join(each.name for each in known)}\n")
    sys.stdout.write(f"passwords: {home.passwords}\nlog: {home.log}\n")
    sys.stdout.write(f"open first: {address}/superset/dashboard/{name}-city-vi/\n")
    return code


def _started(home: SupersetHome, city: str) -> str | None:
    """Where the server of a city answers that was started before; None where none runs.

    Raises:
        SupersetError: when what runs in this home is another city's, or does not answer.
    """
    state = _alive(home)
    if state is None:
        return None
    address = f"http://{ADDRESS}:{state['port']}"
    if state.get("city") != city:
        told = state.get("city", "another city")
        raise SupersetError(f"Superset runs for {told} in {home.folder} already; `down` ends it")
    if not is_ready(address):
        raise SupersetError(f"Superset at {address} runs and does not answer; `down` ends it")
    say(f"Superset runs already at {address}")
    return address


def _prepared_city(city: str) -> tuple[str, tuple[User, ...]]:
    from publish.serving import serving_file

    context = read_context(city)
    known = users(context.access, os.environ)
    interpreter()
    if not serving_file(context.paths).exists():
        if not context.city.is_demo:
            raise SupersetError(f"{context.city.name} has no serving file yet: run a day first")
        from pipeline.demo import run_demo

        say("there is nothing to show yet: running the demo city")
        run_demo(city, None, scale=1.0, seed=1022)
    return context.city.name, known


def _refuse_taken(port: int) -> None:
    if not is_free(ADDRESS, port):
        raise SupersetError(f"port {port} is taken; --port names another")


def start(home: SupersetHome, known: tuple[User, ...], port: int, city: str) -> str:
    """Start a server for a city in the background and wait until its pages answer.

    Returns:
        Its address.

    Raises:
        SupersetError: when one runs in this home, the port is taken, or it does not come up.
    """
    if _alive(home) is not None:
        raise SupersetError(f"Superset runs in {home.folder} already; `down` ends it")
    environ = prepare(home, known, os.environ)
    _refuse_taken(port)
    _bootstrap(home, environ)
    say("starting Superset")
    with home.log.open("ab") as log:
        server = subprocess.Popen(  # noqa: S603 - Superset's own program
            _command(ADDRESS, port),
            env={**environ, **marked(home.folder)},
            cwd=home.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    write_private(home.state, json.dumps({"pid": server.pid, "port": port, "city": city}) + "\n")
    address = f"http://{ADDRESS}:{port}"
    until = time.monotonic() + READY_SECONDS
    while not is_ready(address):
        if server.poll() is not None or time.monotonic() > until:
            end(home)
            raise SupersetError(f"Superset did not come up; {home.log} says why")
        time.sleep(LOOK_SECONDS)
    return address


def serve(city: str, listen: str, port: int) -> None:
    """Become the server of a deployment, in the foreground.

    Raises:
        SupersetError: when it cannot be made ready.
    """
    home = usual_home()
    environ = prepare(home, users(read_context(city).access, os.environ), os.environ)
    _bootstrap(home, environ)
    command = _command(listen, port)
    os.execve(command[0], command, environ)  # noqa: S606 - Superset's own program


def down() -> ExitCode:
    """End the server and every process that it started."""
    home = usual_home()
    sys.stdout.write("ended\n" if end(home) else f"nothing runs in {home.folder}\n")
    return ExitCode.PUBLISHED


def status() -> ExitCode:
    """Print whether the server answers; exit code 1 where it does not."""
    home = usual_home()
    state = _alive(home)
    if state is None:
        sys.stdout.write(f"nothing runs in {home.folder}\n")
        return ExitCode.ERROR
    address = f"http://{ADDRESS}:{state['port']}"
    well = is_ready(address)
    sys.stdout.write(f"{address}: {'ready' if well else 'does not answer'}\n")
    return ExitCode.PUBLISHED if well else ExitCode.ERROR


def print_health(address: str) -> ExitCode:
    """Print whether a server shows its pages; exit code 1 where it does not."""
    from reports.superset.client import checked_address

    well = is_ready(checked_address(address))
    sys.stdout.write("ready\n" if well else "does not answer\n")
    return ExitCode.PUBLISHED if well else ExitCode.ERROR


def end(home: SupersetHome) -> bool:
    """End what runs in a home; whether anything did."""
    state = read_state(home.state)
    home.state.unlink(missing_ok=True)
    if state is None:
        return False
    return bool(end_all(state["pid"], mark_of(home.folder), END_SECONDS))


def running_address() -> str:
    """Where the server of the usual home answers.

    Raises:
        SupersetError: when none runs.
    """
    state = _alive(usual_home())
    if state is None:
        raise SupersetError("no Superset runs here: `citylake superset up` starts one")
    return f"http://{ADDRESS}:{state['port']}"


def is_ready(address: str) -> bool:
    """Whether the page to log in is shown; `/health` answers of a broken one, too."""
    try:
        answer = httpx.get(f"{address}/login/", timeout=10, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK


def _command(listen: str, port: int) -> list[str]:
    program = interpreter().with_name("gunicorn")
    return [
        str(program),
        f"--bind={listen}:{port}",
        "--workers=1",
        "--worker-class=gthread",
        f"--threads={THREADS}",
        "--timeout=120",
        "--worker-tmp-dir=/dev/shm",
        "--no-control-socket",
        "superset.app:create_app()",
    ]


def _bootstrap(home: SupersetHome, environ: Mapping[str, str]) -> None:
    """Make the metadata database ready, unless it was for this version and administrator."""
    wanted = _ready_for(home)
    if home.ready.exists() and home.ready.read_text(encoding="utf-8") == wanted:
        return
    home.ready.unlink(missing_ok=True)
    say("making Superset's own records ready, which takes up to a minute")
    with home.log.open("ab") as log:
        try:
            done = subprocess.run(  # noqa: S603 - own script in Superset's environment
                [interpreter(), BOOTSTRAP],
                env=dict(environ),
                cwd=home.folder,
                stdout=log,
                stderr=log,
                timeout=BOOTSTRAP_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SupersetError(f"Superset was not made ready in time; {home.log}") from error
    if done.returncode:
        raise SupersetError(f"Superset could not be made ready; {home.log} says why")
    write_private(home.ready, wanted)


def _ready_for(home: SupersetHome) -> str:
    """Digest of the lock and of the passwords that the metadata database was made ready for."""
    from pipeline.settings import REPOSITORY
    from warehouse.files import digest

    lock = (REPOSITORY / "requirements" / "superset.txt").read_bytes()
    return digest(lock + home.passwords.read_bytes()) + "\n"


def _alive(home: SupersetHome) -> dict[str, Any] | None:
    state = read_state(home.state)
    return state if state and members(state["pid"], mark_of(home.folder)) else None
