"""JSON records by the standard library: every value as text, whatever its JSON type."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa

from extract.formats.json_fast import EXACT_INTEGER
from extract.formats.json_path import ELEMENT, arrays_of, general, steps_of, value_at

# Keys of an object in their order; a key that holds an object stands with that object's shape, one
# that holds an array with the shapes of the objects in it.
Shape = tuple["str | tuple[str, Shape]", ...]


class RecordError(Exception):
    """One record cannot be delivered as text."""


def loads(text: str) -> Any:
    """A JSON document in which every number is its plain text.

    Raises:
        json.JSONDecodeError: on anything that is not JSON; `NaN` and `Infinity` are not.
    """

    def refuse(name: str) -> Any:
        raise json.JSONDecodeError(f"{name} is not JSON", text, text.find(name))

    try:
        return json.loads(text, parse_float=plain_text, parse_int=plain_text, parse_constant=refuse)
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", text, 0) from None


class Shapes:
    """Finds undeclared keys; records of one source have few shapes, each is looked at once.

    Attributes:
        undeclared: Dotted names of keys that are not declared.
    """

    def __init__(self, declared: tuple[str, ...]) -> None:
        self._declared = frozenset(general(name) for name in declared)
        self._arrays = arrays_of(declared)
        self._seen: set[Shape] = set()
        self.undeclared: set[str] = set()

    def look_at(self, record: dict[str, Any]) -> None:
        """Note the undeclared keys of a record."""
        shape = _shape(record)
        if shape not in self._seen:
            self._seen.add(shape)
            self.undeclared.update(set(_leaves(record, "", self._arrays)) - self._declared)


class TextColumns:
    """Collects records as columns of text.

    Attributes:
        count: Number of records taken.
    """

    def __init__(self, wanted: tuple[str, ...], declared: tuple[str, ...]) -> None:
        self._paths = [(name, steps_of(name)) for name in wanted]
        self._values: dict[str, list[str | None]] = {name: [] for name in wanted}
        self._shapes = Shapes(declared)
        self.count = 0

    @property
    def undeclared(self) -> set[str]:
        """Dotted names of keys that are not declared."""
        return self._shapes.undeclared

    def add(self, record: Any) -> None:
        """Take one record.

        Raises:
            RecordError: when it is no object, or holds half of a surrogate pair.
        """
        if not isinstance(record, dict):
            raise RecordError
        values = {name: _text(value_at(record, path)) for name, path in self._paths}
        for value in values.values():
            _check_encodable(value)
        for name, value in values.items():
            self._values[name].append(value)
        self._shapes.look_at(record)
        self.count += 1

    def table(self) -> pa.Table:
        """The collected records, one string column a wanted column."""
        return pa.table(
            {name: pa.array(values, pa.string()) for name, values in self._values.items()}
        )


def plain_text(literal: str) -> str:
    """The text that the fast path gives for a number, the literal where that loses digits."""
    value = float(literal)
    if not abs(value) < EXACT_INTEGER:
        return literal
    if value.is_integer():
        return str(int(value))
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text else text


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _check_encodable(value: str | None) -> None:
    if value is not None and not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise RecordError from error


def _shape(record: dict[str, Any]) -> Shape:
    """The keys of a record and of the objects in it."""
    return tuple(
        (name, inner) if (inner := _inner_shape(value)) is not None else name
        for name, value in record.items()
    )


def _inner_shape(value: Any) -> Any:
    if isinstance(value, dict):
        return _shape(value)
    if isinstance(value, list):
        return tuple(dict.fromkeys(_inner_shape(each) for each in value))
    return None


def _leaves(record: dict[str, Any], prefix: str, arrays: frozenset[str]) -> Iterator[str]:
    for name, value in record.items():
        yield from _ends(value, f"{prefix}{name}", arrays)


def _ends(value: Any, name: str, arrays: frozenset[str]) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield from _leaves(value, f"{name}.", arrays)
    elif isinstance(value, list) and name in arrays:
        for each in value:
            yield from _ends(each, f"{name}{ELEMENT}", arrays)
    elif value is not None or name not in arrays:
        yield name
