"""The cells of the datasets' marts and the core records named for them are one story."""

from collections import Counter
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from tests.unit.marts import tiny_city
from tests.unit.marts.conftest import MARTS, Built
from warehouse.event_model import HEALTH_MARTS, INDICATOR_MARTS
from warehouse.explain_dataset import EXPLAINED_MARTS, cell_records

END = tiny_city.AS_OF


def test_every_mart_of_a_dataset_is_explained() -> None:
    assert set(EXPLAINED_MARTS) == set(MARTS) - INDICATOR_MARTS - HEALTH_MARTS


def _requests(column: str) -> set[str]:
    """Ids of the requests that a column counts, as the source tells it."""
    return {
        request.id
        for request in tiny_city.requests()
        if {
            "requests_opened": True,
            "requests_closed": request.closed is not None,
            "requests_closed_on_time": bool(
                request.closed and request.expected and request.closed <= request.expected
            ),
            "requests_closed_late": bool(
                request.closed and request.expected and request.closed > request.expected
            ),
            "requests_overdue": request.closed is None
            and request.expected is not None
            and tiny_city.local_day(request.expected) <= END,  # type: ignore[operator]
            "obs_status": True,
        }[column]
    }


def _dossiers(column: str) -> set[str]:
    """Ids of the dossiers that a column counts, as the source tells it."""
    found = set()
    for dossier in tiny_city.dossiers():
        is_done = dossier.status == "completed"
        is_dated = is_done and dossier.due is not None and dossier.completed is not None
        is_over = is_done or dossier.completed or dossier.status in ("rejected", "withdrawn")
        due = tiny_city.local_day(dossier.due)
        counts = {
            "dossiers_received": True,
            "dossiers_online": dossier.channel == "online",
            "dossiers_completed": is_done,
            "dossiers_completed_on_time": is_dated and dossier.completed <= dossier.due,  # type: ignore[operator]
            "dossiers_completed_late": is_dated and dossier.completed > dossier.due,  # type: ignore[operator]
            "dossiers_digitised": bool(dossier.digitised),
            "dossiers_overdue": not is_over and due is not None and due <= END,
            "area_name_en": True,
        }
        if counts[column]:
            found.add(dossier.id)
    return found


MONTHLY = {
    "mart_service_request_monthly": ("feedback.tiny", _requests, "requests_opened"),
    "mart_dossier_district_monthly": ("administration.tiny", _dossiers, "dossiers_received"),
}
COLUMNS = [
    *(("mart_service_request_monthly", f"requests_{name}")
      for name in ("opened", "closed", "closed_on_time", "closed_late", "overdue")),
    ("mart_service_request_monthly", "obs_status"),
    *(("mart_dossier_district_monthly", f"dossiers_{name}")
      for name in ("received", "online", "completed", "completed_on_time", "completed_late",
                   "digitised", "overdue")),
    ("mart_dossier_district_monthly", "area_name_en"),
]  # fmt: skip


@pytest.mark.parametrize(("mart", "column"), COLUMNS)
def test_a_count_is_as_many_records(
    built: Built, connection: duckdb.DuckDBPyConnection, mart: str, column: str
) -> None:
    source, counted, whole = MONTHLY[mart]
    rows = built.rows(f"SELECT * FROM {mart}")  # noqa: S608 - our own name
    assert any(row["area_code"] == "_X" for row in rows)
    listed: Counter[str] = Counter()
    for row in rows:
        events = cell_records(connection, mart, row, column).to_pylist()
        cell = row[column] if isinstance(row[column], int) else row[whole]
        assert len(events) == cell, row
        listed.update(record for event in events for record in event["records"])
    assert listed == {f"{source}:{each}": 1 for each in counted(column)}


def test_a_days_mean_is_that_of_its_records(
    built: Built, connection: duckdb.DuckDBPyConnection
) -> None:
    values = {
        f"air.tiny:{o.station}/{o.property}/{o.at:%Y-%m-%d %H:%M:%S}+00": o.value
        for o in tiny_city.observations()
    }
    rows = built.rows(
        "SELECT * FROM mart_air_quality_daily WHERE observed_property = 'PM2.5' OR value_count = 0"
    )
    assert any(row["value_count"] == 0 for row in rows)
    for row in rows:
        (event,) = cell_records(connection, "mart_air_quality_daily", row, "mean_value").to_pylist()
        station, *hours = event["records"]
        assert station == f"air.tiny:{row['station_id']}"
        known = [value for name in hours if (value := values[name]) is not None]
        assert (len(known), sum(known)) == (row["value_count"], row["value_sum"] or 0)


def test_a_figure_is_its_record(built: Built, connection: duckdb.DuckDBPyConnection) -> None:
    rows = built.rows("SELECT * FROM mart_socio_economic_indicator")
    found: dict[str, Decimal | None] = {}
    for row in rows:
        events = cell_records(connection, "mart_socio_economic_indicator", row, "value").to_pylist()
        ((record,),) = (event["records"] for event in events)
        found[record] = row["value"]
    wanted: dict[str, Any] = {
        f"statistics.tiny:T:LFS/{f.area}/{f.indicator}/{f.freq}/{f.dimensions}/{f.period}": (
            f.value if f.confidentiality == "F" else None
        )
        for f in tiny_city.FIGURES
    }
    assert found == wanted
