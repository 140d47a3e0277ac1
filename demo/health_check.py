"""Whether the demo city's systems answer: what a watcher beside them asks, over the network.

Asked of the port of each system in turn, from that of the first; what is asked needs no token and
shows nothing of the data.
"""

import http.client
import socket
import struct
from collections.abc import Callable, Sequence

PATIENCE_SECONDS = 5.0
# Asks a PostgreSQL server whether it speaks TLS: it answers S or N, once it takes connections.
_SSL_REQUEST = struct.pack("!II", 8, 80877103)
_DATABASES = ("dossiers",)


def unwell(systems: Sequence[str], host: str, port: int) -> list[str]:
    """The systems that do not answer.

    Args:
        systems: Names, in the order in which they were started.
        host: Where they answer.
        port: That of the first.
    """
    return [
        name
        for number, name in enumerate(systems, port)
        if not _answers(_database if name in _DATABASES else _server, host, number)
    ]


def _answers(ask: Callable[[str, int], bool], host: str, port: int) -> bool:
    try:
        return ask(host, port)
    except (OSError, http.client.HTTPException):
        return False


def _server(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    finally:
        connection.close()


def _database(host: str, port: int) -> bool:
    with socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(_SSL_REQUEST)
        return connection.recv(1) in (b"S", b"N")
