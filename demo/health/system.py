"""The health system as one of the demo city's systems."""

import threading
from collections.abc import Mapping

from demo.health.exports import Exports
from demo.health.manifest import manifest
from demo.health.server import HealthServer
from demo.health.transport import broken
from demo.systems import Settings

__all__ = ["manifest", "start"]

URL_VARIABLE = "CITYLAKE_DANANG_FHIR_URL"
TOKEN_VARIABLE = "CITYLAKE_DANANG_FHIR_TOKEN"  # noqa: S105 - the name of a variable


class RunningHealth:
    """The health system's server in a thread of its own."""

    token_variables = (TOKEN_VARIABLE,)

    def __init__(self, server: HealthServer) -> None:
        self._server = server
        threading.Thread(target=server.serve_forever, daemon=True).start()

    @property
    def variables(self) -> Mapping[str, str]:
        """The address of the service on a day."""
        return {URL_VARIABLE: f"{self._server.address}/as-of/{{day}}/fhir"}

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


def start(settings: Settings) -> RunningHealth:
    """Start the health system.

    Raises:
        ValueError: when a breakage cannot be read.
    """
    breakages = tuple(broken(text) for text in settings.breakages)
    exports = Exports(settings.window, faults=settings.faults, rate=settings.fault_rate)
    server = HealthServer(
        exports,
        settings.token,
        port=settings.port,
        troubled=settings.troubled,
        breakages=breakages,
    )
    return RunningHealth(server)
