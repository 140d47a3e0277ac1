"""The one-stop shop as one of the demo city's systems."""

from collections.abc import Mapping

from demo.dossiers.cluster import Cluster
from demo.dossiers.database import address, content, fill
from demo.dossiers.manifest import manifest
from demo.systems import Settings

__all__ = ["manifest", "start"]

URI_VARIABLE = "CITYLAKE_DANANG_ONE_STOP_SHOP"


class RunningDossiers:
    """The PostgreSQL server of the one-stop shop; the token is its readers' password."""

    token_variables: tuple[str, ...] = ()

    def __init__(self, cluster: Cluster, token: str) -> None:
        self._cluster = cluster
        self._address = address(cluster.folder, token)

    @property
    def variables(self) -> Mapping[str, str]:
        """The address of the database as it was on a day."""
        return {URI_VARIABLE: self._address}

    def close(self) -> None:
        """Answer no more."""
        self._cluster.close()


def start(settings: Settings) -> RunningDossiers:
    """Start the one-stop shop; `settings.port` has no meaning for it, it answers on a socket.

    Raises:
        ValueError: when a breakage is asked for; there is none.
        RuntimeError: when the PostgreSQL server does not come up.
    """
    if settings.breakages:
        raise ValueError(f"dossiers: no such breakage: {settings.breakages[0]}")
    cluster = Cluster()  # comes up while the rows are made
    try:
        ordinary, planted = content(
            settings.window, faults=settings.faults, rate=settings.fault_rate
        )
        fill(cluster.folder, settings.token, settings.window, ordinary, planted)
        return RunningDossiers(cluster, settings.token)
    except BaseException:
        cluster.close()
        raise
