"""`citylake explain`: where a source row went, and which records make a mart cell."""

import json
import re
import sys
from collections.abc import Mapping
from contextlib import closing
from datetime import date
from typing import Any

from extract.explain import raw_record
from extract.raw import RawStore
from pipeline.context import Context, open_context
from pipeline.exit_codes import ExitCode
from pipeline.transform import Pinned, build_inputs
from warehouse.contract.model import Classification, SourceContract, TableContract
from warehouse.dbt_inputs import attach_inputs
from warehouse.duck import session
from warehouse.errors import CitylakeError
from warehouse.explain_mart import contributing_events
from warehouse.mart_file import attach, scratch_session
from warehouse.promotion_record import Content, current
from warehouse.sql import literal, quoted, quoted_list
from warehouse.views import quarantine_sql, relation_sql
from warehouse.workspace import workspace

CELL = re.compile(
    r"(?P<indicator>\w+)/(?P<area>[^/@]+)(?:@(?P<valid_from>\d{4}-\d\d-\d\d))?/(?P<month>\d{4}-\d\d)"
)
MARTS = ("mart_city_indicator", "mart_district_indicator")


class UnknownReferenceError(CitylakeError):
    """What was asked for is not there."""


def print_explanation(city: str, reference: str, *, as_json: bool) -> ExitCode:
    """Print what is known of a source row or a mart cell.

    Raises:
        UnknownReferenceError: when the reference names nothing.
    """
    context = open_context(city)
    cell = CELL.fullmatch(reference)
    if cell is not None:
        found = explain_cell(context, **cell.groupdict())
    else:
        source_id, _, record_id = reference.partition(":")
        if source_id not in context.city.sources or not record_id:
            known = ", ".join(context.city.sources)
            message = f"{reference!r} is no <source>:<record id> (sources: {known}) and no cell"
            raise UnknownReferenceError(message)
        found = explain_record(context, context.city.sources[source_id], record_id)
    if as_json:
        text = json.dumps(found, ensure_ascii=False, indent=2, default=str)
        sys.stdout.write(text + "\n")
    else:
        _print(found)
    return ExitCode.PUBLISHED


def _print(found: Mapping[str, Any], indent: str = "") -> None:
    for name, value in found.items():
        if isinstance(value, Mapping):
            sys.stdout.write(f"{indent}{name}:\n")
            _print(value, indent + "  ")
        elif isinstance(value, list):
            sys.stdout.write(f"{indent}{name}: {len(value)}\n")
            for each in value:
                line = each if isinstance(each, Mapping) else {"": each}
                words = (f"{key} {part}".strip() for key, part in line.items())
                sys.stdout.write(f"{indent}  {', '.join(words)}\n")
        else:
            sys.stdout.write(f"{indent}{name}: {value}\n")


def explain_record(context: Context, source: SourceContract, record_id: str) -> dict[str, Any]:
    """Where every delivered version of a source record went.

    Args:
        context: The city.
        source: The record's stream.
        record_id: Value of the first key column, as the source gives it.

    Returns:
        `core` (its rows, tombstones included, with the raw object and row each came from),
        `quarantine` (each broken version with its reasons) and `raw` (the declared columns of
        the newest version in core, as delivered). Personal columns are left out.

    Raises:
        UnknownReferenceError: when neither core nor quarantine knows the record.
    """
    table = context.city.tables[source.table]
    core = context.lake.snapshot("core", table.name)
    quarantine = context.lake.snapshot("quarantine", table.name)
    shown = [
        column.name
        for column in table.columns
        if column.classification is not Classification.PERSONAL
    ]
    system = ["_as_of", "_is_deleted", "_raw_digest", "_raw_row"]
    with closing(session()) as connection:
        rows = connection.sql(
            f"SELECT {quoted_list([*shown, *system])} "  # noqa: S608 - names of contracts
            f"FROM ({relation_sql(core, table, live=False)}) "
            f"WHERE _source = {literal(source.id)} "
            f"AND {quoted(table.key[0])} = {literal(record_id)}"
        ).to_arrow_table()
        broken = connection.sql(
            "SELECT reasons, key_text, _as_of, _raw_name, _raw_digest, _raw_row "  # noqa: S608 - as above
            f"FROM ({quarantine_sql(quarantine)}) WHERE _source = {literal(source.id)} "
            f"AND key_text::JSON ->> {literal(table.key[0])} = {literal(record_id)} "
            "ORDER BY _as_of, _raw_row"
        ).to_arrow_table()
    if not rows.num_rows and not broken.num_rows:
        raise UnknownReferenceError(f"{source.id} has never delivered a record {record_id}")
    found: dict[str, Any] = {
        "source": source.id,
        "core": rows.to_pylist(),
        "quarantine": broken.to_pylist(),
    }
    for row in found["core"][:1]:
        raw = raw_record(source, RawStore(context.paths), row["_raw_digest"], row["_raw_row"])
        found["raw"] = _without_personal(raw, source, table)
    return found


