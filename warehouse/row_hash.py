"""The content hash of a row: the same on every machine and in every library version.

Written out, not taken from DuckDB's `hash()`, which is not promised across versions: a hash
that moved would make every row of every table look changed. Hashing every value as text
cost more than typing it, so fixed-size values enter by multiplication instead (universal
hashing: Carter and Wegman 1979), and MD5 runs once over the row's texts.
"""

import hashlib
import re
from collections.abc import Sequence

from warehouse.contract.model import Column
from warehouse.sql import quoted

_LOW_63_BITS = (1 << 63) - 1
_INTEGERS = frozenset({"BIGINT", "INTEGER", "SMALLINT", "TINYINT", "BOOLEAN"})
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
# A wider decimal times its scale does not fit into 63 bits; it is hashed as text.
_WIDEST_DECIMAL = 18


def _constants(name: str) -> tuple[int, int]:
    """Factor (odd, 56 bits) and offset (119 bits) of a column, drawn from its name.

    The products of 64 columns of 63 bits stay below the 127 bits of a HUGEINT.
    """
    drawn = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(drawn[:7], "big") | 1, int.from_bytes(drawn[8:23], "big") >> 1


def _as_integer(column: Column) -> str | None:
    """The value as an SQL integer expression, None where it is hashed as text."""
    name = quoted(column.name)
    if column.sql_type == "TIMESTAMPTZ":
        return f"epoch_us({name})"
    if column.sql_type == "DATE":
        return f"({name} - DATE '1970-01-01')"
    if column.sql_type in _INTEGERS:
        return name
    decimal = _DECIMAL.fullmatch(column.sql_type)
    if decimal and int(decimal[1]) + int(decimal[2]) <= _WIDEST_DECIMAL:
        return f"({name} * {10 ** int(decimal[2])})::BIGINT"
    return None


def _as_text(column: Column) -> str:
    name = quoted(column.name)
    return name if column.sql_type == "VARCHAR" else f"{name}::VARCHAR"


def row_hash(columns: Sequence[Column], deleted: str) -> str:
    """An SQL BIGINT expression: a 63-bit content hash, negative for a live row.

    Tombstones sort above live rows, so that of two records of one version and one day the
    deletion wins, whichever came first. A null adds nothing, so that a column added to the
    contract leaves the hashes of older rows as they are; an empty text does add, and so do
    the lengths of texts, which make the cuts between them certain.

    Args:
        columns: The business columns.
        deleted: SQL boolean expression: whether the row is a tombstone.
    """
    terms: list[str] = []
    texts: list[str] = []
    for column in columns:
        value = _as_integer(column)
        if value is None:
            texts.append(_as_text(column))
            value = f"strlen({texts[-1]})"
        factor, offset = _constants(column.name)
        terms.append(f"coalesce({value}::HUGEINT * {factor} + {offset}, 0)")
    numbers = f"(({' + '.join(terms)}) & {_LOW_63_BITS}::HUGEINT)::BIGINT"
    joined = f"concat({', '.join(texts)})" if texts else "''"
    bits = f"xor({numbers}, (md5_number({joined}) & {_LOW_63_BITS}::UHUGEINT)::BIGINT)"
    return f"CASE WHEN {deleted} THEN {bits} ELSE -1 - {bits} END"
