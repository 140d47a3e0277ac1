"""What a publication may expect of its rows: columns that exist and have a fitting type.

Which expectations there are, and their arguments, stands in `schemas/expectation.json`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from warehouse.contract.document import Document, Location
from warehouse.contract.model import TableContract
from warehouse.contract.problem import Problem
from warehouse.contract.read import LOGICAL_TYPES, pattern_error

_COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list")
_NUMBERS = frozenset({"integer", "number"})
_TEXT = frozenset({"string"})
_ANY = frozenset(LOGICAL_TYPES.values())
_LOGICAL_TYPES = {
    "expect_column_values_to_be_between": _NUMBERS,
    "expect_column_max_to_be_between": _NUMBERS,
    "expect_column_mean_to_be_between": _NUMBERS,
    "expect_column_min_to_be_between": _NUMBERS,
    "expect_column_sum_to_be_between": _NUMBERS,
    "expect_column_value_lengths_to_be_between": _TEXT,
    "expect_column_values_to_match_regex": _TEXT,
    "expect_column_values_to_not_match_regex": _TEXT,
}


def columns_of(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that an expectation's arguments name."""
    names: list[str] = []
    for argument in _COLUMN_ARGUMENTS:
        value = arguments.get(argument, ())
        names += [value] if isinstance(value, str) else value
    return tuple(names)


def expectation_problems(
    document: Document, marts: Mapping[str, TableContract]
) -> Iterator[Problem]:
    """What is wrong with a publication's expectations beyond their schema."""
    taken = {part["mart"] for part in document.data["parts"]}
    seen: set[str] = set()
    for index, node in enumerate(document.data.get("quality", ())):
        place: Location = ("quality", index)
        if node["name"] in seen:
            message = f"{node['name']!r} stands here twice"
            yield document.problem((*place, "name"), "citylake.duplicate_rule", message)
        seen.add(node["name"])
        if "mart" not in node and len(taken) > 1:
            message = "names its mart, since the parts take rows of several"
            yield document.problem(place, "citylake.missing_key", message)
            continue
        mart = node.get("mart", document.data["parts"][0]["mart"])
        if mart not in taken:
            message = "is no mart of the parts"
            yield document.problem((*place, "mart"), "citylake.unknown_mart", message)
        elif mart in marts:
            yield from _argument_problems(document, (*place, "implementation"), node, marts[mart])


def _argument_problems(
    document: Document, place: Location, node: Mapping[str, Any], mart: TableContract
) -> Iterator[Problem]:
    kind, arguments = node["implementation"]["type"], node["implementation"]["kwargs"]
    wanted = _LOGICAL_TYPES.get(kind, _ANY)
    known = {column.name: column.sql_type for column in mart.columns}
    for argument in _COLUMN_ARGUMENTS:
        at = (*place, "kwargs", argument)
        for name in columns_of({argument: arguments.get(argument, ())}):
            if name not in known:
                message = f"{mart.name} has no column {name!r}"
                yield document.problem(at, "citylake.unknown_column", message)
            elif LOGICAL_TYPES[known[name].partition("(")[0]] not in wanted:
                message = f"column {name!r} is {known[name]}, not {' or '.join(sorted(wanted))}"
                yield document.problem(at, "citylake.wrong_type", message)
    wrong = pattern_error(arguments.get("regex", ""))
    if wrong:
        yield document.problem((*place, "kwargs", "regex"), "citylake.pattern", wrong)
