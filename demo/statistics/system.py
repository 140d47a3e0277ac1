"""The statistics office as one of the demo city's systems."""

from demo.http_server import RunningServer
from demo.statistics.feed import Feed
from demo.statistics.manifest import manifest
from demo.statistics.server import StatisticsServer, broken
from demo.systems import Settings

__all__ = ["manifest", "start"]

URL_VARIABLE = "CITYLAKE_DANANG_STATISTICS_URL"
TOKEN_VARIABLE = "CITYLAKE_DANANG_STATISTICS_TOKEN"  # noqa: S105 - the name of a variable


def start(settings: Settings) -> RunningServer:
    """Start the statistics office.

    Raises:
        ValueError: when a breakage cannot be read.
    """
    breakages = tuple(broken(text) for text in settings.breakages)
    feed = Feed(settings.window, faults=settings.faults, rate=settings.fault_rate)
    return RunningServer(
        StatisticsServer(settings, feed, breakages),
        url_variable=URL_VARIABLE,
        token_variable=TOKEN_VARIABLE,
        path="/as-of/{day}/sdmx/v2",
    )
