"""Suites of expectations, generated from mart contracts and from what publications declare.

Nothing here imports Great Expectations: `contract check` and the plan of the gate need names only.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from quality.frames import ROWS, STRUCTURE
from warehouse.contract.model import Classification, Column, Severity, TableContract
from warehouse.expectation_checks import columns_of
from warehouse.publication import Publication


@dataclass(frozen=True)
class SuiteCheck:
    """One expectation of a suite.

    Attributes:
        check: Name of the check, unique in its publication.
        mart: Name of the mart.
        kind: Type of the expectation as Great Expectations names it.
        arguments: Of the expectation.
        severity: What a failure does.
        frame: `rows` of the publication in the mart, or the mart's `structure`: one row a
            column with its `declared` and its `found` type.
        is_open: Whether it looks at open columns only, so that aggregates may be shown.
    """

    check: str
    mart: str
    kind: str
    arguments: Mapping[str, Any]
    severity: Severity = Severity.BLOCK
    frame: str = ROWS
    is_open: bool = True


def suite(
    publication: Publication,
    contracts: Mapping[str, TableContract],
    previous_rows: Mapping[str, int] | None = None,
) -> list[SuiteCheck]:
    """All expectations on a publication's candidate.

    Args:
        publication: Names marts, rows, thresholds and expectations of its own.
        contracts: Mart contracts by name.
        previous_rows: Mart -> number of rows that were promoted last; a mart that is not there
            has nothing to be compared with. The names of the checks do not depend on it.

    Raises:
        KeyError: when a mart of the publication has no contract.
    """
    found: list[SuiteCheck] = []
    for mart in publication.marts:
        contract = contracts[mart]
        found += _structure(contract)
        for column in contract.columns:
            found += _of_column(contract, column)
        found.append(_key(contract))
        allowed = publication.policy.max_row_count_change
        if allowed is not None:
            found.append(_row_count(mart, allowed, (previous_rows or {}).get(mart)))
    found += _declared(publication, contracts)
    return found


def core_suite(table: TableContract) -> list[SuiteCheck]:
    """The expectations on rows of a core table, from its contract."""
    named = replace(table, name=f"core.{table.name}")
    found = [check for column in table.columns for check in _of_column(named, column)]
    kind = "expect_compound_columns_to_be_unique"
    # A key names a row within its source.
    arguments = {"column_list": ["_source", *table.key], "ignore_row_if": "never"}
    is_open = _all_open(table, table.key)
    found.append(SuiteCheck(f"{named.name}:{kind}", named.name, kind, arguments, is_open=is_open))
    return found


def _structure(contract: TableContract) -> Iterator[SuiteCheck]:
    names = [column.name for column in contract.columns]
    yield SuiteCheck(
        f"{contract.name}:expect_table_columns_to_match_ordered_list",
        contract.name,
        "expect_table_columns_to_match_ordered_list",
        {"column_list": names},
    )
    yield SuiteCheck(
        f"{contract.name}:column_types",
        contract.name,
        "expect_column_pair_values_to_be_equal",
        {"column_A": "declared", "column_B": "found", "ignore_row_if": "neither"},
        frame=STRUCTURE,
    )


def _of_column(contract: TableContract, column: Column) -> Iterator[SuiteCheck]:
    """What the contract says of a column, each as one expectation."""
    wanted: dict[str, dict[str, Any]] = {}
    if column.required:
        wanted["expect_column_values_to_not_be_null"] = {}
    if column.enum:
        wanted["expect_column_values_to_be_in_set"] = {"value_set": list(column.enum)}
    limits = {"min_value": column.minimum, "max_value": column.maximum}
    limits = {name: limit for name, limit in limits.items() if limit is not None}
    if limits:
        wanted["expect_column_values_to_be_between"] = limits
    if column.pattern is not None:
        wanted["expect_column_values_to_match_regex"] = {"regex": column.pattern}
    for kind, arguments in wanted.items():
        yield SuiteCheck(
            f"{contract.name}.{column.name}:{kind}",
            contract.name,
            kind,
            {"column": column.name, **arguments},
            is_open=_all_open(contract, (column.name,)),
        )


def _key(contract: TableContract) -> SuiteCheck:
    """The key is unique; a missing value is a value like any other, as in the contract checks."""
    if len(contract.key) == 1:
        kind = "expect_column_values_to_be_unique"
        arguments: dict[str, Any] = {"column": contract.key[0]}
    else:
        kind = "expect_compound_columns_to_be_unique"
        arguments = {"column_list": list(contract.key), "ignore_row_if": "never"}
    return SuiteCheck(
        f"{contract.name}:{kind}",
        contract.name,
        kind,
        arguments,
        is_open=_all_open(contract, contract.key),
    )


def _row_count(mart: str, allowed: float, before: int | None) -> SuiteCheck:
    """The number of rows stays near that of the last promotion; before the first, any passes."""
    kind = "expect_table_row_count_to_be_between"
    arguments = {"min_value": 0}
    if before is not None:
        arguments = {
            "min_value": math.ceil(before * max(0.0, 1 - allowed)),
            "max_value": math.floor(before * (1 + allowed)),
        }
    return SuiteCheck(f"{mart}:{kind}", mart, kind, arguments, Severity.HOLD)


def _declared(
    publication: Publication, contracts: Mapping[str, TableContract]
) -> Iterator[SuiteCheck]:
    for each in publication.expectations:
        yield SuiteCheck(
            f"{each.mart}:{each.name}",
            each.mart,
            each.kind,
            each.arguments,
            each.severity,
            is_open=_all_open(contracts[each.mart], columns_of(each.arguments)),
        )


def _all_open(contract: TableContract, names: tuple[str, ...]) -> bool:
    return all(contract.column(name).classification is Classification.OPEN for name in names)
