"""One step: one source, one processing day, from raw objects to core and quarantine.

At once (`load_window`: records are loaded while the source still delivers), or as two steps that
may stand hours and machines apart (`extract_window`, then `load_extraction`). Both ways read the
same objects in the same order under the same names, and come to the same content.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from extract.errors import Place
from extract.extraction import Extraction, ExtractionError, read_extraction, write_extraction
from extract.outcomes import Outcome, write_outcome
from extract.raw import RawStore
from extract.read import StreamReader, StreamSummary, open_stream, reopen_stream
from extract.schema import EVOLVE, listed
from extract.window import Window
from pipeline.context import Context
from warehouse.contract.compiler import CompiledStream
from warehouse.contract.model import SourceContract
from warehouse.errors import CitylakeError
from warehouse.load import LoadResult, load_stream
from warehouse.set_aside import SetAside
from warehouse.workspace import workspace

Choose = Callable[[SourceContract, date | None], Window]


# Asked since an instant, these protocols tell of deletions that a whole answer has not: of records
# that came and went before it. The same day would end otherwise when it is run again.
DELETIONS_SINCE = frozenset({"fhir_bulk"})


@dataclass(frozen=True)
class Ingested:
    """How one attempt on one source ended.

    Attributes:
        outcome: The journal's record of the attempt.
        result: What was loaded, or None when the attempt failed; the good of before is kept.
        failure: What ended the attempt, or None.
    """

    source: str
    outcome: Outcome
    result: LoadResult | None
    failure: CitylakeError | None = None

    @property
    def error(self) -> str | None:
        """Why the attempt failed, or None."""
        return self.outcome.error


@dataclass(frozen=True)
class Extracted:
    """How one attempt to extract a source ended.

    Attributes:
        outcome: What the attempt saw; the journal keeps it when it failed.
        extraction: What can be loaded, or None when the attempt failed.
        failure: What ended the attempt, or None.
    """

    source: str
    outcome: Outcome
    extraction: Extraction | None
    failure: CitylakeError | None = None


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
    return load_window(context, source_id, day_window(context))


def day_window(context: Context) -> Choose:
    """Chooses what the context's day asks a source for.

    The day that a stream began with asks some protocols for everything again: see
    `DELETIONS_SINCE`.
    """

    def choose(source: SourceContract, stored: date | None) -> Window:
        # On a day that is later than all that were loaded, no log needs to be read for this.
        was_run = stored is not None and context.as_of <= stored
        if was_run and source.protocol.get("kind") in DELETIONS_SINCE:
            snapshot = context.lake.snapshot("core", source.table)
            if snapshot is not None and snapshot.first_as_of(source.id) == context.as_of:
                stored = None
        return window_of(source, context.as_of, stored)

    return choose


def load_window(context: Context, source_id: str, choose: Choose) -> Ingested:
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
    result = None
    with _attempt(context, source_id) as attempt:
        compiled = context.compiled(source_id)
        window = choose(compiled.source, _stored(context, compiled.source))
        reader = attempt.reads(_open(context, compiled, window))
        result = _load(context, compiled, reader, is_snapshot=compiled.source.cursor == "none")
        attempt.notes = notes_of(compiled.source, reader.summary, result)
    return Ingested(source_id, attempt.outcome, result, attempt.failure)


def extract_window(context: Context, source_id: str, choose: Choose) -> Extracted:
    """Read what one source has of a window to its end, store it, and write that down.

    Every record is split and counted on the way, since pages, manifests and structure messages
    say only together with the records whether the source was read whole; none is kept.

    Args:
        context: City and processing day.
        source_id: The source.
        choose: Gives the window from the contract and the stream's stored as-of.

    Returns:
        How it ended; without an extraction where anything went wrong.

    Raises:
        Exception: what is no failure of source or contract, after its outcome was written.
    """
    extraction = None
    # While the workspace is held, nobody takes scratch files for left over.
    with workspace(context.paths), _attempt(context, source_id, failures_only=True) as attempt:
        compiled = context.compiled(source_id)
        source, stored = compiled.source, _stored(context, compiled.source)
        window = choose(source, stored)
        reader = attempt.reads(_open(context, compiled, window))
        for _ in reader:
            continue
        extraction = Extraction(
            source_id,
            window,
            stored,
            source.cursor == "none",
            tuple(reader.summary.delivered),
            reader.summary.records,
        )
        write_extraction(extraction, context.paths.journal, context.paths.work)
    return Extracted(source_id, attempt.outcome, extraction, attempt.failure)


def load_extraction(context: Context, name: str) -> Ingested:
    """Load the stored objects of an extraction as the batch of its processing day.

    Today's contract reads them. One that says of itself to be a full snapshot deletes by absence
    only where the extraction was one, too.

    Args:
        context: The city.
        name: The extraction's id.

    Returns:
        How it ended, as for `load_window`.

    Raises:
        ExtractionError: when there is no such extraction, or no such source.
        Exception: what is no failure of source or contract, after its outcome was written.
    """
    extraction = read_extraction(context.paths.journal, name)
    if extraction.source not in context.city.sources:
        raise ExtractionError(f"extraction {name} is of {extraction.source}, which is no source")
    today = replace(context, as_of=extraction.window.as_of)
    result = None
    with workspace(context.paths), _attempt(today, extraction.source) as attempt:
        compiled = context.compiled(extraction.source)
        store = RawStore(context.paths)
        _refuse_gap(context, extraction)
        _refuse_incomplete(store, extraction)
        reader = attempt.reads(
            reopen_stream(compiled.source, compiled.raw_columns, store, extraction.objects)
        )
        is_snapshot = extraction.is_snapshot and compiled.source.cursor == "none"
        result = _load(today, compiled, reader, is_snapshot=is_snapshot)
        attempt.notes = notes_of(compiled.source, reader.summary, result)
    return Ingested(extraction.source, attempt.outcome, result, attempt.failure)


@dataclass
class _Attempt:
    """One attempt on a source.

    Attributes:
        outcome: How it ended, once it has.
        reader: What was opened.
        notes: What was refused or set aside, one line each.
        failure: What ended it, or None.
    """

    outcome: Outcome
    reader: StreamReader | None = None
    notes: tuple[str, ...] = ()
    failure: CitylakeError | None = None

    def reads(self, reader: StreamReader) -> StreamReader:
        """Take the reader whose summary the outcome tells of, and which is closed at the end."""
        self.reader = reader
        return reader

    def end(self, error: BaseException | None = None) -> None:
        """Say how it ended."""
        summary = self.reader.summary if self.reader else None
        self.outcome = self.outcome.end(summary, error, () if error else self.notes)


@contextmanager
def _attempt(
    context: Context, source_id: str, *, failures_only: bool = False
) -> Iterator[_Attempt]:
    """An attempt whose outcome is written however it ends.

    A `CitylakeError` ends it and goes no further; anything else is raised again.

    Args:
        context: City and processing day.
        source_id: The source.
        failures_only: Whether an attempt that went well leaves no outcome.
    """
    attempt = _Attempt(Outcome.start(source_id, context.as_of))
    paths = context.paths
    try:
        yield attempt
        attempt.end()
    except CitylakeError as error:
        attempt.failure = error
        attempt.end(error)
    except Exception as error:
        attempt.end(error)
        write_outcome(attempt.outcome, paths.journal, paths.work)
        raise
    finally:
        if attempt.reader is not None:
            attempt.reader.close()
    if attempt.failure is not None or not failures_only:
        write_outcome(attempt.outcome, paths.journal, paths.work)


def _stored(context: Context, source: SourceContract) -> date | None:
    """Latest processing day that the stream has loaded, or None."""
    snapshot = context.lake.snapshot("core", source.table)
    return snapshot.as_of(source.id) if snapshot else None


def _open(context: Context, compiled: CompiledStream, window: Window) -> StreamReader:
    return open_stream(
        compiled.source,
        compiled.raw_columns,
        RawStore(context.paths),
        window,
        context.environ,
        context.city.folder,
    )


def _load(
    context: Context, compiled: CompiledStream, reader: StreamReader, *, is_snapshot: bool
) -> LoadResult:
    return load_stream(
        context.lake,
        compiled,
        reader,
        context.as_of,
        full_snapshot=is_snapshot,
        journal=context.paths.journal,
    )


def _refuse_gap(context: Context, extraction: Extraction) -> None:
    """Refuse a window that starts after what the lake has: its load would move the cursor past it.

    Raises:
        ExtractionError: as said.
    """
    if extraction.window.since is None or extraction.stored is None:
        return
    stored = _stored(context, context.city.sources[extraction.source])
    if stored is None or stored < extraction.stored:
        has = f"up to {stored}" if stored else "nothing"
        message = f"starts from {extraction.stored}, but the lake has {has}: extract again"
        raise ExtractionError(f"extraction {extraction.id} {message}")


def _refuse_incomplete(store: RawStore, extraction: Extraction) -> None:
    """Refuse an extraction of which an object is gone, before anything of it is read.

    Raises:
        ExtractionError: naming the first one.
    """
    for known in extraction.objects:
        try:
            store.recall(known)
        except FileNotFoundError:
            message = f"{known.name} (raw object {known.digest[:12]}) is gone: extract again"
            raise ExtractionError(f"extraction {extraction.id}: {message}") from None


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
