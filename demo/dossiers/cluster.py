"""A PostgreSQL server of its own, which goes when the process that asked for it goes."""

import subprocess
import sys
from typing import IO

READER = "citylake"
STOP_SECONDS = 30


class Cluster:
    """The server, reached by the socket in `folder`; the owner needs no password there.

    The folder may be entered by the server's own user alone, and by root.
    """

    def __init__(self) -> None:
        """Start it.

        Raises:
            RuntimeError: when the server does not come up.
        """
        self._process = subprocess.Popen(  # noqa: S603 - own module
            [sys.executable, "-W", "ignore", "-m", "demo.dossiers.keeper"],
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

    def close(self) -> None:
        """End the server and remove its folder; a second call does nothing."""
        pipe = _pipe(self._process.stdin)
        if not pipe.closed:
            pipe.close()
            self._process.wait(STOP_SECONDS)
            _pipe(self._process.stdout).close()


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None  # noqa: S101 - piped
    return stream
