"""The tiny city as files, and its marts: one dbt process for the suite, one for an empty city."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.marts import tiny_city
from warehouse.contract.read import read_table
from warehouse.dbt_build import BuildInputs, DbtRun, attach_inputs, build
from warehouse.duck import session
from warehouse.event_model import EVENT_COLUMNS
from warehouse.registry import DEFINITIONS, load_registry
from warehouse.registry_model import Registry
from warehouse.registry_tables import write_parquet
from warehouse.sql import literal

ROOT = Path(__file__).resolve().parents[3]
MARTS = {path.stem: read_table(path, "mart") for path in (ROOT / "warehouse/marts").glob("*.yaml")}
TABLES = {
    path.stem: read_table(path, "table") for path in (ROOT / "warehouse/tables").glob("*.yaml")
}

INDICATORS = {
    "feedback": "indicators:\n"
    + "".join(
        f"  - {{code: {code}, agency: desk}}\n"
        for code in ("FB1", "FB1b", "FB2", "FB2r", "FB4", "FB5a")
    )
    + "  - code: FB5\n    agency: desk\n    targets:\n"
    "      - {value: 90, valid_from: 2025-01-01}\n      - {value: 60, valid_from: 2025-07-01}\n",
    "health": "indicators:\n  - {code: HE1, agency: desk}\n",
    "administration": "indicators:\n"
    + "".join(f"  - {{code: {code}, agency: shop}}\n" for code in ("AD1", "AD2", "AD3", "AD4")),
    "air_water": "indicators:\n"
    "  - {code: AQ3, agency: air, only: {observed_property: PM2.5}}\n"
    "  - {code: AQ90, agency: air, only: {observed_property: PM2.5}}\n",
    "emergency": "indicators:\n"
    + "".join(f"  - {{code: {code}, agency: fire}}\n" for code in ("EM1", "EM1p", "EM2"))
    + "".join(f"  - {{code: {code}, agency: fire}}\n" for code in ("EM80", "EM81")),
    "socioeconomic": "indicators:\n  - {code: SE1, agency: desk}\n",
}
# Quantiles of events that count in the areas after the reform, by weights: one histogram for both.
DAYS_TO_CLOSE = """\
service_group: 6
event: service_request
indicators:
""" + "".join(
    f"""\
  - code: {code}
    name: {{vi: a, en: a}}
    formula: {{vi: a, en: a}}
    anchor: closed
    kind: flow
    measure: quantile
    percentile: {percentile}
    numerator: closed_date - opened_date
    scale: 1
    divisor: 7
    unit: d
    rounding: 2
    reach: {{before_periods: 0, after_periods: 0}}
"""
    for code, percentile in (("EM80", 50), ("EM81", 91))
)
# Amounts as large as a real city's: a product of narrow DECIMALs overflows.
LARGE_AMOUNTS = """\
service_group: 4
event: sensor_observation
indicators:
  - code: AQ90
    name: {vi: a, en: a}
    formula: {vi: a, en: a}
    anchor: observed
    kind: flow
    measure: ratio
    aggregation: sum
    numerator: valid_hours * 10000000
    denominator: expected_hours * 10000000
    scale: 100
    unit: "%"
    rounding: 1
    reach: {before_periods: 0, after_periods: 0}
