"""Mart files: rows of publications, their content hash, and files composed of them."""

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.contract.model import Column, TableContract
from warehouse.duck import THREADS, session
from warehouse.files import scratch, sync
from warehouse.publication import Part, Publication, Value
from warehouse.sql import literal, quoted

# The day of the delivery is status: a fresh delivery of equal values is no new content.
DELIVERY_COLUMNS = frozenset({"data_as_of"})

_HASHES_AT_ONCE = 100_000


@dataclass(frozen=True)
class Source:
    """Where the rows of one publication come from.

    Attributes:
        parts: Which rows of which marts.
        file: A mart file (candidate, promoted or held).
        stored_parts: The parts that the publication had when it was promoted into that file;
            rows outside them were somebody else's. None where the file is a fresh candidate.
    """

    parts: tuple[Part, ...]
    file: Path
    stored_parts: tuple[Part, ...] | None = None

    @property
    def marts(self) -> frozenset[str]:
        """Names of the marts it gives rows of."""
        return frozenset(part.mart for part in self.parts)


@contextmanager
def scratch_session(work: Path, threads: int = THREADS) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory session that spills into a folder of its own, closed and removed at the end."""
    spill = scratch(work, "spill")
    try:
        with session(temp_directory=spill, threads=threads) as connection:
            yield connection
    finally:
        shutil.rmtree(spill, ignore_errors=True)


def condition(parts: Iterable[Part], mart: str) -> str:
    """SQL condition that is true for the rows of `mart` that the parts take."""
    wanted = [
        " AND ".join(f"{quoted(name)} = {_value(value)}" for name, value in part.where.items())
        or "true"
        for part in parts
        if part.mart == mart
    ]
    return " OR ".join(f"({each})" for each in wanted) or "false"


def _value(value: Value) -> str:
    return str(value) if isinstance(value, int) else literal(value)


def rows_sql(catalog: str, mart: str, parts: Iterable[Part]) -> str:
    """SELECT of a publication's rows of one mart in an attached mart file."""
    return (
        f"SELECT * FROM {quoted(catalog)}.main.{quoted(mart)} "  # noqa: S608 - names are quoted
        f"WHERE {condition(parts, mart)}"
    )


def text_sql(column: Column) -> str:
    """The value of a column as text that no session setting changes; null stays null.

    Dates and times are ISO 8601, times in UTC with microseconds; decimals have the digits of
    the contract's type.
    """
    name = quoted(column.name)
    if column.sql_type.upper() in ("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"):
        return f"strftime({name} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"CAST(CAST({name} AS {column.sql_type}) AS VARCHAR)"


def row_text_sql(columns: Sequence[Column]) -> str:
    """One text per row that is equal exactly where all values are equal (null is no text)."""
    fields = [
        f"coalesce('\"' || replace({text_sql(column)}, '\"', '\"\"') || '\"', '')"
        for column in columns
    ]
    return " || ',' || ".join(fields)


def content_columns(columns: Iterable[Column]) -> list[Column]:
    """The columns that make content: all but those that only tell of the delivery."""
    return [column for column in columns if column.name not in DELIVERY_COLUMNS]


def content_hash(
    connection: duckdb.DuckDBPyConnection,
    relations: Mapping[str, tuple[str, Sequence[Column], Sequence[str]]],
) -> str:
    """Hash of values, independent of the order of rows and of the layout of files.

    It is the SHA-256 over, for each mart in order of name, one line with name, key, and the
    columns with their types, and the sorted SHA-256 of each row's text.

    Args:
        connection: Session in which the relations can be read.
        relations: Mart -> (SELECT text, its columns, its key).

    Returns:
        64 hex digits.
    """
    total = hashlib.sha256()
    for mart, (relation, columns, key) in sorted(relations.items()):
        kept = content_columns(columns)
        schema = [f"{column.name} {column.sql_type.upper()}" for column in kept]
        total.update(f"{mart}|{','.join(key)}|{','.join(schema)}\n".encode())
        hashes = connection.sql(
            f"SELECT sha256({row_text_sql(kept)}) AS h FROM ({relation}) ORDER BY h"  # noqa: S608 - names are quoted
        )
        for batch in hashes.to_arrow_reader(_HASHES_AT_ONCE):
            total.update("".join(batch.column(0).to_pylist()).encode())
    return total.hexdigest()


def publication_hash(
    connection: duckdb.DuckDBPyConnection,
    catalog: str,
    parts: Sequence[Part],
    contracts: Mapping[str, TableContract],
) -> str:
    """Content hash of all rows that a publication's parts take from an attached mart file."""
    relations = {}
    for mart in {part.mart for part in parts}:
        contract = contracts[mart]
        relations[mart] = (rows_sql(catalog, mart, parts), contract.columns, contract.key)
    return content_hash(connection, relations)


