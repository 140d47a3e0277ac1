"""A PostgreSQL server of its own, which goes when the process that asked for it goes."""

import subprocess
import sys
from typing import IO
from urllib.parse import quote

READER = "citylake"
USUAL_PORT = 5432
STOP_SECONDS = 30


class Cluster:
    """The server, reached by the socket in `folder`; the owner needs no password there.

    The folder may be entered by the server's own user alone, and by root.
    """

    def __init__(self, listen: str | None = None, port: int = 0) -> None:
        """Start it.

        Args:
            listen: Address on which it answers beside its socket; None: on the socket alone.
            port: Where it answers there.

        Raises:
            RuntimeError: when the server does not come up.
        """
        told = [listen, str(port)] if listen else []
        self._port = port if listen else USUAL_PORT
        self._process = subprocess.Popen(  # noqa: S603 - own module
            [sys.executable, "-W", "ignore", "-m", "demo.dossiers.keeper", *told],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # a signal to the group of the asking process must not end it before its input does
            start_new_session=True,
        )
        self._folder: str | None = None

    @property
    def folder(self) -> str:
        """The folder of the socket, once the server answers.

        Raises:
            RuntimeError: when it never does.
        """
        if self._folder is None:
            self._folder = _pipe(self._process.stdout).readline().strip()
            if not self._folder:
                raise RuntimeError("the PostgreSQL server does not start")
        return self._folder

    @property
    def socket(self) -> str:
        """Where it answers its owner, as parameters of a connection's address.

        Raises:
            RuntimeError: when it does not start.
        """
        return place(self.folder, self._port)

    def close(self) -> None:
        """End the server and remove its folder; a second call does nothing."""
        pipe = _pipe(self._process.stdin)
        if not pipe.closed:
            pipe.close()
            self._process.wait(STOP_SECONDS)
            _pipe(self._process.stdout).close()


def place(host: str, port: int) -> str:
    """A folder of a socket, or a name, as parameters of a connection's address."""
    return f"host={quote(host, safe='')}&port={port}"


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None  # noqa: S101 - piped
    return stream
