# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""Types a stream's batches into a scratch session, one table for all of its records."""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, TypeVar, cast

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contract.model import SourceContract, TableContract
from warehouse.records import ROW_COLUMN, RecordBatch
from warehouse.row_hash import row_hash
from warehouse.sql import literal, quoted, quoted_list

# One number names a record of the batch: its object in the high bits, its row in the low.
OBJECT_BITS = 40
ROW_MASK = (1 << OBJECT_BITS) - 1

# Small batches (pages of an API) are typed together: planning the projection costs more than
# running it on a page. Large enough for two threads, small enough for the memory limit.
CHUNK_ROWS = 200_000
CHUNK_BYTES = 24 * 1024 * 1024
# One thread takes this many rows at a time, however the source cut its batches.
SLICE_ROWS = 25_000
# From this many staged rows on, which memory may not hold, those of one partition are kept
# together: writing a partition then reads its own rows back, not the whole table.
CLUSTERED_FROM_ROWS = 400_000

Item = TypeVar("Item")
_END = object()


class Compiled(Protocol):
    """What the load needs of a compiled stream (`warehouse.contract.compiler`)."""

    @property
    def source(self) -> SourceContract:
        """The source contract."""
        ...

    @property
    def table(self) -> TableContract:
        """The table contract, merged with the source's rules."""
        ...

    @property
    def raw_columns(self) -> tuple[str, ...]:
        """The raw columns that `split_sql` refers to."""
        ...

    def split_sql(self, relation: str, as_of: date) -> str:
        """SELECT of the business columns, `_is_deleted`, `_raw_row` and `_reasons`."""
        ...


@dataclass
class Staged:
    """The records of one batch, typed, in tables of a scratch session.

    Tables: `staged` (business columns, `_is_deleted`, `_record`, `_reasons`, `_is_good`,
    `_row_hash`, `_key_hash`), `bad` (what quarantine keeps of a record that broke a rule) and
    `object` (id, digest, name).

    Attributes:
        records: Records read, the rejected ones included.
        rejected: Records whose text could not be split into columns.
        quarantined: Records that broke a rule, the rejected ones included.
        ignored: Raw units left out by the format, by reason.
        digests: Digest of every raw object, in the order of reading, each once.
    """

    connection: duckdb.DuckDBPyConnection
    compiled: Compiled
    as_of: date
    records: int = 0
    rejected: int = 0
    quarantined: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    digests: list[str] = field(default_factory=list)


def stage(
    connection: duckdb.DuckDBPyConnection,
    compiled: Compiled,
    batches: Iterable[RecordBatch],
    as_of: date,
) -> Staged:
    """Read and type all batches.

    Returns:
        The staged records.

    Raises:
        Exception: what reading a batch raises; the staged tables are then of no use.
    """
    staged = Staged(connection, compiled, as_of)
    _create_tables(staged)
    objects: dict[tuple[str, str], int] = {}
    for group in ahead(_chunks(batches)):
        tables = []
        for batch in group:
            number = objects.setdefault((batch.raw_digest, batch.raw_name), len(objects))
            staged.ignored.update(batch.ignored)
            _stage_rejected(staged, batch, number)
            if batch.records.num_rows:
                tables.append(_numbered(batch.records, number))
        if tables:
            _stage_chunk(staged, tables)
    _finish(staged, objects)
    return staged


