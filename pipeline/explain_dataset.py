# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""A cell of an open dataset: what was published, and the core records behind it."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from pipeline.context import Context
from pipeline.explain_cell import NotClearedError, pinned_by
from pipeline.explain_record import SEPARATOR, UnknownReferenceError
from pipeline.transform import build_inputs
from publish.serving import is_served
from warehouse.dbt_inputs import attach_inputs
from warehouse.duck import session
from warehouse.explain_dataset import cell_records
from warehouse.mart_file import attach, rows_sql, scratch_session
from warehouse.promotion_record import Current, current
from warehouse.publication import Publication
from warehouse.sql import literal, quoted, quoted_list
from warehouse.workspace import workspace

AREA, AREA_START = "area_code", "area_valid_from"
AT = "@"


def explain_dataset_cell(context: Context, reference: str) -> dict[str, Any]:
    """What readers see in a cell of an open dataset, and the core records that make it.

    Args:
        context: The city.
        reference: `<dataset>/<values of its key in its order>/<column>`. The area's first day of
            validity is no value of its own: it follows the area's code after `@`, where the code
            alone names several rows. The last value may hold a `/`.

    Returns:
        `dataset`, `column`, `cell` (the published row) and `events` (key and `records` each). Of a
        column that counts, their number is the cell's.

    Raises:
        NotClearedError: when the publication is of people's health, or the column is none that
            is published.
        UnknownReferenceError: when the dataset shows no such cell.
    """
    name, *values = reference.split(SEPARATOR)
    publication = context.registry.publications[name]
    _refuse_health(context, publication)
    if not publication.is_open:
        raise UnknownReferenceError(
            f"{name} is no open dataset: name a cell of its indicators by "
            f"<indicator>/<area>/<month>"
        )
    column, named = _column_and_key(publication, values)
    _refuse_closed(context, publication, column)
    promoted = current(context.paths, name)
    if promoted is None:
        raise UnknownReferenceError(f"nothing of {name} is promoted")
    row = _row(context, publication, promoted, named)
    with workspace(context.paths) as work, closing(session()) as connection:
        pinned = pinned_by(context, promoted.content)
        attach_inputs(connection, build_inputs(context, pinned, work))
        events = cell_records(connection, publication.marts[0], row, column).to_pylist()
    cell = {each: row[each] for each in publication.columns}
    return {"dataset": name, "column": column, "cell": cell, "events": events}


def _column_and_key(
    publication: Publication, values: Sequence[str]
) -> tuple[str, Mapping[str, str]]:
    """The column that a reference names, and the value of each column of the key."""
    key = _named_key(publication)
    if len(values) <= len(key):
        raise UnknownReferenceError(f"{'/'.join(values)!r} is no cell ({_how(publication)})")
    last = len(key) - 1
    return values[-1], dict(
        zip(key, [*values[:last], SEPARATOR.join(values[last:-1])], strict=True)
    )


def _named_key(publication: Publication) -> list[str]:
    """The columns of the key whose values stand in a reference."""
    return [each for each in publication.key if each != AREA_START or AREA not in publication.key]


def _how(publication: Publication) -> str:
    parts = f">{SEPARATOR}<".join([*_named_key(publication), "column"])
    return f"a cell is named {publication.name}{SEPARATOR}<{parts}>"


def _refuse_health(context: Context, publication: Publication) -> None:
    """Refuse what is never served; an open dataset never reaches health, its contract says so."""
    if not is_served(publication, context.city.marts):
        marts = ", ".join(publication.marts)
        raise NotClearedError(
            f"{publication.name} is not cleared for display: {marts} tells of people's health "
            f"(health: true)"
        )


def _refuse_closed(context: Context, publication: Publication, column: str) -> None:
    """Refuse a column of the mart that the dataset does not list; what it lists is open."""
    mart = context.city.marts[publication.marts[0]]
    if column not in {each.name for each in mart.columns}:
        shown = ", ".join(publication.columns)
        raise UnknownReferenceError(f"{publication.name} has no column {column} ({shown})")
    if column not in publication.columns:
        raise NotClearedError(
            f"column {column} is not cleared for display: {publication.name} does not publish it"
        )


def _row(
    context: Context, publication: Publication, promoted: Current, named: Mapping[str, str]
) -> dict[str, Any]:
    """The one promoted row that the values name."""
    mart = publication.marts[0]
    conditions = []
    for column, value in named.items():
        code, at, start = value.rpartition(AT)
        if column == AREA and at and AREA_START in publication.key:
            conditions += [(AREA, code), (AREA_START, start)]
        else:
            conditions.append((column, value))
    where = " AND ".join(
        f"CAST({quoted(column)} AS VARCHAR) = {literal(value)}" for column, value in conditions
    )
    columns = quoted_list(dict.fromkeys([*context.city.marts[mart].key, *publication.columns]))
    with scratch_session(context.paths.work) as connection:
        attach(connection, promoted.mart_file, "promoted")
        sql = rows_sql("promoted", mart, promoted.content.parts)
        found: list[dict[str, Any]] = (
            connection.sql(f"SELECT {columns} FROM ({sql}) WHERE {where}")
            .to_arrow_table()
            .to_pylist()
        )
    told = SEPARATOR.join(named.values())
    if len(found) > 1:
        choices = ", ".join(f"{row[AREA]}{AT}{row[AREA_START]}" for row in found)
        raise UnknownReferenceError(f"{told} is ambiguous in {publication.name}: {choices}")
    if not found:
        raise UnknownReferenceError(f"{publication.name} has no row {told} ({_how(publication)})")
    return found[0]
