"""CSV in any dialect, every field as text, in bounded stretches."""

import csv
import json
import secrets
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from extract.content import Content, TextStream, UndecodableError
from extract.errors import Place
from extract.formats.base import (
    TEXT_LIMIT,
    Parsed,
    row_numbers,
    with_rows,
    wrong_encoding,
)
from extract.formats.numbers import plain_numbers
from extract.schema import RawSchema, listed
from warehouse.records import RejectedRecord

# Small blocks parse fastest; two of them bound a record.
BLOCK_BYTES = 1 << 19
# A stretch is held three times: read, joined, and in use while the next one is read.
STRETCH_BYTES = 2 << 20
# Arrow passes over blocks without a good record: of the refused ones so many are held in memory.
MOST_REFUSED = 5_000
NUMERIC = frozenset({"number", "integer"})


@dataclass(frozen=True)
class CsvOptions:
    """The dialect; see `extract.read` for the meaning of each option."""

    delimiter: str = ","
    quote: str = '"'
    doubled_quote: bool = True
    escape: str = ""
    encoding: str = "utf-8"
    skip_lines: int = 0
    header_rows: int = 1
    header_separator: str = " "
    decimal: str = "."
    thousands: str = ""


class CsvFormat:
    """Reads CSV objects of one dialect."""

    def __init__(self, options: CsvOptions, schema: RawSchema, place: Place) -> None:
        single = {"delimiter": options.delimiter, "decimal": options.decimal}
        optional = {
            "quote": options.quote,
            "escape": options.escape,
            "thousands": options.thousands,
        }
        for name, value in {**single, **optional}.items():
            if len(value) != 1 and (name in single or value):
                raise place.terminal("contract", f"format option {name} is one character")
        self._options = options
        self._schema = schema
        self._numeric = frozenset(
            column.name for column in schema.declared if column.logical_type in NUMERIC
        )

    def read(self, content: Content) -> Iterator[Parsed]:
        """The data records in bounded stretches; nothing for a header without records.

        Raises:
            TerminalError: rule `empty`, `encoding`, `damaged`, `csv`, `missing_column`,
                `undeclared_column` or `repeated_column`.
        """
        encoding = self._options.encoding
        try:
            yield from _Pass(self, content).stretches()
        except UndecodableError as error:
            raise wrong_encoding(content, encoding, error.offset) from error
        except pa.ArrowInvalid as error:
            message = "a quote is not closed, or a record is longer than 1 MiB"
            raise content.place.terminal("csv", message) from error

    def header(self, stream: TextStream, place: Place) -> list[str]:
        """Read past the header; repeated names are numbered `name`, `name#2`, ..."""
        for _ in range(self._options.skip_lines):
            stream.readline()
        if self._options.header_rows == 0:
            return list(self._schema.names)
        rows = csv.reader(_lines(stream), **self._python_dialect())
        try:
            levels = [next(rows) for _ in range(self._options.header_rows)]
        except StopIteration:
            raise place.terminal("empty", "the object ends before its header does") from None
        except csv.Error as error:
            raise place.terminal("csv", f"the header cannot be read: {error}") from error
        return self._numbered(_joined(levels, self._options.header_separator), place)

    def parse_options(self) -> dict[str, Any]:
        """The dialect as pyarrow names it."""
        options = self._options
        return {
            "delimiter": options.delimiter,
            "quote_char": options.quote or False,
            "double_quote": options.doubled_quote,
            "escape_char": options.escape or False,
            "newlines_in_values": bool(options.quote),
        }

    def columns(self, header: list[str]) -> dict[str, str]:
        """Wanted column -> name in the parser (the column's position), where the data has it."""
        position = {name: str(index) for index, name in enumerate(header)}
        return {name: position[name] for name in self._schema.wanted if name in position}

    def deliver(self, records: pa.Table, columns: dict[str, str]) -> pa.Table:
        """The wanted columns by name, absent ones null, numbers with a plain decimal point."""
        arrays = []
        for name in self._schema.wanted:
            if name not in columns:
                arrays.append(pa.nulls(records.num_rows, pa.string()))
                continue
            values = records.column(columns[name])
            if name in self._numeric:
                values = plain_numbers(values, self._options.decimal, self._options.thousands)
            arrays.append(values)
        return pa.table(arrays, names=list(self._schema.wanted))

    def check(self, header: list[str], place: Place) -> frozenset[str]:
        """Undeclared names of the header; see `RawSchema.check_header`.

        Raises:
            TerminalError: also rule `missing_column` for a first line without any declared
                name. It may be a record of someone, so its texts are not told.
        """
        if set(header).isdisjoint(self._schema.names):
            missing = f"; missing columns: {listed(self._schema.required)}"
            message = (
                f"no column of the header is declared{missing if self._schema.required else ''}"
            )
            raise place.terminal("missing_column", message)
        return self._schema.check_header(header, place)

    @property
    def encoding(self) -> str:
        """The declared encoding."""
        return self._options.encoding

    def _numbered(self, names: list[str], place: Place) -> list[str]:
        seen: dict[str, int] = {}
        numbered = []
        for name in names:
            seen[name] = seen.get(name, 0) + 1
            numbered.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
        declared = set(self._schema.names)
        for name, count in seen.items():
            repetitions = {f"{name}#{number}" for number in range(2, count + 1)}
            if name in declared and not repetitions <= declared:
                message = f"the header has this name {count} times"
                raise place.terminal("repeated_column", message, column=name)
        return numbered

    def _python_dialect(self) -> dict[str, Any]:
        options = self._options
        return {
            "delimiter": options.delimiter,
            "quotechar": options.quote or None,
            "quoting": csv.QUOTE_MINIMAL if options.quote else csv.QUOTE_NONE,
            "doublequote": options.doubled_quote,
            "escapechar": options.escape or None,
        }


