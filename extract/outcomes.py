"""Outcomes: one journal record for every attempt to read a source, failures too.

The journal is the one place that knows the clock; nothing is computed from it.
"""

import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from extract.errors import SourceError, TransientError
from extract.read import StreamSummary
from warehouse import files
from warehouse.boundary import reached
from warehouse.errors import CitylakeError

FOLDER = "outcomes"
# The newest attempts of a source have a file each; what is older is put together, so many at least.
_ALONE = 100
OK = "ok"
TRANSIENT = "transient"
TERMINAL = "terminal"
FAILED = "failed"
RUNNING = "running"


@dataclass(frozen=True)
class Outcome:
    """How one attempt to read a source ended.

    Attributes:
        source: Source id.
        as_of: The processing day.
        started_at, ended_at: Clock instants in UTC; `ended_at` is None while it runs.
        status: `ok`, `transient` or `terminal` (a `SourceError`), `failed` (anything else).
        error: The error's one line, without secrets, or None.
        rule: The broken rule of a `SourceError`, or None.
        objects, bytes, records, rejected: What was read, also by a failed attempt.
        digests: Raw objects in the stream's order.
        undeclared: Columns in the data that the contract does not declare.
        encodings: Encoding of each text object by its name.
        ignored: Raw units left out, by reason.
        notes: One line for each thing that was refused or set aside in an attempt that went
            well, without secrets or the content of records.
    """

    source: str
    as_of: date
    started_at: datetime
    ended_at: datetime | None = None
    status: str = RUNNING
    error: str | None = None
    rule: str | None = None
    objects: int = 0
    bytes: int = 0
    records: int = 0
    rejected: int = 0
    digests: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()
    encodings: tuple[tuple[str, str], ...] = ()
    ignored: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def start(cls, source: str, as_of: date) -> "Outcome":
        """An attempt that starts now."""
        return cls(source, as_of, datetime.now(UTC))

    def end(
        self,
        summary: StreamSummary | None,
        error: BaseException | None = None,
        notes: tuple[str, ...] = (),
    ) -> "Outcome":
        """The attempt as it ended now.

        Args:
            summary: What the stream's reader saw, or None when it was not reached.
            error: What ended the attempt, or None when it went well. Only the text of our own
                errors is kept, which is free of secrets and of records; of others the type.
            notes: What was refused or set aside, one line each.
        """
        seen = summary or StreamSummary()
        return replace(
            self,
            ended_at=datetime.now(UTC),
            status=_status(error),
            error=_text(error),
            rule=error.rule if isinstance(error, SourceError) else None,
            objects=seen.objects,
            bytes=seen.bytes,
            records=seen.records,
            rejected=seen.rejected,
            digests=tuple(seen.digests),
            undeclared=tuple(sorted(seen.undeclared)),
            encodings=tuple(sorted(seen.encodings.items())),
            ignored=tuple(sorted(seen.ignored.items())),
            notes=notes,
        )


def write_outcome(outcome: Outcome, journal: Path, work: Path) -> Path:
    """Write an outcome as a file of its own, whole or not at all.

    Args:
        outcome: The attempt.
        journal: The city's journal folder; the file goes to its `outcomes`.
        work: Scratch folder on the same file system.

    Returns:
        The file's path; names sort by the instant the attempt started.
    """
    folder = journal / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    content = files.canonical_json(_plain(outcome))
    while True:
        instant = outcome.started_at.strftime("%Y%m%dT%H%M%S%fZ")
        path = folder / f"{instant}-{outcome.source}-{secrets.token_hex(4)}.json"
        if files.create_exclusively(path, content, work):
            return path


def last_outcome(journal: Path, source: str) -> dict[str, Any] | None:
    """The fields of the outcome of a source's latest attempt, or None before the first."""
    latest = max((journal / FOLDER).glob(f"*-{source}-*.json"), default=None)
    return None if latest is None else dict(json.loads(latest.read_bytes()))


def outcomes(journal: Path, source: str) -> Iterator[dict[str, Any]]:
    """The fields of every outcome of a source, in the order in which the attempts started."""
    folder = journal / FOLDER
    # What goes from the first while it is read is in the second by then.
    found = dict(_read(sorted(folder.glob(f"*-{source}-*.json"))))
    for path in folder.glob(f"*-{source}-*.jsonl"):
        for line in path.read_bytes().splitlines():
            each = json.loads(line)
            found[each["name"]] = each["outcome"]
    for name in sorted(found):
        yield found[name]


def gather_outcomes(journal: Path, source: str, work: Path) -> int:
    """Put the older outcomes of a source together in one file, a line each.

    Each line has the `name` of the file that the outcome stood in, and the `outcome`. The newest
    stay alone.

    Args:
        journal: The city's journal folder.
        source: Source id.
        work: Scratch folder on the same file system.

    Returns:
        How many files went.
    """
    folder = journal / FOLDER
    alone = sorted(folder.glob(f"*-{source}-*.json"))
    if len(alone) < 2 * _ALONE:
        return 0
    older = dict(_read(alone[:-_ALONE]))
    content = b"".join(
        files.canonical_json({"name": name, "outcome": older[name]}) for name in sorted(older)
    )
    name = f"{max(older)}-{files.digest(content)[:8]}.jsonl"
    files.create_exclusively(folder / name, content, work)
    reached("outcomes.before_unlink")
    for each in older:
        (folder / f"{each}.json").unlink(missing_ok=True)
    return len(older)


def _read(paths: Iterable[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and fields of the files that are still there."""
    for path in paths:
        try:
            yield path.stem, dict(json.loads(path.read_bytes()))
        except FileNotFoundError:
            continue


def _plain(outcome: Outcome) -> dict[str, Any]:
    values = asdict(outcome)
    values["encodings"] = dict(outcome.encodings)
    values["ignored"] = dict(outcome.ignored)
    for name in ("as_of", "started_at", "ended_at"):
        values[name] = values[name].isoformat() if values[name] is not None else None
    return values


def _status(error: BaseException | None) -> str:
    if error is None:
        return OK
    if isinstance(error, SourceError):
        return TRANSIENT if isinstance(error, TransientError) else TERMINAL
    return FAILED


def _text(error: BaseException | None) -> str | None:
    if error is None:
        return None
    return str(error) if isinstance(error, CitylakeError) else type(error).__name__
