"""A real HTTP server on loopback whose answers a test writes down."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Answer:
    """What the server sends; `announced` replaces the true length, `hang` sends nothing."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None
    hang: bool = False


@dataclass
class Asked:
    """One request as the server saw it."""

    path: str
    parameters: dict[str, str]
    headers: dict[str, str]


Script = Callable[[Asked, int], Answer]


class Server:
    """`asked` holds every request in the order of arrival."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.url = ""


@contextmanager
def serve(script: Script) -> Iterator[Server]:
    """Run a server; the script gets a request and how often its address was asked before."""
    server = Server(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            split = urlsplit(self.path)
            parameters = {name: values[0] for name, values in parse_qs(split.query).items()}
            asked = Asked(split.path, parameters, {k.lower(): v for k, v in self.headers.items()})
            with server.lock:
                before = sum(
                    (each.path, each.parameters) == (asked.path, asked.parameters)
                    for each in server.asked
                )
                server.asked.append(asked)
            answer = script(asked, before)
            if answer.hang:
                server.released.wait(10)
                self.close_connection = True
                return
            length = len(answer.body) if answer.announced is None else answer.announced
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection = answer.announced is not None

        def log_message(self, *ignored: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{listener.server_port}/open311/v2"
    try:
        yield server
    finally:
        server.released.set()
        listener.shutdown()
        listener.server_close()
        thread.join()
