"""The data files of a release: Parquet, CSV, and what changed since the release before."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars

from warehouse.contract.model import Column
from warehouse.mart_file import text_sql
from warehouse.sql import literal, quoted, quoted_list

_ROWS_AT_ONCE = 100_000
# Fixed: row groups are part of the bytes, and the bytes of a release are repeatable.
_PARQUET = f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROWS_AT_ONCE})"


def ordered(relation: str, columns: Sequence[Column], key: Sequence[str]) -> str:
    """SELECT of the published columns in their order, rows in order of key."""
    names = [column.name for column in columns]
    order = [*key, *(name for name in names if name not in key)]
    ranks = ", ".join(f"{quoted(name)} NULLS FIRST" for name in order)
    return f"SELECT {quoted_list(names)} FROM ({relation}) ORDER BY {ranks}"  # noqa: S608 - names are quoted


def write_parquet(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write the rows of a query; a single-threaded session gives the same bytes each time."""
    connection.execute(f"COPY ({query}) TO {literal(str(path))} {_PARQUET}")


def write_csv(
    connection: duckdb.DuckDBPyConnection, query: str, columns: Sequence[Column], path: Path
) -> None:
    """Write the rows of a query by RFC 4180: UTF-8, a header, CRLF, ISO 8601 dates.

    A missing value is an empty field, an empty text is `""`.
    """
    texts = ", ".join(f"{text_sql(column)} AS {quoted(column.name)}" for column in columns)
    rows = connection.sql(f"SELECT {texts} FROM ({query})")  # noqa: S608 - names are quoted
    header = polars.DataFrame(schema={column.name: polars.String for column in columns})
    with path.open("wb") as handle:
        header.write_csv(handle, line_terminator="\r\n")
        for batch in rows.to_arrow_reader(_ROWS_AT_ONCE):
            frame = polars.DataFrame(batch)
            frame.write_csv(handle, include_header=False, line_terminator="\r\n")


def write_changes(
    connection: duckdb.DuckDBPyConnection,
    new: Path,
    old: Path | None,
    columns: Sequence[Column],
    key: Sequence[str],
    path: Path,
) -> None:
    """Write what differs between two releases: (key, op, column, old, new), all text.

    `key` is a JSON object of the key's values. `op` is `insert`, `delete` or `update`; an
    inserted or deleted row has one line for each column outside the key (one line without
    column where there is none), an updated row one for each column whose value changed.

    Args:
        connection: Session to work in.
        new: Parquet file of the new release.
        old: Parquet file of the release before; None for the first, which has no changes.
        columns: The new release's columns.
        key: The new release's key.
        path: The Parquet file to write.
    """
    if old is None:
        empty = 'SELECT NULL::VARCHAR AS key, NULL::VARCHAR AS op, NULL::VARCHAR AS "column", '
        write_parquet(
            connection, f"{empty} NULL::VARCHAR AS old, NULL::VARCHAR AS new LIMIT 0", path
        )
        return
    before = _columns_of(connection, old)
    after = {column.name: column for column in columns}
    names = sorted((before.keys() | after.keys()) - set(key))
    write_parquet(connection, _changes_sql(new, old, after, before, names, key), path)


def _changes_sql(
    new: Path,
    old: Path,
    after: dict[str, Column],
    before: dict[str, Column],
    names: Sequence[str],
    key: Sequence[str],
) -> str:
    """Query of the changes between two Parquet files."""
    cells = ", ".join(
        f"{{'column': {literal(name)}, 'old': o.{quoted(name)}, 'new': n.{quoted(name)}}}"
        for name in names
    )
    lines = f"[{cells}]" if names else "[{'column': NULL, 'old': NULL, 'new': NULL}]"
    return f"""
        WITH n AS ({_texts(new, after, names, key)}), o AS ({_texts(old, before, names, key)}),
        cells AS (
            SELECT coalesce(n._key, o._key) AS key,
                CASE WHEN o._key IS NULL THEN 'insert' WHEN n._key IS NULL THEN 'delete'
                    ELSE 'update' END AS op,
                unnest({lines}) AS cell
            FROM n FULL OUTER JOIN o ON n._key = o._key
        )
        SELECT key, op, cell."column"::VARCHAR AS "column", cell.old::VARCHAR AS old,
            cell.new::VARCHAR AS new
        FROM cells WHERE op <> 'update' OR cell.old IS DISTINCT FROM cell.new
        ORDER BY ALL
    """  # noqa: S608 - names and literals are quoted


def _texts(path: Path, columns: dict[str, Column], names: Sequence[str], key: Sequence[str]) -> str:
    """SELECT of a release's key as JSON and its cells as text; absent columns are null."""
    pairs = ", ".join(
        f"{literal(name)}, {text_sql(columns[name]) if name in columns else 'NULL'}" for name in key
    )
    cells = "".join(
        f", {text_sql(columns[name]) if name in columns else 'NULL::VARCHAR'} AS {quoted(name)}"
        for name in names
    )
    # json_object refuses nothing and keeps the order given: equal keys have equal text.
    return (
        f"SELECT CAST(json_object({pairs}) AS VARCHAR) AS _key{cells} "  # noqa: S608 - names are quoted
        f"FROM read_parquet({literal(str(path))})"
    )


def _columns_of(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, Column]:
    """The columns of a Parquet file with their types."""
    described = connection.execute(
        f"DESCRIBE SELECT * FROM read_parquet({literal(str(path))})"  # noqa: S608 - a quoted literal
    ).fetchall()
    return {row[0]: Column(row[0], {}, row[1]) for row in described}
