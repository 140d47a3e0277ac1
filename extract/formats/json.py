"""JSON objects: lines of records, or pages that hold an array of records."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as compute

from extract.content import Content, TextStream, UndecodableError
from extract.errors import Place
from extract.formats import json_mixed, json_slow
from extract.formats.base import (
    NOT_SELECTED,
    STRETCH_BYTES,
    TEXT_LIMIT,
    Parsed,
    row_numbers,
    with_rows,
    wrong_encoding,
)
from extract.formats.json_fast import BLOCK_BYTES, FastParser, NotFastError
from extract.formats.json_mixed import MixedColumns
from extract.formats.json_path import last_key, mixed, tree_of
from extract.formats.json_slow import RecordError, TextColumns
from extract.schema import RawSchema
from warehouse.records import RejectedRecord

MEGABYTE = 1 << 20
REJECTED = "row:json"
BLANK = "blank_line"
# So many lines are read one by one where one of them does not take the fast way.
FEW_LINES = 64


@dataclass(frozen=True)
class NdjsonOptions:
    """Options of newline-delimited JSON; see `extract.read`."""

    encoding: str = "utf-8"
    only: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class JsonOptions:
    """Options of JSON pages; see `extract.read`."""

    encoding: str = "utf-8"
    records: str = ""
    max_page_megabytes: int = 256
    only: Mapping[str, str] = field(default_factory=dict)


class _JsonReader:
    """What both JSON formats share."""

    def __init__(self, schema: RawSchema, place: Place, only: Mapping[str, str]) -> None:
        names = schema.names
        strange = sorted(set(only) - set(names))
        if strange:
            message = f"option only names raw columns that are not declared: {', '.join(strange)}"
            raise place.terminal("contract", message)
        self._only = only
        self._delivered = schema.wanted
        schema = replace(schema, wanted=tuple(dict.fromkeys((*schema.wanted, *only))))
        for name in names:
            inner = next((each for each in names if each.startswith(f"{name}.")), None)
            if inner is not None:
                message = f"raw column {inner} lies inside raw column {name}"
                raise place.terminal("contract", message)
        both = mixed(tree_of(dict.fromkeys(names, "")))
        if both is not None:
            message = f"raw columns take {both} both as an object and as an array"
            raise place.terminal("contract", message)
        self._schema = schema
        self._fast = FastParser(schema)
        self._keys = {name: _key_pattern(name) for name in schema.required}

    def _mixed_columns(self) -> MixedColumns:
        return MixedColumns(self._schema, self._fast)

    def _text_columns(self) -> TextColumns:
        return TextColumns(self._schema.wanted, self._schema.names)

    def _selected(self, parsed: Parsed) -> Parsed:
        """The records that the contract takes; one that does not say what it is stays in."""
        if not self._only:
            return parsed
        records, count = parsed.records, parsed.records.num_rows
        for name, value in self._only.items():
            column = records.column(name)
            kept = compute.or_kleene(compute.is_null(column), compute.equal(column, value))
            records = records.filter(kept)
        left_out = count - records.num_rows
        ignored = {**parsed.ignored, NOT_SELECTED: left_out} if left_out else parsed.ignored
        names = [name for name in records.column_names if name not in self._only]
        kept_names = [*self._delivered, *(name for name in names if name not in self._delivered)]
        return replace(parsed, records=records.select(kept_names), ignored=ignored)

    def _parsed(
        self,
        block: bytes,
        table: pa.Table,
        undeclared: frozenset[str],
        encoding: str,
    ) -> Parsed:
        """A stretch whose required keys were looked for in its text."""
        absent = frozenset(name for name, key in self._keys.items() if not key.search(block))
        return Parsed(table, undeclared=undeclared, absent=absent, encoding=encoding)


class NdjsonFormat(_JsonReader):
    """Reads newline-delimited JSON, one record a line, in blocks of whole lines."""

    def __init__(self, options: NdjsonOptions, schema: RawSchema, place: Place) -> None:
        super().__init__(schema, place, options.only)
        self._options = options

    def read(self, content: Content) -> Iterator[Parsed]:
        """The records in bounded stretches; a line that is no record is rejected `row:json`.

        Raises:
            TerminalError: rule `empty`, `encoding`, `damaged`, `undeclared_column` or `ndjson`
                (one line longer than a page may be).
        """
        row = 0
        try:
            stream = content.text(self._options.encoding)
            for block in _blocks(stream, content.place):
                parsed = self._block(block, row, stream.encoding)
                self._schema.check_undeclared(parsed.undeclared, content.place)
                row += parsed.count
                if parsed.count:
                    yield self._selected(parsed)
        except UndecodableError as error:
            raise wrong_encoding(content, self._options.encoding, error.offset) from error

    def _block(self, block: bytes, row: int, encoding: str) -> Parsed:
        """Some whole lines, in pieces where one of them does not take the fast way."""
        parsed: list[Parsed] = []
        waiting = [block]
        while waiting:
            piece = waiting.pop()
            try:
                parsed.append(self._piece(piece, row, encoding))
            except NotFastError as error:
                pieces = _cut(piece, error.row)
                if len(pieces) > 1:
                    waiting += reversed(pieces)
                    continue
                parsed.append(self._line_by_line(piece, row, encoding))
            row += parsed[-1].count
        return _joined(parsed)

    def _piece(self, piece: bytes, row: int, encoding: str) -> Parsed:
        """Lines that all take the fast way.

        Raises:
            NotFastError: when one of them does not.
        """
        table, undeclared = self._fast.lines(piece)
        if table.num_rows != _lines(piece):
            raise NotFastError
        table = with_rows(table, row_numbers(row, table.num_rows))
        return self._parsed(piece, table, undeclared, encoding)

    def _line_by_line(self, block: bytes, row: int, encoding: str) -> Parsed:
        try:
            return self._slow(block, row, encoding, json_mixed.loads, self._mixed_columns())
        except NotFastError:
            return self._slow(block, row, encoding, json_slow.loads, self._text_columns())

    def _slow(
        self,
        block: bytes,
        row: int,
        encoding: str,
        loads: Callable[[str], Any],
        columns: MixedColumns | TextColumns,
    ) -> Parsed:
        rows, rejected = [], []
        ignored = 0
        for line in block.split(b"\n"):
            if not line.strip():
                ignored += 1
                continue
            text = line.decode("utf-8")
            try:
                columns.add(loads(text))
                rows.append(row)
            except (json.JSONDecodeError, RecordError):
                rejected.append(RejectedRecord(row, text[:TEXT_LIMIT], REJECTED))
            row += 1
        ignored -= block.endswith(b"\n")
        table = with_rows(columns.table(), pa.array(rows, pa.int64()))
        undeclared = frozenset(columns.undeclared)
        parsed = self._parsed(block, table, undeclared, encoding)
        blank = {BLANK: ignored} if ignored else {}
        return Parsed(table, rejected, blank, undeclared, parsed.absent, encoding)


class JsonFormat(_JsonReader):
    """Reads JSON pages; memory is bounded by the page."""

    def __init__(self, options: JsonOptions, schema: RawSchema, place: Place) -> None:
        super().__init__(schema, place, options.only)
        self._options = options
        self._path = tuple(options.records.split(".")) if options.records else ()

    def read(self, content: Content) -> Iterator[Parsed]:
        """The records of the page, one stretch (empty for a page without records).

        Raises:
            TerminalError: rule `json` (with line and column), `records_path`, `page_size`,
                `empty`, `encoding`, `damaged` or `undeclared_column`.
        """
        try:
            stream = content.text(self._options.encoding)
            page = self._page(stream, content.place)
        except UndecodableError as error:
            raise wrong_encoding(content, self._options.encoding, error.offset) from error
        parsed = self._parse(page, stream.encoding, content.place)
        self._schema.check_undeclared(parsed.undeclared, content.place)
        yield self._selected(parsed)

    def _page(self, stream: TextStream, place: Place) -> bytes:
        limit = self._options.max_page_megabytes * MEGABYTE
        page = stream.read(limit + 1)
        if len(page) > limit:
            message = f"the page is longer than {self._options.max_page_megabytes} MiB"
            raise place.terminal("page_size", message)
        return page

    def _parse(self, page: bytes, encoding: str, place: Place) -> Parsed:
        try:
            if not self._path and not page.lstrip().startswith(b"["):
                raise NotFastError
            table, undeclared = self._fast.array(page, self._path)
        except NotFastError:
            try:
                found = json_mixed.loads(page.decode("utf-8"))
                return self._slow(page, encoding, place, found, self._mixed_columns())
            except NotFastError:
                found = self._loads(page, place)
                return self._slow(page, encoding, place, found, self._text_columns())
        table = with_rows(table, row_numbers(0, table.num_rows))
        return self._parsed(page, table, undeclared, encoding)

    def _loads(self, page: bytes, place: Place) -> object:
        try:
            return json_slow.loads(page.decode("utf-8"))
        except json.JSONDecodeError as error:
            message = f"invalid JSON at line {error.lineno} column {error.colno}: {error.msg}"
            if page.lstrip().startswith(b"<"):
                message = f"{message} (it looks like HTML or XML)"
            raise place.terminal("json", message) from None

    def _slow(
        self,
        page: bytes,
        encoding: str,
        place: Place,
        found: object,
        columns: MixedColumns | TextColumns,
    ) -> Parsed:
        rows, rejected = [], []
        for row, record in enumerate(self._records(found, place)):
            try:
                columns.add(record)
                rows.append(row)
            except RecordError:
                text = json.dumps(record)[:TEXT_LIMIT]
                rejected.append(RejectedRecord(row, text, REJECTED))
        table = with_rows(columns.table(), pa.array(rows, pa.int64()))
        parsed = self._parsed(page, table, frozenset(columns.undeclared), encoding)
        return Parsed(table, rejected, {}, parsed.undeclared, parsed.absent, encoding)

    def _records(self, found: object, place: Place) -> list[object]:
        for name in self._path:
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, list):
            return found
        if isinstance(found, dict) and self._is_record(found):
            return [found]
        where = f"at {self._options.records}" if self._path else "at the top level"
        raise place.terminal("records_path", f"no array of records {where}")

    def _is_record(self, found: dict[str, object]) -> bool:
        """Whether a lone object is a record, and not a server's message in place of one."""
        tops = {name.split(".")[0] for name in self._schema.required}
        return tops <= set(found) and not set(found).isdisjoint(
            name.split(".")[0] for name in self._schema.wanted
        )


