"""The feedback system's HTTP server: Open311 GeoReport v2 on loopback.

Addresses start with `/as-of/<day>/georeport/v2`: the day is part of the address, so that the
server holds nothing of it.
"""

import hmac
import json
from datetime import date
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from demo.feedback.address import Address, BadRequestError, read_address
from demo.feedback.documents import INDEX, MAINTENANCE, discovery, services
from demo.feedback.feed import Feed
from demo.feedback.transport import Attempts, Breakage, Broken, Trouble, scheduled
from demo.systems import LOOPBACK

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"


class FeedbackServer(ThreadingHTTPServer):
    """A feedback system that answers on a port of the loopback interface.

    Args:
        feed: What it shows.
        token: What readers must send as `Authorization: Bearer`.
        port: The port; 0 takes a free one.
        troubled: Whether the scheduled transport faults happen.
        breakages: Pages that fail for good.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        feed: Feed,
        token: str,
        *,
        port: int = 0,
        troubled: bool = True,
        breakages: tuple[Broken, ...] = (),
    ) -> None:
        super().__init__((LOOPBACK, port), Handler)
        self.feed = feed
        self.token = token
        self.troubled = troubled
        self.breakages = breakages
        self.attempts = Attempts()

    @property
    def address(self) -> str:
        """The server's address without a path."""
        return f"http://{LOOPBACK}:{self.server_port}"

    def trouble(self, target: str, address: Address) -> Trouble | None:
        """The recoverable fault of this attempt, if there is one."""
        kind = scheduled(address.as_of, address.page) if self.troubled else None
        return kind if kind and self.attempts.refuse(target, kind) else None

    def breakage(self, as_of: date, page: int) -> Broken | None:
        """The breakage that a page falls under."""
        for broken in self.breakages:
            loops = broken.kind is Breakage.LOOPING_PAGE and page > broken.page
            if broken.as_of == as_of and (page == broken.page or loops):
                return broken
        return None


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: FeedbackServer
    protocol_version = "HTTP/1.1"
    server_version = "DemoFeedback/2"
    sys_version = ""
    wbufsize = -1  # head and body leave in one piece
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answers a GET request."""
        try:
            self._answer()
        except BadRequestError as error:
            self._fail(HTTPStatus.BAD_REQUEST, str(error))

    def log_message(self, format: str, *args: object) -> None:
        """Writes nothing: the address of every page would drown what matters."""

    def _answer(self) -> None:
        if self.path == "/":
            self._send(HTTPStatus.OK, INDEX, HTML)
            return
        address = read_address(self.path)
        if address is None:
            self._fail(HTTPStatus.NOT_FOUND, "no such address")
        elif not self._is_authorised():
            self._fail(HTTPStatus.UNAUTHORIZED, "a valid bearer token is required")
        elif not self.server.feed.knows(address.as_of):
            self._fail(HTTPStatus.NOT_FOUND, f"no data as of {address.as_of}")
        else:
            self._answer_known(address)

    def _answer_known(self, address: Address) -> None:
        if address.rest == "requests":
            self._answer_page(address)
        elif address.rest == "services":
            self._send(HTTPStatus.OK, services())
        elif address.rest == "discovery":
            self._send(HTTPStatus.OK, discovery(self.server.address, address.as_of))
        elif address.rest.startswith("requests/"):
            self._answer_single(address)
        else:
            self._fail(HTTPStatus.NOT_FOUND, "no such address")

    def _answer_single(self, address: Address) -> None:
        identifier = address.rest.removeprefix("requests/")
        text = self.server.feed.single(address.as_of, identifier, extended=address.extended)
        if text is None:
            self._fail(HTTPStatus.NOT_FOUND, "no such request")
        else:
            self._send(HTTPStatus.OK, text)

    def _answer_page(self, address: Address) -> None:
        trouble = self.server.trouble(self.path, address)
        if trouble is Trouble.SERVER_ERROR:
            self._fail(HTTPStatus.INTERNAL_SERVER_ERROR, "temporary failure")
            return
        if trouble is Trouble.TOO_MANY_REQUESTS:
            self._fail(HTTPStatus.TOO_MANY_REQUESTS, "too many requests", {"Retry-After": "1"})
            return
        broken = self.server.breakage(address.as_of, address.page)
        feed, size = self.server.feed, address.page_size
        number = broken.page if broken else address.page
        text = feed.page(address.as_of, address.query, number, size, extended=address.extended)
        count = {"X-Total-Count": str(feed.count(address.as_of, address.query))}
        if trouble is Trouble.CUT_CONNECTION:
            self._send(HTTPStatus.OK, text, headers=count, cut=True)
        elif broken is None or broken.kind is Breakage.LOOPING_PAGE:
            self._send(HTTPStatus.OK, text, headers=count)
        else:
            self._send_broken(broken, text)

    def _send_broken(self, broken: Broken, text: bytes) -> None:
        if broken.kind is Breakage.HTML:
            self._send(HTTPStatus.OK, MAINTENANCE, HTML)
        elif broken.kind is Breakage.INVALID_JSON:
            self._send(HTTPStatus.OK, text[: len(text) // 2])
        else:
            self._fail(HTTPStatus.INTERNAL_SERVER_ERROR, "failure")

    def _is_authorised(self) -> bool:
        given = self.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self.server.token}".encode())

    def _fail(
        self, status: HTTPStatus, description: str, headers: dict[str, str] | None = None
    ) -> None:
        errors = [{"code": int(status), "description": description}]
        self._send(status, json.dumps(errors, ensure_ascii=False) + "\n", headers=headers)

    def _send(
        self,
        status: HTTPStatus,
        text: str | bytes,
        kind: str = JSON,
        *,
        headers: dict[str, str] | None = None,
        cut: bool = False,
    ) -> None:
        """Sends a whole answer, or with `cut` the first half of its body and then nothing."""
        body = text.encode() if isinstance(text, str) else text
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.wfile.flush()
        if cut:
            self.close_connection = True
