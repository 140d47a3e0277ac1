"""JSON objects: lines of records, or pages that hold an array of records."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
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
from extract.formats.json_fast import FastParser, NotFastError
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
        """Some whole lines, in halves where one of them does not take the fast way."""
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        try:
            table, undeclared = self._fast.lines(block)
            if table.num_rows != lines:
                raise NotFastError
        except NotFastError:
            if lines > FEW_LINES:
                return self._halves(block, row, encoding)
            try:
                return self._slow(block, row, encoding, json_mixed.loads, self._mixed_columns())
            except NotFastError:
                return self._slow(block, row, encoding, json_slow.loads, self._text_columns())
        table = with_rows(table, row_numbers(row, table.num_rows))
        return self._parsed(block, table, undeclared, encoding)

    def _halves(self, block: bytes, row: int, encoding: str) -> Parsed:
        """Both halves as one stretch: all but a few lines around a bad one take the fast way."""
        middle = block.find(b"\n", len(block) // 2) + 1 or block.find(b"\n") + 1
        if middle == len(block):
            middle = block.rfind(b"\n", 0, middle - 1) + 1
        first = self._block(block[:middle], row, encoding)
        second = self._block(block[middle:], row + first.count, encoding)
        ignored = Counter(first.ignored) + Counter(second.ignored)
        return Parsed(
            pa.concat_tables([first.records, second.records]),
            [*first.rejected, *second.rejected],
            dict(ignored),
            first.undeclared | second.undeclared,
            first.absent & second.absent,
            encoding,
        )

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


def _key_pattern(name: str) -> re.Pattern[bytes]:
    """Finds a record's key in JSON text, spelled out or with escapes."""
    key = last_key(name)
    spellings = {json.dumps(key, ensure_ascii=False), json.dumps(key)}
    choices = b"|".join(re.escape(spelling.encode()) for spelling in sorted(spellings))
    return re.compile(rb"(?:" + choices + rb")\s*:")