def _blocks(stream: TextStream, place: Place) -> Iterator[bytes]:
    """Blocks of whole lines of about `STRETCH_BYTES`."""
    held = b""
    while chunk := stream.read(STRETCH_BYTES):
        held += chunk
        end = held.rfind(b"\n") + 1
        if end:
            yield held[:end]
            held = held[end:]
        elif len(held) > 4 * STRETCH_BYTES:
            limit = 4 * STRETCH_BYTES // MEGABYTE
            raise place.terminal("ndjson", f"a line is longer than {limit} MiB")
    if held:
        yield held


def _lines(block: bytes) -> int:
    return block.count(b"\n") + (not block.endswith(b"\n"))


def _cut(block: bytes, row: int | None) -> list[bytes]:
    """The pieces of a block of which a line does not take the fast way; few lines stay one piece.

    Args:
        block: Whole lines.
        row: About where the first such line is, or None.
    """
    lines = _lines(block)
    if lines <= FEW_LINES:
        return [block]
    if len(block) > BLOCK_BYTES:
        return list(_pieces(block))
    if row is None or row >= lines:
        cuts = [lines // 2]
    elif row >= FEW_LINES:
        cuts = [row, row + 1]
    else:
        # Where many lines are bad, not each of them should cost a call.
        cuts = [FEW_LINES]
    ends = [*(_offset(block, each) for each in cuts), len(block)]
    return [block[start:end] for start, end in pairwise([0, *ends]) if start < end]


def _pieces(block: bytes) -> Iterator[bytes]:
    """The block in pieces of whole lines, each one block to Arrow unless a line is longer."""
    start = 0
    while start < len(block):
        limit = start + BLOCK_BYTES
        end = block.rfind(b"\n", start, limit) + 1 or block.find(b"\n", start) + 1 or len(block)
        yield block[start:end]
        start = end


def _offset(block: bytes, lines: int) -> int:
    """Where the line begins that so many lines come before."""
    offset = 0
    for _ in range(lines):
        offset = block.find(b"\n", offset) + 1
    return offset


def _joined(parsed: list[Parsed]) -> Parsed:
    """The pieces of one block as one stretch."""
    if len(parsed) == 1:
        return parsed[0]
    ignored: Counter[str] = Counter()
    for each in parsed:
        ignored.update(each.ignored)
    return Parsed(
        pa.concat_tables([each.records for each in parsed]),
        [rejected for each in parsed for rejected in each.rejected],
        dict(ignored),
        frozenset.union(*(each.undeclared for each in parsed)),
        frozenset.intersection(*(each.absent for each in parsed)),
        parsed[0].encoding,
    )


def _key_pattern(name: str) -> re.Pattern[bytes]:
    """Finds a record's key in JSON text, spelled out or with escapes."""
    key = last_key(name)
    spellings = {json.dumps(key, ensure_ascii=False), json.dumps(key)}
    choices = b"|".join(re.escape(spelling.encode()) for spelling in sorted(spellings))
    return re.compile(rb"(?:" + choices + rb")\s*:")
