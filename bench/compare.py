"""Whether the bare limit and ours ended in the same rows."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
from deltalake import DeltaTable

READER = "hive_partitioning = true, hive_types_autocast = false, union_by_name = true"


def contents(table: Path, columns: Sequence[str]) -> tuple[int, int]:
    """Number of live rows of a Delta table, and a sum over the hashes of their columns."""
    files = DeltaTable(table).file_uris()
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    relation = connection.sql(f"SELECT * FROM read_parquet({files}, {READER})")
    live = "NOT _is_deleted" if "_is_deleted" in relation.columns else "true"
    listed = ", ".join(f'"{name}"' for name in columns)
    row = connection.sql(
        f"SELECT count(*), sum(hash({listed})::HUGEINT) FROM relation WHERE {live}"
    ).fetchall()[0]
    return int(row[0]), int(row[1] or 0)


def columns_of(table: Path) -> list[str]:
    """Names of a Delta table's columns."""
    return [field.name for field in DeltaTable(table).schema().fields]


def table_differences(limit: Path, ours: Path) -> list[str]:
    """What two Delta tables differ in, over the columns that the limit has: key and business.

    Returns:
        Nothing where they are equal, else the numbers of rows and the columns that differ.
    """
    columns = columns_of(limit)
    left, right = contents(limit, columns), contents(ours, columns)
    if left == right:
        return []
    differ = [name for name in columns if contents(limit, [name]) != contents(ours, [name])]
    return [f"{ours.name}: {left[0]} rows, ours {right[0]}; columns that differ: {differ}"]


def query_differences(limit: Path, ours: Path, queries: dict[str, str]) -> list[str]:
    """What named relations of the limit's file differ in from queries on ours.

    Args:
        limit: DuckDB file of the limit: one table a name.
        ours: DuckDB file of ours.
        queries: Table of the limit to the SELECT on ours (attached as `ours`) that equals it.
    """
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{limit}' AS bare (READ_ONLY)")
    connection.execute(f"ATTACH '{ours}' AS ours (READ_ONLY)")
    found = []
    for name, query in queries.items():
        sides = (f"(SELECT * FROM bare.{name})", f"({query})")
        # EXCEPT ALL goes by position: both sides list the same columns in the same order.
        extra = [
            connection.execute(f"SELECT count(*) FROM ({a} EXCEPT ALL {b})").fetchall()[0][0]
            for a, b in (sides, sides[::-1])
        ]
        rows = connection.execute(f"SELECT count(*) FROM bare.{name}").fetchall()[0][0]
        if any(extra) or not rows:
            found.append(f"{name}: {rows} rows, {extra[0]} not in ours, {extra[1]} only in ours")
    return found
