"""The SQL text of a compiled stream, put together from typed columns and conditions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from warehouse.contract.model import TableContract, Unpivot
from warehouse.contract.read import DERIVED
from warehouse.contract.time_period import PERIOD_DERIVATIONS
from warehouse.contract.typing_sql import STEPS, Typed, clean_sql
from warehouse.contract.zones import MICROSECONDS
from warehouse.records import ROW_COLUMN
from warehouse.sql import literal, quoted

AS_OF = "_as_of"
IS_DELETED = "_is_deleted"
REASONS = "_reasons"
RAW_RECORD = "_raw_record"
# Stand in the compiled text for the relation and the processing day.
RELATION_MARK = "/*relation*/"
AS_OF_MARK = "/*as_of*/"

_IS_BAD = "_is_bad"
_LOCAL_DATE = f"(DATE '1970-01-01' + CAST({{}} // {86_400 * MICROSECONDS} AS INTEGER))"
_DERIVATIONS = {
    "localDate": _LOCAL_DATE,
    "localMonth": f"left(CAST({_LOCAL_DATE} AS VARCHAR), 7)",
}


@dataclass(frozen=True)
class Condition:
    """One reason for quarantine.

    Attributes:
        reason: `<column>:<rule>`.
        broken: SQL over the typed columns, true where a record breaks it.
        hidden: SQL, true where it says nothing, because what it asks about was not read.
        is_of_deletion: Whether it holds for a deletion too, which carries little but its key.
    """

    reason: str
    broken: str
    hidden: str | None = None
    is_of_deletion: bool = False


def projection_sql(
    table: TableContract,
    raw_types: Mapping[str, str],
    sentinels: Sequence[str],
    unpivot: Unpivot | None,
    tombstone: str | None,
    typed: Sequence[Typed],
    conditions: Sequence[Condition],
) -> str:
    """The projection of a stream, with marks in place of relation and processing day.

    Args:
        table: The table as it holds for this stream.
        raw_types: Raw columns to read, in the order of the declaration, with their DuckDB types.
        sentinels: Texts that mean "no value" in every raw column of text.
        unpivot: The record step, or None.
        tombstone: SQL over raw columns, true where the record is a deletion, or None.
        typed: The mapped columns.
        conditions: Every reason for quarantine.
    """
    sql = _cleaned(raw_types, sentinels)
    deleted = "false" if tombstone is None else f"coalesce(TRY({tombstone}), false)"
    sql = _added(sql, {IS_DELETED: deleted})
    if unpivot is None:
        sql = _typed(sql, typed)
    else:
        made = {unpivot.name_column, unpivot.value_column}
        # What all records of one raw row share is typed once, before the row is unpivoted.
        shared = [each for each in typed if not made & set(each.expression.columns)]
        own = [each for each in typed if made & set(each.expression.columns)]
        sql = _typed(_unpivoted(_typed(sql, shared), unpivot), own)
    named = _named(sql, table, raw_types, typed, conditions)
    return _judged(named, table, raw_types, conditions)


def _as_read(name: str) -> str:
    """Name under which a raw column goes through the projection as it was read."""
    return quoted(f"raw:{name}")


def _cleaned(raw_types: Mapping[str, str], sentinels: Sequence[str]) -> str:
    def cleaned(name: str, sql_type: str) -> str:
        sql = f"CAST({quoted(name)} AS {sql_type})"
        return clean_sql(sql, sentinels) if sql_type == "VARCHAR" else sql

    columns = "".join(
        f", {cleaned(name, sql_type)} AS {quoted(name)}, {quoted(name)} AS {_as_read(name)}"
        for name, sql_type in raw_types.items()
    )
    return f"SELECT {ROW_COLUMN}{columns} FROM {RELATION_MARK}"  # noqa: S608 - from a checked contract


def _added(inner: str, columns: dict[str, str]) -> str:
    if not columns:
        return inner
    added = "".join(f", {sql} AS {name}" for name, sql in columns.items())
    return f"SELECT *{added} FROM ({inner})"  # noqa: S608 - from a checked contract


def _typed(inner: str, typed: Iterable[Typed]) -> str:
    columns = list(typed)
    for step in range(STEPS):
        inner = _added(
            inner, {name: sql for each in columns for name, sql in each.steps[step].items()}
        )
    return inner


def _unpivoted(inner: str, step: Unpivot) -> str:
    labels = ", ".join(literal(label) for label in step.columns.values())
    values = ", ".join(quoted(name) for name in step.columns)
    return _added(
        inner,
        {
            quoted(step.name_column): f"unnest([{labels}])",
            quoted(step.value_column): f"unnest([{values}])",
        },
    )


def _named(
    inner: str,
    table: TableContract,
    raw_names: Iterable[str],
    typed: Sequence[Typed],
    conditions: Sequence[Condition],
) -> str:
    """The business columns by their names, and what conditions ask of the typing."""
    by_name = {each.column.name: each for each in typed}
    columns = []
    for column in table.columns:
        found = DERIVED.match(column.derived or "")
        if found and found[1] in PERIOD_DERIVATIONS:
            period = by_name.get(found[2])
            sql = PERIOD_DERIVATIONS[found[1]](period.value) if period else None
        elif found:
            source = by_name.get(found[2])
            sql = _DERIVATIONS[found[1]].format(source.local) if source and source.local else None
        else:
            sql = by_name[column.name].value if column.name in by_name else None
        sql = sql or f"CAST(NULL AS {column.sql_type})"
        columns.append(f"{sql} AS {quoted(column.name)}")
    faults = [
        f"{sql} AS {quoted(f'{reason}:{each.column.name}')}"
        for each in typed
        for reason, sql in each.faults
    ]
    as_read = [_as_read(name) for name in raw_names]
    listed = ", ".join(
        [*columns, *faults, *as_read, ROW_COLUMN, IS_DELETED, f"{AS_OF_MARK} AS {AS_OF}"]
    )
    return f"SELECT {listed} FROM ({inner})"  # noqa: S608 - from a checked contract


def _judged(
    inner: str, table: TableContract, raw_names: Iterable[str], conditions: Sequence[Condition]
) -> str:
    """Mark the bad records, then list the reasons and the raw record of those alone."""
    of_all = _any(conditions)
    of_deletion = _any([each for each in conditions if each.is_of_deletion])
    bad = f"CASE WHEN {IS_DELETED} THEN {of_deletion} ELSE {of_all} END"
    marked = _added(inner, {_IS_BAD: bad})
    listed = ", ".join(
        f"CASE WHEN {_reason_sql(each)} THEN {literal(each.reason)} END" for each in conditions
    )
    reasons = (
        f"CASE WHEN {_IS_BAD} THEN list_filter([{listed}], lambda reason: reason IS NOT NULL) "
        "ELSE CAST([] AS VARCHAR[]) END"
    )
    members = ", ".join(f"{literal(name)}: {_as_read(name)}" for name in raw_names)
    raw_record = f"CASE WHEN {_IS_BAD} THEN CAST(to_json({{{members}}}) AS VARCHAR) END"
    names = ", ".join(quoted(column.name) for column in table.columns)
    listed = f"{ROW_COLUMN}, {reasons} AS {REASONS}, {raw_record} AS {RAW_RECORD}"
    return f"SELECT {names}, {IS_DELETED}, {listed} FROM ({marked})"  # noqa: S608 - from a checked contract


def _any(conditions: Sequence[Condition]) -> str:
    joined = " OR ".join(each.broken for each in conditions)
    return f"coalesce({joined}, false)" if joined else "false"


def _reason_sql(condition: Condition) -> str:
    parts = [condition.broken]
    if condition.hidden:
        parts.append(f"NOT ({condition.hidden})")
    if not condition.is_of_deletion:
        parts.append(f"NOT {IS_DELETED}")
    return " AND ".join(parts)
