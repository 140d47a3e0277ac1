"""A process that has imported dbt and forks a child for every build.

Importing dbt takes half of a small build's time. The server imports it once; each build still
runs in a process of its own, on state that no build before it has touched. Run as a module, it
reads one request a line on standard input (`arguments`, `folder`, `environment`, `log`) and
answers each with the exit code on a line of standard output. It ends when its input does, and
so does a child at work: neither outlives the process that asked.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NoReturn

from warehouse.errors import CitylakeError


class DbtServerError(CitylakeError):
    """The process that runs dbt ended without an answer."""


class DbtServer:
    """The asking side; the process starts with the first request and serves until we end."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._turn = threading.Lock()

    def run(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path
    ) -> int:
        """Run dbt.

        Args:
            arguments: What follows `dbt` on a command line.
            folder: Working folder of the run.
            environment: All environment variables of the run.
            log: File that takes what dbt prints.

        Returns:
            dbt's exit code; the negative number of the signal that ended it.

        Raises:
            DbtServerError: when the server ended, for example because dbt cannot be imported.
        """
        request = {
            "arguments": list(arguments),
            "folder": str(folder),
            "environment": dict(environment),
            "log": str(log),
        }
        with self._turn:
            process = self._running(environment, folder, log)
            assert process.stdin is not None  # noqa: S101 - piped below
            assert process.stdout is not None  # noqa: S101 - piped below
            try:
                process.stdin.write(json.dumps(request) + "\n")
                process.stdin.flush()
                return int(process.stdout.readline())
            except (OSError, ValueError) as error:
                self._process = None
                process.kill()
                process.wait()
                raise DbtServerError(f"dbt did not run; see {log}") from error

    def _running(
        self, environment: Mapping[str, str], folder: Path, log: Path
    ) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            with log.open("wb") as errors:
                # -P: from the repository's root, its folder `dbt` would merge into the package.
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    [sys.executable, "-P", "-m", "warehouse.dbt_server"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    env=environment,
                    cwd=folder.anchor,
                )
        return self._process


def _serve(requests: IO[str], answers: IO[str]) -> None:
    for line in requests:
        child = os.fork()
        if child == 0:
            _build(json.loads(line))
        _, status = os.waitpid(child, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


def _build(request: dict[str, object]) -> NoReturn:
    """Become dbt; the end of the server's input, which we share, ends us."""
    from dbt.cli.main import cli

    threading.Thread(target=_end_with_input, daemon=True).start()
    log = os.open(str(request["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(str(request["folder"]))
    os.environ.clear()
    os.environ.update(request["environment"])  # type: ignore[call-overload]
    cli(request["arguments"], prog_name="dbt")
    raise SystemExit(0)


def _end_with_input() -> None:
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    import dbt.adapters.duckdb
    import dbt.cli.main  # noqa: F401 - loaded here so that children find them loaded

    _serve(sys.stdin, sys.stdout)
