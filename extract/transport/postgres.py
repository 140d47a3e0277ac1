"""PostgreSQL: one declared table, as Arrow files of so many rows each, or as the lines of a text.

A table is read in the order of its key. Where the server goes away in the midst of it, what was
stored stays, and the next session goes on from the last key that was received. Then each row is
as of one of two instants instead of one: what a row says is still what the source said, and a key
that is absent was absent when its stretch was read.
"""

import json
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from extract.errors import Place
from extract.formats.arrow import UNDECLARED
from extract.formats.base import STRETCH_BYTES
from extract.protocols.updated_range import UPDATED_BEFORE, UPDATED_FROM
from extract.raw import RawObject
from extract.schema import RawSchema
from extract.transport.base import Request, Sink
from extract.transport.postgres_query import (
    Bounds,
    catalog_sql,
    holds,
    holds_instant,
    holds_text,
    select_sql,
)
from extract.transport.postgres_session import Session
from extract.transport.retry import RetryLaterError, Tries
from warehouse.contract.model import RawColumn


@dataclass(frozen=True)
class PostgresOptions:
    """Which table is read and how; see `extract.read` for the meaning of each option."""

    uri_env: str | None = None
    schema: str = "public"
    table: str = ""
    key: str | tuple[str, ...] | None = None
    cursor_column: str | None = None
    text_column: str | None = None
    object_rows: int = 50_000
    connect_timeout_seconds: int = 10
    statement_timeout_seconds: float = 3600.0
    attempts: int = 5
    backoff_seconds: float = 0.5
    backoff_max_seconds: float = 30.0


