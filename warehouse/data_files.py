"""Writing the Parquet files of a Delta table; they count only once they are committed."""

import secrets
from pathlib import Path
from typing import Any

import duckdb

from warehouse.lake import DataFile
from warehouse.sql import literal, quoted

_FORMAT = "FORMAT parquet, COMPRESSION zstd, RETURN_STATS true"


def write_files(
    connection: duckdb.DuckDBPyConnection,
    select: str,
    folder: Path,
    partition_column: str | None,
) -> list[DataFile]:
    """Write the rows of a SELECT as new files of a table, one or more a partition value.

    Args:
        connection: The session that the SELECT reads from.
        select: SELECT text that gives the table's columns.
        folder: The table's folder.
        partition_column: Partition column, which goes into the path, or None.

    Returns:
        The files written, empty where the SELECT gave no rows.
    """
    name = f"part-{secrets.token_hex(8)}"
    if partition_column is None:
        target = folder / f"{name}.parquet"
        options = _FORMAT
    else:
        target = folder
        options = (
            f"{_FORMAT}, PARTITION_BY ({quoted(partition_column)}), OVERWRITE_OR_IGNORE true, "
            f"FILENAME_PATTERN {literal(name + '-{i}')}"
        )
    rows = connection.execute(f"COPY ({select}) TO {literal(str(target))} ({options})").fetchall()
    files = [_data_file(folder, row, partition_column) for row in rows]
    for each in files:
        if each.rows == 0:
            (folder / each.path).unlink()
    return [each for each in files if each.rows]


def _data_file(folder: Path, row: tuple[Any, ...], partition_column: str | None) -> DataFile:
    filename, count, size, _footer, _statistics, keys, _extra = row
    partition = {partition_column: keys[partition_column]} if partition_column else {}
    return DataFile(Path(filename).relative_to(folder).as_posix(), size, count, partition)


def discard(folder: Path, files: list[DataFile]) -> None:
    """Remove files that were written but not committed."""
    for each in files:
        (folder / each.path).unlink(missing_ok=True)
