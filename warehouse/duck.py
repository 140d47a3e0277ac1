"""DuckDB sessions: the only place that opens one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

THREADS = 2


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _in_utc(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    # A machine's own zone must never reach a result.
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def session(
    memory_limit: str | None = None,
    temp_directory: Path | None = None,
    threads: int = THREADS,
) -> duckdb.DuckDBPyConnection:
    """An in-memory session in UTC.

    Args:
        memory_limit: What DuckDB may hold in memory, for example `512MB`; beyond it data goes
            to `temp_directory`.
        temp_directory: Folder for data that does not fit; created on first use.
        threads: Threads of one query.

    Returns:
        A connection of its own, closed by the caller.
    """
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET threads = {int(threads)}")
    if memory_limit is not None:
        connection.execute(f"SET memory_limit = {_literal(memory_limit)}")
        # Its blocks are taken once and kept: to give back each that goes to disk, and to take it
        # anew, costs a tenth of a load's time.
        connection.execute(f"SET block_allocator_memory = {_literal(memory_limit)}")
    if temp_directory is not None:
        connection.execute(f"SET temp_directory = {_literal(str(temp_directory))}")
    return _in_utc(connection)


@contextmanager
def one_thread_a_statement(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Meanwhile every statement of a session keeps to the thread that it was given by.

    Statements on several cursors then run side by side, each at its own pace, where the threads
    of one statement wait for each other at every step that needs all of its rows.
    """
    connection.execute("SET threads = 1")
    try:
        yield
    finally:
        connection.execute(f"SET threads = {THREADS}")


def sandbox_session() -> duckdb.DuckDBPyConnection:
    """A session for expressions written by others: no files, no network, settings locked."""
    connection = session(threads=1)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def read_only(path: Path) -> duckdb.DuckDBPyConnection:
    """A read-only session in UTC on a database file.

    Raises:
        duckdb.IOException: when the file is missing or another process writes to it.
    """
    return _in_utc(duckdb.connect(str(path), read_only=True))
