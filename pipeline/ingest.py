"""One step: one source, one processing day, from raw objects to core and quarantine."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from extract.errors import Place
from extract.outcomes import Outcome, write_outcome
from extract.raw import RawStore
from extract.read import StreamSummary, open_stream
from extract.schema import EVOLVE, listed
from extract.window import Window
from pipeline.context import Context
from warehouse.contract.model import SourceContract
from warehouse.errors import CitylakeError
from warehouse.load import LoadResult, load_stream
from warehouse.set_aside import SetAside


@dataclass(frozen=True)
class Ingested:
    """How one attempt on one source ended.

    Attributes:
        outcome: The journal's record of the attempt.
        result: What was loaded, or None when the attempt failed; the good of before is kept.
    """

    source: str
    outcome: Outcome
    result: LoadResult | None

    @property
    def error(self) -> str | None:
        """Why the attempt failed, or None."""
        return self.outcome.error


def end_of_day(day: date, timezone: str) -> datetime:
    """The instant at which a local day ends (24:00)."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(timezone))


def window_of(source: SourceContract, as_of: date, stored: date | None) -> Window:
    """What a run of day `as_of` asks a source for.

    A source without a cursor is read whole. A run for an earlier day than the stream's stored
    as-of asks for that day again (and the overlap before it) and moves no cursor.

    Args:
        source: The stream's contract.
        as_of: Processing day D.
        stored: Latest processing day that the stream has loaded, or None.
    """
    until = end_of_day(as_of, source.timezone)
    if source.cursor == "none" or stored is None:
        return Window(as_of, None, until)
    since = end_of_day(min(stored, as_of - timedelta(days=1)), source.timezone)
    return Window(as_of, since, until)


def ingest(context: Context, source_id: str) -> Ingested:
    """Extract and load one source for the context's day; see `load_window`."""
    return load_window(
        context, source_id, lambda source, stored: window_of(source, context.as_of, stored)
    )


def load_window(
    context: Context, source_id: str, choose: Callable[[SourceContract, date | None], Window]
) -> Ingested:
    """Extract and load what one source has of a window, as a batch of the context's day.

    Args:
        context: City and processing day.
        source_id: The source.
        choose: Gives the window from the contract and the stream's stored as-of.

    Returns:
        How it ended. A failure of the source, the load or the contract is an outcome, not an
        exception, so that the other sources go on.

    Raises:
        Exception: whatever else goes wrong, after its outcome was written.
    """
    source = context.city.sources[source_id]
    outcome = Outcome.start(source_id, context.as_of)
    reader = None
    try:
        compiled = context.compiled(source_id)
        snapshot = context.lake.snapshot("core", source.table)
        stored = snapshot.as_of(source_id) if snapshot else None
        reader = open_stream(
            source,
            compiled.raw_columns,
            RawStore(context.paths),
            choose(source, stored),
            context.environ,
            context.city.folder,
        )
        result = load_stream(
            context.lake,
            compiled,
            reader,
            context.as_of,
            full_snapshot=source.cursor == "none",
            journal=context.paths.journal,
        )
        ended = outcome.end(reader.summary, notes=notes_of(source, reader.summary, result))
    except CitylakeError as error:
        result, ended = None, outcome.end(reader.summary if reader else None, error)
    except Exception as error:
        ended = outcome.end(reader.summary if reader else None, error)
        write_outcome(ended, context.paths.journal, context.paths.work)
        raise
    finally:
        if reader is not None:
            reader.close()
    write_outcome(ended, context.paths.journal, context.paths.work)
    return Ingested(source_id, ended, result)


def notes_of(source: SourceContract, summary: StreamSummary, result: LoadResult) -> tuple[str, ...]:
    """What a load refused or set aside: one line each, with file, row, column and rule."""
    first = summary.names[0] if summary.names else None
    more = len(summary.names) - 1
    place = Place(source.id, f"{first} and {more} more" if more > 0 else first)
    notes = []
    if result.held_back:
        notes.append(place.line("absence", f"nothing was deleted: {result.held_back}"))
    elif source.cursor == "none" and not result.records_in:
        notes.append(place.line("no_records", "the delivery holds no record"))
    if source.drift == EVOLVE and summary.undeclared:
        message = f"taken without its undeclared columns: {listed(sorted(summary.undeclared))}"
        notes.append(place.line("undeclared_column", message))
    return (*notes, *(_note(source.id, each) for each in result.set_aside))


def _note(source_id: str, bad: SetAside) -> str:
    column, _, rule = bad.reason.partition(":")
    is_format = column == "row"
    many = "1 record" if bad.records == 1 else f"{bad.records} records, of which this is the first,"
    return Place(source_id, bad.file).line(
        bad.reason if is_format else rule,
        f"{many} went to quarantine",
        row=bad.row,
        column=None if is_format else column,
    )
