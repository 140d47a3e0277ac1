"""A plugin of Airflow for the metadata database that `make up` keeps: SQLite, which has one writer.

Airflow writes its audit log in the event loop of the API server, and waits there for the database.
A request that holds the database gives it back only when that loop goes on: two changes at once
stand still until the wait for the database is over, and one of them fails (docs/adr/0042).
"""

import asyncio

from airflow.plugins_manager import AirflowPlugin
from starlette.types import ASGIApp, Receive, Scope, Send

READING = ("GET", "HEAD", "OPTIONS")


class OneWriter:
    """Lets one request at a time change anything; whoever waits for its turn holds nothing."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application.

        Args:
            app: The API server: its pages, and what its tasks ask it.
        """
        self.app = app
        self.turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, where it changes something in its turn."""
        if scope["type"] != "http" or scope["method"] in READING:
            await self.app(scope, receive, send)
            return
        async with self.turn:
            await self.app(scope, receive, send)


class OneWriterPlugin(AirflowPlugin):
    """Puts it before the API server."""

    name = "citylake_one_writer"
    fastapi_root_middlewares = [{"name": name, "middleware": OneWriter}]  # noqa: RUF012