class PostgresTransport:
    """Delivers the declared columns of one table or view, or the texts of one of its columns."""

    def __init__(
        self,
        options: PostgresOptions,
        schema: RawSchema,
        environ: Mapping[str, str],
        place: Place,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._options = options
        self._schema = schema
        self._place = Place(place.source, f"{options.schema}.{options.table}")
        self._sleep = sleep
        self._key = (options.key,) if isinstance(options.key, str) else options.key or ()
        self._check_declared(place)
        self._uri = environ.get(options.uri_env or "", "").strip()
        if not self._uri:
            message = f"environment variable {options.uri_env} holds no address"
            raise place.terminal("url", message)

    def deliver(self, request: Request, sink: Sink) -> Iterator[RawObject]:
        """The rows as raw objects; a broken session is taken up where it broke.

        Arrow files are at least one. With `text_column` an object holds one line for each row, and
        a table without rows gives none.

        Raises:
            TransientError: when the tries without a further row are used up.
            TerminalError: rule `account`, `url`, `missing_table`, `missing_column`,
                `undeclared_column`, `type`, `query` or `contract`.
        """
        options, after, number = self._options, None, 0
        bounds = self._bounds(request)
        tries = Tries(
            options.attempts, options.backoff_seconds, options.backoff_max_seconds, 0.0, self._sleep
        )
        while True:
            try:
                with closing(self._read(bounds, after)) as pieces:
                    for piece in pieces:
                        if options.text_column and not piece.num_rows:
                            continue
                        number += 1
                        name = f"{self._place.file} page {number}"
                        raw = sink([self._object(piece)], name, number)
                        reached = self._last_key(piece)
                        if reached is not None and reached != after:
                            after = reached
                            tries.start_over()
                        yield raw
            except RetryLaterError as error:
                tries.wait_after(error, self._place)
            else:
                return

    def close(self) -> None:
        """Nothing is held between two deliveries."""

    def _check_declared(self, place: Place) -> None:
        options = self._options
        if not options.table or not self._key or options.object_rows < 1:
            message = "transport postgres needs table, key and object_rows of at least 1"
            raise place.terminal("contract", message)
        cursor = (options.cursor_column,) if options.cursor_column else ()
        unknown = sorted({*self._key, *cursor} - set(self._schema.names))
        # The raw columns of a text stand in the text; key and cursor are the table's own.
        if unknown and not options.text_column:
            message = f"key or cursor is no raw column: {', '.join(unknown)}"
            raise place.terminal("contract", message)
        if any("\0" in name for name in (options.schema, options.table, *self._schema.names)):
            raise place.terminal("contract", "a name holds a null character")

    def _bounds(self, request: Request) -> Bounds | None:
        cursor, parameters = self._options.cursor_column, dict(request.parameters)
        start, end = parameters.pop(UPDATED_FROM, None), parameters.pop(UPDATED_BEFORE, None)
        if parameters or request.path or (cursor is None) != (end is None):
            message = "cursor_column and protocol updated_range need each other"
            raise self._place.terminal("contract", message)
        return None if cursor is None else Bounds(cursor, start, end)

    def _read(
        self, bounds: Bounds | None, after: Sequence[Any] | None
    ) -> Generator[pa.Table, None, None]:
        """The rows from a key on, in one transaction, in pieces of `object_rows`."""
        options = self._options
        session = Session(
            self._uri,
            options.connect_timeout_seconds,
            options.statement_timeout_seconds,
            self._place,
        )
        with closing(session):
            find = self._text_columns if options.text_column else self._columns
            columns, undeclared = find(session)
            sql = select_sql(options.schema, options.table, columns, self._key, bounds, after)
            for piece in _pieces(session.batches(sql), options.object_rows):
                yield piece.replace_schema_metadata({UNDECLARED: json.dumps(undeclared)})

    def _columns(self, session: Session) -> tuple[list[RawColumn], list[str]]:
        """The declared columns that the table has, and the names of its undeclared ones.

        Raises:
            TerminalError: rule `missing_table`, `missing_column`, `undeclared_column` or `type`.
        """
        found = self._catalog(session)
        self._schema.check_header(list(found), self._place)
        columns = [each for each in self._schema.declared if each.name in found]
        for each in columns:
            if not holds(each, found[each.name]):
                message = f"declared as {each.logical_type}, but the table has {found[each.name]}"
                raise self._place.terminal("type", message, column=each.name)
        absent = sorted(set(self._key) - set(found))
        if absent:
            raise self._place.terminal("missing_column", f"key columns: {', '.join(absent)}")
        return columns, sorted(set(found) - set(self._schema.names))

    def _text_columns(self, session: Session) -> tuple[list[RawColumn], list[str]]:
        """The key and the column of texts, and no undeclared name: only texts are data.

        Raises:
            TerminalError: rule `missing_table`, `missing_column` or `type`.
        """
        found, options = self._catalog(session), self._options
        text, cursor = options.text_column or "", options.cursor_column
        absent = sorted({*self._key, text, *([cursor] if cursor else [])} - set(found))
        if absent:
            raise self._place.terminal("missing_column", f"columns: {', '.join(absent)}")
        if not holds_text(found[text]):
            message = f"text_column, but the table has {found[text]}"
            raise self._place.terminal("type", message, column=text)
        if cursor and not holds_instant(found[cursor]):
            message = f"cursor_column, but the table has {found[cursor]}"
            raise self._place.terminal("type", message, column=cursor)
        return [RawColumn(name) for name in dict.fromkeys((*self._key, text))], []

    def _catalog(self, session: Session) -> dict[str, str]:
        """The server's type of each column that the account may read."""
        rows = session.rows(catalog_sql(self._options.schema, self._options.table))
        if not rows:
            message = "there is no such table, or the account may not read it"
            raise self._place.terminal("missing_table", message)
        return {row["name"]: row["type"] for row in rows}

    def _object(self, piece: pa.Table) -> pa.Buffer:
        """What is stored of a piece of the table."""
        text = self._options.text_column
        return _lines(piece.column(text)) if text else _arrow_file(piece)

    def _last_key(self, piece: pa.Table) -> tuple[Any, ...] | None:
        """Key of the last row; None where there is no row or the key has a null."""
        if not piece.num_rows:
            return None
        last = piece.select(list(self._key)).slice(piece.num_rows - 1).to_pylist()[0]
        values = tuple(last[name] for name in self._key)
        return None if None in values else values


def _pieces(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """The batches cut anew into tables of exactly `rows` rows, the last one shorter.

    Wide rows are cut earlier, after the batch that brings a table to `STRETCH_BYTES`. The cuts
    depend on nothing but the rows: the same table gives the same objects again.
    """
    held: list[pa.RecordBatch] = []
    count = size = 0
    for batch in batches:
        rest = batch
        # The first batch may be without rows; it says which columns there are.
        while rest.num_rows or not held:
            if count == rows or size >= STRETCH_BYTES:
                yield pa.Table.from_batches(held)
                held, count, size = [], 0, 0
            part = rest.slice(0, rows - count)
            held.append(part)
            count += part.num_rows
            size += part.nbytes
            rest = rest.slice(part.num_rows)
    yield pa.Table.from_batches(held)


def _arrow_file(piece: pa.Table) -> pa.Buffer:
    """The rows as an Arrow file of one compressed batch."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_file(sink, piece.schema, options=options) as writer:
        writer.write_table(piece.combine_chunks())
    return sink.getvalue()


def _lines(texts: pa.ChunkedArray) -> pa.Buffer:
    """One line for each text; a null is an empty line.

    A line break in a text becomes a blank: in JSON it can stand between tokens alone.
    """
    whole = pc.replace_substring_regex(pc.fill_null(texts, ""), r"[\r\n]", " ").combine_chunks()
    ended = pc.binary_join_element_wise(whole, "", "\n")
    listed = pa.ListArray.from_arrays([0, len(ended)], ended)
    return pc.binary_join(listed, "")[0].as_buffer()
