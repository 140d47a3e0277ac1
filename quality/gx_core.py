"""Great Expectations on core: the partitions that changed since a publication's last promotion."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from quality.core_checks import CoreScope
from quality.gx_checks import ENGINE, Frame, GxError, ask, missing, result
from quality.result import CheckResult, PlannedCheck
from quality.suites import SuiteCheck, core_suite
from warehouse.contract.model import TableContract
from warehouse.lake import Snapshot
from warehouse.sql import quoted_list
from warehouse.views import UnreadableTableError, relation_sql

# Rows of a table that are shown at most, chosen by the hash of their key: every expectation costs
# microseconds a row, and a history has millions of them.
MOST_ROWS = 5_000

# A table and the partitions of it that changed; None is every partition.
_Part = tuple[str, frozenset[str | None] | None]


def planned(publication: str, scope: CoreScope) -> list[PlannedCheck]:
    """The checks that `run` gives a result of."""
    return [
        PlannedCheck(publication, each.check, ENGINE, each.severity)
        for table in scope.tables.get(publication, ())
        for each in core_suite(table)
    ]


def run(scope: CoreScope, work: Path) -> list[CheckResult]:
    """Validate what changed behind every publication, each part of core once.

    Args:
        scope: Tables, versions and last promotions.
        work: Scratch folder of the city.

    Returns:
        One result for each planned check of every publication; those of a table without a
        changed row pass. Every one is missing where there were no answers.
    """
    parts = {
        (publication, table.name): (table.name, _changed(publication, table, scope))
        for publication, tables in scope.tables.items()
        for table in tables
    }
    names = {part: str(number) for number, part in enumerate(dict.fromkeys(parts.values()))}
    contracts = {table.name: table for tables in scope.tables.values() for table in tables}
    message = ""
    try:
        frames = [_frame(contracts[part[0]], part, scope, name) for part, name in names.items()]
        answers = ask(frames, None, work) if frames else {}
    except (GxError, UnreadableTableError) as error:
        message, answers = str(error), {}
    return [
        result(publication, each, answers[name])
        if (name := _asked(each, names[parts[publication, table.name]]).check) in answers
        else missing(publication, each, message)
        for publication, tables in scope.tables.items()
        for table in tables
        for each in core_suite(table)
    ]


def _changed(
    publication: str, table: TableContract, scope: CoreScope
) -> frozenset[str | None] | None:
    """The partitions with files that the last promotion did not have; None: all of them."""
    now = scope.snapshots.get(table.name)
    before = scope.promoted.get(publication, {}).get(table.name)
    if now is None or before is None:
        return None
    known = {each.path for each in before.data_files}
    new = [each for each in now.data_files if each.path not in known]
    column = table.partition_column
    if column is None:
        return None if new else frozenset()
    return frozenset(each.partition[column] for each in new)


def _asked(check: SuiteCheck, name: str) -> SuiteCheck:
    """The check under the name that it has in the request, where a table may stand twice."""
    return replace(check, check=f"{name}/{check.check}")


def _frame(table: TableContract, part: _Part, scope: CoreScope, name: str) -> Frame:
    checks = core_suite(table)
    rows = _rows(table, scope.snapshots.get(table.name), part[1], checks)
    key = ("_source", *table.key)
    return Frame(name, rows, key, [_asked(each, name) for each in checks])


def _rows(
    table: TableContract,
    snapshot: Snapshot | None,
    partitions: Collection[str | None] | None,
    checks: Collection[SuiteCheck],
) -> str:
    """SELECT of the key and of the columns that any check looks at."""
    key = ("_source", *table.key)
    seen = [check.arguments["column"] for check in checks if "column" in check.arguments]
    names = quoted_list(dict.fromkeys((*key, *seen)))
    # Of an unpartitioned table no partition can be asked for.
    shown = None if partitions is not None and not partitions else snapshot
    source = relation_sql(shown, table, partitions=partitions)
    hashed = quoted_list(key)
    return f"SELECT {names} FROM ({source}) ORDER BY hash({hashed}), {hashed} LIMIT {MOST_ROWS}"  # noqa: S608 - names are quoted
