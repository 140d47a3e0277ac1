"""What the demo city's systems have in common: how each is started, ended and listed.

A system is a package `demo/<system>/` with a module `system.py` that offers `start` and
`manifest` as `System` describes them; `SYSTEMS` lists them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any, Protocol, cast

from demo.window import Window

LOOPBACK = "127.0.0.1"
SYSTEMS = (
    "feedback",
    "statistics",
    "health",
    "dossiers",
)


@dataclass(frozen=True)
class Settings:
    """How a system is started.

    Attributes:
        window: What exists.
        token: What readers must send, as a bearer token or a password.
        port: Where it answers; 0 takes a free one.
        listen: Address of the interface on which it answers; None: loopback, and a database by
            its socket alone.
        known_as: Name or address by which readers reach it.
        faults: Whether faults are planted in the records.
        fault_rate: Factor on their number.
        troubled: Whether faults of transport happen that go away.
        breakages: What fails for good, each `KIND:DAY[:PAGE]`.
    """

    window: Window
    token: str
    port: int = 0
    listen: str | None = None
    known_as: str = LOOPBACK
    faults: bool = True
    fault_rate: float = 1.0
    troubled: bool = True
    breakages: tuple[str, ...] = ()


class Running(Protocol):
    """A system that answers until it is closed."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The address by the environment variable that contracts read; `{day}` is the as-of."""

    @property
    def token_variables(self) -> tuple[str, ...]:
        """Environment variables in which contracts look for the token."""

    def close(self) -> None:
        """End it; a second call does nothing."""


class System(Protocol):
    """The module `demo/<system>/system.py`."""

    def start(self, settings: Settings) -> Running:
        """Start the system.

        Raises:
            ValueError: when a breakage cannot be read.
        """

    def manifest(
        self, window: Window, first: date, last: date, *, rate: float, first_read: date | None
    ) -> Iterator[dict[str, Any]]:
        """What is planted between two days, a line an effect."""


def system(name: str) -> System:
    """The system of a name in `SYSTEMS`; its libraries are imported only then."""
    return cast(System, import_module(f"demo.{name}.system"))
