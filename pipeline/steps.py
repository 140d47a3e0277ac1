"""The steps of a day, each callable alone: plain JSON in, plain JSON out.

The embedded run (`pipeline.run`) calls the functions behind these in one process; a scheduler calls
these, each in a process of its own. A step that was ended at any instant can run again.
"""

from datetime import date
from typing import Any

from extract.extraction import ExtractionError
from pipeline.backfill import asked_again
from pipeline.context import Context, open_context
from pipeline.ingest import Ingested, day_window, extract_window, load_extraction
from pipeline.ingest import ingest as ingest_source
from warehouse.errors import CitylakeError

Json = dict[str, Any]


class StepError(CitylakeError):
    """A step that was asked for what there is not."""


def extract(city: str, source: str, day: str, window: Json | None = None) -> Json:
    """Read a source for a day and store what it sent, to be loaded by `load`.

    Args:
        city: Name or folder of the city.
        source: Id of the source.
        day: Processing day, `YYYY-MM-DD`.
        window: `{"first": day, "last": day}` asks for these days of the past again, as a
            backfill does; `day` is then the last of them. None asks for what the day needs.

    Returns:
        `extraction` (its id), `source`, `day`, `objects`, `bytes`, `records`.

    Raises:
        TransientError: the same call may succeed later.
        CitylakeError: it will not, until source or contract changes.
    """
    context = _context(city, day, source)
    choose = day_window(context)
    if window is not None:
        first, last = (date.fromisoformat(window[name]) for name in ("first", "last"))
        if last != context.as_of:
            raise StepError(f"the window ends on {last}, but the day is {context.as_of}")
        context, choose = asked_again(context, source, first, last)
    extracted = extract_window(context, source, choose)
    if extracted.extraction is None:
        raise extracted.failure or ExtractionError(f"{source} was not extracted")
    return {
        "extraction": extracted.extraction.id,
        "source": source,
        "day": context.as_of.isoformat(),
        "objects": len(extracted.extraction.objects),
        "bytes": extracted.extraction.size,
        "records": extracted.extraction.records,
    }


def load(city: str, extraction: str) -> Json:
    """Load what an extraction stored into quarantine and core, and write the outcome.

    Returns:
        `source`, `table`, `day`, `version` (of the core table), `sequence`, `records`, `counts`
        (by outcome; they add up to the records), `deleted`, `held_back` and `notes`.

    Raises:
        CitylakeError: when it cannot be loaded.
    """
    return _loaded(load_extraction(open_context(city), extraction))


def ingest(city: str, source: str, day: str) -> Json:
    """Extract and load a source at once, while it still delivers.

    Returns:
        As `load`.

    Raises:
        TransientError: the same call may succeed later.
        CitylakeError: it will not, until source or contract changes.
    """
    return _loaded(ingest_source(_context(city, day, source), source))


def backfill(city: str, source: str, first: str, last: str) -> Json:
    """Ask a source for days of the past again and load them; the cursor stays.

    Returns:
        As `load`.

    Raises:
        TransientError: the same call may succeed later.
        CitylakeError: it will not, or the source has no such window.
    """
    return load(city, extract(city, source, last, {"first": first, "last": last})["extraction"])


def _context(city: str, day: str, source: str | None = None) -> Context:
    context = open_context(city, date.fromisoformat(day))
    if source is not None and source not in context.city.sources:
        raise StepError(f"there is no source {source} ({', '.join(context.city.sources)})")
    return context


def _loaded(ingested: Ingested) -> Json:
    result = ingested.result
    if result is None:
        raise ingested.failure or StepError(f"{ingested.source} was not loaded")
    return {
        "source": ingested.source,
        "table": result.table,
        "day": ingested.outcome.as_of.isoformat(),
        "version": result.version_after,
        "sequence": result.sequence,
        "records": result.records_in,
        "counts": dict(result.counts),
        "deleted": result.deleted,
        "held_back": result.held_back,
        "notes": list(ingested.outcome.notes),
    }
