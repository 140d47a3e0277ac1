"""A process that has imported a heavy library and forks a child for every request.

The library is imported once; each request still runs in a process of its own, on state that no
request before it has touched, and several may run at a time. The server is a module of ours that
imports the library and calls `serve`. It reads one request a line on standard input (`number`,
`request`, `folder`, `environment`, `log`) and answers each, in the order in which they end, with
number and exit code on a line of standard output. It ends when its input does, and its children end
with it: none outlives the process that asked.
"""

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

from warehouse.errors import CitylakeError

Request = Mapping[str, Any]

_INPUT = 0
_READ_BYTES = 1 << 16
# How often the end of a child, and to a child that of the server, is looked for.
_LOOK_SECONDS = 0.02


class ForkServerError(CitylakeError):
    """The process that runs a library ended without an answer."""


def _ours() -> Path:
    return Path(sys.executable)


class ForkServer:
    """The asking side; the process starts when it is first needed and serves until we end.

    Args:
        module: Name of the module to run, which calls `serve`.
        name: What messages call it.
        error: Type of what is raised.
        interpreter: Gives the Python that runs it; ours where it is not given. Raises where
            there is none.
    """

    def __init__(
        self,
        module: str,
        name: str,
        error: type[ForkServerError] = ForkServerError,
        interpreter: Callable[[], Path] = _ours,
    ) -> None:
        self._module, self._name, self._error = module, name, error
        self._interpreter = interpreter
        self._process: subprocess.Popen[str] | None = None
        self._turn = threading.Lock()
        self._numbers = count()
        self._codes: dict[int, int] = {}
        self._is_heard = False
        self._answered = threading.Condition()

    def warm(self, folder: Path, environment: Mapping[str, str], log: Path) -> None:
        """Start the process where it does not run, and do not wait for its imports.

        Raises:
            ForkServerError: when there is no Python to run it.
            OSError: when no process can be started or the log cannot be written.
        """
        with self._turn:
            self._running(folder, environment, log)

    def run(self, request: object, folder: Path, environment: Mapping[str, str], log: Path) -> int:
        """Run one request in a child.

        Args:
            request: What the module's function is given; plain JSON.
            folder: Working folder of the child.
            environment: All environment variables of the child.
            log: File that takes what the child prints.

        Returns:
            The child's exit code; the negative number of the signal that ended it.

        Raises:
            ForkServerError: when the server ended, for example because its library cannot be
                imported, or there is no Python to run it.
            OSError: when no process can be started or the log cannot be written.
        """
        with self._turn:
            process = self._running(folder, environment, log)
            number = next(self._numbers)
            message = {
                "number": number,
                "request": request,
                "folder": str(folder),
                "environment": dict(environment),
                "log": str(log),
            }
            assert process.stdin is not None  # noqa: S101 - piped below
            try:
                process.stdin.write(json.dumps(message) + "\n")
                process.stdin.flush()
            except OSError as error:
                self._end(process)
                raise self._error(f"{self._name} did not run; see {log}") from error
        try:
            return self._code(process, number)
        except (OSError, ValueError) as error:
            with self._turn:
                self._end(process)
            raise self._error(f"{self._name} did not run; see {log}") from error

    def _code(self, process: "subprocess.Popen[str]", number: int) -> int:
        """The exit code of a request; of those that wait for theirs one listens for all.

        Raises:
            OSError, ValueError: when the server ended or answers something else.
        """
        assert process.stdout is not None  # noqa: S101 - piped below
        with self._answered:
            while number not in self._codes:
                if self._is_heard:
                    self._answered.wait()
                    continue
                self._is_heard = True
                self._answered.release()
                try:
                    line = process.stdout.readline()
                finally:
                    self._answered.acquire()
                    self._is_heard = False
                    self._answered.notify_all()
                answered, code = line.split()
                self._codes[int(answered)] = int(code)
            return self._codes.pop(number)

    def _end(self, process: "subprocess.Popen[str]") -> None:
        if self._process is process:
            self._process = None
        process.kill()
        process.wait()

    def _running(
        self, folder: Path, environment: Mapping[str, str], log: Path
    ) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            python = self._interpreter()
            with log.open("wb") as errors:
                # -P: from the repository's root, its folder `dbt` would merge into the package.
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    [python, "-P", "-m", self._module],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    env=environment,
                    cwd=folder.anchor,
                )
        return self._process


def serve(work: Callable[[Any], object]) -> None:
    """Answer the requests on standard input, each by `work` in a child, until that ends.

    Args:
        work: Is given the request; what it raises is the child's exit code.
    """
    server = os.getpid()
    children: dict[int, int] = {}
    held = b""
    while True:
        ready, _, _ = select.select([_INPUT], [], [], _LOOK_SECONDS if children else None)
        if ready:
            read = os.read(_INPUT, _READ_BYTES)
            if not read:
                return
            *lines, held = (held + read).split(b"\n")
            for line in lines:
                message = json.loads(line)
                child = os.fork()
                if child == 0:
                    _become(message, work, server)
                children[child] = message["number"]
        while children:
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                break
            sys.stdout.write(f"{children.pop(child)} {os.waitstatus_to_exitcode(status)}\n")
            sys.stdout.flush()


def _become(message: Request, work: Callable[[Any], object], server: int) -> NoReturn:
    """Do the work; the end of the server ends us."""
    threading.Thread(target=_end_with, args=(server,), daemon=True).start()
    log = os.open(str(message["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(str(message["folder"]))
    os.environ.clear()
    os.environ.update(message["environment"])
    work(message["request"])
    sys.stdout.flush()
    sys.stderr.flush()
    # The work is done: no library's clean-up may turn that into a failure.
    os._exit(0)


def _end_with(server: int) -> None:
    while os.getppid() == server:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)
