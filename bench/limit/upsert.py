"""The bare limit: changed rows into a keyed table partitioned by local month.

Usage: python -m bench.limit.upsert prepare|run BASE_OR_CHANGES TABLE
"""

import sys
from pathlib import Path

import duckdb
from deltalake import DeltaTable, write_deltalake

ROWS_A_WRITE = 2_000_000
TYPED = """
    SELECT *,
        (requested_at + INTERVAL 7 HOUR)::DATE AS requested_date,
        (expected_at + INTERVAL 7 HOUR)::DATE AS expected_date,
        (closed_at + INTERVAL 7 HOUR)::DATE AS closed_date,
        strftime((requested_at + INTERVAL 7 HOUR)::DATE, '%Y-%m') AS requested_month
    FROM read_parquet('{file}')
"""


def connect() -> duckdb.DuckDBPyConnection:
    """A session in UTC."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def prepare(base: Path, table: Path) -> None:
    """Load the base rows, in bounded writes."""
    connection = connect()
    connection.execute(f"CREATE VIEW base AS {TYPED.format(file=base)}")
    months = [
        row[0] for row in connection.execute("SELECT DISTINCT requested_month FROM base").fetchall()
    ]
    for start in range(0, len(months), 4):
        group = sorted(months)[start : start + 4]
        rows = connection.sql(
            f"SELECT * FROM base WHERE requested_month IN {tuple(group)}"
        ).to_arrow_table()
        write_deltalake(table, rows, partition_by=["requested_month"], mode="append")


def run(changes: Path, table: Path) -> None:
    """Find where the changed keys live, rewrite those partitions and the ones they go to."""
    connection = connect()
    delta = DeltaTable(table)
    reader = "hive_partitioning = true, hive_types_autocast = false, union_by_name = true"
    connection.execute(f"CREATE TABLE incoming AS {TYPED.format(file=changes)}")
    connection.execute(
        f"CREATE VIEW stored AS SELECT * FROM read_parquet({delta.file_uris()}, {reader})"
    )
    months = [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT requested_month FROM stored"
            " SEMI JOIN incoming USING (service_request_id)"
            " UNION SELECT DISTINCT requested_month FROM incoming"
        ).fetchall()
    ]
    listed = ", ".join(f"'{month}'" for month in sorted(months))
    rows = connection.sql(
        "SELECT * FROM stored ANTI JOIN incoming USING (service_request_id)"
        f" WHERE requested_month IN ({listed}) UNION ALL BY NAME SELECT * FROM incoming"
    ).to_arrow_table()
    write_deltalake(delta, rows, mode="overwrite", predicate=f"requested_month IN ({listed})")


if __name__ == "__main__":
    {"prepare": prepare, "run": run}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
