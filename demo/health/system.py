"""The health system as one of the demo city's systems."""

from demo.health.exports import Exports
from demo.health.manifest import manifest
from demo.health.server import HealthServer
from demo.health.transport import broken
from demo.http_server import RunningServer
from demo.systems import Settings

__all__ = ["manifest", "start"]

URL_VARIABLE = "CITYLAKE_DANANG_FHIR_URL"
TOKEN_VARIABLE = "CITYLAKE_DANANG_FHIR_TOKEN"  # noqa: S105 - the name of a variable


def start(settings: Settings) -> RunningServer:
    """Start the health system.

    Raises:
        ValueError: when a breakage cannot be read.
    """
    breakages = tuple(broken(text) for text in settings.breakages)
    exports = Exports(settings.window, faults=settings.faults, rate=settings.fault_rate)
    return RunningServer(
        HealthServer(settings, exports, breakages),
        url_variable=URL_VARIABLE,
        token_variable=TOKEN_VARIABLE,
        path="/as-of/{day}/fhir",
    )
