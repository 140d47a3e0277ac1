"""What a run prints: progress on the error stream, closing tables on the standard output."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console as RichConsole
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from pipeline.ingest import Ingested
    from pipeline.run import PublicationLine, RunReport

# Of a source with more, the rest stands in the journal.
SHOWN_NOTES = 5
OUTCOMES = ("new", "changed", "unchanged", "superseded", "duplicate", "quarantined")


class Console:
    """Prints for people; tables are plain text when the output is not a terminal.

    Attributes:
        quiet: Whether progress is left out.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        width = None if os.isatty(1) else 160
        self._out = RichConsole(width=width, highlight=False)
        self._progress = RichConsole(stderr=True, highlight=False)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._live = Progress(*columns, console=self._progress, transient=True)
        self._turn = Lock()

    def say(self, text: str) -> None:
        """Print one line of progress."""
        if not self.quiet:
            self._progress.print(text, markup=False)

    def tell(self, text: str) -> None:
        """Print one line beside the closing tables."""
        self._out.print(text, markup=False, soft_wrap=True)

    def waiting(self) -> None:
        """Say that another run holds the lock."""
        self.say("another run of this city is on; waiting for it to end")

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show a step while it runs, and how long it took."""
        start = monotonic()
        with self._shown(name):
            yield
        self.say(f"{name} ({monotonic() - start:.1f} s)")

    @contextmanager
    def _shown(self, name: str) -> Iterator[None]:
        """Show a line that moves, beside those of other steps that run at the same time."""
        if self.quiet or not self._progress.is_terminal:
            yield
            return
        with self._turn:
            if not self._live.tasks:
                self._live.start()
            task = self._live.add_task(name, total=None)
        try:
            yield
        finally:
            with self._turn:
                self._live.remove_task(task)
                if not self._live.tasks:
                    self._live.stop()

    def report(self, report: "RunReport") -> None:
        """Print the closing tables of a run."""
        self.sources(report.sources, report.as_of.isoformat())
        self._out.print(_publications(report.publications, report.root))
        for line in report.publications:
            if line.late_sources:
                late = ", ".join(line.late_sources)
                self._out.print(f"{line.name}: built without {late}", markup=False)
            for reason in line.reasons:
                self._out.print(f"{line.name}: {reason}", markup=False, soft_wrap=True)
            if line.approval:
                told = f"{line.name} waits for a named person: {line.approval}"
                self._out.print(told, markup=False, soft_wrap=True)
        disk = report.maintained
        self._out.print(
            f"tables: {disk.live / 1e6:.1f} MB live, {disk.on_disk / 1e6:.1f} MB on disk"
        )
        page = os.path.relpath(report.site, Path.cwd())
        self._out.print(f"open first: {page}", markup=False, soft_wrap=True)

    def sources(self, sources: "tuple[Ingested, ...]", day: str) -> None:
        """Print what was read of sources on a processing day, and what was wrong with it."""
        self._out.print(_sources(sources, day))
        for source in sources:
            if source.error:
                self._out.print(f"error: {source.error}", markup=False, soft_wrap=True)
            self._notes(source.outcome.notes)

    def _notes(self, notes: tuple[str, ...]) -> None:
        for note in notes[:SHOWN_NOTES]:
            self._out.print(f"note: {note}", markup=False, soft_wrap=True)
        if len(notes) > SHOWN_NOTES:
            self._out.print(f"note: {len(notes) - SHOWN_NOTES} more in journal/outcomes")


def counted(number: int, noun: str) -> str:
    """The number and its noun, `1 row` or `2 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _table(title: str, left: tuple[str, ...], right: tuple[str, ...]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for name in left:
        table.add_column(name, no_wrap=True)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _sources(sources: "tuple[Ingested, ...]", day: str) -> Table:
    names = tuple(name.replace("_", " ") for name in OUTCOMES)
    table = _table(f"Sources, processing day {day}", ("source", "state"), ("in", *names, "deleted"))
    for each in sources:
        if each.result is None:
            table.add_row(each.source, each.outcome.status, *("-",) * (len(OUTCOMES) + 2))
            continue
        counts = [each.result.counts.get(name, 0) for name in OUTCOMES]
        figures = (each.result.records_in, *counts, each.result.deleted)
        table.add_row(each.source, each.outcome.status, *(f"{figure:,}" for figure in figures))
    return table


def _publications(lines: "tuple[PublicationLine, ...]", root: Path) -> Table:
    title = f"Publications, in {os.path.relpath(root, Path.cwd())}"
    table = _table(title, ("dataset", "verdict", "version", "readers see", "path"), ())
    for line in lines:
        change = "new" if line.is_new else "as before"
        if line.late_sources:
            change += ", stale"
        table.add_row(line.name, line.verdict, line.version or "-", change, line.place)
    return table