def _chunks(batches: Iterable[RecordBatch]) -> Iterator[list[RecordBatch]]:
    """The batches in groups large enough to be typed at once."""
    group: list[RecordBatch] = []
    rows = size = 0
    for batch in batches:
        group.append(batch)
        rows += batch.records.num_rows
        size += batch.records.nbytes
        if rows >= CHUNK_ROWS or size >= CHUNK_BYTES:
            yield group
            group, rows, size = [], 0, 0
    if group:
        yield group


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The items in order, each made in another thread while the one before it is in use.

    Reading waits for disk and network, typing for the processor. What making an item raises
    is raised here.
    """
    iterator = iter(items)
    with ThreadPoolExecutor(max_workers=1) as reader:
        future = reader.submit(next, iterator, _END)
        while (item := future.result()) is not _END:
            future = reader.submit(next, iterator, _END)
            yield cast(Item, item)


def _create_tables(staged: Staged) -> None:
    columns = ", ".join(
        f"{quoted(each.name)} {each.sql_type}" for each in staged.compiled.table.columns
    )
    staged.connection.execute(
        f"""
        CREATE TABLE staged ({columns}, _is_deleted BOOLEAN, _record BIGINT, _reasons VARCHAR[],
            _is_good BOOLEAN, _row_hash BIGINT, _key_hash UBIGINT);
        CREATE TABLE bad (_record BIGINT, _record_hash VARCHAR, raw_record VARCHAR,
            key_text VARCHAR, reasons VARCHAR[], version_at TIMESTAMPTZ);
        CREATE TABLE object (id BIGINT, digest VARCHAR, name VARCHAR);
        """
    )


def _numbered(records: pa.Table, number: int) -> pa.Table:
    place = records.schema.get_field_index(ROW_COLUMN)
    record = pc.add(records.column(place), pa.scalar(number << OBJECT_BITS, pa.int64()))
    return records.set_column(place, ROW_COLUMN, record)


def _stage_chunk(staged: Staged, tables: list[pa.Table]) -> None:
    connection, table = staged.connection, staged.compiled.table
    joined = pa.concat_tables(tables, promote_options="default")
    chunk = pa.Table.from_batches(joined.to_batches(max_chunksize=SLICE_ROWS), joined.schema)
    names = [each.name for each in table.columns]
    start = _count(connection, "staged")
    partition = table.partition_column if start >= CLUSTERED_FROM_ROWS else None
    connection.register("chunk", chunk)
    try:
        connection.execute(
            f"""
            INSERT INTO staged
            SELECT {quoted_list(names)}, _is_deleted, {ROW_COLUMN}, _reasons, len(_reasons) = 0,
                {row_hash(table.columns, "_is_deleted")}, hash({quoted_list(table.key)})
            FROM ({staged.compiled.split_sql("chunk", staged.as_of)})
            {f"ORDER BY {quoted(partition)}" if partition else ""}
            """
        )
        _stage_bad(staged, chunk.column_names, start)
    finally:
        connection.unregister("chunk")


def _stage_bad(staged: Staged, chunk_columns: list[str], start: int) -> None:
    table = staged.compiled.table
    raw = _json_object([name for name in chunk_columns if name != ROW_COLUMN], "c.")
    key = _json_object(table.key, "s.")
    version = f"s.{quoted(table.version_column)}" if table.version_column else "NULL"
    # An unpivoted record shares its raw text with its siblings: only the key tells them apart.
    identity = (
        "raw_record || chr(31) || key_text" if staged.compiled.source.unpivot else "raw_record"
    )
    staged.connection.execute(
        f"""
        INSERT INTO bad
        SELECT _record, md5({identity}), raw_record, key_text, _reasons, version_at
        FROM (
            SELECT s._record, {raw} AS raw_record, {key} AS key_text, s._reasons,
                {version}::TIMESTAMPTZ AS version_at
            FROM staged s JOIN chunk c ON c.{ROW_COLUMN} = s._record
            WHERE s.rowid >= {start} AND NOT s._is_good
        )
        """
    )


def _json_object(names: Iterable[str], prefix: str) -> str:
    members = ", ".join(f"{literal(name)}: {prefix}{quoted(name)}" for name in names)
    return f"to_json({{{members}}})::VARCHAR"


def _stage_rejected(staged: Staged, batch: RecordBatch, number: int) -> None:
    if not batch.rejected:
        return
    staged.rejected += len(batch.rejected)
    rejected = pa.table(
        {
            "record": pa.array(
                [(number << OBJECT_BITS) + each.row for each in batch.rejected], pa.int64()
            ),
            "text": pa.array([each.text for each in batch.rejected], pa.string()),
            "reasons": pa.array(
                [[each.reason, *each.further] for each in batch.rejected], pa.list_(pa.string())
            ),
        }
    )
    staged.connection.register("rejected", rejected)
    staged.connection.execute(
        "INSERT INTO bad SELECT record, md5(text), text, NULL, reasons, NULL FROM rejected"
    )
    staged.connection.unregister("rejected")


def _finish(staged: Staged, objects: dict[tuple[str, str], int]) -> None:
    listed = pa.table(
        {
            "id": pa.array(list(objects.values()), pa.int64()),
            "digest": pa.array([digest for digest, _ in objects], pa.string()),
            "name": pa.array([name for _, name in objects], pa.string()),
        }
    )
    staged.connection.register("listed", listed)
    staged.connection.execute("INSERT INTO object SELECT id, digest, name FROM listed")
    staged.connection.unregister("listed")
    staged.digests = list(dict.fromkeys(digest for digest, _ in objects))
    staged.records = _count(staged.connection, "staged") + staged.rejected
    staged.quarantined = _count(staged.connection, "bad")


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    rows = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(rows[0][0])