class _Pass:
    """One reading of one object."""

    def __init__(self, form: CsvFormat, content: Content) -> None:
        self._format = form
        self._content = content
        self._refused = _Refused(content.scratch)
        self._end = ""
        self._is_whole = True
        self._next_row = 0

    def stretches(self) -> Iterator[Parsed]:
        """The good records in stretches, each beside what was refused before its end."""
        place = self._content.place
        stream = self._content.text(self._format.encoding)
        header = self._format.header(stream, place)
        undeclared = self._format.check(header, place)
        columns = self._format.columns(header)
        if stream.at_end():
            return
        for records in _stretches(self._batches(stream, len(header), list(columns.values()))):
            numbers = self._numbers(records.num_rows)
            table = with_rows(self._format.deliver(records, columns), numbers)
            for rejected in self._refused.taken():
                yield Parsed(table, rejected, undeclared=undeclared, encoding=stream.encoding)
                table = table.slice(0, 0)
        if not self._is_whole:
            raise place.terminal("csv", "a quote is not closed")
        if self._refused:
            none = pa.table({name: pa.array([], pa.string()) for name in columns.values()})
            table = with_rows(self._format.deliver(none, columns), pa.array([], pa.int64()))
            for rejected in self._refused.taken():
                yield Parsed(table, rejected, undeclared=undeclared, encoding=stream.encoding)

    def _batches(
        self, stream: TextStream, width: int, include: list[str]
    ) -> Iterator[pa.RecordBatch]:
        names = [str(index) for index in range(width)]
        options = self._format.parse_options()
        if options["quote_char"] and not options["escape_char"]:
            # A record behind the last one, of a field too many: an open quote takes it in. Nobody
            # can write it, and where the last character is an escape it would be taken in too.
            self._end = options["delimiter"] * width + secrets.token_hex(8)
            self._is_whole = False
        reader = arrow_csv.open_csv(
            pa.PythonFile(_Blocks(stream, self._end), "r"),
            # Arrow's own threads cost two thirds more processor time, and their reader cannot tell
            # the number of a record that it refuses.
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=BLOCK_BYTES, column_names=names
            ),
            parse_options=arrow_csv.ParseOptions(invalid_row_handler=self._refuse, **options),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=include or names[:1],
                column_types={name: pa.string() for name in names},
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
                check_utf8=False,
            ),
        )
        yield from reader

    def _refuse(self, row: arrow_csv.InvalidRow) -> str:
        if self._end and row.text == self._end:
            self._is_whole = True
        else:
            self._refused.add(row.number - 1, row.text[:TEXT_LIMIT])
        return "skip"

    def _numbers(self, count: int) -> pa.Array:
        """Numbers of the next `count` good records, leaving out the refused ones between."""
        refused, passed = self._refused.rows, 0
        if not refused:
            first = self._next_row
            self._next_row += count
            return row_numbers(first, count)
        numbers = array("q")
        while len(numbers) < count:
            if passed < len(refused) and refused[passed] == self._next_row:
                passed += 1
            else:
                numbers.append(self._next_row)
            self._next_row += 1
        del refused[:passed]
        return pa.array(numbers, pa.int64())


