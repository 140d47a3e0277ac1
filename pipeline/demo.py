"""The demo city: its source systems in a process of their own, and runs against them."""

import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from pipeline.console import Console
from pipeline.context import open_context
from pipeline.exit_codes import ExitCode
from pipeline.lock import run_lock
from pipeline.run import run_day
from warehouse.city import City
from warehouse.errors import CitylakeError

TOKEN_VARIABLE = "CITYLAKE_DEMO_TOKEN"  # noqa: S105 - the name of a variable
READY_SECONDS = 60


class DemoError(CitylakeError):
    """The demo city cannot be started."""


@dataclass(frozen=True)
class DemoSettings:
    """How the demo city is generated.

    Attributes:
        seed: Of everything that is drawn.
        scale: 1 is the whole city.
        first: First day of the source.
        last: Last day that it knows.
    """

    seed: int
    scale: float
    first: date
    last: date


@dataclass(frozen=True)
class DemoServers:
    """Where the demo city's systems answer.

    Attributes:
        addresses: Address by the name of the environment variable that the contracts read;
            `{day}` in it stands for the as-of day. A database's holds the token.
        tokens: The token by the names of the variables that the contracts read.
    """

    addresses: Mapping[str, str] = field(repr=False)
    tokens: Mapping[str, str] = field(repr=False)

    def variables_on(self, day: date) -> dict[str, str]:
        """The variables with which a run sees the sources as they knew the world on `day`."""
        shown = {
            name: address.replace("{day}", day.isoformat())
            for name, address in self.addresses.items()
        }
        return {**shown, **self.tokens}


@dataclass(frozen=True)
class DemoPlace:
    """Where the demo city's systems answer.

    Attributes:
        port: Of the first system, the others follow; 0 takes free ones.
        listen: Address of the interface; None: loopback, a database by its socket alone.
        known_as: Name by which readers reach them; None: the address of loopback.
    """

    port: int = 0
    listen: str | None = None
    known_as: str | None = None

    def options(self) -> list[str]:
        """As the demo city takes them."""
        told = {"--port": str(self.port), "--listen": self.listen, "--known-as": self.known_as}
        return [text for name, value in told.items() if value for text in (name, value)]


ANYWHERE = DemoPlace()


@contextmanager
def demo_servers(settings: DemoSettings, place: DemoPlace = ANYWHERE) -> Iterator[DemoServers]:
    """Start the demo city's servers; they end with the block.

    Yields:
        Where they answer. Their token is that of `CITYLAKE_DEMO_TOKEN`, or one of their own.

    Raises:
        DemoError: when the servers do not come up.
    """
    token = os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(24)
    days = (settings.last - settings.first).days + 1
    command = [sys.executable, "-m", "demo", "serve", *place.options()]
    command += ["--seed", str(settings.seed), "--scale", str(settings.scale)]
    command += ["--start", settings.first.isoformat(), "--days", str(days)]
    command += ["--token-variable", TOKEN_VARIABLE]
    process = subprocess.Popen(  # noqa: S603 - own module
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, TOKEN_VARIABLE: token}
    )
    try:
        assert process.stdout is not None  # noqa: S101 - piped above
        line = process.stdout.readline()
        if not line:
            raise DemoError(f"the demo city did not start (exit code {process.wait(5)})")
        ready = json.loads(line)
        yield DemoServers(ready["variables"], dict.fromkeys(ready["token_variables"], token))
    finally:
        process.terminate()
        process.wait(READY_SECONDS)


def serve(
    city: str, day: date | None, place: DemoPlace, *, scale: float, seed: int, quiet: bool
) -> ExitCode:
    """Serve the demo city as of a day until interrupted or ended, and say how to run against it.

    Args:
        city: Name or folder of the city.
        day: As of which; where None, the default day of `city.yaml`.
        place: Where.
        scale: Share of the city's volume.
        seed: Of everything that is drawn.
        quiet: Whether nothing is said of where they answer: what is said holds the token.
    """
    context = open_context(city, day)
    first, _ = history_of(context.city)
    last = max(context.as_of, context.city.default_date)
    settings = DemoSettings(seed, scale, first, last)
    # Ended like interrupted: the servers are processes of their own and must not be left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), demo_servers(settings, place) as servers:
        told = {} if quiet else servers.variables_on(context.as_of)
        for name, value in told.items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
        signal.pause()
    return ExitCode.PUBLISHED


def run_demo(city: str, day: date | None, *, scale: float, seed: int) -> ExitCode:
    """Start the demo city and run it: one day, or its history and every day after it.

    Args:
        city: Name or folder of the city.
        day: The only day to run; where None, the history in bulk, then each day up to the
            default day of `city.yaml`.
        scale: Share of the city's volume.
        seed: Of everything that is drawn.

    Returns:
        The exit code of the last day.

    Raises:
        DemoError: when the city has no demo history or its servers do not come up.
    """
    context = open_context(city)
    first, history_end = history_of(context.city)
    last = max(day or history_end, context.city.default_date)
    days = [day] if day else _days(history_end, context.city.default_date)
    console = Console()
    code = ExitCode.PUBLISHED
    with demo_servers(DemoSettings(seed, scale, first, last)) as servers:
        for each in days:
            today = replace(
                context, as_of=each, environ={**os.environ, **servers.variables_on(each)}
            )
            with run_lock(context.paths.lock, console.waiting):
                report = run_day(today, console)
            console.report(report)
            code = report.exit_code
    return code


def history_of(city: City) -> tuple[date, date]:
    """First and last day of the bulk history.

    Raises:
        DemoError: when city.yaml names none.
    """
    if city.history_from is None or city.history_to is None:
        raise DemoError(f"city {city.name} has no history in city.yaml: it is no demo city")
    return city.history_from, city.history_to


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
