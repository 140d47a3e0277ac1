"""The statistics office as one of the demo city's systems."""

import threading
from collections.abc import Mapping

from demo.statistics.feed import Feed
from demo.statistics.manifest import manifest
from demo.statistics.server import StatisticsServer, broken
from demo.systems import Settings

__all__ = ["manifest", "start"]

URL_VARIABLE = "CITYLAKE_DANANG_STATISTICS_URL"
TOKEN_VARIABLE = "CITYLAKE_DANANG_STATISTICS_TOKEN"  # noqa: S105 - the name of a variable


class RunningStatistics:
    """The statistics office's server in a thread of its own."""

    token_variables = (TOKEN_VARIABLE,)

    def __init__(self, server: StatisticsServer) -> None:
        self._server = server
        threading.Thread(target=server.serve_forever, daemon=True).start()

    @property
    def variables(self) -> Mapping[str, str]:
        """The address of the service for SDMX 3.0 on a day."""
        return {URL_VARIABLE: f"{self._server.address}/as-of/{{day}}/sdmx/v2"}

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


def start(settings: Settings) -> RunningStatistics:
    """Start the statistics office.

    Raises:
        ValueError: when a breakage cannot be read.
    """
    breakages = tuple(broken(text) for text in settings.breakages)
    feed = Feed(settings.window, faults=settings.faults, rate=settings.fault_rate)
    server = StatisticsServer(
        feed,
        settings.token,
        port=settings.port,
        troubled=settings.troubled,
        breakages=breakages,
    )
    return RunningStatistics(server)
