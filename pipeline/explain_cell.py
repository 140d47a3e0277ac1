"""What makes a cell of an indicator mart."""

import re
from contextlib import closing
from datetime import date
from typing import Any

from pipeline.context import Context
from pipeline.explain_record import UnknownReferenceError
from pipeline.transform import Pinned, build_inputs
from publish.serving import is_served
from warehouse.dbt_inputs import attach_inputs
from warehouse.duck import session
from warehouse.errors import CitylakeError
from warehouse.explain_mart import contributing_events
from warehouse.mart_file import attach, scratch_session
from warehouse.promotion_record import Content, current
from warehouse.registry_model import Indicator
from warehouse.sql import literal, quoted
from warehouse.workspace import workspace

CELL = re.compile(
    r"(?P<indicator>\w+)/(?P<area>[^/@]+)(?:@(?P<valid_from>\d{4}-\d\d-\d\d))?/(?P<month>\d{4}-\d\d)"
)
# The column of each mart whose value stands in the middle of a cell's reference.
MARTS = {
    "mart_city_indicator": "area_code",
    "mart_district_indicator": "area_code",
    "mart_sector_indicator": "agency_code",
}


class NotClearedError(CitylakeError):
    """What was asked for may not be shown."""


def explain_cell(
    context: Context, indicator: str, area: str, valid_from: str | None, month: str
) -> dict[str, Any]:
    """The promoted value of an indicator's cell and the records that it was counted from.

    Args:
        context: The city.
        indicator: Code of the indicator.
        area: Code of the city, district or ward; of the agency that answers for the indicator, for
            the cell of the sector mart.
        valid_from: First day of the area's validity; needed where the month knows the code
            with two extents.
        month: `YYYY-MM`.

    Returns:
        `mart`, `cell` (the promoted row) and `events` (key, anchor day, weight, contribution and
        core records each).

    Raises:
        NotClearedError: when the indicator is of people's health.
        UnknownReferenceError: when no such cell is promoted, or the code is ambiguous.
    """
    if indicator not in context.registry.indicators:
        known = ", ".join(context.registry.indicators)
        raise UnknownReferenceError(f"{context.city.name} has no indicator {indicator} ({known})")
    registered = context.registry.indicators[indicator]
    _refuse_health(context, registered)
    promoted = current(context.paths, registered.publication)
    if promoted is None:
        raise UnknownReferenceError(f"nothing of {registered.publication} is promoted")
    start = _day(f"{month}-01", f"{month} is no month")
    if valid_from:
        _day(valid_from, f"{valid_from} is no day")
    mart, row = _cell_row(context, promoted.mart_file, indicator, area, valid_from, start)
    with workspace(context.paths) as work, closing(session()) as connection:
        pinned = pinned_by(context, promoted.content)
        attach_inputs(connection, build_inputs(context, pinned, work))
        events = contributing_events(
            connection, registered, row["area_code"], row["area_valid_from"], start
        ).to_pylist()
    return {"mart": mart, "cell": row, "events": events}


def _day(text: str, problem: str) -> date:
    """The day.

    Raises:
        UnknownReferenceError: with the problem, when there is no such day.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UnknownReferenceError(problem) from error


def _refuse_health(context: Context, indicator: Indicator) -> None:
    """Refuse an indicator whose marts are never served.

    Raises:
        NotClearedError: with the reason.
    """
    publication = context.registry.publications[indicator.publication]
    if is_served(publication, context.city.marts):
        return
    code, event = indicator.definition.code, indicator.definition.event
    raise NotClearedError(
        f"indicator {code} is not cleared for display: it is counted from {event}, a table on "
        f"people's health (health: true); before disclosure control exists, its publication "
        f"{publication.name} is judged and kept, but neither served, released nor explained"
    )


def pinned_by(context: Context, content: Content) -> Pinned:
    """The core tables at the versions that promoted content was built from."""
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
) -> tuple[str, dict[str, Any]]:
    """The mart and the promoted row that a reference names."""
    found: list[tuple[str, dict[str, Any]]] = []
    with scratch_session(context.paths.work) as connection:
        attach(connection, mart_file, "promoted")
        for mart, place in MARTS.items():
            sql = (
                f"SELECT * FROM promoted.main.{quoted(mart)} "  # noqa: S608 - a fixed name
                f"WHERE indicator_code = {literal(indicator)} AND {place} = {literal(area)} "
                f"AND period_start = DATE '{start.isoformat()}'"
            )
            if valid_from:
                sql += f" AND area_valid_from = DATE '{date.fromisoformat(valid_from)}'"
            rows = connection.sql(sql).to_arrow_table().to_pylist()
            found += [(mart, row) for row in rows]
    if len(found) > 1:
        choices = ", ".join(f"{area}@{row['area_valid_from']} ({mart})" for mart, row in found)
        raise UnknownReferenceError(f"{area} is ambiguous in {start:%Y-%m}: {choices}")
    if not found:
        raise UnknownReferenceError(f"no value of {indicator} for {area} in {start:%Y-%m}")
    return found[0]