"""


def city(folder: Path) -> Any:
    """What the registry needs to know of the tiny city."""
    return SimpleNamespace(
        folder=folder,
        notice=None,
        agencies={"desk": {}, "shop": {}, "air": {}, "fire": {}},
        marts=MARTS,
        tables=TABLES,
        sources={},
    )


def write_config(folder: Path) -> Path:
    """Indicators and publications of the tiny city; the folder of the definitions."""
    for name in ("indicators", "datasets"):
        (folder / name).mkdir(parents=True)
    definitions = folder / "defined"
    shutil.copytree(DEFINITIONS, definitions)
    (definitions / "large.yaml").write_text(LARGE_AMOUNTS, encoding="utf-8")
    (definitions / "days.yaml").write_text(DAYS_TO_CLOSE, encoding="utf-8")
    for group, text in INDICATORS.items():
        (folder / "indicators" / f"{group}.yaml").write_text(text, encoding="utf-8")
    for group, (number, agency, days) in {
        "feedback": (1, "desk", 10),
        "administration": (2, "shop", 10),
        "air": (4, "air", 5),
        "emergency": (6, "fire", 5),
        "socioeconomic": (5, "desk", 30),
    }.items():
        parts = "".join(
            f"  - {{mart: mart_{kind}_indicator, where: {{service_group: {number}}}}}\n"
            for kind in ("city", "district", "sector")
        )
        (folder / "datasets" / f"indicators-{group}.yaml").write_text(
            f"class: internal\ntitle: {{vi: a, en: a}}\ndescription: {{vi: a, en: a}}\n"
            f"owner: {agency}\nrevision_window_days: {days}\nparts:\n{parts}",
            encoding="utf-8",
        )
    (folder / "datasets" / "indicators-health.yaml").write_text(
        "class: internal\ntitle: {vi: a, en: a}\ndescription: {vi: a, en: a}\n"
        "owner: desk\nrevision_window_days: 30\n"
        "parts:\n  - {mart: mart_health_indicator, where: {service_group: 10}}\n",
        encoding="utf-8",
    )
    return definitions


def encounter_table(encounters: list[tuple[Any, ...]]) -> pa.Table:
    """Core rows of the encounters."""
    rows = [
        {
            "_source": "health.tiny",
            "encounter_id": f"{area}-{day}-{status}-{number}",
            "class_code": "AMB",
            "status": status,
            "area_code": area,
            "started_date": day,
            "started_month": str(day)[:7],
        }
        for area, day, visits, cancelled in encounters
        for status, count in (("finished", visits), ("cancelled", cancelled))
        for number in range(count)
    ]
    texts = ("_source", "encounter_id", "class_code", "status", "area_code", "started_month")
    schema = pa.schema({**dict.fromkeys(texts, pa.string()), "started_date": pa.date32()})
    return pa.Table.from_pylist(rows, schema=schema)


def request_table(requests: list[tiny_city.Request]) -> pa.Table:
    """Core rows of the requests."""
    moment = pa.timestamp("us", tz="UTC")
    day = tiny_city.local_day
    columns: dict[str, tuple[list[Any], pa.DataType]] = {
        "_source": (["feedback.tiny"] * len(requests), pa.string()),
        "service_request_id": ([r.id for r in requests], pa.string()),
        "service_code": ([r.service for r in requests], pa.string()),
        "agency_responsible": ([None] * len(requests), pa.string()),
        "area_code": ([r.area for r in requests], pa.string()),
        "requested_at": ([r.requested for r in requests], moment),
        "expected_at": ([r.expected for r in requests], moment),
        "closed_at": ([r.closed for r in requests], moment),
        "is_within_competence": ([r.within_competence for r in requests], pa.bool_()),
        "is_reopened": ([r.reopened for r in requests], pa.bool_()),
        "satisfaction": ([r.satisfaction for r in requests], pa.string()),
        "requested_date": ([day(r.requested) for r in requests], pa.date32()),
        "expected_date": ([day(r.expected) for r in requests], pa.date32()),
        "closed_date": ([day(r.closed) for r in requests], pa.date32()),
        "requested_month": ([str(day(r.requested))[:7] for r in requests], pa.string()),
    }
    return pa.table({name: pa.array(values, kind) for name, (values, kind) in columns.items()})


def dossier_table(dossiers: list[tiny_city.Dossier]) -> pa.Table:
    """Core rows of the dossiers."""
    moment = pa.timestamp("us", tz="UTC")
    day = tiny_city.local_day
    columns: dict[str, tuple[list[Any], pa.DataType]] = {
        "_source": (["administration.tiny"] * len(dossiers), pa.string()),
        "dossier_id": ([d.id for d in dossiers], pa.string()),
        "procedure_code": ([d.procedure for d in dossiers], pa.string()),
        "procedure_level": ([None] * len(dossiers), pa.string()),
        "agency_responsible": ([None] * len(dossiers), pa.string()),
        "channel": ([d.channel for d in dossiers], pa.string()),
        "status": ([d.status for d in dossiers], pa.string()),
        "received_at": ([d.received for d in dossiers], moment),
        "due_at": ([d.due for d in dossiers], moment),
        "completed_at": ([d.completed for d in dossiers], moment),
        "updated_at": ([d.updated for d in dossiers], moment),
        "area_code": ([d.area for d in dossiers], pa.string()),
        "is_digitised_result": ([d.digitised for d in dossiers], pa.bool_()),
        "received_date": ([day(d.received) for d in dossiers], pa.date32()),
        "received_month": ([str(day(d.received))[:7] for d in dossiers], pa.string()),
        "due_date": ([day(d.due) for d in dossiers], pa.date32()),
        "completed_date": ([day(d.completed) for d in dossiers], pa.date32()),
    }
    return pa.table({name: pa.array(values, kind) for name, (values, kind) in columns.items()})


def station_table(stations: list[tuple[Any, ...]]) -> pa.Table:
    """Core rows of the stations."""
    schema = pa.schema(
        {
            "_source": pa.string(),
            "station_id": pa.string(),
            "area_code": pa.string(),
            "operating_from": pa.date32(),
            "operating_to": pa.date32(),
        }
    )
    return pa.Table.from_pylist(
        [dict(zip(schema.names, ("air.tiny", *each), strict=True)) for each in stations],
        schema=schema,
    )


def observation_table(observations: list[tiny_city.Observation]) -> pa.Table:
    """Core rows of the observations."""
    days = [tiny_city.local_day(o.at) for o in observations]
    return pa.table(
        {
            "_source": pa.array(["air.tiny"] * len(observations), pa.string()),
            "station_id": pa.array([o.station for o in observations], pa.string()),
            "observed_property": pa.array([o.property for o in observations], pa.string()),
            "observed_at": pa.array([o.at for o in observations], pa.timestamp("us", tz="UTC")),
            "value": pa.array([o.value for o in observations], pa.decimal128(12, 3)),
            "unit": pa.array(["u"] * len(observations), pa.string()),
            "observed_date": pa.array(days, pa.date32()),
            "observed_month": pa.array([str(day)[:7] for day in days], pa.string()),
        }
    )


def trip_table(trips: list[tiny_city.Trip]) -> pa.Table:
    """Core rows of the trips."""
    moment = pa.timestamp("us", tz="UTC")
    days = [tiny_city.local_day(t.received) for t in trips]
    nothing = [None] * len(trips)
    return pa.table(
        {
            "_source": pa.array(["emergency.tiny"] * len(trips), pa.string()),
            "emergency_trip_id": pa.array([t.id for t in trips], pa.string()),
            "call_id": pa.array([t.call for t in trips], pa.string()),
            "call_category": pa.array([t.category for t in trips], pa.string()),
            "priority_final": pa.array(nothing, pa.string()),
            "area_code": pa.array([t.area for t in trips], pa.string()),
            "received_at": pa.array([t.received for t in trips], moment),
            "dispatch_at": pa.array([t.received for t in trips], moment),
            "response_at": pa.array(nothing, moment),
            "on_scene_at": pa.array([t.on_scene for t in trips], moment),
            "transport_at": pa.array(nothing, moment),
            "hospital_at": pa.array(nothing, moment),
            "available_at": pa.array([t.available for t in trips], moment),
            "response_target_seconds": pa.array([t.target for t in trips], pa.int32()),
            "received_date": pa.array(days, pa.date32()),
            "received_month": pa.array([str(day)[:7] for day in days], pa.string()),
        }
    )


def statistics_table(figures: list[tiny_city.Figure]) -> pa.Table:
    """Core rows of the labour force survey."""
    columns: dict[str, tuple[list[Any], pa.DataType]] = {
        "_source": (["statistics.tiny"] * len(figures), pa.string()),
        "dataflow": (["T:LFS"] * len(figures), pa.string()),
        "ref_area": ([f.area for f in figures], pa.string()),
        "indicator": ([f.indicator for f in figures], pa.string()),
        "freq": ([f.freq for f in figures], pa.string()),
        "dimension_key": ([f.dimensions for f in figures], pa.string()),
        "time_period": ([f.period for f in figures], pa.string()),
        "obs_value": ([f.value for f in figures], pa.decimal128(38, 15)),
        "obs_status": ([f.status for f in figures], pa.string()),
        "conf_status": ([f.confidentiality for f in figures], pa.string()),
        "unit_measure": (["PS"] * len(figures), pa.string()),
        "unit_mult": ([f.multiplier for f in figures], pa.int32()),
        "decimals": ([1] * len(figures), pa.int32()),
        "standard_error": ([f.error for f in figures], pa.decimal128(24, 6)),
        "sample_size": ([f.sample for f in figures], pa.int64()),
        "indicator_name_vi": ([f"{f.indicator} vi" for f in figures], pa.string()),
        "indicator_name_en": ([f"{f.indicator} en" for f in figures], pa.string()),
        "period_start": ([f.start for f in figures], pa.date32()),
        "period_end": ([f.end for f in figures], pa.date32()),
    }
    return pa.table({name: pa.array(values, kind) for name, (values, kind) in columns.items()})


def geography_tables() -> dict[str, pa.Table]:
    """The geography as the relations that the marts read."""
    areas = [
        {
            "code": code,
            "valid_from": start,
            "valid_to": end,
            "level": level,
            "name_vi": f"{code} vi",
            "name_en": f"{code} en",
            "parent_code": parent,
        }
        for code, start, end, level, parent in tiny_city.AREAS
    ]
    names = ("from_code", "from_valid_from", "to_code", "to_valid_from", "weight")
    weights = [dict(zip(names, row, strict=True)) for row in tiny_city.CORRESPONDENCES]
    figures = ("area_code", "area_valid_from", "concept", "reference_date", "persons")
    return {
        "area": pa.Table.from_pylist(areas),
        "population": pa.Table.from_pylist(
            [dict(zip(figures, row, strict=True)) for row in tiny_city.POPULATIONS]
        ),
        "area_correspondence": pa.Table.from_pylist(
            weights,
            schema=pa.schema(
                {
                    "from_code": pa.string(),
                    "from_valid_from": pa.date32(),
                    "to_code": pa.string(),
                    "to_valid_from": pa.date32(),
                    "weight": pa.decimal128(9, 8),
                }
            ),
        ),
    }


def candidate_session(inputs: BuildInputs) -> duckdb.DuckDBPyConnection:
    """A session on a finished candidate, inputs attached, as `explain` would open it."""
    connection = session()
    attach_inputs(connection, inputs)
    connection.execute(f"ATTACH {literal(str(inputs.candidate))} AS marts (READ_ONLY)")
    connection.execute("USE marts")
    return connection


@dataclass(frozen=True)
class Built:
    """A finished build."""

    inputs: BuildInputs
    run: DbtRun
    registry: Registry
    work: Path

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query on the candidate, inputs attached."""
        with candidate_session(self.inputs) as connection:
            return connection.sql(sql).to_arrow_table().to_pylist()


