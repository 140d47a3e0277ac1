"""The steps of a day, each callable alone: plain JSON in, plain JSON out.

The embedded run (`pipeline.run`) calls the functions behind these in one process; a scheduler calls
these, each in a process of its own. A step that was ended at any instant can run again.
"""

import os
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from extract.extraction import ExtractionError
from pipeline import brief_sending
from pipeline import candidate as stages
from pipeline import maintain as maintenance
from pipeline.approve import approve_held, refuse_held
from pipeline.backfill import asked_again
from pipeline.context import Context, open_context
from pipeline.ingest import Ingested, day_window, extract_window, load_extraction
from pipeline.ingest import ingest as ingest_source
from pipeline.lock import run_lock
from pipeline.parked import open_build, read_judgement
from pipeline.status import verification_problems
from publish.serving import serving_file
from publish.site.page import site_index
from warehouse.errors import CitylakeError
from warehouse.promotion_record import Record, latest
from warehouse.workspace import workspace

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
    return _loaded(load_extraction(_open(city), extraction))


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


def build(city: str, day: str) -> Json:
    """Pin the newest core versions, build the candidate from them and park it.

    Returns:
        `build` (its id; None where the latest record promoted everything from exactly this, so
        that there is nothing to build: `check` and `promote` then tell of that record), `day`,
        `record` (the one in force, or None) and `versions` (Delta version by core table).

    Raises:
        StepError: when nothing was loaded yet: a record of such a build would carry its day.
        ContractError: everything that is wrong in the city's files.
    """
    context = _context(city, day)
    context.read_all()
    with run_lock(context.paths.lock):
        stages.remove_leftovers(context)
        inputs = stages.read_inputs(context)
        if not inputs.pinned.versions:
            raise StepError("nothing was loaded yet: no source has a batch in core")
        parked = None
        if stages.settled(context, inputs) is None:
            with workspace(context.paths) as work:
                parked = stages.build(context, inputs, work).id
        record = latest(context.paths)
    return {
        "build": parked,
        "day": day,
        "record": record.number if record else None,
        "versions": inputs.pinned.versions,
    }


def check(city: str, build: str | None) -> Json:
    """Let every engine and the gate judge a build; the judgement is kept beside it.

    Returns:
        `build`, and by publication in `publications`: `verdict`, `reasons` and `failing` (names
        of the checks that did not pass). Nothing is promoted yet.

    Raises:
        BuildError: when the build is gone, or contracts or code changed since.
    """
    context = _open(city)
    if build is None:
        return {"build": None, "publications": _verdicts(_record(context))}
    with run_lock(context.paths.lock):
        parked = open_build(context, build)
        judgement = stages.check(replace(context, as_of=parked.as_of), parked)
    publications = {
        each.publication.name: {
            "verdict": each.verdict,
            "reasons": list(each.reasons),
            "failing": [item["check"] for item in each.checks if item["status"] != "passed"],
        }
        for each in judgement.decisions
    }
    return {"build": build, "publications": publications}


def promote(city: str, build: str | None) -> Json:
    """Commit what the gate said of a build as one promotion record, and remove the build.

    Returns:
        `build`, `record` (its number) and by publication in `publications`: `verdict`, `reasons`,
        `candidate` (content hash of what waits for a person, or None), `content` (of what
        readers see, or None), `version` (of the same) and `data_as_of`.

    Raises:
        BuildError: when the build is gone or not checked, or contracts or code changed since.
        OvertakenError: when it was checked against another record than the latest one.
    """
    context = _open(city)
    if build is None:
        return _promoted(_record(context), None)
    with run_lock(context.paths.lock):
        record = stages.finish_promotion(context, build)
        if record is None:
            parked = open_build(context, build)
            judgement = read_judgement(context, parked)
            promotion = stages.promote_build(context, parked, judgement, after=judgement.after)
            record = promotion.record
    return _promoted(record, build)


