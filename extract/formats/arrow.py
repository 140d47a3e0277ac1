"""Arrow files (IPC): declared types as they are, in bounded stretches."""

import json
from collections.abc import Iterator

import pyarrow as pa

from extract.content import Content
from extract.formats.base import Parsed, row_numbers, with_rows
from extract.formats.typed import check_types
from extract.schema import RawSchema

STRETCH_ROWS = 65_536
# Key of the schema's metadata: JSON list of columns that the source has and did not send, since
# nobody declared them.
UNDECLARED = b"citylake.undeclared"


class ArrowFormat:
    """Reads Arrow files, whose columns are the raw columns."""

    def __init__(self, schema: RawSchema) -> None:
        self._schema = schema

    def read(self, content: Content) -> Iterator[Parsed]:
        """The records in stretches of at most `STRETCH_ROWS`, with their declared types.

        Raises:
            TerminalError: rule `empty`, `arrow`, `type`, `missing_column` or `undeclared_column`.
        """
        if content.raw.size == 0:
            raise content.place.terminal("empty", "the object holds no data")
        try:
            with _source(content) as source, pa.ipc.open_file(source) as file:
                yield from self._read(file, content)
        except (pa.ArrowInvalid, OSError) as error:
            message = f"the object is not readable as an Arrow file ({type(error).__name__})"
            raise content.place.terminal("arrow", message) from error

    def _read(self, file: pa.ipc.RecordBatchFileReader, content: Content) -> Iterator[Parsed]:
        left_out = json.loads((file.schema.metadata or {}).get(UNDECLARED, b"[]"))
        undeclared = self._schema.check_header([*file.schema.names, *left_out], content.place)
        check_types(self._schema, file.schema, content.place)
        row = 0
        for number in range(file.num_record_batches):
            batch = file.get_batch(number)
            for start in range(0, batch.num_rows, STRETCH_ROWS):
                table = self._deliver(batch.slice(start, STRETCH_ROWS))
                yield Parsed(
                    with_rows(table, row_numbers(row, table.num_rows)), undeclared=undeclared
                )
                row += table.num_rows

    def _deliver(self, batch: pa.RecordBatch) -> pa.Table:
        """The wanted columns; one that the object lacks is null."""
        arrays = [
            batch.column(name)
            if name in batch.schema.names
            else pa.nulls(batch.num_rows, pa.string())
            for name in self._schema.wanted
        ]
        return pa.table(arrays, names=list(self._schema.wanted))


def _source(content: Content) -> pa.NativeFile:
    """The object's bytes, seekable; not mapped, since a map's pages count as ours for long."""
    if content.stored_as_came and content.raw.content is None:
        return pa.OSFile(str(content.raw.path))
    # An object that was compressed on its way is read into memory as a whole.
    return pa.BufferReader(content.open().read())