def _without_personal(raw: Any, source: SourceContract, table: TableContract) -> Any:
    """The raw columns that no personal column is made of."""
    personal = {
        each.expression
        for each in source.mapping
        if table.column(each.column).classification is Classification.PERSONAL
    }
    if not isinstance(raw, Mapping):
        return None
    return {
        name: value
        for name, value in raw.items()
        if not any(name in expression for expression in personal)
    }


def explain_cell(
    context: Context, indicator: str, area: str, valid_from: str | None, month: str
) -> dict[str, Any]:
    """The promoted value of an indicator's cell and the records that it was counted from.

    Args:
        context: The city.
        indicator: Code of the indicator.
        area: Code of the city, district or ward.
        valid_from: First day of the area's validity; needed where the month knows the code
            with two extents.
        month: `YYYY-MM`.

    Returns:
        `cell` (the promoted row) and `events` (key, anchor day, weight, contribution each).

    Raises:
        UnknownReferenceError: when no such cell is promoted, or the code is ambiguous.
    """
    if indicator not in context.registry.indicators:
        known = ", ".join(context.registry.indicators)
        raise UnknownReferenceError(f"{context.city.name} has no indicator {indicator} ({known})")
    registered = context.registry.indicators[indicator]
    promoted = current(context.paths, registered.publication)
    if promoted is None:
        raise UnknownReferenceError(f"nothing of {registered.publication} is promoted")
    try:
        start = date.fromisoformat(f"{month}-01")
    except ValueError as error:
        raise UnknownReferenceError(f"{month} is no month") from error
    row = _cell_row(context, promoted.mart_file, indicator, area, valid_from, start)
    with workspace(context.paths) as work, closing(session()) as connection:
        pinned = _pinned_by(context, promoted.content)
        attach_inputs(connection, build_inputs(context, pinned, work))
        events = contributing_events(
            connection, registered, area, row["area_valid_from"], start
        ).to_pylist()
    return {"cell": row, "events": events}


def _pinned_by(context: Context, content: Content) -> Pinned:
    return Pinned(
        {
            name: context.lake.snapshot("core", name, content.pins[name])
            if name in content.pins
            else None
            for name in context.city.tables
        }
    )


def _cell_row(
    context: Context,
    mart_file: Any,
    indicator: str,
    area: str,
    valid_from: str | None,
    start: date,
) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    with scratch_session(context.paths.work) as connection:
        attach(connection, mart_file, "promoted")
        for mart in MARTS:
            sql = (
                f"SELECT * FROM promoted.main.{quoted(mart)} "  # noqa: S608 - a fixed name
                f"WHERE indicator_code = {literal(indicator)} AND area_code = {literal(area)} "
                f"AND period_start = DATE '{start.isoformat()}'"
            )
            if valid_from:
                sql += f" AND area_valid_from = DATE '{date.fromisoformat(valid_from)}'"
            rows += connection.sql(sql).to_arrow_table().to_pylist()
    if len(rows) > 1:
        choices = ", ".join(f"{area}@{row['area_valid_from']}" for row in rows)
        raise UnknownReferenceError(f"area {area} is ambiguous in {start:%Y-%m}: {choices}")
    if not rows:
        raise UnknownReferenceError(f"no value of {indicator} for {area} in {start:%Y-%m}")
    return rows[0]
