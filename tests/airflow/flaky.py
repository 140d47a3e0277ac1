"""A server before a server: it refuses or holds what it is told to, then passes everything on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PASSED_ON = {"authorization", "accept", "accept-encoding"}
UNAVAILABLE = 503


@dataclass
class Flaky:
    """Where it answers, how often it will still refuse, and who waits for an answer."""

    target: str
    address: str = ""
    refusals: int = 0
    refused: int = 0
    waited: int = 0
    turn: threading.Lock = field(default_factory=threading.Lock)
    open: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        """Keep a request until the gate is open."""
        if not self.open.is_set():
            with self.turn:
                self.waited += 1
            self.open.wait()

    def refuses(self) -> bool:
        """Whether this request is refused."""
        with self.turn:
            if self.refusals == 0:
                return False
            self.refusals -= 1
            self.refused += 1
            return True


@contextmanager
def flaky(target: str) -> Iterator[Flaky]:
    """Answer on a free port of loopback.

    Args:
        target: Address without a path of the server behind it.
    """
    state = Flaky(target)
    state.open.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802 - the name that the library calls
            state.wait()
            if state.refuses():
                self._answer(UNAVAILABLE, b"", {})
                return
            headers = {k: v for k, v in self.headers.items() if k.lower() in PASSED_ON}
            request = Request(state.target + self.path, headers=headers)  # noqa: S310 - loopback
            try:
                with urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
                    self._answer(answer.status, answer.read(), dict(answer.headers))
            except HTTPError as error:
                self._answer(error.code, error.read(), dict(error.headers))

        def _answer(self, code: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(code)
            for name, value in headers.items():
                if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            # Who asked may have been ended meanwhile.
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.open.set()
        server.shutdown()
        server.server_close()
        thread.join()
