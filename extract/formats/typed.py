"""What formats with types of their own share: declared types are held, or the object is refused."""

from collections.abc import Callable, Mapping

import pyarrow as pa

from extract.errors import Place
from extract.schema import RawSchema


def _is_instant(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind)) and kind.tz is not None


def _is_integer(kind: pa.DataType) -> bool:
    # The greatest of 64 bits without a sign do not fit into BIGINT.
    return bool(pa.types.is_integer(kind)) and kind != pa.uint64()


_HOLDS: Mapping[str, Callable[[pa.DataType], bool]] = {
    "boolean": pa.types.is_boolean,
    "date": pa.types.is_date,
    "integer": _is_integer,
    "timestamp": _is_instant,
}


def check_types(schema: RawSchema, found: pa.Schema, place: Place) -> None:
    """Refuse a column that is declared with a type of its own and holds something else.

    Raises:
        TerminalError: rule `type`.
    """
    for column in schema.declared:
        holds = _HOLDS.get(column.logical_type)
        if holds is None or column.name not in found.names:
            continue
        kind = found.field(column.name).type
        if not holds(kind):
            message = f"declared as {column.logical_type}, but the file holds {kind}"
            raise place.terminal("type", message, column=column.name)
