# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""Fewer record files in the journal: the attempts of a stream and month are written into one."""

from collections.abc import Sequence
from contextlib import closing
from itertools import groupby

from pyarrow import parquet

from warehouse.boundary import reached
from warehouse.data_files import LostRowsError
from warehouse.duck import session
from warehouse.files import digest, put_in_place, scratch
from warehouse.lake import Lake
from warehouse.load_journal import ATTEMPTS, DAY_OF_NAME, RecordFile, needed, record_files
from warehouse.sql import literal, literal_list
from warehouse.workspace import any_writer, workspace

# A stream and month with so many files is written anew.
MANY_FILES = 10
_COLUMNS = "raw_digest, raw_row, outcome, reasons, row_hash"


def compact_records(lake: Lake) -> int:
    """Write the record files of each stream and month into one where there are many.

    The columns `attempt` and `as_of` say what the names of the files said. The files that were
    put together are not read any more; they go when this is called the next time, so that who
    listed them before still finds them. Nothing is done while a source is being read: the
    file of an attempt is written again where its commit was overtaken.

    Returns:
        How many files were put together.

    Raises:
        LostRowsError: when records were lost or doubled on the way; the files stay.
    """
    # The order matters: who writes one of these files holds a workspace until it is done.
    listed = record_files(lake.paths.journal)
    if any_writer(lake.paths):
        return 0
    used = needed(listed)
    for each in listed:
        if each not in used:
            reached("records.before_unlink")
            each.path.unlink(missing_ok=True)
    together = 0
    for _, files in groupby(sorted(used, key=_order), key=_place):
        group = _apart(list(files))
        if len(group) >= MANY_FILES:
            _write(lake, group)
            together += len(group)
    return together


def _place(file: RecordFile) -> tuple[str, str]:
    return file.source, file.month


def _order(file: RecordFile) -> tuple[str, str, str, str]:
    """By stream and month; in a month what was put together first, then by day."""
    return (*_place(file), file.day.isoformat() if file.day else "", file.path.name)


def _apart(files: Sequence[RecordFile]) -> list[RecordFile]:
    """Those that hold no attempt of one before: two may after two compactions at once."""
    held: set[str] = set()
    found = []
    for each in files:
        if held.isdisjoint(each.attempts):
            held |= each.attempts
            found.append(each)
    return found


def _write(lake: Lake, files: Sequence[RecordFile]) -> None:
    attempts = "\n".join(sorted(frozenset[str]().union(*(each.attempts for each in files))))
    # Named by what it holds: a call that was ended and one that makes up for it write one file.
    name = f"{'_'.join(_place(files[0]))}_{digest(attempts.encode())[:12]}.parquet"
    expected = sum(parquet.read_metadata(each.path).num_rows for each in files)
    with workspace(lake.paths) as work, closing(session(lake.memory_limit, work / "spill")) as con:
        temporary = scratch(work, name)
        written = con.execute(
            f"COPY ({_select(files)}) TO {literal(str(temporary))} (FORMAT parquet, "
            f"COMPRESSION snappy, KV_METADATA {{{ATTEMPTS}: {literal(attempts)}}})"
        ).fetchall()
        if written != [(expected,)]:
            raise LostRowsError(f"journal of {files[0].source}: the records do not add up")
        reached("records.before_file")
        put_in_place(temporary, files[0].path.with_name(name))
        reached("records.after_file")


def _select(files: Sequence[RecordFile]) -> str:
    months = [str(each.path) for each in files if each.day is None]
    alone = [str(each.path) for each in files if each.day is not None]
    parts = []
    if months:
        parts.append(
            f"SELECT attempt, as_of, {_COLUMNS} "
            f"FROM read_parquet({literal_list(months)}, union_by_name = true)"
        )
    if alone:
        parts.append(
            f"SELECT parse_filename(filename, true) AS attempt, {DAY_OF_NAME} AS as_of, "
            f"{_COLUMNS} FROM read_parquet({literal_list(alone)}, "
            "filename = true, union_by_name = true)"
        )
    return " UNION ALL ".join(parts)
