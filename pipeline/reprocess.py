"""`citylake reprocess`: the kept raw objects of a source, read again by today's contract."""

import json
import secrets
import sys
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from extract.metadata import with_metadata
from extract.outcomes import outcomes
from extract.raw import RawReference, RawStore
from extract.read import reopen_stream
from pipeline.console import Console, counted
from pipeline.context import Context, open_context
from pipeline.exit_codes import ExitCode
from pipeline.lock import run_lock
from warehouse.contract.compiler import CompiledStream
from warehouse.errors import CitylakeError
from warehouse.files import canonical_json, create_exclusively
from warehouse.load import load_stream
from warehouse.load_journal import raw_lists
from warehouse.records import RecordBatch
from warehouse.reprocess import Moves, Read, find_moves, withdraw

FOLDER = "reprocessed"


class ReprocessError(CitylakeError):
    """There is nothing that could be read again."""


@dataclass(frozen=True)
class KeptBatch:
    """A batch of the past.

    Attributes:
        as_of: Its processing day.
        digests: Its raw objects that are still stored, in order.
        is_whole: Whether all of them are.
    """

    as_of: date
    digests: tuple[str, ...]
    is_whole: bool


def run_reprocess(city: str, source_id: str, *, apply: bool, as_json: bool) -> ExitCode:
    """Say how many records today's contract would move, and move them where asked to.

    Args:
        city: Name or folder of the city.
        source_id: The source.
        apply: Whether to load the kept batches again; the next run builds from it.
        as_json: Whether to print JSON.

    Raises:
        ReprocessError: when there is no such source, or nothing of it was loaded.
        TerminalError: when today's contract does not take a kept raw object at all.
    """
    context = open_context(city)
    with run_lock(context.paths.lock, Console().waiting):
        moves = reprocess(context, source_id, apply=apply)
    told = {
        **_counts(moves),
        "applied": apply,
        "interrupted": _pending(context, source_id).exists(),
    }
    if as_json:
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return ExitCode.PUBLISHED
    for name, value in _counts(moves).items():
        sys.stdout.write(f"{name.replace('_', ' ')}: {value}\n")
    if not apply and _pending(context, source_id).exists():
        sys.stdout.write("an --apply was interrupted: call it again\n")
    verb = "moved" if apply else "would move"
    sys.stdout.write(f"{counted(moves.total, 'row')} {verb}\n")
    return ExitCode.PUBLISHED


def reprocess(context: Context, source_id: str, *, apply: bool) -> Moves:
    """Compare what the lake holds of a stream with what today's contract makes of it.

    With `apply` the rows that their record does not give any more leave core, and the kept
    batches are loaded again in their old order, each as of its own day: the law of versions
    decides, the cursor stays. Quarantine only grows. Where nothing would move, nothing is done,
    unless an earlier call was interrupted.

    Returns:
        What would move, or has moved.

    Raises:
        ReprocessError: when there is no such source, or nothing of it was loaded.
    """
    if source_id not in context.city.sources:
        known = ", ".join(context.city.sources)
        raise ReprocessError(f"there is no source {source_id} ({known})")
    compiled = context.compiled(source_id)
    store = RawStore(context.paths)
    stored = {digest for digest, _ in store.stored()}

    snapshot = context.lake.snapshot("core", compiled.table.name)
    as_of = snapshot.as_of(source_id) if snapshot else None
    batches = kept_batches(context, source_id, as_of, stored) if as_of else []
    lists = [batch.digests for batch in batches]

    def read(digests: Collection[str]) -> Iterator[RecordBatch]:
        ordered = with_metadata(compiled.source, store, lists, digests)
        with closing(
            reopen_stream(compiled.source, compiled.raw_columns, store, map(RawReference, ordered))
        ) as reader:
            yield from reader

    moves = find_moves(context.lake, compiled, read, stored)
    if moves is None or as_of is None:
        raise ReprocessError(f"nothing of {source_id} was loaded yet")
    _check_readable(batches, read)
    pending = _pending(context, source_id)
    if apply and (moves.total or pending.exists()):
        started = datetime.now(UTC)
        # Once rows have left core, only the raw objects tell that something is missing.
        create_exclusively(pending, started.isoformat().encode(), context.paths.work)
        withdraw(context.lake, compiled, moves)
        _load_again(context, compiled, batches, store)
        _write_trace(context, source_id, started, moves, len(batches))
        pending.unlink()
    return moves