def build_city(
    folder: Path,
    cache: Path,
    *,
    empty: bool = False,
    data_as_of: Mapping[str, date] | None = None,
) -> Built:
    """Write the tiny city (without any row of core, when empty) and build its marts."""
    registry = load_registry(city(folder), write_config(folder))
    core = {
        "service_request": request_table([] if empty else tiny_city.requests()),
        "encounter": encounter_table([] if empty else tiny_city.ENCOUNTERS),
        "dossier": dossier_table([] if empty else tiny_city.dossiers()),
        "station": station_table([] if empty else tiny_city.STATIONS),
        "sensor_observation": observation_table([] if empty else tiny_city.observations()),
        "emergency_trip": trip_table([] if empty else tiny_city.trips()),
        "indicator_observation": statistics_table([] if empty else tiny_city.FIGURES),
    }
    views = {}
    for name, table in core.items():
        pq.write_table(table, folder / f"core_{name}.parquet")
        views[f"core.{name}"] = f"SELECT * FROM read_parquet('{folder}/core_{name}.parquet')"  # noqa: S608 - our own path
    tables = write_parquet(registry, {}, folder / "ref")
    for name, table in geography_tables().items():
        tables[f"ref.{name}"] = folder / "ref" / f"{name}.parquet"
        pq.write_table(table, tables[f"ref.{name}"])
    inputs = BuildInputs(
        views=views,
        tables=tables,
        data_as_of=data_as_of or dict.fromkeys(EVENT_COLUMNS, tiny_city.AS_OF),
        timezone=str(tiny_city.ZONE),
        candidate=folder / "out" / "marts.duckdb",
        cache=cache,
    )
    work = folder / "work"
    return Built(inputs, build(inputs, folder / "target", work), registry, work)


@pytest.fixture(scope="session")
def dbt_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dbt-cache")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, dbt_cache: Path) -> Built:
    return build_city(tmp_path_factory.mktemp("tiny"), dbt_cache)


@pytest.fixture(scope="session")
def built_empty(tmp_path_factory: pytest.TempPathFactory, dbt_cache: Path, built: Built) -> Built:
    assert built.run.returncode == 0
    return build_city(tmp_path_factory.mktemp("empty"), dbt_cache, empty=True)


@pytest.fixture
def connection(built: Built) -> Iterator[duckdb.DuckDBPyConnection]:
    """The candidate with its inputs attached again."""
    with candidate_session(built.inputs) as opened:
        yield opened
