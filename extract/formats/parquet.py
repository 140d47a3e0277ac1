"""Parquet: declared types as they are, row group by row group."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

from extract.content import Content
from extract.formats.base import Parsed, row_numbers, with_rows
from extract.formats.typed import check_types
from extract.raw import CHUNK
from extract.schema import RawSchema

STRETCH_ROWS = 65_536


class ParquetFormat:
    """Reads Parquet objects; raw columns may be dotted paths into structs."""

    def __init__(self, schema: RawSchema) -> None:
        self._schema = schema

    def read(self, content: Content) -> Iterator[Parsed]:
        """The records in stretches of at most `STRETCH_ROWS`, with their declared types.

        Raises:
            TerminalError: rule `empty`, `parquet`, `missing_column` or `undeclared_column`.
        """
        if content.raw.size == 0:
            raise content.place.terminal("empty", "the object holds no data")
        with tempfile.TemporaryDirectory(dir=content.scratch) as folder:
            try:
                yield from self._read(content, _seekable(content, Path(folder)))
            except (pa.ArrowInvalid, OSError) as error:
                message = f"the object is not readable as Parquet ({type(error).__name__})"
                raise content.place.terminal("parquet", message) from error

    def _read(self, content: Content, path: Path) -> Iterator[Parsed]:
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            found = list(_leaves(file.schema_arrow, ""))
            tops = [field.name for field in file.schema_arrow]
            declared = {name for name in self._schema.names if name in tops}
            names = sorted(declared | {name for name in found if not _inside(name, declared)})
            undeclared = self._schema.check_header(names, content.place)
            check_types(self._schema, file.schema_arrow, content.place)
            present = [name for name in self._schema.wanted if name in names]
            row = 0
            for batch in file.iter_batches(STRETCH_ROWS, columns=present):
                table = self._deliver(pa.Table.from_batches([batch]), present)
                table = with_rows(table, row_numbers(row, batch.num_rows))
                row += batch.num_rows
                yield Parsed(table, undeclared=undeclared)

    def _deliver(self, records: pa.Table, present: list[str]) -> pa.Table:
        arrays = []
        for name in self._schema.wanted:
            if name not in present:
                arrays.append(pa.nulls(records.num_rows, pa.string()))
            elif name in records.column_names:
                arrays.append(records.column(name))
            else:
                import pyarrow.compute as compute

                first, *rest = name.split(".")
                arrays.append(compute.struct_field(records.column(first), rest))
        return pa.table(arrays, names=list(self._schema.wanted))


def _leaves(fields: pa.Schema | pa.StructType, prefix: str) -> Iterator[str]:
    """Dotted names of the fields that are no structs."""
    for field in fields:
        if pa.types.is_struct(field.type):
            yield from _leaves(field.type, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}"


def _inside(name: str, parents: set[str]) -> bool:
    return any(name.startswith(f"{parent}.") for parent in parents)


def _seekable(content: Content, folder: Path) -> Path:
    """A file of the unpacked content: Parquet is read from its end."""
    if content.stored_as_came:
        return content.raw.path
    path = folder / "content"
    with path.open("wb") as sink:
        shutil.copyfileobj(content.open(), sink, CHUNK)
    return path
