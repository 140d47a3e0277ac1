"""What every line of the benchmark is: one work, done by the bare limit and by ours."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Measured
from pipeline.settings import REPOSITORY

HOME = "CITYLAKE_HOME"
CITY = str(REPOSITORY / "bench" / "city")


@dataclass(frozen=True)
class Size:
    """How much a line works on.

    Attributes:
        is_quick: Small inputs, to try the benchmark itself; such figures are never kept.
    """

    is_quick: bool = False

    def of(self, full: int, quick: int) -> int:
        """The full size or the small one."""
        return quick if self.is_quick else full


class Line(ABC):
    """One line of the table.

    Attributes:
        name: Short name, as `--lines` and limits.json have it.
        title: What the table calls it.
        ratio: Ours may take this many times the limit,
        slack_seconds: and this much more.
        repeats: Runs of each side.
        memory_of: Name of the line whose peak ours may exceed by a fifth, or None.
        max_mib: Most memory that ours may take where no other line says it, or None.
    """

    name: str
    title: str
    ratio: float
    slack_seconds: float = 0.0
    repeats: int = 3
    memory_of: str | None = None
    max_mib: float | None = None

    def __init__(self, inputs: Path, size: Size) -> None:
        """Remember where inputs are kept and how large they are."""
        self.inputs = inputs
        self.size = size

    @abstractmethod
    def prepare(self) -> None:
        """Make the inputs that are not there yet."""

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Whatever both sides need while they run, for example a server."""
        yield

    def measure_slack(self, folder: Path) -> float:
        """Seconds that ours may take beyond the ratio; some lines measure them."""
        return self.slack_seconds

    @abstractmethod
    def limit(self, folder: Path) -> Measured:
        """Run the bare limit once; it leaves its result in the empty folder given."""

    @abstractmethod
    def ours(self, folder: Path) -> Measured:
        """Run ours once; it leaves its result in the empty folder given."""

    @abstractmethod
    def differences(self, limit: Path, ours: Path) -> list[str]:
        """What the results in the two folders differ in; empty where they are equal."""


def environment(**variables: str | Path) -> Mapping[str, str]:
    """The environment of both sides: this process's with more variables; byte code is kept."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {name: str(value) for name, value in variables.items()}


def core_table(home: Path, city: str, table: str) -> Path:
    """The folder of a core table of ours."""
    return home / city / "core" / table


def link_tree(source: Path, target: Path) -> None:
    """Copy a lake by hard links: its data files are never written twice.

    Delta writes every log entry as a new file too, so that the original stays as it is.
    """
    for folder, _, files in os.walk(source):
        place = target / Path(folder).relative_to(source)
        place.mkdir(parents=True, exist_ok=True)
        for name in files:
            os.link(Path(folder) / name, place / name)
