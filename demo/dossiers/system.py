"""The one-stop shop as one of the demo city's systems."""

from collections.abc import Mapping

from demo.dossiers.cluster import Cluster, place
from demo.dossiers.database import address, content, fill
from demo.dossiers.manifest import manifest
from demo.systems import Settings

__all__ = ["manifest", "start"]

URI_VARIABLE = "CITYLAKE_DANANG_ONE_STOP_SHOP"


class RunningDossiers:
    """The PostgreSQL server of the one-stop shop; the token is its readers' password."""

    token_variables: tuple[str, ...] = ()

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        self._cluster = cluster
        is_open = settings.listen is not None
        where = place(settings.known_as, settings.port) if is_open else cluster.socket
        self._address = address(where, settings.token)

    @property
    def variables(self) -> Mapping[str, str]:
        """The address of the database as it was on a day."""
        return {URI_VARIABLE: self._address}

    def close(self) -> None:
        """Answer no more."""
        self._cluster.close()


def start(settings: Settings) -> RunningDossiers:
    """Start the one-stop shop; on a socket, and on `settings.port` where told to listen.

    Raises:
        ValueError: when a breakage is asked for; there is none.
        RuntimeError: when the PostgreSQL server does not come up.
    """
    if settings.breakages:
        raise ValueError(f"dossiers: no such breakage: {settings.breakages[0]}")
    cluster = Cluster(settings.listen, settings.port)  # comes up while the rows are made
    try:
        ordinary, planted = content(
            settings.window, faults=settings.faults, rate=settings.fault_rate
        )
        fill(cluster.socket, settings.token, settings.window, ordinary, planted)
        return RunningDossiers(cluster, settings)
    except BaseException:
        cluster.close()
        raise
