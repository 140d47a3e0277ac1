"""What the demo city's HTTP servers have in common: address, token, faults of the way."""

import hmac
import threading
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from demo.systems import LOOPBACK, Settings
from demo.trouble import FAILURES, Attempts, Trouble

HTML = "text/html; charset=utf-8"


class BadRequestError(ValueError):
    """A parameter has no meaning; the text says which."""


class DemoServer(ThreadingHTTPServer):
    """A system that answers on a port: of the loopback interface, where it is told no other.

    Args:
        settings: Its port, its token, and whether faults of transport happen.
        handler: What answers a connection.

    Attributes:
        failures: How often each fault of transport comes before what was asked for.
        token: What readers must send as `Authorization: Bearer`.
    """

    daemon_threads = True
    request_queue_size = 64
    failures: Mapping[Trouble, int] = FAILURES

    def __init__(self, settings: Settings, handler: type["DemoHandler"]) -> None:
        super().__init__((settings.listen or LOOPBACK, settings.port), handler)
        self._known_as = settings.known_as
        self.token = settings.token
        self._attempts = Attempts(self.failures) if settings.troubled else None

    @property
    def address(self) -> str:
        """The server's address without a path, as readers reach it."""
        return f"http://{self._known_as}:{self.server_port}"

    def met(self, target: Hashable, trouble: Trouble | None) -> Trouble | None:
        """The fault scheduled for a target, where this attempt meets it."""
        if trouble is None or self._attempts is None:
            return None
        return trouble if self._attempts.refuse(target, trouble) else None


class DemoHandler(BaseHTTPRequestHandler, ABC):
    """Answers one connection.

    Attributes:
        usual_kind: Media type of failures, and of what is sent without one.
    """

    server: DemoServer
    protocol_version = "HTTP/1.1"
    sys_version = ""
    wbufsize = -1  # head and body leave in one piece
    disable_nagle_algorithm = True
    usual_kind: str

    @abstractmethod
    def _answer(self) -> None:
        """Answers a request.

        Raises:
            BadRequestError: when a parameter of the address cannot be read.
        """

    @abstractmethod
    def failure(self, status: HTTPStatus, description: str) -> str | bytes:
        """The body of an answer that says what failed."""

    def do_GET(self) -> None:
        """Answers a GET request."""
        try:
            self._answer()
        except BadRequestError as error:
            self.fail(HTTPStatus.BAD_REQUEST, str(error))

    def log_message(self, format: str, *args: object) -> None:
        """Writes nothing: the address of every request would drown what matters."""

    def is_authorised(self) -> bool:
        """Whether the request carries the server's token."""
        given = self.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self.server.token}".encode())

    def fails(self, trouble: Trouble | None) -> bool:
        """Whether a fault takes the place of the answer; it is sent then."""
        if trouble is Trouble.SERVER_ERROR:
            self.fail(HTTPStatus.INTERNAL_SERVER_ERROR, "temporary failure")
        elif trouble is Trouble.TOO_MANY_REQUESTS:
            self.fail(HTTPStatus.TOO_MANY_REQUESTS, "too many requests", {"Retry-After": "1"})
        else:
            return False
        return True

    def fail(
        self, status: HTTPStatus, description: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """Sends what failed."""
        self.send(status, self.failure(status, description), headers=headers)

    def send(
        self,
        status: HTTPStatus,
        text: str | bytes,
        kind: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        cut: bool = False,
    ) -> None:
        """Sends a whole answer, or with `cut` the first half of its body and then nothing."""
        body = text.encode() if isinstance(text, str) else text
        self.send_response(status)
        self.send_header("Content-Type", kind or self.usual_kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.wfile.flush()
        if cut:
            self.close_connection = True


class RunningServer:
    """A server in a thread of its own, until it is closed.

    Args:
        server: What answers.
        url_variable: Environment variable in which contracts look for the address.
        token_variable: The one in which they look for the token.
        path: Of the service below the server; `{day}` stands for the as-of day.
    """

    def __init__(
        self, server: DemoServer, *, url_variable: str, token_variable: str, path: str
    ) -> None:
        self._server = server
        self.variables: Mapping[str, str] = {url_variable: server.address + path}
        self.token_variables = (token_variable,)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
