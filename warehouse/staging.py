# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""Types a stream's batches into a scratch session, one table for all of its records."""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from threading import Lock
from typing import Protocol, TypeVar, cast

import duckdb
import pyarrow as pa

from warehouse.contract.model import SourceContract, TableContract
from warehouse.duck import THREADS, one_thread_a_statement
from warehouse.records import ROW_COLUMN, RecordBatch
from warehouse.row_hash import row_hash
from warehouse.sql import literal, month_of, quoted, quoted_list

# One number names a record of the batch: its object in the high bits, its row in the low.
OBJECT_BITS = 40
ROW_MASK = (1 << OBJECT_BITS) - 1

# A bad record waits in one text, which good ones lack: its reasons, then its raw text.
_BETWEEN_REASONS, _BEFORE_RAW = "chr(30)", "chr(31)"

# What a staged record has beside the table's columns.
_BESIDE_COLUMNS = {
    "_is_deleted": "BOOLEAN",
    "_record": "BIGINT",
    "_is_good": "BOOLEAN",
    "_row_hash": "BIGINT",
    "_key_hash": "UBIGINT",
    "_set_aside": "VARCHAR",
}

# One thread takes this many rows at a time, however the source cut its batches.
SLICE_ROWS = 25_000
# So many rows are typed by one statement, which puts them in the order of their partition: what
# memory does not hold is written to disk, and writing a partition then reads its own rows back. The
# more rows, the longer the run of each partition, and the fewer blocks hold rows of another one.
STATEMENT_ROWS = 200_000
# Fewer where rows are wide: each thread sorts what its statement holds in the session's memory.
STATEMENT_BYTES = 40 << 20

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
        """SELECT of the business columns, `_is_deleted`, `_raw_row`, `_reasons`, `_raw_record`."""
        ...


@dataclass
class Staged:
    """The records of one batch, typed, in tables of a scratch session.

    Tables: `staged` (business columns, `_is_deleted`, `_record`, `_is_good`, `_row_hash`,
    `_key_hash`), `bad` (what quarantine keeps of a record that broke a rule) and `object` (id,
    digest, name).

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
    records = _Records(staged, batches)
    with closing(ahead(records.slices())) as slices:
        _type_all(staged, records, slices)
    _keep_bad(staged)
    _finish(staged, records.objects)
    return staged


class _Records:
    """The records of a stream on their way into the session.

    Attributes:
        objects: Number of every raw object by digest and name, in the order of reading.
        failure: What reading raised, or None.
    """

    def __init__(self, staged: Staged, batches: Iterable[RecordBatch]) -> None:
        self.objects: dict[tuple[str, str], int] = {}
        self.failure: Exception | None = None
        self._staged = staged
        self._batches = batches

    def slices(self) -> Iterator[pa.RecordBatch]:
        """The records in slices, numbered over all objects; what was rejected is set aside."""
        try:
            # The session is busy typing what came before.
            with self._staged.connection.cursor() as aside:
                for batch in self._batches:
                    yield from self._sliced(batch, aside)
        except Exception as error:
            self.failure = error
            raise

    def _sliced(
        self, batch: RecordBatch, aside: duckdb.DuckDBPyConnection
    ) -> Iterator[pa.RecordBatch]:
        number = self.objects.setdefault((batch.raw_digest, batch.raw_name), len(self.objects))
        self._staged.ignored.update(batch.ignored)
        self._staged.rejected += len(batch.rejected)
        if batch.rejected:
            _set_rejected_aside(aside, batch, number)
        if batch.records.num_rows:
            numbered = _numbered(batch.records, number)
            yield from numbered.combine_chunks().to_batches(max_chunksize=SLICE_ROWS)


class _Shared:
    """The slices of a stream, handed out to several threads, each slice to one of them.

    Attributes:
        is_stopped: Whether no more are handed out.
    """

    def __init__(self, slices: Iterator[pa.RecordBatch]) -> None:
        self.is_stopped = False
        self._slices = slices
        self._lock = Lock()

    def next(self) -> pa.RecordBatch | None:
        """The next slice, None after the last."""
        with self._lock:
            return None if self.is_stopped else next(self._slices, None)

    def reader(self) -> pa.RecordBatchReader | None:
        """About the next statement's rows, handed out as they are read; None after the last."""
        first = self.next()
        return None if first is None else _reader(first, self._after(first))

    def _after(self, first: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        rows, size = first.num_rows, first.nbytes
        while rows < STATEMENT_ROWS and size < STATEMENT_BYTES:
            following = self.next()
            if following is None:
                return
            yield following
            rows += following.num_rows
            size += following.nbytes


def _reader(first: pa.RecordBatch, further: Iterable[pa.RecordBatch]) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(first.schema, chain([first], further))


def _type_all(staged: Staged, records: _Records, slices: Iterator[pa.RecordBatch]) -> None:
    """Type the slices: few by one statement, many by statements side by side.

    Raises:
        Exception: what reading them raised.
    """
    few: list[pa.RecordBatch] = []
    while sum(each.num_rows for each in few) < SLICE_ROWS:
        following = next(slices, None)
        if following is None:
            if few:
                arriving = _reader(few[0], few[1:])
                _type(staged, staged.connection, records, arriving, is_first=True)
            return
        few.append(following)
    shared = _Shared(chain(few, slices))

    def type_some() -> None:
        is_first = True
        try:
            with staged.connection.cursor() as connection:
                while (reader := shared.reader()) is not None:
                    _type(staged, connection, records, reader, is_first=is_first)
                    is_first = False
        finally:
            shared.is_stopped = True

    with one_thread_a_statement(staged.connection), ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(type_some) for _ in range(THREADS)]:
            future.result()


