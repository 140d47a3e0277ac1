"""The bare limit: the files of a FHIR bulk export into one typed Delta table.

Usage: python -m bench.limit.fhir_to_core URL TARGET
"""

import hashlib
import io
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import httpx
import pyarrow as pa
import zstandard
from deltalake import write_deltalake
from pyarrow import json as arrow_json

CODE = pa.struct([("code", pa.string())])
CODING = pa.struct([("coding", pa.list_(CODE))])
VALUE = pa.struct([("value", pa.string())])
IDENTIFIED = pa.struct([("identifier", VALUE)])
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("meta", pa.struct([("lastUpdated", pa.string())])),
        ("status", pa.string()),
        ("class", CODE),
        ("type", pa.list_(CODING)),
        ("serviceType", CODING),
        ("period", pa.struct([("start", pa.string()), ("end", pa.string())])),
        ("location", pa.list_(pa.struct([("location", IDENTIFIED)]))),
        ("serviceProvider", IDENTIFIED),
    ]
)
OPTIONS = arrow_json.ParseOptions(explicit_schema=SCHEMA, unexpected_field_behavior="ignore")
TYPED = """
    SELECT id AS encounter_id, status, "class".code AS class_code,
        type[1].coding[1].code AS type_code, serviceType.coding[1].code AS service_type_code,
        serviceProvider.identifier.value AS facility_id,
        location[1].location.identifier.value AS area_code,
        period.start::TIMESTAMPTZ AS started_at, period."end"::TIMESTAMPTZ AS ended_at,
        meta.lastUpdated::TIMESTAMPTZ AS updated_at,
        (started_at + INTERVAL 7 HOUR)::DATE AS started_date,
        (ended_at + INTERVAL 7 HOUR)::DATE AS ended_date,
        strftime(started_date, '%Y-%m') AS started_month
    FROM records
"""


def main(url: str, target: Path) -> None:
    """Two files in flight; each kept compressed under its digest, parsed, typed, written."""
    raw = target / "raw"
    raw.mkdir(parents=True)
    client = httpx.Client(timeout=60)
    files = [each["url"] for each in client.get(f"{url}/status").json()["output"]]

    def file(address: str) -> pa.Table:
        body = client.get(address).content
        (raw / hashlib.sha256(body).hexdigest()).write_bytes(zstandard.compress(body, 1))
        return arrow_json.read_json(io.BytesIO(body), parse_options=OPTIONS)

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")

    def batches() -> Iterator[pa.RecordBatch]:
        with ThreadPoolExecutor(2) as pool:
            for records in pool.map(file, files):
                connection.register("records", records)
                yield from connection.sql(TYPED).to_arrow_table().to_batches()

    stream = batches()
    first = next(stream)

    def all_batches() -> Iterator[pa.RecordBatch]:
        yield first
        yield from stream

    write_deltalake(
        target / "core/encounter",
        pa.RecordBatchReader.from_batches(first.schema, all_batches()),
        partition_by=["started_month"],
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