def published_columns(publication: Publication, contract: TableContract) -> list[Column]:
    """The columns that a release shows, in the order of the contract.

    Raises:
        KeyError: when the mart lacks a column that the publication names.
    """
    for name in publication.columns:
        contract.column(name)
    return [column for column in contract.columns if column.name in publication.columns]


def published_hash(
    connection: duckdb.DuckDBPyConnection,
    catalog: str,
    publication: Publication,
    contracts: Mapping[str, TableContract],
) -> str | None:
    """Content hash of what a release of an open dataset shows; None for an internal one."""
    if not publication.is_open:
        return None
    mart = publication.marts[0]
    columns = published_columns(publication, contracts[mart])
    relation = rows_sql(catalog, mart, publication.parts)
    return content_hash(connection, {mart: (relation, columns, publication.key)})


def row_count(connection: duckdb.DuckDBPyConnection, catalog: str, parts: Sequence[Part]) -> int:
    """How many rows the parts take from an attached mart file, over all marts."""
    total = 0
    for mart in {part.mart for part in parts}:
        relation = rows_sql(catalog, mart, parts)
        rows = connection.execute(f"SELECT count(*) FROM ({relation})").fetchall()  # noqa: S608 - names are quoted
        total += rows[0][0]
    return total


def attach(connection: duckdb.DuckDBPyConnection, file: Path, catalog: str) -> None:
    """Attach a mart file for reading under a name of its own."""
    connection.execute(f"ATTACH {literal(str(file))} AS {quoted(catalog)} (READ_ONLY)")


def compose(
    target: Path,
    sources: Sequence[Source],
    contracts: Mapping[str, TableContract],
    work: Path,
) -> None:
    """Write an immutable mart file; does nothing where it is there already.

    Args:
        target: The file, named by its content.
        sources: Where each publication's rows come from; the publications do not overlap.
        contracts: Mart contracts by name; the file has their columns in their order.
        work: Scratch folder on the same file system.
    """
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = scratch(work, "mart")
    files = list(dict.fromkeys(source.file for source in sources))
    with scratch_session(work) as connection:
        connection.execute(f"ATTACH {literal(str(temporary))} AS composed")
        for number, file in enumerate(files):
            attach(connection, file, f"source_{number}")
        for mart in sorted({mart for source in sources for mart in source.marts}):
            _create(connection, contracts[mart])
            for source in sources:
                if mart in source.marts:
                    _copy(connection, source, contracts[mart], f"source_{files.index(source.file)}")
        connection.execute("DETACH composed")
    sync(temporary)
    # Equal names hold equal content: whoever comes second changes nothing a reader could see.
    temporary.replace(target)
    sync(target.parent)


def _create(connection: duckdb.DuckDBPyConnection, contract: TableContract) -> None:
    columns = ", ".join(f"{quoted(column.name)} {column.sql_type}" for column in contract.columns)
    connection.execute(f"CREATE TABLE composed.main.{quoted(contract.name)} ({columns})")


def _copy(
    connection: duckdb.DuckDBPyConnection, source: Source, contract: TableContract, catalog: str
) -> None:
    """Insert a publication's rows of one mart, in order of key.

    An older file may lack a column that the contract has gained (it becomes null) or the mart
    itself (no rows).
    """
    present = columns_of(connection, catalog, contract.name)
    if not present:
        return
    values = ", ".join(
        f"CAST({quoted(column.name) if column.name in present else 'NULL'} AS {column.sql_type})"
        for column in contract.columns
    )
    where = f"({condition(source.parts, contract.name)})"
    if source.stored_parts is not None:
        where += f" AND ({condition(source.stored_parts, contract.name)})"
    order = ", ".join(quoted(name) for name in contract.key if name in present) or "ALL"
    connection.execute(
        f"INSERT INTO composed.main.{quoted(contract.name)} "  # noqa: S608 - names are quoted
        f"SELECT {values} FROM {quoted(catalog)}.main.{quoted(contract.name)} "
        f"WHERE {where} ORDER BY {order}"
    )


def columns_of(connection: duckdb.DuckDBPyConnection, catalog: str, mart: str) -> dict[str, str]:
    """Column -> DuckDB type of a mart in an attached file; empty when the mart is not there."""
    rows = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = 'main' AND table_name = ? ORDER BY column_index",
        [catalog, mart],
    ).fetchall()
    return {name: sql_type for name, sql_type in rows}
