"""Rules of table and source contracts that do not quarantine a row, run on the pinned core."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date

from quality.result import CheckResult, CheckStatus, PlannedCheck
from quality.row_checks import Count, RowCheck, count_broken
from warehouse.contract.model import Rule, Severity, SourceContract, TableContract
from warehouse.duck import session
from warehouse.lake import Snapshot
from warehouse.sql import date_literal, literal
from warehouse.views import relation_sql

ENGINE = "contract"


@dataclass(frozen=True)
class CoreScope:
    """The core rows that publications are built from, and the rules on them.

    Attributes:
        tables: Publication -> contracts of its core tables.
        sources: Contracts of every source of the city.
        snapshots: Pinned version by table; None where there is no table yet.
        as_of: The processing day; `_as_of` in rules.
        promoted: Publication -> version by table that its last promotion was built from.
    """

    tables: Mapping[str, Sequence[TableContract]]
    sources: Sequence[SourceContract]
    snapshots: Mapping[str, Snapshot | None]
    as_of: date
    promoted: Mapping[str, Mapping[str, Snapshot]] = field(default_factory=dict)


def planned(publication: str, scope: CoreScope) -> list[PlannedCheck]:
    """The checks that `run` gives a result of."""
    return [
        PlannedCheck(publication, check.name, ENGINE, check.severity)
        for table in scope.tables.get(publication, ())
        for check in _checks(table, scope)
    ]


def run(scope: CoreScope) -> list[CheckResult]:
    """Count the rows that break each rule, in one scan a table, for all publications.

    A table whose rules cannot be evaluated gives errored results, which reject.

    Returns:
        One result for each planned check of every publication. Failing rows are named by hashes of
        their keys.
    """
    found: dict[str, list[Count] | Exception] = {}
    results = []
    for publication, tables in scope.tables.items():
        for table in tables:
            checks = _checks(table, scope)
            if not checks:
                continue
            if table.name not in found:
                found[table.name] = _counts(table, checks, scope)
            results += _results(publication, checks, found[table.name])
    return results


def _checks(table: TableContract, scope: CoreScope) -> list[RowCheck]:
    """The rules of a table for all of its rows, and of each source for its own."""
    found = [_check(table, rule, "true") for rule in table.rules if _is_told(rule)]
    for source in scope.sources:
        if source.table == table.name:
            own = f"_source = {literal(source.id)}"
            found += [_check(table, rule, own, source) for rule in source.rules if _is_told(rule)]
    return found


def _is_told(rule: Rule) -> bool:
    """Whether a row that breaks the rule is in core: those of severity block are in quarantine."""
    return rule.severity is not Severity.BLOCK


def _check(
    table: TableContract, rule: Rule, where: str, source: SourceContract | None = None
) -> RowCheck:
    place = f"core.{table.name}.{rule.column}:{rule.name}"
    name = f"{place}@{source.id}" if source else place
    return RowCheck(name, rule.severity, f"{where} AND NOT coalesce(({rule.expression}), true)")


def _counts(
    table: TableContract, checks: Sequence[RowCheck], scope: CoreScope
) -> list[Count] | Exception:
    relation = relation_sql(scope.snapshots.get(table.name), table)
    dated = f"SELECT *, {date_literal(scope.as_of)} AS _as_of FROM ({_without_as_of(relation)})"  # noqa: S608 - our own text
    try:
        with closing(session()) as connection:
            return count_broken(connection, dated, table.key, checks)
    except Exception as error:  # noqa: BLE001 - whatever a check raises must reject, not end the run
        return error


def _without_as_of(relation: str) -> str:
    """A rule's `_as_of` is the processing day, as when the row was loaded, not the row's own."""
    return f"SELECT * EXCLUDE (_as_of) FROM ({relation})"  # noqa: S608 - our own text


def _results(
    publication: str, checks: Sequence[RowCheck], found: list[Count] | Exception
) -> list[CheckResult]:
    if isinstance(found, Exception):
        # An engine's message may quote a value of the row: only its kind is told.
        status, text = CheckStatus.ERRORED, type(found).__name__
        return [
            CheckResult(publication, check.name, ENGINE, check.severity, status, message=text)
            for check in checks
        ]
    return [
        CheckResult(
            publication,
            check.name,
            ENGINE,
            check.severity,
            CheckStatus.FAILED if count.failing else CheckStatus.PASSED,
            observed=count.failing,
            expected=0,
            failing=count.failing,
            failing_keys=count.keys,
            message=f"{count.failing} of {count.rows} rows of core" if count.failing else "",
        )
        for check, count in zip(checks, found, strict=True)
    ]
