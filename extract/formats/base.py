"""What every format gives: stretches of records, and what was seen beside them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from extract.content import Content
from extract.errors import TerminalError
from warehouse.records import ROW_COLUMN, RejectedRecord

TEXT_LIMIT = 4000
NOT_SELECTED = "not_selected"
STRETCH_BYTES = 8 << 20


@dataclass(frozen=True)
class Parsed:
    """Consecutive records of one raw object, with what the format noticed.

    Attributes:
        records: The wanted columns and `_raw_row`.
        rejected: Records that could not be split into columns.
        ignored: Raw units left out, by reason.
        undeclared: Columns in the data that the contract does not declare.
        absent: Required columns that no record of this stretch has.
        encoding: Encoding of the text, or None for binary formats.
        is_metadata: Whether the object describes records and holds none: it belongs to the batch
            all the same.
    """

    records: pa.Table
    rejected: Sequence[RejectedRecord] = ()
    ignored: dict[str, int] = field(default_factory=dict)
    undeclared: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    encoding: str | None = None
    is_metadata: bool = False

    @property
    def count(self) -> int:
        """Number of records, rejected ones included."""
        return int(self.records.num_rows) + len(self.rejected)

    @property
    def units(self) -> int:
        """Number of raw units: the records, and what the contract leaves out."""
        return self.count + self.ignored.get(NOT_SELECTED, 0)


class Format(Protocol):
    """Turns a raw object's content into records.

    What it holds between objects is metadata that came as an object of its own, no record.
    """

    def read(self, content: Content) -> Iterator[Parsed]:
        """The records of a raw object in their order, in bounded stretches.

        Raises:
            TerminalError: when the object as a whole cannot be read.
        """


def with_rows(records: pa.Table, rows: pa.Array) -> pa.Table:
    """The table with `_raw_row` (int64) as its last column."""
    return records.append_column(pa.field(ROW_COLUMN, pa.int64()), rows)


def row_numbers(first: int, count: int) -> pa.Array:
    """Consecutive int64 numbers."""
    return pa.arange(first, first + count)


def wrong_encoding(content: Content, encoding: str, offset: int) -> TerminalError:
    """The error of bytes that are no text in the declared encoding."""
    line = content.line_of(encoding, offset)
    message = f"byte {offset} (line {line}) is not {encoding}"
    return content.place.terminal("encoding", message)
