"""Inputs of the benchmark, made once a run: the same files feed both sides."""

import gzip
from pathlib import Path

from isal import igzip

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

    They are spread evenly over the two months. Each gets a later update and another channel and
    is open again; every fiftieth of the earlier month was received 29 days later after all.
    """
    select = f"""
        WITH latest AS (
            SELECT *, row_number() OVER (ORDER BY service_request_id) - 1 AS place,
                count(*) OVER () AS latest_rows
            FROM read_parquet('{base}')
            WHERE requested_at >= TIMESTAMPTZ '2024-11-02 00:00:00+00'
        ), changed AS (
            SELECT * EXCLUDE (place, latest_rows),
                place * {changes} // latest_rows AS number
            FROM latest
            QUALIFY number IS DISTINCT FROM lag(number) OVER (ORDER BY place)
        )
        SELECT * EXCLUDE (number) REPLACE (
            updated_at + INTERVAL 30 DAY AS updated_at,
            'web' AS channel,
            CASE WHEN number % 50 = 0
                 AND requested_at < TIMESTAMPTZ '2024-12-01 00:00:00+00'
                THEN requested_at + INTERVAL 29 DAY ELSE requested_at END AS requested_at,
            NULL::TIMESTAMPTZ AS closed_at,
            'open' AS status,
            expected_at + INTERVAL 60 DAY AS expected_at
        )
        FROM changed
    """
    with session(memory_limit="2GB") as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def multiply_shared(shared: Path, target: Path, copies: int) -> None:
    """Write Boston's and Beijing's files `copies` times below `target`, as they lie in `shared`.

    Case ids and station names are distinct in each copy; every Beijing copy is a file.
    """
    boston = Path("data/a_citizen_feedback/boston_311_2015.csv.gz")
    beijing = Path("data/d_environment/beijing_prsa_hourly")
    for folder in (boston.parent, beijing):
        (target / folder).mkdir(parents=True)
    header, body = _unpacked(shared / boston).split(b"\n", 1)
    ids = (f",{101001 + copy:06d}".encode() for copy in range(copies))
    _pack(target / boston, [header + b"\n", *(body.replace(b",101001", each) for each in ids)])
    for source in sorted((shared / beijing).glob("*.csv.gz")):
        station = source.name.split("_")[2]
        content = _unpacked(source)
        for copy in range(copies):
            name = f"{station}{copy}"
            renamed = content.replace(f'"{station}"'.encode(), f'"{name}"'.encode())
            _pack(target / beijing / source.name.replace(station, name), [renamed])


def _unpacked(path: Path) -> bytes:
    return bytes(igzip.decompress(path.read_bytes()))  # type: ignore[no-untyped-call]


def _pack(path: Path, parts: list[bytes]) -> None:
    with gzip.open(path, "wb", compresslevel=1) as packed:
        for part in parts:
            packed.write(part)
