"""The bare limit: Boston and Beijing CSV into two typed Delta tables, without rules or history.

Usage: python -m bench.limit.csv_to_core SHARED TARGET
"""

import shutil
import sys
from pathlib import Path

import polars as pl
from deltalake import write_deltalake
from isal import igzip

BOSTON_FORMAT = "%m/%d/%Y %I:%M:%S %p"
BOSTON_COLUMNS = [
    "CASE_ENQUIRY_ID",
    "OPEN_DT",
    "TARGET_DT",
    "CLOSED_DT",
    "CASE_STATUS",
    "TYPE",
    "Department",
    "ward",
    "LATITUDE",
    "LONGITUDE",
    "Source",
]
BEIJING_COLUMNS = ["year", "month", "day", "hour", "PM2.5", "PM10", "station"]


def _read(path: Path, columns: list[str], raw: Path) -> pl.DataFrame:
    """Keep the bytes as they came, then read the wanted columns as text."""
    shutil.copy(path, raw / path.name)
    content = igzip.decompress(path.read_bytes())  # type: ignore[no-untyped-call]
    return pl.read_csv(content, columns=columns, infer_schema=False)


def _utc(column: str, zone: str) -> pl.Expr:
    return (
        pl.col(column)
        .str.to_datetime(BOSTON_FORMAT, time_unit="us")
        .dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        .dt.convert_time_zone("UTC")
    )


def requests(path: Path, raw: Path) -> pl.DataFrame:
    """Boston's cases as service requests: one row a case that was not closed before opened."""
    zone = "America/New_York"
    number = pl.col("ward").str.extract(r"^(?:Ward )?0?(\d{1,2})$").str.zfill(2)
    frame = _read(path, BOSTON_COLUMNS, raw).select(
        service_request_id="CASE_ENQUIRY_ID",
        service_code="TYPE",
        service_name="TYPE",
        status=pl.col("CASE_STATUS").str.to_lowercase(),
        agency_responsible="Department",
        requested_at=_utc("OPEN_DT", zone),
        expected_at=_utc("TARGET_DT", zone),
        closed_at=_utc("CLOSED_DT", zone),
        area_code="W" + number,
        latitude=pl.col("LATITUDE").cast(pl.Decimal(9, 6)),
        longitude=pl.col("LONGITUDE").cast(pl.Decimal(9, 6)),
        channel="Source",
        requested_date=pl.col("OPEN_DT").str.to_datetime(BOSTON_FORMAT).dt.date(),
        expected_date=pl.col("TARGET_DT").str.to_datetime(BOSTON_FORMAT).dt.date(),
        closed_date=pl.col("CLOSED_DT").str.to_datetime(BOSTON_FORMAT).dt.date(),
    )
    kept = frame.filter(
        pl.col("closed_at").is_null() | (pl.col("closed_at") >= pl.col("requested_at"))
    )
    return kept.with_columns(requested_month=pl.col("requested_date").dt.strftime("%Y-%m"))


def observations(path: Path, raw: Path) -> pl.DataFrame:
    """One station's hours as observations: a row an hour and property."""
    frame = _read(path, BEIJING_COLUMNS, raw).with_columns(
        local=pl.datetime(*(pl.col(part).cast(pl.Int32) for part in BEIJING_COLUMNS[:4]))
    )
    long = frame.unpivot(
        on=["PM2.5", "PM10"],
        index=["station", "local"],
        variable_name="observed_property",
        value_name="value",
    )
    return long.select(
        station_id="station",
        observed_property="observed_property",
        observed_at=pl.col("local")
        .dt.replace_time_zone("Asia/Shanghai")
        .dt.convert_time_zone("UTC"),
        value=pl.col("value").replace("NA", None).cast(pl.Decimal(12, 3)),
        observed_date=pl.col("local").dt.date(),
        observed_month=pl.col("local").dt.strftime("%Y-%m"),
    )


def main(shared: Path, target: Path) -> None:
    """Read every file and write both tables, partitioned by local month."""
    raw = target / "raw"
    raw.mkdir(parents=True)
    boston = [
        requests(path, raw) for path in sorted(shared.glob("data/a_citizen_feedback/*.csv.gz"))
    ]
    write_deltalake(
        target / "core/service_request",
        pl.concat(boston),
        partition_by=["requested_month"],
        mode="append",
    )
    beijing = [
        observations(path, raw)
        for path in sorted(shared.glob("data/d_environment/beijing_prsa_hourly/*.csv.gz"))
    ]
    write_deltalake(
        target / "core/sensor_observation",
        pl.concat(beijing),
        partition_by=["observed_month"],
        mode="append",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
