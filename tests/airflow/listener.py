"""A server that takes notices: what somebody's own system behind `CITYLAKE_NOTIFY_URL` does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Listener:
    """Where it answers, with which code, and what it was told."""

    address: str = ""
    code: int = 204
    told: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def listener() -> Iterator[Listener]:
    """Answer on a free port of loopback; the address holds a token, as such addresses do."""
    state = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - the name that the library calls
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/json"
            state.told.append(json.loads(body))
            self.send_response(state.code)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_port}/a-token-of-the-listener"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
