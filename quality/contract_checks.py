"""Checks that follow from mart contracts and publications, run on a candidate mart file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import duckdb

from quality.previous_checks import Finding, coverage, magnitude
from quality.result import CheckResult, CheckStatus, PlannedCheck
from quality.row_checks import SAMPLE, Count, RowCheck, count_broken, key_hash, row_checks
from warehouse.contract.model import Classification, Severity, TableContract
from warehouse.mart_file import columns_of, rows_sql
from warehouse.publication import Publication
from warehouse.sql import date_literal, quoted_list

ENGINE = "contract"

T = TypeVar("T")


@dataclass(frozen=True)
class Scope:
    """What is checked, and against what.

    Attributes:
        candidate: Name under which the candidate file is attached.
        previous: Name under which the current promoted file is attached, or None before the
            publication's first promotion.
        as_of: The processing day; `_as_of` in rules.
        data_as_of: Greatest as-of of the batches that the candidate's inputs hold.
        health_tables: Core tables on people's health that the publication is built from.
    """

    candidate: str
    previous: str | None
    as_of: date
    data_as_of: date
    health_tables: tuple[str, ...] = ()


def planned(publication: Publication, contracts: Mapping[str, TableContract]) -> list[PlannedCheck]:
    """The checks that `run` gives a result of, whatever happens.

    Raises:
        KeyError: when a mart of the publication has no contract.
    """
    checks: list[tuple[str, Severity]] = [("not_empty", Severity.BLOCK), ("health", Severity.BLOCK)]
    for mart in publication.marts:
        contract = contracts[mart]
        checks.append((f"{mart}:columns", Severity.BLOCK))
        checks.extend((check.name, check.severity) for check in row_checks(contract))
        checks.append((f"{mart}:unique_key", Severity.BLOCK))
        checks.append((f"{mart}:coverage", Severity.HOLD))
        checks.extend(
            (f"{mart}.{column}:magnitude", Severity.HOLD)
            for column in _magnitude_columns(publication, contract)
        )
    if publication.is_open:
        checks += [("open_columns", Severity.BLOCK), ("published_key", Severity.BLOCK)]
    if publication.policy.max_age_days is not None:
        checks.append(("freshness", publication.policy.freshness_severity))
    return [PlannedCheck(publication.name, name, ENGINE, severity) for name, severity in checks]


def run(
    connection: duckdb.DuckDBPyConnection,
    publication: Publication,
    contracts: Mapping[str, TableContract],
    scope: Scope,
) -> list[CheckResult]:
    """Run the planned checks of a publication.

    Row checks of a mart share one scan. A check that raises gives an errored result, never a
    passed one, and does not keep the others from running.

    Args:
        connection: Session with the mart files attached.
        publication: Names rows and thresholds.
        contracts: Mart contracts by name.
        scope: What is attached under which name, and the days.

    Returns:
        One result for each planned check. Messages and samples hold counts and hashes only.
    """
    results: dict[str, Finding | Exception] = {}
    counts = []
    for mart in publication.marts:
        contract = contracts[mart]
        relation = rows_sql(scope.candidate, mart, publication.parts)
        found = _scan(connection, contract, relation, scope.as_of)
        counts.append(found[f"{mart}:no_all_null_row"])
        results |= {name: _row_finding(count) for name, count in found.items()}
        results |= _mart_findings(connection, publication, contract, scope)
    results["not_empty"] = _not_empty(counts)
    results["health"] = _health(publication, contracts, scope)
    if publication.is_open:
        contract = contracts[publication.marts[0]]
        results["open_columns"] = _guarded(lambda: _open_columns(publication, contract))
        results["published_key"] = _guarded(
            lambda: _unique_key(
                connection, publication, contract.name, publication.key, scope.candidate
            )
        )
    if publication.policy.max_age_days is not None:
        results["freshness"] = _freshness(publication.policy.max_age_days, scope)
    return [_result(check, results.get(check.check)) for check in planned(publication, contracts)]


def _magnitude_columns(publication: Publication, contract: TableContract) -> list[str]:
    names = {column.name for column in contract.columns}
    return [name for name in publication.policy.magnitude_columns if name in names]


def _mart_findings(
    connection: duckdb.DuckDBPyConnection,
    publication: Publication,
    contract: TableContract,
    scope: Scope,
) -> dict[str, Finding | Exception]:
    """The checks of one mart that need more than its rows one by one."""
    mart = contract.name
    found = {
        f"{mart}:columns": _guarded(lambda: _columns(connection, contract, scope.candidate)),
        f"{mart}:unique_key": _guarded(
            lambda: _unique_key(connection, publication, mart, contract.key, scope.candidate)
        ),
        f"{mart}:coverage": _guarded(
            lambda: coverage(connection, publication, contract, scope.candidate, scope.previous)
        ),
    }
    for column in _magnitude_columns(publication, contract):
        found[f"{mart}.{column}:magnitude"] = _guarded(
            lambda name=column: magnitude(  # type: ignore[misc]
                connection, publication, contract, name, scope.candidate, scope.previous
            )
        )
    return found


def _guarded(check: Callable[[], T]) -> T | Exception:
    """What the check gives, or what it raised."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever a check raises must reject, not end the run
        return error


