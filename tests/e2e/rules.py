"""Contracts from which a rule was taken out."""

from dataclasses import replace
from typing import Any

from warehouse.contract.model import SourceContract, TableContract


def without_rule(
    source: SourceContract, table: TableContract, reason: str
) -> tuple[SourceContract, TableContract]:
    """Both contracts without one rule, wherever it stands."""
    name, _, rule = reason.partition(":")
    gone: dict[str, Any] = {
        "required": {"required": False},
        "enum": {"enum": ()},
        "pattern": {"pattern": None},
        "range": {"minimum": None, "maximum": None},
    }.get(rule, {})
    mapping = tuple(
        replace(each, **gone) if each.column == name else each for each in source.mapping
    )
    columns = tuple(replace(each, **gone) if each.name == name else each for each in table.columns)
    kept = tuple(each for each in source.rules if each.name != rule)
    kept_of_table = tuple(each for each in table.rules if each.name != rule)
    return (
        replace(source, mapping=mapping, rules=kept),
        replace(table, columns=columns, rules=kept_of_table),
    )
