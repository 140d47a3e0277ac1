"""The feedback system as one of the demo city's systems."""

from demo.feedback.feed import Feed
from demo.feedback.manifest import manifest
from demo.feedback.server import FeedbackServer
from demo.feedback.transport import broken
from demo.http_server import RunningServer
from demo.systems import Settings

__all__ = ["manifest", "start"]

URL_VARIABLE = "CITYLAKE_DANANG_OPEN311_URL"
TOKEN_VARIABLE = "CITYLAKE_DANANG_OPEN311_TOKEN"  # noqa: S105 - the name of a variable


def start(settings: Settings) -> RunningServer:
    """Start the feedback system.

    Raises:
        ValueError: when a breakage cannot be read.
    """
    breakages = tuple(broken(text) for text in settings.breakages)
    feed = Feed(settings.window, faults=settings.faults, rate=settings.fault_rate)
    return RunningServer(
        FeedbackServer(settings, feed, breakages),
        url_variable=URL_VARIABLE,
        token_variable=TOKEN_VARIABLE,
        path="/as-of/{day}/georeport/v2",
    )
