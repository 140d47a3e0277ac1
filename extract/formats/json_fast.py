"""JSON records by Arrow's parser, under the types that the contract declares.

Arrow refuses a record whose values have other JSON types; the caller then takes the slow
path. Keys that are not declared are inferred, which costs nothing where there are none, and
so every record of every page is checked for them, not a sample.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.json as arrow_json

from extract.formats.json_path import ELEMENT, Tree, arrays_of, general, steps_of, tree_of
from extract.schema import RawSchema

TYPES = {
    "string": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
}
# Above this a double no longer tells neighbouring integers apart.
EXACT_INTEGER = float(2**53)
EXPONENT = "e"
BLOCK_BYTES = 1 << 20
_ROW = re.compile(r" in row (\d+)$")


class NotFastError(Exception):
    """The records need the slow path.

    Attributes:
        row: The first such record, counted from 0, where Arrow told it.
    """

    def __init__(self, row: int | None = None) -> None:
        super().__init__()
        self.row = row


class FastParser:
    """Parses blocks of JSON text; any thread may use it."""

    def __init__(self, schema: RawSchema) -> None:
        self._wanted = schema.wanted
        self._declared = frozenset(general(name) for name in schema.names)
        self._arrays = arrays_of(schema.names)
        self._record = _struct(nested(schema, TYPES))

    def lines(self, block: bytes) -> tuple[pa.Table, frozenset[str]]:
        """Records one after the other, and the undeclared keys among them.

        Raises:
            NotFastError: when Arrow refuses a record or a number would lose digits.
        """
        parsed = self._parse(block, list(self._record))
        record = pa.struct(list(parsed.schema))
        return self._table(lambda path: _table_path(parsed, path)), self._undeclared(record)

    def array(self, page: bytes, path: tuple[str, ...]) -> tuple[pa.Table, frozenset[str]]:
        """Records of the array at a path of one JSON document.

        Raises:
            NotFastError: as above, or when no array of objects stands there.
        """
        outer: pa.DataType = pa.list_(self._record)
        for name in reversed(path):
            outer = pa.struct([(name, outer)])
        document = b"".join((b'{"r":', page, b"}"))
        parsed = self._parse(document, [pa.field("r", outer)], block_bytes=len(document) + 1)
        if parsed.num_rows != 1 or parsed.column_names != ["r"]:
            raise NotFastError
        found = parsed.column("r").combine_chunks()
        for name in path:
            found = compute.struct_field(found, name)
        if found.null_count:
            raise NotFastError
        records = found.flatten()
        if records.null_count:
            raise NotFastError
        table = self._table(lambda steps: pa.chunked_array([_struct_path(records, steps)]))
        return table, self._undeclared(records.type)

    def records(self, records: list[dict[str, Any]]) -> pa.Table:
        """Records that another parser found; each value has its declared JSON type or is null.

        Raises:
            NotFastError: when a text cannot be encoded or a number would lose digits.
        """
        try:
            array = pa.array(records, self._record)
        except (pa.ArrowInvalid, UnicodeEncodeError, OverflowError) as error:
            raise NotFastError from error
        return self._table(lambda steps: pa.chunked_array([_struct_path(array, steps)]))

    def _parse(
        self, block: bytes, fields: list[pa.Field], block_bytes: int | None = None
    ) -> pa.Table:
        try:
            return arrow_json.read_json(
                pa.BufferReader(block),
                read_options=arrow_json.ReadOptions(
                    use_threads=block_bytes is None, block_size=block_bytes or BLOCK_BYTES
                ),
                parse_options=arrow_json.ParseOptions(
                    explicit_schema=pa.schema(fields), unexpected_field_behavior="infer"
                ),
            )
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            # Rows are counted in a block of Arrow's: a text of several has more than one first row.
            told = _ROW.search(str(error)) if len(block) <= BLOCK_BYTES else None
            raise NotFastError(int(told[1]) if told else None) from error

    def _table(self, column: Any) -> pa.Table:
        arrays = [as_text(column(steps_of(name))) for name in self._wanted]
        return pa.table(arrays, names=list(self._wanted))

    def _undeclared(self, record: pa.DataType) -> frozenset[str]:
        return frozenset(_leaves(record, "", self._arrays)) - self._declared


def as_text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column's values as text; numbers by shortest round trip, never with an exponent.

    Raises:
        NotFastError: when a number's text would have an exponent or lose digits.
    """
    if values.type == pa.string():
        return values
    text = values.cast(pa.string())
    if values.type != pa.float64():
        return text
    largest = compute.max(compute.abs(values)).as_py()
    if largest is not None and largest >= EXACT_INTEGER:
        raise NotFastError
    with_exponent = compute.match_substring(text, EXPONENT)
    if compute.any(with_exponent).as_py():
        whole = compute.floor(values)
        if compute.any(compute.and_(with_exponent, compute.not_equal(whole, values))).as_py():
            raise NotFastError
        text = compute.if_else(with_exponent, whole.cast(pa.int64()).cast(pa.string()), text)
    return text


def nested(schema: RawSchema, kinds: Mapping[str, Any]) -> Tree:
    """What stands for each declared type, by key, nested as the records are."""
    return tree_of({column.name: kinds[column.logical_type] for column in schema.declared})


def _struct(tree: Tree) -> pa.StructType:
    return pa.struct([(name, _kind(value)) for name, value in tree.items()])


def _kind(value: Any) -> pa.DataType:
    if not isinstance(value, dict):
        return value
    return pa.list_(_kind(value[ELEMENT])) if ELEMENT in value else _struct(value)


def _struct_path(records: pa.Array, steps: tuple[str | int, ...]) -> pa.Array:
    for step in steps:
        if isinstance(step, int):
            records = _element(records, step)
        else:
            records = compute.struct_field(records, step)
    return records


def _table_path(records: pa.Table, steps: tuple[str | int, ...]) -> pa.ChunkedArray:
    column = records.column(steps[0])
    if not steps[1:]:
        return column
    if all(isinstance(step, str) for step in steps):
        return compute.struct_field(column, list(steps[1:]))
    return pa.chunked_array([_struct_path(chunk, steps[1:]) for chunk in column.chunks])


def _element(lists: pa.ListArray, place: int) -> pa.Array:
    """The element at a place of each list; null where a list is shorter."""
    at = compute.add(lists.offsets[:-1], place)
    is_there = compute.and_(compute.less(at, lists.offsets[1:]), compute.is_valid(lists))
    return lists.values.take(compute.if_else(is_there, at, None))


def _leaves(kind: pa.DataType, prefix: str, arrays: frozenset[str]) -> Iterator[str]:
    """General names of a struct's fields that hold no fields themselves, as far as declared."""
    for field in kind:
        yield from _ends(field.type, f"{prefix}{field.name}", arrays)


def _ends(kind: pa.DataType, name: str, arrays: frozenset[str]) -> Iterator[str]:
    if pa.types.is_struct(kind) and kind.num_fields:
        yield from _leaves(kind, f"{name}.", arrays)
    elif pa.types.is_list(kind) and name in arrays:
        yield from _ends(kind.value_type, f"{name}{ELEMENT}", arrays)
    else:
        yield name
