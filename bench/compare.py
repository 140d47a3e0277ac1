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
        f"SELECT count(*), sum(hash({listed})::HUGEINT) FROM relation WHERE {live}"  # noqa: S608 - own names
    ).fetchall()[0]
    return int(row[0]), int(row[1])


def columns_of(table: Path) -> list[str]:
    """Names of a Delta table's columns."""
    return [field.name for field in DeltaTable(table).schema().fields]
