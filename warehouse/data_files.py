# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""Writing the Parquet files of a Delta table; they count only once they are committed."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from warehouse.duck import THREADS, one_thread_a_statement
from warehouse.errors import CitylakeError
from warehouse.lake import DataFile
from warehouse.sql import date_literal, literal, quoted

# A partition of this many rows is written by a statement of its own. DuckDB's partitioned write
# first copies all rows partition by partition, at about the cost of writing them, so it only
# serves to keep the number of statements down where partitions are tiny.
_ALONE_ROWS = 4_000
_TOGETHER_ROWS = 200_000
_ROW_GROUP = 32_768

# A column with more different values than this in a row group has none worth a dictionary; to find
# that out late costs an eighth of the writing, and makes the files no smaller.
_DICTIONARY_VALUES = 1024

_FORMAT = (
    f"FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {_ROW_GROUP}, "
    f"DICTIONARY_SIZE_LIMIT {_DICTIONARY_VALUES}, RETURN_STATS true"
)

Partitions = Mapping[str | None, int]


@dataclass(frozen=True)
class Rows:
    """Rows to be written.

    Attributes:
        select: SELECT text that gives columns of the table.
        date_column: A DATE column of the SELECT whose month the partition is: the rows of a
            partition are then found by it, so that what lies in its order is passed over. None
            where they are found by the partition column itself.
    """

    select: str
    date_column: str | None = None


class LostRowsError(CitylakeError):
    """The rows that were written are not those that were to be; nothing was committed."""


def check_rows(what: str, added: Iterable[DataFile], expected: int) -> None:
    """Hold the rows of new files against the number that they ought to have.

    Raises:
        LostRowsError: when they differ.
    """
    written = sum(each.rows for each in added)
    if written != expected:
        raise LostRowsError(
            f"{what}: the rows do not add up ({written} written, {expected} expected)"
        )


def write_files(
    connection: duckdb.DuckDBPyConnection,
    rows: Sequence[Rows],
    folder: Path,
    partition_column: str | None,
    partitions: Partitions,
) -> list[DataFile]:
    """Write rows as new files of a table, one or more a partition value.

    Args:
        connection: The session that the rows are read from.
        rows: The rows; a column that some of them lack is null there.
        folder: The table's folder.
        partition_column: Partition column, which goes into the path, or None.
        partitions: Every partition value that the rows may have, with about how many rows it
            has; not read for an unpartitioned table.

    Returns:
        The files written, empty where there were no rows.
    """
    name = f"part-{secrets.token_hex(8)}"
    if partition_column is None:
        selects = [each.select for each in rows]
        statements = [_copy(selects, folder / f"{name}.parquet", _FORMAT)]
    else:
        statements = [
            _copy_group(rows, folder, partition_column, group, f"{name}-{place}")
            for place, group in enumerate(_groups(partitions))
        ]
    written = [row for each in _run(connection, statements) for row in each]
    files = [_data_file(folder, row, partition_column) for row in written]
    discard(folder, [each for each in files if not each.rows])
    return [each for each in files if each.rows]


def _run(
    connection: duckdb.DuckDBPyConnection, statements: list[str]
) -> list[list[tuple[Any, ...]]]:
    """What each statement gives: one alone by all threads, several by a thread each."""

    def run(statement: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            return cursor.execute(statement).fetchall()

    if len(statements) == 1:
        return [run(statements[0])]
    with one_thread_a_statement(connection), ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, statements))


def _groups(partitions: Partitions) -> list[list[str | None]]:
    """The partition values, cut into what one statement each writes."""
    groups: list[list[str | None]] = []
    small: list[str | None] = []
    rows = 0
    for value in sorted(partitions, key=lambda each: (each is None, each or "")):
        if partitions[value] >= _ALONE_ROWS:
            groups.append([value])
            continue
        small.append(value)
        rows += partitions[value]
        if rows >= _TOGETHER_ROWS:
            groups.append(small)
            small, rows = [], 0
    return [*groups, small] if small else groups


def _copy_group(
    rows: Sequence[Rows], folder: Path, column: str, group: list[str | None], name: str
) -> str:
    name_column = quoted(column)
    if len(group) == 1 and group[0] is not None:
        target = folder / f"{column}={group[0]}" / f"{name}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        selects = [
            f"SELECT * EXCLUDE ({name_column}) FROM ({each.select}) WHERE "
            + (
                _is_in_month(each.date_column, group[0])
                if each.date_column
                else f"{name_column} = {literal(group[0])}"
            )
            for each in rows
        ]
        return _copy(selects, target, _FORMAT)
    named = ", ".join(literal(each) for each in group if each is not None)
    wanted = [f"{name_column} IN ({named})"] if named else []
    wanted += [f"{name_column} IS NULL"] if None in group else []
    options = (
        f"{_FORMAT}, PARTITION_BY ({name_column}), OVERWRITE_OR_IGNORE true, "
        f"FILENAME_PATTERN {literal(name + '-{i}')}"
    )
    where = " OR ".join(wanted)
    return _copy([f"SELECT * FROM ({each.select}) WHERE {where}" for each in rows], folder, options)


def _is_in_month(column: str, month: str) -> str:
    first = date.fromisoformat(f"{month}-01")
    following = (first + timedelta(days=31)).replace(day=1)
    name = quoted(column)
    return f"{name} >= {date_literal(first)} AND {name} < {date_literal(following)}"


def _copy(selects: Sequence[str], target: Path, options: str) -> str:
    return f"COPY ({' UNION ALL BY NAME '.join(selects)}) TO {literal(str(target))} ({options})"


def _data_file(folder: Path, row: tuple[Any, ...], partition_column: str | None) -> DataFile:
    filename, count, size, _footer, _statistics, keys, _extra = row
    path = Path(filename).relative_to(folder)
    partition: dict[str, str | None] = {}
    if partition_column is not None:
        own = path.parts[0].removeprefix(f"{partition_column}=")
        partition[partition_column] = keys[partition_column] if keys else own
    return DataFile(path.as_posix(), size, count, partition)


def discard(folder: Path, files: list[DataFile]) -> None:
    """Remove files that were written but not committed."""
    for each in files:
        (folder / each.path).unlink(missing_ok=True)