def publish(city: str, day: str) -> Json:
    """Write the releases that are due, the serving file and the site, from the promotion records.

    Returns:
        `record` (the one in force, or None), `releases` (version by dataset), `serving` and `site`
        (below the city's folder of the lake) and `late` (sources by publication).
    """
    context = _context(city, day)
    with run_lock(context.paths.lock):
        releases, late = stages.publish(context)
        record = latest(context.paths)
    return {
        "record": record.number if record else None,
        "releases": {name: each.version for name, each in releases.items()},
        "serving": str(serving_file(context.paths).relative_to(context.paths.root)),
        "site": str(site_index(context.paths).relative_to(context.paths.root)),
        "late": late,
    }


def send_brief(city: str, day: str, recipient: str) -> Json:
    """Send a recipient of `access.yaml` the brief of a day, with the recipient's rights.

    Returns:
        `recipient`, `day`, `content` (digest of what the brief says) and `sent`: false where a
        brief that says the same was sent before.

    Raises:
        NotSetUpError: when the variables of mail are not set here.
        MailLaterError: the same call may succeed later.
        CitylakeError: it will not, until somebody changes something.
    """
    return brief_sending.send_brief(city, date.fromisoformat(day), recipient, os.environ)


def approve(city: str, publication: str, candidate: str, person: str) -> Json:
    """Publish a held candidate on a named person's word.

    Returns:
        As `promote`.

    Raises:
        PromotionError: when the candidate does not wait, or no person is named.
    """
    return _promoted(approve_held(_open(city), publication, candidate, person).record, None)


def refuse(city: str, publication: str, candidate: str, person: str | None = None) -> Json:
    """Let a held candidate go; readers go on seeing what they see.

    Args:
        city: Name or folder of the city.
        publication: Name of the publication.
        candidate: Content hash of what waits.
        person: Who says so; None where nobody decided in time.

    Returns:
        As `promote`.

    Raises:
        PromotionError: when the candidate does not wait, or the person has no name.
    """
    return _promoted(refuse_held(_open(city), publication, candidate, person).record, None)


def compact(city: str, day: str) -> Json:
    """Put many small files of tables and journal together; `maintain` removes the old ones.

    Returns:
        `files` (how many fewer the newest versions have), `outcomes` and `checks` (of old
        attempts and runs, which no longer have a file each) and `records` (files of attempts'
        records that were put together).

    Raises:
        CommitConflictError: when loads overtook it too often.
        LostRowsError: when rows or records were lost or doubled on the way; all stays.
    """
    context = _context(city, day)
    with run_lock(context.paths.lock):
        return asdict(maintenance.compact(context))


def maintain(city: str, day: str) -> Json:
    """Remove what is past its retention, and what steps that were ended left behind.

    Returns:
        `on_disk`, `live`, `raw_removed` and `marts_removed`, in bytes.
    """
    context = _context(city, day)
    with run_lock(context.paths.lock):
        stages.remove_leftovers(context)
        return asdict(maintenance.maintain(context, latest(context.paths)))


def verify(city: str) -> Json:
    """Recompute the ledger's chain and the digests of records, evidence and releases.

    Returns:
        `problems`: one line each; none where all is as it was written.
    """
    return {"problems": verification_problems(_open(city).paths)}


def _open(city: str, day: date | None = None) -> Context:
    """A city without the sources whose contract is wrong: they stop no other's step."""
    return open_context(city, day, without_broken=True)


def _context(city: str, day: str, source: str | None = None) -> Context:
    context = _open(city, date.fromisoformat(day))
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


def _record(context: Context) -> Record:
    record = latest(context.paths)
    if record is None:
        raise StepError("there is no promotion record yet: build first")
    return record


def _verdicts(record: Record) -> Json:
    return {
        name: {"verdict": entry.verdict, "reasons": list(entry.reasons), "failing": []}
        for name, entry in record.entries.items()
    }


def _promoted(record: Record, build: str | None) -> Json:
    publications = {
        name: {
            "verdict": entry.verdict,
            "reasons": list(entry.reasons),
            "candidate": entry.candidate.content_hash if entry.candidate else None,
            "content": entry.promoted.content_hash if entry.promoted else None,
            "version": entry.promoted.version if entry.promoted else None,
            "data_as_of": entry.data_as_of.isoformat(),
        }
        for name, entry in record.entries.items()
    }
    return {"build": build, "record": record.number, "publications": publications}
