# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""What became of every record of a batch: one Parquet file an attempt, of old ones one a month."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from warehouse.files import create_exclusively, digest, put_in_place, scratch
from warehouse.sql import date_literal, enumeration, literal, literal_list
from warehouse.staging import OBJECT_BITS, ROW_MASK, Staged

RECORDS = "records"
BATCHES = "batches"
# Entry of a Parquet file's metadata: names of the attempts whose records stand in it, one a line.
ATTEMPTS = "attempts"
# Of an attempt's file, whose name ends in `<source>_<day>_<hex>`.
DAY_OF_NAME = "split_part(parse_filename(filename, true), '_', -2)::DATE"
NOTHING_SEEN = "SELECT NULL::BIGINT AS row_hash, NULL::DATE AS as_of WHERE false"


def record_file(journal: Path, staged: Staged) -> Path:
    """A new name for the record file of one attempt."""
    name = f"{staged.compiled.source.id}_{staged.as_of.isoformat()}_{secrets.token_hex(6)}.parquet"
    return journal / RECORDS / name


def write_records(path: Path, staged: Staged, outcomes: Mapping[str, int], work: Path) -> None:
    """Write the outcome of every record: raw_digest, raw_row, outcome, reasons, row_hash.

    A raw row stands once for each record that came of it. `row_hash` stands where the record
    was unchanged: it names the core row, which keeps the provenance of the batch that wrote it.
    The file is replaced when a commit conflict changed the outcomes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = scratch(work, path.name)
    lost = "LEFT JOIN lost l ON l._rowid = s.rowid"
    met = "LEFT JOIN met m ON m._rowid = s.rowid"
    has_lost = outcomes["duplicate"] + outcomes["superseded"] > 0
    has_met = outcomes["changed"] + outcomes["unchanged"] + outcomes["superseded"] > 0
    outcome = enumeration([*outcomes, "quarantined"])
    found = ["l.outcome"] * has_lost + ["m.outcome"] * has_met
    kept = ", ".join([*(f"{each}::{outcome}" for each in found), f"'new'::{outcome}"])
    unchanged = "CASE WHEN m.outcome = 'unchanged' THEN s._row_hash END"
    staged.connection.execute(
        f"""
        COPY (
            SELECT o.digest AS raw_digest, (r.record & {ROW_MASK})::BIGINT AS raw_row,
                r.outcome, r.reasons, r.row_hash
            FROM (
                SELECT s._record AS record, coalesce({kept}) AS outcome,
                    []::VARCHAR[] AS reasons,
                    {unchanged if has_met else "NULL::BIGINT"} AS row_hash
                FROM staged s {lost if has_lost else ""} {met if has_met else ""}
                WHERE s._is_good
                UNION ALL
                SELECT _record, 'quarantined'::{outcome}, reasons, NULL FROM bad
            ) r JOIN object o ON o.id = (r.record >> {OBJECT_BITS})
        ) TO {literal(str(temporary))} (FORMAT parquet, COMPRESSION snappy)
        """
    )
    put_in_place(temporary, path)


@dataclass(frozen=True)
class RecordFile:
    """A file of records.

    Attributes:
        path: The file.
        source: Stream of its attempts.
        month: `YYYY-MM` of their processing days.
        day: Processing day of the one attempt; None where several were put together.
        attempts: Their names.
    """

    path: Path
    source: str
    month: str
    day: date | None
    attempts: frozenset[str]


def record_files(journal: Path, source: str | None = None) -> list[RecordFile]:
    """All record files of a stream, or of every stream."""
    found = []
    for path in sorted((journal / RECORDS).glob(f"{source or '*'}_*.parquet")):
        name, when, _ = path.stem.rsplit("_", 2)
        if source not in (name, None):
            continue
        is_month = len(when) == len("YYYY-MM")
        try:
            attempts = _attempts(path) if is_month else frozenset({path.stem})
        except FileNotFoundError:
            # What goes while it is looked at stands in another one, which was there before.
            continue
        day = None if is_month else date.fromisoformat(when)
        found.append(RecordFile(path, name, when[: len("YYYY-MM")], day, attempts))
    return found


def needed(files: Iterable[RecordFile]) -> list[RecordFile]:
    """The files that hold every attempt; what the others hold stands in these."""
    held: set[str] = set()
    found = []
    for each in sorted(files, key=lambda each: -len(each.attempts)):
        if not each.attempts <= held:
            held |= each.attempts
            found.append(each)
    return found


def _attempts(path: Path) -> frozenset[str]:
    # Few processes read such a file: the others do without the library.
    from pyarrow import parquet

    held = parquet.read_metadata(path).metadata[ATTEMPTS.encode()]
    return frozenset(held.decode().split())


def seen_sql(journal: Path, source: str, since: date) -> str:
    """SELECT of the rows that a source delivered again unchanged: row_hash, last as_of.

    Such a row keeps the as-of of the batch that wrote it. Only when an older batch is replayed
    does it matter that the source still said the same later; then the journal tells.

    Args:
        journal: The journal folder.
        source: The stream.
        since: First processing day that counts.
    """
    files = needed(record_files(journal, source))
    alone = [str(each.path) for each in files if each.day is not None and each.day >= since]
    months = [
        str(each.path) for each in files if each.day is None and each.month >= f"{since:%Y-%m}"
    ]
    parts = []
    if alone:
        parts.append(
            f"SELECT row_hash, {DAY_OF_NAME} AS as_of FROM "
            f"read_parquet({literal_list(alone)}, filename = true) WHERE outcome = 'unchanged'"
        )
    if months:
        parts.append(
            f"SELECT row_hash, as_of FROM read_parquet({literal_list(months)}) "
            f"WHERE outcome = 'unchanged' AND as_of >= {date_literal(since)}"
        )
    if not parts:
        return NOTHING_SEEN
    seen = " UNION ALL ".join(parts)
    return f"SELECT row_hash, max(as_of) AS as_of FROM ({seen}) GROUP BY row_hash"


def write_digests(journal: Path, staged: Staged, work: Path) -> str:
    """Keep the list of a batch's raw digests under `batches/`.

    The file's name holds processing day, digest of the list and stream, so that retention
    knows how old the last batch is that an object was read for.

    Returns:
        SHA-256 hex digest of the list: the sorted digests, one a line.
    """
    content = "".join(f"{each}\n" for each in sorted(staged.digests)).encode()
    name = digest(content)
    folder = journal / BATCHES
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{staged.as_of.isoformat()}_{name}_{staged.compiled.source.id}.txt"
    if not path.exists():
        create_exclusively(path, content, work)
    return name


@dataclass(frozen=True)
class RawList:
    """The raw objects that one batch was read from."""

    as_of: date
    source: str
    digests: frozenset[str]


def raw_lists(journal: Path) -> Iterator[RawList]:
    """The lists of raw objects of all batches, committed or not."""
    for path in sorted((journal / BATCHES).glob("*.txt")):
        day, _, source = path.stem.split("_", 2)
        digests = frozenset(path.read_text(encoding="utf-8").split())
        yield RawList(date.fromisoformat(day), source, digests)
