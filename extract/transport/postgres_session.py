"""A read-only PostgreSQL session through ADBC: the one module that knows the driver.

No text of the driver or the server leaves this module: it may hold the address with its password,
or a value of a record.
"""

import re
from collections.abc import Generator
from contextlib import suppress
from typing import Any, TypeAlias

import pyarrow as pa
from adbc_driver_manager import Error, dbapi
from adbc_driver_postgresql import StatementOptions
from adbc_driver_postgresql.dbapi import connect

from extract.errors import Place, TerminalError
from extract.transport.retry import RetryLaterError
from warehouse.sql import literal

APPLICATION_NAME = "citylake"
BATCH_BYTES = 2 << 20
_URI = re.compile(r"postgres(?:ql)?://(?:[^@/]*@)?(?P<rest>.*)", re.DOTALL)
# Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html after which
# the same request may succeed: connection, resources, serialization, locks, operator intervention.
_TRANSIENT_CLASSES = ("08", "40", "53", "55P03", "57", "58")
_TIMEOUT = "57014"
_REFUSED_ACCOUNT = ("28000", "28P01", "3D000", "42501")
_MISSING_TABLE = "42P01"
_MISSING_COLUMN = "42703"
# A refused connection carries no code, only text; what else may have happened is worth a retry.
_REFUSALS = re.compile(
    r"authentication failed|no password supplied|does not exist\s*$|pg_hba\.conf|not permitted"
    r"|permission denied"
)
_UNREADABLE_URI = re.compile(
    r"percent-encoded|connection info string|in URI|URI query parameter|connection option"
    r"|invalid port|invalid sslmode"
)


class Session:
    """One transaction: read only, repeatable read, its clock in UTC.

    Everything that is read through it is the state of one instant.
    """

    def __init__(
        self, uri: str, connect_timeout_seconds: int, timeout_seconds: float, place: Place
    ) -> None:
        """Connect and begin.

        Raises:
            TerminalError: rule `url` or `account`.
            RetryLaterError: when the server cannot be reached now.
        """
        self._place = place
        self._connection = _connected(_with_timeout(uri, connect_timeout_seconds, place), place)
        try:
            with self._connection.cursor() as cursor:
                for statement in _settings(timeout_seconds):
                    self._execute(cursor, statement)
        except BaseException:
            self.close()
            raise

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a small result.

        Raises:
            TerminalError: when the server refuses the query.
            RetryLaterError: when it may answer later.
        """
        return [row for batch in self.batches(sql) for row in batch.to_pylist()]

    def batches(self, sql: str) -> Generator[pa.RecordBatch, None, None]:
        """The rows of a result as they come, in batches of about `BATCH_BYTES`; at least one.

        Raises:
            TerminalError: when the server refuses the query.
            RetryLaterError: when it may answer later, also in the midst of the result.
        """
        with self._connection.cursor() as cursor:
            hint = StatementOptions.BATCH_SIZE_HINT_BYTES.value
            cursor.adbc_statement.set_options(**{hint: str(BATCH_BYTES)})
            self._execute(cursor, sql)
            reader = cursor.fetch_record_batch()
            yield pa.RecordBatch.from_pylist([], schema=reader.schema)
            while (batch := self._next(reader)) is not None:
                yield batch

    def close(self) -> None:
        """End the transaction and the connection, whatever state they are in."""
        with suppress(Error):
            self._connection.close()

    def _execute(self, cursor: dbapi.Cursor, sql: str) -> None:
        try:
            cursor.execute(sql)
        except Error as error:
            failure = _refused_query(error, self._place)
        else:
            return
        raise failure

    def _next(self, reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
        try:
            return reader.read_next_batch()
        except StopIteration:
            return None
        except Error as error:
            failure = _refused_query(error, self._place)
        except (OSError, pa.ArrowException) as error:
            failure = self._broken_stream(str(error))
        raise failure

    def _broken_stream(self, text: str) -> "Failure":
        """What an error in the midst of a result means; it carries no code.

        Where the session still answers, it was not the connection but the query: a timeout, a
        conflict on a replica, or a view that fails on a row.
        """
        try:
            self._connection.rollback()
        except Error:
            return RetryLaterError("cut_connection", "the connection was cut")
        if "canceling statement" in text:
            return RetryLaterError("timeout", "the server cancelled the query")
        return self._place.terminal("query", "the query fails while it runs")


def _connected(address: str, place: Place) -> dbapi.Connection:
    try:
        connection: dbapi.Connection = connect(address)
    except Error as error:
        failure = _refused_connection(error, place)
    else:
        return connection
    # Raised outside the handler, here and above: nothing may carry the driver's error along.
    raise failure


def _settings(timeout_seconds: float) -> tuple[str, ...]:
    return (
        # Has to be the first: the driver has begun the transaction already.
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        f"SET application_name = {literal(APPLICATION_NAME)}",
        "SET standard_conforming_strings = on",
        "SET TimeZone = 'UTC'",
        "SET DateStyle = 'ISO, YMD'",
        "SET extra_float_digits = 1",
        f"SET statement_timeout = {round(timeout_seconds * 1000)}",
    )


def _with_timeout(uri: str, seconds: int, place: Place) -> str:
    """The address with a limit for connecting, unless it sets one itself."""
    found = _URI.fullmatch(uri)
    if found is None:
        raise place.terminal("url", "the address is no postgresql:// URI")
    if "connect_timeout=" in found["rest"]:
        return uri
    return f"{uri}{'&' if '?' in found['rest'] else '?'}connect_timeout={seconds}"


Failure: TypeAlias = TerminalError | RetryLaterError


def _refused_connection(error: Error, place: Place) -> Failure:
    text = str(error)
    if _UNREADABLE_URI.search(text):
        return place.terminal("url", "the address cannot be read as a URI")
    if _REFUSALS.search(text.strip()):
        message = "the server does not accept the account, its password or the database"
        return place.terminal("account", message)
    return RetryLaterError("connection", "the server cannot be reached")


def _refused_query(error: Error, place: Place) -> Failure:
    code = error.sqlstate
    if code is None or code.startswith(_TRANSIENT_CLASSES):
        if code == _TIMEOUT:
            return RetryLaterError("timeout", "the server cancelled the query")
        return RetryLaterError("cut_connection", f"the session ended ({code or 'no code'})")
    if code in _REFUSED_ACCOUNT:
        return place.terminal("account", "the account may not read this")
    if code == _MISSING_TABLE:
        return place.terminal("missing_table", "the table is gone")
    if code == _MISSING_COLUMN:
        return place.terminal("missing_column", "a column is gone")
    return place.terminal("query", f"the server refuses the query (SQLSTATE {code})")
