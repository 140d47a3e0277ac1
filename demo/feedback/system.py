"""The feedback system as one of the demo city's systems."""

import threading
from collections.abc import Mapping

from demo.feedback.feed import Feed
from demo.feedback.manifest import manifest
from demo.feedback.server import FeedbackServer
from demo.feedback.transport import broken
from demo.systems import Settings

__all__ = ["manifest", "start"]

URL_VARIABLE = "CITYLAKE_DANANG_OPEN311_URL"
TOKEN_VARIABLE = "CITYLAKE_DANANG_OPEN311_TOKEN"  # noqa: S105 - the name of a variable


class RunningFeedback:
    """The feedback system's server in a thread of its own."""

    token_variables = (TOKEN_VARIABLE,)

    def __init__(self, server: FeedbackServer) -> None:
        self._server = server
        threading.Thread(target=server.serve_forever, daemon=True).start()

    @property
    def variables(self) -> Mapping[str, str]:
        """The address of the service on a day."""
        return {URL_VARIABLE: f"{self._server.address}/as-of/{{day}}/georeport/v2"}

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


def start(settings: Settings) -> RunningFeedback:
    """Start the feedback system.

    Raises:
        ValueError: when a breakage cannot be read.
    """
    breakages = tuple(broken(text) for text in settings.breakages)
    feed = Feed(settings.window, faults=settings.faults, rate=settings.fault_rate)
    server = FeedbackServer(
        feed,
        settings.token,
        port=settings.port,
        troubled=settings.troubled,
        breakages=breakages,
    )
    return RunningFeedback(server)