def _pending(context: Context, source_id: str) -> Path:
    """The mark of an `--apply` that has begun and not ended."""
    return context.paths.journal / FOLDER / f"{source_id}.pending"


def _check_readable(batches: list[KeptBatch], read: Read) -> None:
    """Read what no row or quarantined record came of, too: it must not end an `--apply` midway."""
    for batch in batches:
        for _ in read(batch.digests):
            continue


def kept_batches(
    context: Context, source_id: str, as_of: date, stored: Collection[str]
) -> list[KeptBatch]:
    """The batches of a stream up to its as-of that have raw objects left, in their old order.

    The journal's lists say what a batch was read from, the outcomes in which order the attempts
    of one day were made.

    Args:
        context: The city.
        source_id: The stream.
        as_of: The stream's as-of; what was read for a later day was never committed.
        stored: Digests of the raw objects that are still there.
    """
    attempts: dict[tuple[str, frozenset[str]], tuple[int, tuple[str, ...]]] = {}
    for place, outcome in enumerate(outcomes(context.paths.journal, source_id)):
        digests = tuple(dict.fromkeys(outcome["digests"]))
        attempts[outcome["as_of"], frozenset(digests)] = (place, digests)
    found: list[tuple[date, int, KeptBatch]] = []
    for each in raw_lists(context.paths.journal):
        if each.source != source_id or each.as_of > as_of:
            continue
        unordered = (-1, tuple(sorted(each.digests)))
        place, digests = attempts.get((each.as_of.isoformat(), each.digests), unordered)
        kept = tuple(digest for digest in digests if digest in stored)
        if kept:
            found.append((each.as_of, place, KeptBatch(each.as_of, kept, kept == digests)))
    return [batch for _, _, batch in sorted(found, key=lambda each: each[:2])]


def _load_again(
    context: Context, compiled: CompiledStream, batches: list[KeptBatch], store: RawStore
) -> None:
    earlier: set[str] = set()
    for batch in batches:
        objects = map(RawReference, batch.digests)
        reader = reopen_stream(compiled.source, compiled.raw_columns, store, objects)
        try:
            load_stream(
                context.lake,
                compiled,
                reader,
                batch.as_of,
                full_snapshot=batch.is_whole and compiled.source.cursor == "none",
                journal=context.paths.journal,
                earlier=earlier,
            )
        finally:
            reader.close()
        earlier.update(batch.digests)


def _counts(moves: Moves) -> dict[str, int]:
    return {
        "quarantined_to_good": moves.good,
        "good_to_quarantined": moves.refused,
        "changed_values": moves.changed,
        "unchanged": moves.unchanged,
        "still_quarantined": moves.still_quarantined,
        "quarantined_but_in_core_since": moves.settled,
        "rows_whose_raw_object_is_gone": moves.rows_without_raw,
        "quarantined_whose_raw_object_is_gone": moves.quarantined_without_raw,
    }


def _write_trace(
    context: Context, source_id: str, started: datetime, moves: Moves, batches: int
) -> None:
    """Leave in the journal what was moved; the records themselves stand in `records/`."""
    compiled = context.city.sources[source_id]
    content: dict[str, Any] = {
        "source": source_id,
        "started_at": started.isoformat(),
        "ended_at": datetime.now(UTC).isoformat(),
        "contract": compiled.digest,
        "batches": batches,
        "moved": _counts(moves),
    }
    instant = started.strftime("%Y%m%dT%H%M%S%fZ")
    name = f"{instant}-{source_id}-{secrets.token_hex(4)}.json"
    path = context.paths.journal / FOLDER / name
    create_exclusively(path, canonical_json(content), context.paths.work)
