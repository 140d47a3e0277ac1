"""Checks of single rows of a mart: what a contract says of its columns, in one scan."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from warehouse.contract.model import Column, Severity, TableContract
from warehouse.sql import literal, literal_list, quoted

SAMPLE = 5
_HASH_DIGITS = 16


@dataclass(frozen=True)
class RowCheck:
    """A check that every row passes or breaks.

    Attributes:
        name: `<mart>.<column>:<rule>`.
        broken: SQL condition that is true for the rows that break it.
    """

    name: str
    severity: Severity
    broken: str


@dataclass(frozen=True)
class Count:
    """How many rows were read, how many break a check, and hashes of the keys of a few."""

    rows: int
    failing: int
    keys: tuple[str, ...]


def row_checks(contract: TableContract) -> list[RowCheck]:
    """The row checks of a mart, in order of its columns, then its rules."""
    checks = [
        RowCheck(f"{contract.name}.{column.name}:{rule}", Severity.BLOCK, broken)
        for column in contract.columns
        for rule, broken in _column_rules(column)
    ]
    checks += [
        RowCheck(
            f"{contract.name}.{rule.column}:{rule.name}",
            rule.severity,
            f"NOT coalesce(({rule.expression}), true)",
        )
        for rule in contract.rules
    ]
    # An aggregate over nothing leaves one row of nulls: no key is a sure sign of it.
    empty = " AND ".join(f"{quoted(name)} IS NULL" for name in contract.key) or "false"
    checks.append(RowCheck(f"{contract.name}:no_all_null_row", Severity.BLOCK, empty))
    return checks


def key_hash(columns: Sequence[str]) -> str:
    """SQL of the surrogate that reports show in place of a key."""
    texts = " || ',' || ".join(
        f"coalesce('\"' || replace(CAST({quoted(name)} AS VARCHAR), '\"', '\"\"') || '\"', '')"
        for name in columns
    )
    return f"left(sha256({texts}), {_HASH_DIGITS})"


def count_broken(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    key: Sequence[str],
    checks: Sequence[RowCheck],
) -> list[Count]:
    """Count the rows that break each check, in one scan of the relation.

    Args:
        connection: Session that can read the relation.
        relation: SELECT text of the rows.
        key: Columns that name a row.
        checks: What to count.

    Returns:
        One count for each check, in their order.

    Raises:
        duckdb.Error: when any of the checks cannot be evaluated.
    """
    measures = ["count(*)"]
    for check in checks:
        measures.append(f"count(*) FILTER (WHERE {check.broken})")
        measures.append(f"min(CASE WHEN {check.broken} THEN {key_hash(key)} END, {SAMPLE})")
    row = connection.execute(
        f"SELECT {', '.join(measures)} FROM ({relation})"  # noqa: S608 - contract expressions, sandboxed when read
    ).fetchall()[0]
    return [
        Count(row[0], row[1 + 2 * position], tuple(row[2 + 2 * position] or ()))
        for position in range(len(checks))
    ]


def _column_rules(column: Column) -> list[tuple[str, str]]:
    """Rule name and broken condition of what the contract says of a column."""
    name = quoted(column.name)
    rules = []
    if column.required:
        rules.append(("required", f"{name} IS NULL"))
    if column.enum:
        allowed = literal_list(column.enum)
        rules.append(("enum", f"NOT list_contains({allowed}, CAST({name} AS VARCHAR))"))
    if column.minimum is not None:
        rules.append(("minimum", f"{name} < {column.minimum!r}"))
    if column.maximum is not None:
        rules.append(("maximum", f"{name} > {column.maximum!r}"))
    if column.pattern is not None:
        rules.append(("pattern", f"NOT regexp_matches({name}, {literal(column.pattern)})"))
    return rules
