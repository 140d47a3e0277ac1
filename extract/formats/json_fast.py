"""JSON records by Arrow's parser, under the types that the contract declares.

Arrow refuses a record whose values have other JSON types; the caller then takes the slow
path. Keys that are not declared are inferred, which costs nothing where there are none, and
so every record of every page is checked for them, not a sample.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.json as arrow_json

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


class NotFastError(Exception):
    """The records need the slow path."""


class FastParser:
    """Parses blocks of JSON text; any thread may use it."""

    def __init__(self, schema: RawSchema) -> None:
        self._wanted = schema.wanted
        self._declared = frozenset(schema.names)
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
            raise NotFastError from error

    def _table(self, column: Any) -> pa.Table:
        arrays = [as_text(column(tuple(name.split(".")))) for name in self._wanted]
        return pa.table(arrays, names=list(self._wanted))

    def _undeclared(self, record: pa.DataType) -> frozenset[str]:
        return frozenset(_leaves(record, "")) - self._declared


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


def nested(schema: RawSchema, kinds: Mapping[str, Any]) -> dict[str, Any]:
    """What stands for each declared type, by key, nested as the dotted names are."""
    tree: dict[str, Any] = {}
    for column in schema.declared:
        *parents, leaf = column.name.split(".")
        level = tree
        for parent in parents:
            level = level.setdefault(parent, {})
        level[leaf] = kinds[column.logical_type]
    return tree


def _struct(tree: Mapping[str, Any]) -> pa.StructType:
    return pa.struct(
        [
            (name, _struct(value) if isinstance(value, dict) else value)
            for name, value in tree.items()
        ]
    )


def _struct_path(records: pa.StructArray, path: tuple[str, ...]) -> pa.Array:
    return compute.struct_field(records, list(path))


def _table_path(records: pa.Table, path: tuple[str, ...]) -> pa.ChunkedArray:
    column = records.column(path[0])
    return compute.struct_field(column, list(path[1:])) if path[1:] else column


def _leaves(kind: pa.DataType, prefix: str) -> Iterator[str]:
    """Dotted names of a struct's fields that are no structs themselves."""
    for field in kind:
        name = f"{prefix}{field.name}"
        if pa.types.is_struct(field.type) and field.type.num_fields:
            yield from _leaves(field.type, f"{name}.")
        else:
            yield name
