"""The bare limit: all pages of a GeoReport server into one typed Delta table.

Usage: python -m bench.limit.open311_to_core URL TARGET PAGES
"""

import hashlib
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import httpx
import pyarrow as pa
import zstandard
from deltalake import write_deltalake
from pyarrow import json as arrow_json

TEXTS = ("area_code", "channel", "satisfaction", "closed_datetime")
SCHEMA = pa.schema(
    [
        *(
            (name, pa.string())
            for name in (
                "service_request_id",
                "status",
                "service_name",
                "service_code",
                "agency_responsible",
                "requested_datetime",
                "updated_datetime",
                "expected_datetime",
            )
        ),
        ("lat", pa.float64()),
        ("long", pa.float64()),
        (
            "extended_attributes",
            pa.struct(
                [
                    *((name, pa.string()) for name in TEXTS),
                    ("within_competence", pa.bool_()),
                    ("reopened", pa.bool_()),
                ]
            ),
        ),
    ]
)
OPTIONS = arrow_json.ParseOptions(explicit_schema=SCHEMA, unexpected_field_behavior="ignore")
TYPED = """
    SELECT service_request_id, service_code, service_name, status, agency_responsible,
        requested_datetime::TIMESTAMPTZ AS requested_at,
        updated_datetime::TIMESTAMPTZ AS updated_at,
        expected_datetime::TIMESTAMPTZ AS expected_at,
        e.closed_datetime::TIMESTAMPTZ AS closed_at,
        e.area_code, lat::DECIMAL(9, 6) AS latitude, long::DECIMAL(9, 6) AS longitude,
        e.channel, e.within_competence AS is_within_competence, e.reopened AS is_reopened,
        e.satisfaction,
        (requested_at + INTERVAL 7 HOUR)::DATE AS requested_date,
        (expected_at + INTERVAL 7 HOUR)::DATE AS expected_date,
        (closed_at + INTERVAL 7 HOUR)::DATE AS closed_date,
        strftime(requested_date, '%Y-%m') AS requested_month
    FROM (SELECT *, extended_attributes AS e FROM records)
"""


def main(url: str, target: Path, pages: int) -> None:
    """Two pages in flight; each kept compressed under its digest, parsed, typed, written."""
    raw = target / "raw"
    raw.mkdir(parents=True)
    client = httpx.Client(timeout=60)

    def page(number: int) -> pa.Table:
        body = client.get(f"{url}/requests.json", params={"page": number}).content
        (raw / hashlib.sha256(body).hexdigest()).write_bytes(zstandard.compress(body, 1))
        if body == b"[]":
            return SCHEMA.empty_table()
        # The reader takes one object a line: the array becomes lines.
        lines = body[1:-1].replace(b"},{", b"}\n{")
        return arrow_json.read_json(io.BytesIO(lines), parse_options=OPTIONS)

    with ThreadPoolExecutor(2) as pool:
        records = pa.concat_tables(pool.map(page, range(1, pages + 1)))
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("records", records)
    write_deltalake(
        target / "core/service_request",
        connection.sql(TYPED).to_arrow_table(),
        partition_by=["requested_month"],
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
