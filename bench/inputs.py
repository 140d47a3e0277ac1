"""Inputs of the benchmark, made once a run: the same files feed both sides."""

import gzip
from pathlib import Path

from warehouse.duck import session

MONTHS = 24
DISTRICTS = 8

# The Nth request of a day-filling sequence: everything follows from its number, so that no
# random state is needed and both sides see the same rows.
REQUESTS_SQL = """
SELECT
    'R' || lpad(i::VARCHAR, 9, '0') AS service_request_id,
    'S' || (hash(i) % 12) AS service_code,
    CASE WHEN hash(i) % 10 < 8 THEN 'closed' ELSE 'open' END AS status,
    'agency_' || (hash(i) % 9) AS agency_responsible,
    requested_at,
    requested_at + to_hours((hash(i * 3) % 40)::INTEGER) AS updated_at,
    requested_at + to_days(3 + (hash(i) % 12)::INTEGER) AS expected_at,
    CASE WHEN hash(i) % 10 < 8
        THEN requested_at + to_minutes((hash(i * 7) % 20000)::INTEGER) END AS closed_at,
    'D' || (hash(i * 5) % {districts}) AS area_code,
    'app' AS channel
FROM (
    SELECT i, TIMESTAMPTZ '2023-01-01 00:00:00+00'
        + to_seconds((i * {seconds_in_all} // {rows})::BIGINT) AS requested_at
    FROM range({first}, {last}) AS numbers(i)
)
"""


def write_requests(path: Path, rows: int) -> None:
    """Write `rows` requests over 24 months as one Parquet file, ordered by time of receipt."""
    select = REQUESTS_SQL.format(
        districts=DISTRICTS, seconds_in_all=730 * 86_400, rows=rows, first=0, last=rows
    )
    with session(memory_limit="2GB") as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def write_changes(path: Path, base: Path, changes: int) -> None:
    """Write changed rows of the last two months of `base`; 1% move between the two months.

    The latest `changes` requests of the two months get a later update and another channel.
    """
    select = f"""
        WITH latest AS (
            SELECT *, row_number() OVER (ORDER BY service_request_id DESC) AS place
            FROM read_parquet('{base}')
            WHERE requested_at >= TIMESTAMPTZ '2024-11-02 00:00:00+00'
        )
        SELECT * EXCLUDE (place) REPLACE (
            updated_at + INTERVAL 30 DAY AS updated_at,
            'web' AS channel,
            CASE WHEN place % 100 = 0
                 AND requested_at < TIMESTAMPTZ '2024-12-01 00:00:00+00'
                THEN requested_at + INTERVAL 29 DAY ELSE requested_at END AS requested_at,
            NULL::TIMESTAMPTZ AS closed_at,
            'open' AS status,
            expected_at + INTERVAL 60 DAY AS expected_at
        )
        FROM latest WHERE place % greatest(1, (SELECT count(*) FROM latest) // {changes}) = 0
        LIMIT {changes}
    """
    with session(memory_limit="2GB") as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def multiply_boston(source: Path, target: Path, copies: int) -> None:
    """Write the Boston file `copies` times into one gzip file, each case id once a copy."""
    with gzip.open(source, "rt", encoding="utf-8", newline="") as stream:
        header, body = stream.readline(), stream.read()
    with gzip.open(target, "wt", encoding="utf-8", newline="", compresslevel=1) as out:
        out.write(header)
        for copy in range(copies):
            out.write(body.replace(",101001", f",{101001 + copy:06d}"))
