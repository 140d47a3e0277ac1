"""Which events stand behind one number of an indicator mart."""

import re
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.event_model import EVENT_KEYS, EVENT_RECORDS
from warehouse.registry_model import Definition, Indicator, Pass
from warehouse.sql import date_literal, literal, quoted

_MODELS = Path(__file__).resolve().parent.parent / "dbt" / "models" / "intermediate"
_VIEWS = (
    "int_area_unit",
    "int_area_relocation",
    "int_encounter_event",
    "int_service_request_event",
    "int_dossier_event",
    "int_sensor_observation_event",
    "int_emergency_trip_event",
    "int_labour_force_survey_event",
)
_SOURCE = re.compile(r"\{\{ source\('(\w+)', '(\w+)'\) \}\}")
_REFERENCE = re.compile(r"\{\{ ref\('(\w+)'\) \}\}")


def create_event_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the event models as temporary views, from the same files that dbt builds them from.

    Args:
        connection: Session with the build's inputs attached
            (`warehouse.dbt_build.attach_inputs`).
    """
    for name in _VIEWS:
        sql = (_MODELS / f"{name}.sql").read_text(encoding="utf-8")
        sql = _REFERENCE.sub(r"temp.main.\1", _SOURCE.sub(r"lake.\1.\2", sql))
        connection.execute(f"CREATE OR REPLACE TEMPORARY VIEW {name} AS {sql}")


def contributing_events(
    connection: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    area_code: str,
    area_valid_from: date,
    period_start: date,
) -> pa.Table:
    """The events that one cell of the city's or a unit's indicator mart was counted from.

    Args:
        connection: Session with the build's inputs attached; the pinned versions are read.
        indicator: From the registry.
        area_code: Area of the cell; the city's own code gives the city's events.
        area_valid_from: First day of the area's validity.
        period_start: First day of the cell's month.

    Returns:
        One row an event in order of key: the key columns of its event model
        (`warehouse.event_model.EVENT_KEYS`), `anchor_date`, `weight` DECIMAL(9,8), `numerator` and
        `denominator` before the weight, DECIMAL(18,6). The weighted sums (for a maximum: the
        greatest numerator; for a quantile: the smallest numerator that so many weighted events do
        not exceed) are the cell's; where different values are counted, one event of each has the
        numerator 1. `records` lists the core records of each event
        (`warehouse.event_model.EVENT_RECORDS`): what they say is all that the event says.
    """
    create_event_views(connection)
    known = connection.execute(
        "SELECT level FROM lake.ref.area WHERE code = ? AND valid_from = ?",
        [area_code, area_valid_from],
    ).fetchall()
    is_city = known == [("city",)]
    sql = _event_sql(indicator, period_start)
    event = indicator.definition.event
    keys = ", ".join(quoted(name) for name in EVENT_KEYS[event])
    is_distinct = indicator.definition.measure == "distinct"
    whole = is_city or is_distinct
    weight = "CAST(1 AS DECIMAL(9,8))" if whole else "relocation.weight"
    numerator = _first_of_each(keys) if is_distinct else "event.numerator"
    place = "" if is_city else _place_sql(area_code, area_valid_from)
    return connection.sql(
        f"SELECT {keys}, event.anchor_date, {weight} AS weight, {numerator} AS numerator, "  # noqa: S608 - names and expressions come from our registry
        f"event.denominator, event.{EVENT_RECORDS} FROM ({sql}) AS event {place} ORDER BY {keys}"
    ).to_arrow_table()


def _first_of_each(keys: str) -> str:
    """One event of each different value stands for it."""
    place = f"row_number() OVER (PARTITION BY event.numerator ORDER BY {keys})"
    return f"CAST(CASE WHEN {place} = 1 THEN 1 ELSE 0 END AS DECIMAL(18,6))"


def _place_sql(area_code: str, area_valid_from: date) -> str:
    return (
        "INNER JOIN temp.main.int_area_relocation AS relocation "
        "ON relocation.area_code = event.located_code "
        "AND relocation.area_valid_from = event.located_valid_from "
        "AND event.anchor_date >= relocation.starts_on "
        "AND event.anchor_date < relocation.ends_before "
        f"AND relocation.unit_code = {literal(area_code)} "
        f"AND relocation.unit_valid_from = {date_literal(area_valid_from)}"
    )


def _event_sql(indicator: Indicator, period_start: date) -> str:
    """Events of the period that count for the indicator, with what each adds."""
    definition = indicator.definition
    return " UNION ALL BY NAME ".join(
        _pass_sql(indicator, each, period_start) for each in definition.passes
    )


def _pass_sql(indicator: Indicator, counted: Pass, period_start: date) -> str:
    definition = indicator.definition
    basis = counted.denominator or counted.numerator
    counts = basis if _counts(definition) else "true"
    if definition.measure in ("distinct", "quantile"):
        counts = f"({basis}) IS NOT NULL"
    elif definition.aggregation == "sum" and definition.measure != "maximum":
        counts = f"({basis}) > 0"
    return (
        f"SELECT *, {_amount(definition, counted.numerator)} AS numerator, "  # noqa: S608 - as above
        f"{_amount(definition, counted.denominator)} AS denominator "
        f"FROM ({_anchored_sql(definition, counted, period_start)}) "
        f"WHERE ({counts}) AND ({indicator.condition or 'true'})"
    )


def _anchored_sql(definition: Definition, counted: Pass, period_start: date) -> str:
    """Events of the period with their anchor day; of a stock, those in it on its last day."""
    view = f"temp.main.int_{definition.event}_event"
    start = date_literal(period_start)
    known = f"(SELECT data_as_of FROM lake.ref.event WHERE event = {literal(definition.event)})"  # noqa: S608 - as above
    last = f"least(last_day({start}), {known})"
    if counted.anchor == "period_end":
        return (
            f"SELECT *, {last} AS period_end, {last} AS anchor_date FROM {view} "  # noqa: S608 - as above
            f"WHERE {counted.enters} <= {last} "
            f"AND ({counted.leaves} IS NULL OR {counted.leaves} > {last})"
        )
    anchor = f"{counted.anchor}_date"
    return (
        f"SELECT *, {anchor} AS anchor_date FROM {view} "  # noqa: S608 - as above
        f"WHERE {anchor} BETWEEN {start} AND {last}"
    )


def _counts(definition: Definition) -> bool:
    """Whether expressions are conditions and events are counted."""
    return definition.aggregation == "count" and definition.measure in ("ratio", "count")


def _amount(definition: Definition, expression: str | None) -> str:
    if expression is None:
        return "CAST(NULL AS DECIMAL(18,6))"
    if _counts(definition):
        return f"CAST(CASE WHEN {expression} THEN 1 ELSE 0 END AS DECIMAL(18,6))"
    if definition.measure == "distinct":
        return expression
    return f"CAST({expression} AS DECIMAL(18,6))"