def _scan(
    connection: duckdb.DuckDBPyConnection, contract: TableContract, relation: str, as_of: date
) -> dict[str, Count | Exception]:
    """Counts of the row checks by name: one scan, or one each where a check cannot be evaluated."""
    checks = row_checks(contract)
    dated = f"SELECT *, {date_literal(as_of)} AS _as_of FROM ({relation})"  # noqa: S608 - names are quoted

    def counted(some: Sequence[RowCheck]) -> list[Count]:
        return count_broken(connection, dated, contract.key, some)

    together = _guarded(lambda: counted(checks))
    if not isinstance(together, Exception):
        return {check.name: count for check, count in zip(checks, together, strict=True)}
    alone: dict[str, Count | Exception] = {}
    for check in checks:
        result = _guarded(lambda check=check: counted([check])[0])  # type: ignore[misc]
        alone[check.name] = result
    return alone


def _row_finding(count: Count | Exception) -> Finding | Exception:
    if isinstance(count, Exception):
        return count
    return Finding(
        passed=count.failing == 0,
        observed=count.failing,
        expected=0,
        failing=count.failing,
        keys=count.keys,
    )


def _not_empty(counts: Sequence[Count | Exception]) -> Finding | Exception:
    rows = 0
    for count in counts:
        if isinstance(count, Exception):
            return count
        rows += count.rows
    return Finding(passed=rows > 0, observed=rows, expected={"minimum": 1})


def _columns(
    connection: duckdb.DuckDBPyConnection, contract: TableContract, candidate: str
) -> Finding:
    """Whether the candidate has the contract's columns with their types (more may be there)."""
    present = columns_of(connection, candidate, contract.name)
    wrong = []
    for column in contract.columns:
        wanted = connection.execute(f"SELECT typeof(CAST(NULL AS {column.sql_type}))").fetchall()
        if present.get(column.name) != wanted[0][0]:
            wrong.append(f"{column.name} is {present.get(column.name)}, not {wanted[0][0]}")
    return Finding(passed=not wrong, observed=len(wrong), expected=0, message="; ".join(wrong))


def _unique_key(
    connection: duckdb.DuckDBPyConnection,
    publication: Publication,
    mart: str,
    key: Sequence[str],
    candidate: str,
) -> Finding:
    """Whether each key stands once; nulls count as equal."""
    keys = quoted_list(key)
    relation = rows_sql(candidate, mart, publication.parts)
    row = connection.execute(
        f"SELECT count(*), min({key_hash(key)}, {SAMPLE}) "  # noqa: S608 - names are quoted
        f"FROM (SELECT {keys} FROM ({relation}) GROUP BY {keys} HAVING count(*) > 1)"
    ).fetchall()[0]
    return Finding(row[0] == 0, row[0], 0, failing=row[0], keys=tuple(row[1] or ()))


def _open_columns(publication: Publication, contract: TableContract) -> Finding:
    """Whether all that a release would show is open, and nothing of it tells of health."""
    closed = [
        name
        for name in publication.columns
        if contract.column(name).classification is not Classification.OPEN
    ]
    passed = not closed and not contract.health
    return Finding(passed, len(closed), 0, message=", ".join(closed))


def _health(
    publication: Publication, contracts: Mapping[str, TableContract], scope: Scope
) -> Finding:
    """Whether what tells of people's health stays where nobody reads it."""
    served = [mart for mart in publication.marts if not contracts[mart].health]
    reached = scope.health_tables if publication.is_open or served else ()
    return Finding(not reached, len(reached), 0, message=", ".join(reached))


def _freshness(max_age_days: int, scope: Scope) -> Finding:
    age = (scope.as_of - scope.data_as_of).days
    return Finding(
        passed=age <= max_age_days,
        observed=age,
        expected={"max_age_days": max_age_days},
        message=f"data as of {scope.data_as_of.isoformat()}",
    )


def _result(check: PlannedCheck, found: Finding | Exception | None) -> CheckResult:
    """The result of a planned check from what was found; nothing found is missing."""
    if found is None or isinstance(found, Exception):
        # An engine's message may quote a value of the row: only its kind is told.
        return CheckResult(
            check.publication,
            check.check,
            check.engine,
            check.severity,
            CheckStatus.MISSING if found is None else CheckStatus.ERRORED,
            message="" if found is None else type(found).__name__,
        )
    return CheckResult(
        check.publication,
        check.check,
        check.engine,
        check.severity,
        CheckStatus.PASSED if found.passed else CheckStatus.FAILED,
        found.observed,
        found.expected,
        found.failing,
        found.keys,
        found.message,
    )
