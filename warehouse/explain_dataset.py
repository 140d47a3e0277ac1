# ruff: noqa: S608 - names come quoted from warehouse.sql, conditions from our own models
"""Which core records stand behind one cell of an open dataset's mart."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from warehouse.event_model import EVENT_KEYS, EVENT_RECORDS
from warehouse.explain_mart import create_event_views
from warehouse.mart_lineage import MODELS
from warehouse.sql import date_literal, literal, quoted, quoted_list

UNLOCATED = "_X"
# What counts in a column of a month's model, and up to which day: read from the model itself.
_COUNT = re.compile(
    r"count\(\*\)(?: filter \(where (?P<condition>.+?)\))?\s+as (?P<column>\w+)", re.S
)
_DATA_AS_OF = re.compile(r"\{\{ data_as_of\('(\w+)'\) \}\}")
_UP_TO = re.compile(r"\nwhere (.+)\ngroup by")


@dataclass(frozen=True)
class _Counted:
    """A mart whose rows count events by month and reporting unit (`int_<event>_month`).

    Attributes:
        event: The event model.
        columns: Columns of the mart's key, but for the area's, which the event model has too.
    """

    event: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class _Copied:
    """A mart each of whose rows is one row of a relation.

    Attributes:
        relation: An event model's view, or a core table.
        key: Column of the mart's key to that of the relation.
        records: Expression of the list of records.
    """

    relation: str
    key: Mapping[str, str]
    records: str = EVENT_RECORDS


_ROWS: Mapping[str, _Counted | _Copied] = {
    "mart_service_request_monthly": _Counted(
        "service_request", ("requested_month", "service_code")
    ),
    "mart_dossier_district_monthly": _Counted("dossier", ("received_month",)),
    "mart_air_quality_daily": _Copied(
        "temp.main.int_sensor_observation_event",
        {name: name for name in EVENT_KEYS["sensor_observation"]},
    ),
    "mart_socio_economic_indicator": _Copied(
        "lake.core.indicator_observation",
        {
            "dataflow": "dataflow",
            "area_code": "ref_area",
            "indicator_code": "indicator",
            "freq": "freq",
            "dimension_key": "dimension_key",
            "time_period": "time_period",
        },
        "[_source || ':' || concat_ws("
        "'/', dataflow, ref_area, indicator, freq, dimension_key, time_period)]",
    ),
}
EXPLAINED_MARTS = frozenset(_ROWS)


def cell_records(
    connection: duckdb.DuckDBPyConnection, mart: str, row: Mapping[str, Any], column: str
) -> pa.Table:
    """What one cell of an open dataset's mart was made of.

    Args:
        connection: Session with the build's inputs attached; the pinned versions are read.
        mart: One of `EXPLAINED_MARTS`.
        row: The mart's row, with the columns of its key.
        column: A column of the mart.

    Returns:
        One row an event, or one core row where the mart copies it, in order of key: key columns
        and `records`. Of a column that counts, the events that it counts: their number is the
        cell. Of any other column, all that stands behind its row.
    """
    create_event_views(connection)
    made = _ROWS[mart]
    if isinstance(made, _Copied):
        return _copied(connection, made, row)
    return _counted(connection, made, row, column)


def _copied(
    connection: duckdb.DuckDBPyConnection, made: _Copied, row: Mapping[str, Any]
) -> pa.Table:
    conditions = [_equal(name, row[column]) for column, name in made.key.items()]
    keys = quoted_list(made.key.values())
    return connection.sql(
        f"SELECT {keys}, {made.records} AS records FROM {made.relation} "
        f"WHERE {' AND '.join(conditions)} ORDER BY ALL"
    ).to_arrow_table()


def _counted(
    connection: duckdb.DuckDBPyConnection, made: _Counted, row: Mapping[str, Any], column: str
) -> pa.Table:
    model = _month_model(made.event)
    counts = {each["column"]: each["condition"] for each in _COUNT.finditer(model)}
    is_located = row["area_code"] != UNLOCATED
    conditions = [
        *(_equal(name, row[name]) for name in made.columns),
        _equal("unit_code", row["area_code"]) if is_located else "unit_code IS NULL",
        *([_equal("unit_valid_from", row["area_valid_from"])] if is_located else []),
        *_UP_TO.findall(model),
        counts.get(column) or "true",
    ]
    keys = quoted_list(EVENT_KEYS[made.event])
    return connection.sql(
        f"SELECT {keys}, {EVENT_RECORDS} FROM temp.main.int_{made.event}_event "
        f"WHERE {' AND '.join(f'({each})' for each in conditions)} ORDER BY {keys}"
    ).to_arrow_table()


def _month_model(event: str) -> str:
    """The text of a month's model, its data's day as SQL."""
    text = (MODELS / "intermediate" / f"int_{event}_month.sql").read_text(encoding="utf-8")
    return _DATA_AS_OF.sub(r"(SELECT data_as_of FROM lake.ref.event WHERE event = '\1')", text)


def _equal(name: str, value: Any) -> str:
    found = literal(value) if isinstance(value, str) else date_literal(value)
    return f"{quoted(name)} = {found}"
