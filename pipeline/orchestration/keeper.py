"""Keeps Airflow and the demo city running: a process of its own, and the leader of its session.

Run as `python -m pipeline.orchestration.keeper --city <city> --port <port>` by
`pipeline.orchestration.service`. It starts what a component needs before any of them, starts a
component again that ended, and ends all of them when it is told to. What outlives it has its
session, by which `service.down` finds it.
"""

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from pipeline.demo import DemoSettings, demo_servers, history_of
from pipeline.orchestration.configuration import COMPONENTS, Home, prepare, program, usual_home
from pipeline.orchestration.database import bring_up_to_date
from pipeline.orchestration.errors import OrchestrationError
from pipeline.orchestration.session import say
from pipeline.orchestration.users import write_private
from pipeline.settings import REPOSITORY, city_folder
from pipeline.variables import missing_variables
from warehouse.city import load_city
from warehouse.errors import CitylakeError

END_SECONDS = 20
LONGEST_WAIT_SECONDS = 30.0
# A component that lived so long ended for a reason of its own, not for how it was started.
SETTLED_SECONDS = 60.0
LOOK_SECONDS = 0.5


@dataclass
class Component:
    """One component of Airflow, started again when it ends."""

    name: str
    command: Sequence[str | Path]
    environ: Mapping[str, str] = field(repr=False)
    log: Path
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started: float = 0.0
    due: float = 0.0

    def look(self, now: float) -> None:
        """Start it where it does not run and its wait is over.

        Args:
            now: Seconds of a clock that only goes forward.
        """
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return
            self.failures = 0 if now - self.started > SETTLED_SECONDS else self.failures + 1
            self.due = now + min(2.0**self.failures, LONGEST_WAIT_SECONDS)
            say(f"{self.name} ended with code {code}; it starts again")
            self.process = None
        if now >= self.due:
            self.start(now)

    def start(self, now: float) -> None:
        """Start it; what it says goes to its log."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - Airflow's own program
                self.command, env=dict(self.environ), stdout=log, stderr=log
            )
        self.started = now

    def ask_to_end(self) -> None:
        """Tell it to end, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()


def keep(city: str, port: int, scale: float) -> None:
    """Run everything until told to end.

    Raises:
        OrchestrationError: when another keeper runs in this home, or Airflow cannot be prepared.
    """
    home = usual_home()
    home.create()
    with _alone(home), _sources(city, scale) as variables:
        environ = prepare(home, city, port, {**os.environ, **variables})
        write_private(
            home.state, json.dumps({"pid": os.getpid(), "port": port, "city": city}) + "\n"
        )
        bring_up_to_date(home, environ, city)
        components = [
            Component(name, [program(), name, *options], environ, home.logs / f"{name}.log")
            for name, options in COMPONENTS.items()
        ]
        _until_ended(components)


def _until_ended(components: Sequence[Component]) -> None:
    ended = False

    def end(_signal: int, _frame: FrameType | None) -> None:
        nonlocal ended
        ended = True

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, end)
    while not ended:
        for component in components:
            component.look(time.monotonic())
        time.sleep(LOOK_SECONDS)
    for component in components:
        component.ask_to_end()
    until = time.monotonic() + END_SECONDS
    while any(each.process and each.process.poll() is None for each in components):
        if time.monotonic() > until:
            break
        time.sleep(LOOK_SECONDS)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Hold the home of Airflow; the system lets go of it when the process ends."""
    with home.lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OrchestrationError(f"Airflow runs in {home.folder} already") from error
        yield


@contextmanager
def _sources(city: str, scale: float) -> Iterator[dict[str, str]]:
    """The demo city's systems, and the variables by which they are found.

    None for a real city, and none where the environment names them: they run somewhere else.
    """
    loaded = load_city(city_folder(city), without_broken=True)
    if not loaded.is_demo or not missing_variables(loaded.sources.values(), os.environ):
        yield {}
        return
    first, _ = history_of(loaded)
    settings = DemoSettings(1022, scale, first, loaded.default_date)
    with demo_servers(settings) as servers:
        yield {**servers.addresses, **servers.tokens}


def main() -> None:
    """Keep what the arguments name; an expected failure is one clear line and exit code 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--scale", type=float, default=1.0)
    given = parser.parse_args()
    os.chdir(REPOSITORY)
    try:
        keep(given.city, given.port, given.scale)
    except CitylakeError as error:
        say(f"citylake: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
