"""A FHIR bulk server on loopback that does what a test writes down, by the published standard."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "bulk-token"  # noqa: S105 - of this test server


@dataclass
class Reply:
    """What one request is answered with; `cut` ends the connection after half of the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


Script = Callable[[int], Reply | None]


@dataclass
class BulkServer:
    """State of the server; the fields may be changed at any time.

    Attributes:
        files: Content by name, in the order of the manifest; a name starts with its type.
        counts: What the manifest says of a file, where it is not the truth.
        deleted, error: Names that stand in those lists of the manifest.
        polls: How often a status is answered 202 before the manifest.
        scripts: Answers that replace the usual one, by what is asked for (`kick-off`,
            `status`, the name of a file); a script gets how often that was asked before.
        seen: What was asked, in order: method, what, headers, parameters.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    counts: dict[str, int | None] = field(default_factory=dict)
    deleted: tuple[str, ...] = ()
    error: tuple[str, ...] = ()
    polls: int = 1
    needs_token: bool = True
    manifest: bytes | None = None
    scripts: dict[str, Script] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    exports: int = 0
    url: str = ""

    def asked(self, what: str) -> int:
        """How often something was asked for."""
        return sum(each[1] == what for each in self.seen)

    def answer(self, method: str, path: str, before: int) -> Reply:
        """The usual answer."""
        what = _what(path)
        if what == "kick-off":
            self.exports += 1
            return Reply(202, headers={"Content-Location": f"{self.url}/jobs/{self.exports}"})
        if what == "status" and method == "DELETE":
            return Reply(202)
        if what == "status":
            if before < self.polls:
                return Reply(202, headers={"Retry-After": "1"})
            return Reply(200, self.manifest or self._manifest())
        if what in self.files:
            return Reply(200, self.files[what])
        return Reply(404)

    def _manifest(self) -> bytes:
        def listed(names: Iterator[str]) -> list[dict[str, Any]]:
            return [
                {
                    "type": name.split(".")[0],
                    "url": f"{self.url}/files/{name}",
                    "count": self.counts.get(name, self.files.get(name, b"").count(b"\n")),
                }
                for name in names
            ]

        beside = {*self.deleted, *self.error}
        return json.dumps(
            {
                "transactionTime": "2025-07-01T17:00:00Z",
                "request": f"{self.url}/$export",
                "requiresAccessToken": self.needs_token,
                "output": listed(
                    name for name in {**self.files, **self.counts} if name not in beside
                ),
                "deleted": listed(iter(self.deleted)),
                "error": listed(iter(self.error)),
            }
        ).encode()


def _what(path: str) -> str:
    if path.endswith("$export"):
        return "kick-off"
    return "status" if "/jobs/" in path else path.rsplit("/", 1)[-1]


@contextmanager
def bulk_server(**state: Any) -> Iterator[BulkServer]:
    """Run a server until the block ends."""
    server = BulkServer(**state)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            split = urlsplit(self.path)
            what = _what(split.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            parameters = {name: values[0] for name, values in parse_qs(split.query).items()}
            with lock:
                before = sum(
                    (each[0], each[1]) == (self.command, what) and each[2]["path"] == split.path
                    for each in server.seen
                )
                server.seen.append(
                    (self.command, what, {**headers, "path": split.path}, parameters)
                )
                script = server.scripts.get(what) if self.command == "GET" else None
                reply = script(server.asked(what) - 1) if script else None
                reply = reply or server.answer(self.command, split.path, before)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
            self.close_connection = reply.cut

        do_GET = do_DELETE = _do

        def log_message(self, *ignored: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{listener.server_port}/fhir"
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
