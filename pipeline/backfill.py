"""`citylake backfill`: asks a source for days of the past again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from extract.window import Window
from pipeline.console import Console
from pipeline.context import Context, open_context
from pipeline.exit_codes import ExitCode
from pipeline.ingest import Choose, Ingested, end_of_day, load_window
from pipeline.lock import run_lock
from warehouse.contract.model import SourceContract
from warehouse.errors import CitylakeError


class BackfillError(CitylakeError):
    """A window that cannot be asked for again."""


def run_backfill(city: str, source_id: str, first: date, last: date) -> ExitCode:
    """Load a window of a source again and print what came of it; the next run builds from it.

    Args:
        city: Name or folder of the city.
        source_id: The source.
        first: First day of the window, in the source's zone.
        last: Last day of the window, inclusive.

    Returns:
        `ERROR` when the source could not be read or loaded, else `PUBLISHED`.

    Raises:
        BackfillError: when the source has no such window.
    """
    context = open_context(city)
    console = Console()
    with run_lock(context.paths.lock, console.waiting):
        ended = backfill(context, source_id, first, last)
    console.sources((ended,), last.isoformat())
    return ExitCode.ERROR if ended.error else ExitCode.PUBLISHED


def backfill(context: Context, source_id: str, first: date, last: date) -> Ingested:
    """Extract and load the days `first` to `last` of a source, as a batch of day `last`.

    The stream's cursor stays: it is at or after `last` already. By the law of versions a row
    that the lake has newer stays too, and what is there already makes no new version.

    Raises:
        BackfillError: when there is no such source, it is read whole in every run anyway, the
            window ends before it begins, or the stream has not been loaded that far.
    """
    today, choose = asked_again(context, source_id, first, last)
    return load_window(today, source_id, choose)


def asked_again(
    context: Context, source_id: str, first: date, last: date
) -> tuple[Context, Choose]:
    """The processing day and the window of a backfill.

    Raises:
        BackfillError: as for `backfill`.
    """
    source = _source(context.city.sources, source_id)
    snapshot = context.lake.snapshot("core", source.table)
    stored = snapshot.as_of(source_id) if snapshot else None
    if last < first:
        raise BackfillError(f"the window ends on {last}, before it begins on {first}")
    if stored is None or last > stored:
        loaded = f"loaded up to {stored}" if stored else "not loaded yet"
        message = f"{source_id} is {loaded}: a backfill never moves the cursor, a run does"
        raise BackfillError(message)
    since = end_of_day(first - timedelta(days=1), source.timezone)
    window = Window(last, since, end_of_day(last, source.timezone))
    return replace(context, as_of=last), lambda *_: window


def _source(sources: Mapping[str, SourceContract], source_id: str) -> SourceContract:
    if source_id not in sources:
        raise BackfillError(f"there is no source {source_id} ({', '.join(sources)})")
    source = sources[source_id]
    if source.cursor == "none":
        raise BackfillError(f"{source_id} has no window: every run reads it whole")
    return source
