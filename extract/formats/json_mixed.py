"""JSON records of which a few hold values of another JSON type than the contract declares.

Arrow refuses a whole page for one such value. Here the standard library parses the page, the
records that are as declared become Arrow's columns at once, and only the others are read
value by value as `json_slow` reads them.
"""

import json
from typing import Any

import pyarrow as pa

from extract.formats.json_fast import EXACT_INTEGER, FastParser, NotFastError, nested
from extract.formats.json_path import ELEMENT
from extract.formats.json_slow import Shapes, TextColumns, plain_text
from extract.schema import RawSchema

KINDS = {
    "string": (str,),
    "number": (float, int),
    "integer": (int,),
    "boolean": (bool,),
}
Expected = dict[str, "tuple[type, ...] | Expected"]


def loads(text: str) -> Any:
    """A JSON document, numbers as Python's.

    Raises:
        NotFastError: on anything that is not JSON: `json_slow.loads` says what is wrong.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except (json.JSONDecodeError, RecursionError) as error:
        raise NotFastError from error


class MixedColumns:
    """Collects records as columns of text; the same columns as `TextColumns` gives.

    Attributes:
        count: Number of records taken.
    """

    def __init__(self, schema: RawSchema, fast: FastParser) -> None:
        self._fast = fast
        self._expected: Expected = nested(schema, KINDS)
        self._good: list[dict[str, Any]] = []
        self._good_at: list[int] = []
        self._others = TextColumns(schema.wanted, schema.names)
        self._others_at: list[int] = []
        self._shapes = Shapes(schema.names)
        self.count = 0

    @property
    def undeclared(self) -> set[str]:
        """Dotted names of keys that are not declared."""
        return self._shapes.undeclared | self._others.undeclared

    def add(self, record: Any) -> None:
        """Take one record.

        Raises:
            RecordError: when it is no object, or holds half of a surrogate pair.
            NotFastError: when a number of it needs its own text to be told exactly.
        """
        if isinstance(record, dict) and _conforms(record, self._expected):
            self._shapes.look_at(record)
            self._good.append(record)
            self._good_at.append(self.count)
        else:
            self._others.add(_with_text_numbers(record))
            self._others_at.append(self.count)
        self.count += 1

    def table(self) -> pa.Table:
        """The collected records in their order, one string column a wanted column.

        Raises:
            NotFastError: when a text cannot be encoded or a number would lose digits.
        """
        good = self._fast.records(self._good)
        if not self._others_at:
            return good
        at = self._good_at + self._others_at
        order = sorted(range(len(at)), key=at.__getitem__)
        return pa.concat_tables([good, self._others.table()]).take(pa.array(order, pa.int64()))


def _conforms(record: dict[str, Any], expected: Expected) -> bool:
    """Whether every declared value of a record has its declared JSON type or is null."""
    return all(_fits(record.get(name), kinds) for name, kinds in expected.items())


def _fits(value: Any, kinds: "tuple[type, ...] | Expected") -> bool:
    if value is None:
        return True
    if not isinstance(kinds, dict):
        return type(value) in kinds
    if ELEMENT in kinds:
        return isinstance(value, list) and all(_fits(each, kinds[ELEMENT]) for each in value)
    return isinstance(value, dict) and _conforms(value, kinds)


def _with_text_numbers(record: Any) -> Any:
    """The record as `json_slow.loads` gives it."""
    text = json.dumps(record)
    return json.loads(text, parse_float=_number, parse_int=plain_text, parse_constant=_refuse)


def _number(literal: str) -> str:
    value = float(literal)
    if not abs(value) < EXACT_INTEGER:
        raise NotFastError
    return plain_text(literal)


def _refuse(name: str) -> Any:
    raise NotFastError
