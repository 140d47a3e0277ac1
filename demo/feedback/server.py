"""The feedback system's HTTP server: Open311 GeoReport v2 on loopback.

Addresses start with `/as-of/<day>/georeport/v2`: the day is part of the address, so that the
server holds nothing of it.
"""

import json
from datetime import date
from http import HTTPStatus

from demo.feedback.address import Address, read_address
from demo.feedback.documents import INDEX, MAINTENANCE, discovery, services
from demo.feedback.feed import Feed
from demo.feedback.transport import Breakage, Broken
from demo.http_server import HTML, DemoHandler, DemoServer
from demo.systems import Settings
from demo.trouble import Trouble, scheduled

JSON = "application/json; charset=utf-8"


class FeedbackServer(DemoServer):
    """A feedback system that answers on a port of the loopback interface.

    Args:
        settings: How it is started.
        feed: What it shows.
        breakages: Pages that fail for good.
    """

    def __init__(self, settings: Settings, feed: Feed, breakages: tuple[Broken, ...]) -> None:
        super().__init__(settings, Handler)
        self.feed = feed
        self.breakages = breakages

    def breakage(self, as_of: date, page: int) -> Broken | None:
        """The breakage that a page falls under."""
        for broken in self.breakages:
            loops = broken.kind is Breakage.LOOPING_PAGE and page > broken.page
            if broken.as_of == as_of and (page == broken.page or loops):
                return broken
        return None


class Handler(DemoHandler):
    """Answers one connection."""

    server: FeedbackServer
    server_version = "DemoFeedback/2"
    usual_kind = JSON

    def _answer(self) -> None:
        if self.path == "/":
            self.send(HTTPStatus.OK, INDEX, HTML)
            return
        address = read_address(self.path)
        if address is None:
            self.fail(HTTPStatus.NOT_FOUND, "no such address")
        elif not self.is_authorised():
            self.fail(HTTPStatus.UNAUTHORIZED, "a valid bearer token is required")
        elif not self.server.feed.knows(address.as_of):
            self.fail(HTTPStatus.NOT_FOUND, f"no data as of {address.as_of}")
        else:
            self._answer_known(address)

    def _answer_known(self, address: Address) -> None:
        if address.rest == "requests":
            self._answer_page(address)
        elif address.rest == "services":
            self.send(HTTPStatus.OK, services())
        elif address.rest == "discovery":
            self.send(HTTPStatus.OK, discovery(self.server.address, address.as_of))
        elif address.rest.startswith("requests/"):
            self._answer_single(address)
        else:
            self.fail(HTTPStatus.NOT_FOUND, "no such address")

    def _answer_single(self, address: Address) -> None:
        identifier = address.rest.removeprefix("requests/")
        text = self.server.feed.single(address.as_of, identifier, extended=address.extended)
        if text is None:
            self.fail(HTTPStatus.NOT_FOUND, "no such request")
        else:
            self.send(HTTPStatus.OK, text)

    def _answer_page(self, address: Address) -> None:
        trouble = self.server.met(self.path, scheduled(address.as_of, address.page))
        if self.fails(trouble):
            return
        broken = self.server.breakage(address.as_of, address.page)
        feed, size = self.server.feed, address.page_size
        number = broken.page if broken else address.page
        text = feed.page(address.as_of, address.query, number, size, extended=address.extended)
        count = {"X-Total-Count": str(feed.count(address.as_of, address.query))}
        if trouble is Trouble.CUT_CONNECTION:
            self.send(HTTPStatus.OK, text, headers=count, cut=True)
        elif broken is None or broken.kind is Breakage.LOOPING_PAGE:
            self.send(HTTPStatus.OK, text, headers=count)
        else:
            self._send_broken(broken, text)

    def _send_broken(self, broken: Broken, text: bytes) -> None:
        if broken.kind is Breakage.HTML:
            self.send(HTTPStatus.OK, MAINTENANCE, HTML)
        elif broken.kind is Breakage.INVALID_JSON:
            self.send(HTTPStatus.OK, text[: len(text) // 2])
        else:
            self.fail(HTTPStatus.INTERNAL_SERVER_ERROR, "failure")

    def failure(self, status: HTTPStatus, description: str) -> str:
        """A list of one error, as GeoReport v2 has it."""
        errors = [{"code": int(status), "description": description}]
        return json.dumps(errors, ensure_ascii=False) + "\n"