def ahead(items: Iterable[Item]) -> Generator[Item, None, None]:
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
    table = staged.compiled.table
    columns = ", ".join(f"{quoted(each.name)} {each.sql_type}" for each in table.stated_columns)
    if table.partition_column and table.partition_date:
        # Computed where it is asked for: a text on every row is dear to type, sort and spill.
        month = month_of(quoted(table.partition_date))
        columns += f", {quoted(table.partition_column)} VARCHAR GENERATED ALWAYS AS ({month})"
    beside = ", ".join(f"{name} {kind}" for name, kind in _BESIDE_COLUMNS.items())
    staged.connection.execute(
        f"""
        CREATE TABLE staged ({columns}, {beside});
        CREATE TABLE bad (_record BIGINT, _record_hash VARCHAR, raw_record VARCHAR,
            key_text VARCHAR, reasons VARCHAR[], version_at TIMESTAMPTZ);
        """
    )


def _numbered(records: pa.Table, number: int) -> pa.Table:
    if not number:
        return records
    # Dear to import, and the first object of a batch has nothing to add.
    import pyarrow.compute as pc

    place = records.schema.get_field_index(ROW_COLUMN)
    record = pc.add(records.column(place), pa.scalar(number << OBJECT_BITS, pa.int64()))
    return records.set_column(place, ROW_COLUMN, record)


def _type(
    staged: Staged,
    connection: duckdb.DuckDBPyConnection,
    read: _Records,
    records: pa.RecordBatchReader,
    *,
    is_first: bool,
) -> None:
    """Type the records of one statement, in the order of their partition.

    Raises:
        Exception: what reading them raised.
    """
    table = staged.compiled.table
    columns = table.stated_columns
    names = quoted_list(each.name for each in columns)
    order = table.partition_date or table.partition_column
    connection.register("arriving", records)
    try:
        if is_first:
            # Read once: the text is long, and a statement holds what it was parsed from.
            projection = staged.compiled.split_sql("arriving", staged.as_of)
            connection.execute(f"CREATE OR REPLACE TEMP VIEW typed AS {projection}")
        connection.execute(
            f"""
            INSERT INTO staged ({names}, {quoted_list(_BESIDE_COLUMNS)})
            SELECT {names}, _is_deleted, {ROW_COLUMN}, _raw_record IS NULL,
                {row_hash(columns, "_is_deleted")}, hash({quoted_list(table.key)}),
                CASE WHEN _raw_record IS NOT NULL THEN
                    array_to_string(_reasons, {_BETWEEN_REASONS}) || {_BEFORE_RAW} || _raw_record
                END
            FROM typed
            {f"ORDER BY {quoted(order)}" if order else ""}
            """
        ).fetchall()
    except duckdb.Error:
        if read.failure is not None:
            raise read.failure from None
        raise
    finally:
        connection.unregister("arriving")


def _keep_bad(staged: Staged) -> None:
    """Move the raw records of those that broke a rule to where quarantine takes them."""
    table = staged.compiled.table
    version = quoted(table.version_column) if table.version_column else "NULL"
    # An unpivoted record shares its raw text with its siblings: only the key tells them apart.
    identity = (
        "_raw_record || chr(31) || key_text" if staged.compiled.source.unpivot else "_raw_record"
    )
    staged.connection.execute(
        f"""
        INSERT INTO bad
        SELECT _record, md5({identity}), _raw_record, key_text, _reasons, {version}::TIMESTAMPTZ
        FROM (
            SELECT *, {_json_object(table.key)} AS key_text,
                string_split(left(_set_aside, cut - 1), {_BETWEEN_REASONS}) AS _reasons,
                substr(_set_aside, cut + 1) AS _raw_record
            FROM (SELECT *, instr(_set_aside, {_BEFORE_RAW}) AS cut FROM staged WHERE NOT _is_good)
        );
        ALTER TABLE staged DROP COLUMN _set_aside
        """
    )


def _json_object(names: Iterable[str]) -> str:
    members = ", ".join(f"{literal(name)}: {quoted(name)}" for name in names)
    return f"to_json({{{members}}})::VARCHAR"


def _set_rejected_aside(
    connection: duckdb.DuckDBPyConnection, batch: RecordBatch, number: int
) -> None:
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
    connection.register("rejected", rejected)
    connection.execute(
        "INSERT INTO bad SELECT record, md5(text), text, NULL, reasons, NULL FROM rejected"
    )
    connection.unregister("rejected")


def _finish(staged: Staged, objects: dict[tuple[str, str], int]) -> None:
    listed = pa.table(
        {
            "id": pa.array(list(objects.values()), pa.int64()),
            "digest": pa.array([digest for digest, _ in objects], pa.string()),
            "name": pa.array([name for _, name in objects], pa.string()),
        }
    )
    staged.connection.register("listed", listed)
    # Every row that is written names its object: an enumeration is written at the cost of a number.
    staged.connection.execute(
        """
        CREATE TYPE raw_digest AS ENUM (SELECT DISTINCT digest FROM listed ORDER BY digest);
        CREATE TABLE object AS SELECT id, digest::raw_digest AS digest, name FROM listed
        """
    )
    staged.connection.unregister("listed")
    staged.digests = list(dict.fromkeys(digest for digest, _ in objects))
    staged.records = _count(staged.connection, "staged") + staged.rejected
    staged.quarantined = _count(staged.connection, "bad")


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    rows = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(rows[0][0])