class _Refused:
    """Refused records in their order until they are taken; many of them wait on disk.

    Attributes:
        rows: Numbers of those that no good record follows yet.
    """

    def __init__(self, folder: Path) -> None:
        self.rows = array("q")
        self._folder = folder
        self._held: list[tuple[int, str]] = []
        self._file: IO[str] | None = None

    def __bool__(self) -> bool:
        return bool(self._held)

    def add(self, row: int, text: str) -> None:
        """Take in the next one."""
        if len(self._held) == MOST_REFUSED:
            if self._file is None:
                # Closed by `taken`, or with the reading that it belongs to.
                self._file = TemporaryFile("w+", encoding="utf-8", dir=self._folder)  # noqa: SIM115
            self._file.writelines(json.dumps(each) + "\n" for each in self._held)
            self._held = []
        self.rows.append(row)
        self._held.append((row, text))

    def taken(self) -> Iterator[list[RejectedRecord]]:
        """All that were not taken yet, in one piece or more."""
        if self._file is not None:
            with self._file as file:
                file.seek(0)
                while lines := list(islice(file, MOST_REFUSED)):
                    yield _rejected(map(json.loads, lines))
            self._file = None
        held, self._held = self._held, []
        yield _rejected(held)


def _rejected(refused: Iterable[tuple[int, str]]) -> list[RejectedRecord]:
    return [RejectedRecord(row, text, "row:field_count") for row, text in refused]


class _Blocks:
    r"""A text stream in blocks of which none ends between `\r` and `\n`.

    Arrow takes the two for the end of a line, within quotes too, and drops the `\n`. The last block
    has one more record at its end, where one is given.
    """

    closed = False

    def __init__(self, stream: TextStream, end: str) -> None:
        self._stream = stream
        self._end = f"\n{end}\n".encode() if end else b""
        self._held = b""

    def read(self, size: int) -> bytes:
        """At most `size` bytes, empty at the end."""
        wanted = size - len(self._held) - len(self._end)
        more = self._stream.read(wanted)
        block = self._held + more
        self._held = b""
        if len(more) < wanted:
            block, self._end = block + self._end, b""
        elif len(block) > 1 and block.endswith(b"\r") and (following := self._stream.read(1)):
            self._held = b"\r" + following
            block = block[:-1]
        return block


def _stretches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches joined into tables of about `STRETCH_BYTES`."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size >= STRETCH_BYTES:
            yield pa.Table.from_batches(held)
            held, size = [], 0
    if held:
        yield pa.Table.from_batches(held)


def _lines(stream: TextStream) -> Iterator[str]:
    while line := stream.readline():
        yield line.decode("utf-8")


def _joined(levels: list[list[str]], separator: str) -> list[str]:
    """One name a column: the levels joined, upper levels filled to the right."""
    width = max(len(level) for level in levels)
    padded = [level + [""] * (width - len(level)) for level in levels]
    for level in padded[:-1]:
        for index in range(1, width):
            level[index] = level[index] or level[index - 1]
    return [separator.join(part for part in parts if part) for parts in zip(*padded, strict=True)]
