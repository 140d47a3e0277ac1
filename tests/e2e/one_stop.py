"""The demo city's one-stop shop and the real command line on the part of the city that reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
from psycopg.rows import dict_row

from tests.e2e.cities import part_of_danang
from tests.e2e.processes import planted, printed, serving
from tests.e2e.world import FIRST

URI_VARIABLE = "CITYLAKE_DANANG_ONE_STOP_SHOP"
TOKEN_VARIABLE = "DEMO_TOKEN"  # noqa: S105 - the name of a variable


@dataclass(frozen=True)
class OneStop:
    """A one-stop shop: what generates it, and where it answers once it runs."""

    seed: int
    scale: float
    days: int
    faults: bool = True
    address: str = ""
    token: str = field(default="", repr=False)

    def on(self, day: date) -> str:
        """The address of the database as it was on a day."""
        return self.address.replace("{day}", day.isoformat())

    def ask(self, day: date, sql: str) -> list[dict[str, Any]]:
        """Rows of a query, by a client that is not ours."""
        with psycopg.connect(self.on(day), row_factory=dict_row) as connection:
            return connection.execute(cast(LiteralString, sql)).fetchall()

    def manifest(self, last: date, first_read: date) -> list[dict[str, Any]]:
        """What is planted, as the demo city itself lists it."""
        options = ["--systems", "dossiers", "--seed", str(self.seed), "--scale", str(self.scale)]
        options += ["--to", last.isoformat(), "--first-read", first_read.isoformat()]
        return planted(*options)


@contextmanager
def one_stop(source: OneStop) -> Iterator[OneStop]:
    """Start the one-stop shop; it ends with the context."""
    token = f"mat-khau-{source.seed}"
    options = ["--systems", "dossiers", "--seed", str(source.seed), "--scale", str(source.scale)]
    options += ["--start", FIRST.isoformat(), "--days", str(source.days)]
    options += [] if source.faults else ["--no-faults"]
    with serving(*options, variables={TOKEN_VARIABLE: token}) as ready:
        yield replace(source, address=ready["variables"][URI_VARIABLE], token=token)


@dataclass(frozen=True)
class Shop:
    """A lake of the dossiers alone, and the command line on it."""

    home: Path
    source: OneStop
    city: str = field(default_factory=lambda: part_of_danang("administration"))

    @property
    def root(self) -> Path:
        """The city's folder in the lake."""
        return self.home / "danang"

    def run(self, day: date) -> str:
        """Run a day to its end; what it printed."""
        return self.call("run", "--date", day.isoformat(), address=self.source.on(day))

    def call(self, command: str, *arguments: str, address: str = "") -> str:
        """Call a command on the lake; what it printed."""
        variables = {"CITYLAKE_HOME": str(self.home), URI_VARIABLE: address}
        return printed(command, "--city", self.city, *arguments, variables=variables)
