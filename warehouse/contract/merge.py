"""A source contract laid over its table contract: it may tighten, never loosen."""

from collections.abc import Iterator
from dataclasses import replace

from warehouse.contract.model import (
    Classification,
    Column,
    Mapped,
    SourceContract,
    TableContract,
)
from warehouse.contract.problem import Problem, raise_on
from warehouse.contract.read import LOGICAL_TYPES

_STRICTNESS = {
    Classification.OPEN: 0,
    Classification.INTERNAL: 1,
    Classification.PERSONAL: 2,
}


def merge(source: SourceContract, table: TableContract) -> TableContract:
    """The table's contract as it holds for the records of one stream.

    Returns:
        The table with the source's tightened columns, and its rules after the table's.

    Raises:
        ContractError: when the source maps a column that the table lacks or derives, leaves a
            required one unmapped, loosens anything, or repeats a rule's name.
    """
    raise_on(list(merge_problems(source, table)))
    mapped = {each.column: each for each in source.mapping}
    columns = tuple(
        _tightened(column, mapped[column.name]) if column.name in mapped else column
        for column in table.columns
    )
    return replace(table, columns=columns, rules=table.rules + source.rules)


def _tightened(column: Column, mapped: Mapped) -> Column:
    return replace(
        column,
        required=column.required or bool(mapped.required),
        enum=mapped.enum or column.enum,
        minimum=column.minimum if mapped.minimum is None else mapped.minimum,
        maximum=column.maximum if mapped.maximum is None else mapped.maximum,
        pattern=mapped.pattern or column.pattern,
        classification=mapped.classification or column.classification,
    )


def merge_problems(source: SourceContract, table: TableContract) -> Iterator[Problem]:
    """Everything in which the source does not fit its table."""
    columns = {column.name: column for column in table.columns}
    for mapped in source.mapping:
        column = columns.get(mapped.column)
        if column is None:
            message = f"table {table.name!r} has no column {mapped.column!r}"
            yield Problem(source.path, mapped.line, "citylake.unknown_column", message)
        elif column.derived is not None:
            message = f"column {mapped.column!r} is derived by the table: it is not mapped"
            yield Problem(source.path, mapped.line, "citylake.derived_column", message)
        else:
            yield from _loosened(source, mapped, column)
            yield from _misplaced(source, mapped, column)
    yield from _unmapped(source, table)
    yield from _repeated_rules(source, table)


def _unmapped(source: SourceContract, table: TableContract) -> Iterator[Problem]:
    """Required columns and columns of the key that nothing fills."""
    mapped = {each.column for each in source.mapping}
    line = min((each.line for each in source.mapping), default=1)
    for column in table.columns:
        if (column.required or column.name in table.key) and column.name not in mapped:
            message = f"required column {column.name!r} of table {table.name!r} is not mapped"
            yield Problem(source.path, line, "citylake.unmapped_column", message)


def _repeated_rules(source: SourceContract, table: TableContract) -> Iterator[Problem]:
    names = {rule.name for rule in table.rules}
    for rule in source.rules:
        if rule.name in names:
            message = f"table {table.name!r} has a rule {rule.name!r}: give this one its own name"
            yield Problem(source.path, rule.line, "citylake.duplicate_rule", message)


def _loosened(source: SourceContract, mapped: Mapped, column: Column) -> Iterator[Problem]:
    """In what a mapping asks less than its table."""
    for what, loosened in (
        ("classification", _is_less_strict(mapped.classification, column.classification)),
        ("required", mapped.required is False and column.required),
        ("enum", bool(column.enum) and not set(mapped.enum) <= set(column.enum)),
        ("minimum", _is_beyond(column.minimum, mapped.minimum)),
        ("maximum", _is_beyond(mapped.maximum, column.maximum)),
        ("pattern", bool(column.pattern) and mapped.pattern not in (None, column.pattern)),
    ):
        if loosened:
            message = f"{what} of column {column.name!r} is looser than the table's"
            yield Problem(source.path, mapped.line, "citylake.loosened", message)


def _misplaced(source: SourceContract, mapped: Mapped, column: Column) -> Iterator[Problem]:
    """What a mapping says that means nothing for the type of its column."""
    kind = column.sql_type.partition("(")[0]
    if mapped.logical_type != LOGICAL_TYPES[kind]:
        message = f"logicalType of column {column.name!r} is {LOGICAL_TYPES[kind]}"
        yield Problem(source.path, mapped.line, "citylake.logical_type", message)
    for what, given, kinds in (
        ("formats", mapped.formats, ("DATE", "TIMESTAMPTZ")),
        ("timezone", mapped.timezone, ("TIMESTAMPTZ",)),
        ("enum", mapped.enum, ("VARCHAR",)),
    ):
        if given and kind not in kinds:
            message = f"{what} means nothing for column {column.name!r}, a {kind}"
            yield Problem(source.path, mapped.line, "citylake.option", message)


def _is_less_strict(given: Classification | None, least: Classification) -> bool:
    return given is not None and _STRICTNESS[given] < _STRICTNESS[least]


def _is_beyond(upper: float | None, lower: float | None) -> bool:
    """Whether both are set and the one that should be the lower is the greater."""
    return upper is not None and lower is not None and lower < upper
