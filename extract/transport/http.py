"""HTTP: one client, bounded retries, and a body that is whole or an error."""

import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx

from extract.errors import Place, TerminalError
from extract.raw import RawObject
from extract.transport.base import Answer, Request, Sink, zip_members
from extract.transport.pace import Pace
from extract.transport.retry import RetryLaterError, Tries

TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500
UNAUTHORISED = frozenset({401, 403})
NOT_FOUND = 404
ACCEPTED_CODINGS = frozenset({"", "identity", "gzip"})
GONE = frozenset({404, 410})
ASKED_BYTES = 16 << 20
HTML_START = re.compile(rb"\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Got = TypeVar("Got")


class NothingThereError(Exception):
    """The server has nothing for a request that may have no answer."""


@dataclass(frozen=True)
class HttpOptions:
    """How a server is asked; see `extract.read` for the meaning of each option."""

    url: str | None = None
    url_env: str | None = None
    token_env: str | None = None
    token_header: str = "Authorization"  # noqa: S105 - the name of a header, not a secret
    token_scheme: str = "Bearer"  # noqa: S105 - the name of a scheme, not a secret
    headers: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    connect_timeout_seconds: float = 10.0
    read_timeout_seconds: float = 60.0
    attempts: int = 5
    backoff_seconds: float = 0.5
    backoff_max_seconds: float = 30.0
    retry_after_max_seconds: float = 120.0
    requests_per_second: float = math.inf
    proxy_env: str | None = None
    member: str | None = None


class HttpTransport:
    """Delivers what a server answers; redirects are followed only without a token."""

    def __init__(
        self,
        options: HttpOptions,
        environ: Mapping[str, str],
        place: Place,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        url = (environ.get(options.url_env) if options.url_env else None) or options.url
        if not url and options.url_env:
            raise place.terminal("url", f"environment variable {options.url_env} holds no address")
        if not url:
            raise place.terminal("contract", "transport lacks option url")
        if not options.requests_per_second > 0:
            raise place.terminal("contract", "requests_per_second is above 0")
        self._url = httpx.URL(url)
        self._options = options
        self._source = place.source
        self.sleep = sleep
        self._token = _token(options, environ, place)
        pace = Pace(options.requests_per_second, clock, sleep)
        # Settings come from the contract, never from a proxy or netrc that happens to be set.
        self._client = httpx.Client(
            headers={"accept-encoding": "identity", **options.headers},
            timeout=httpx.Timeout(
                options.read_timeout_seconds, connect=options.connect_timeout_seconds
            ),
            follow_redirects=not self._token,
            proxy=environ.get(options.proxy_env) if options.proxy_env else None,
            trust_env=False,
            # Of the client, so that retries and followed redirects wait too.
            event_hooks={"request": [lambda _: pace.wait()]},
        )

    def deliver(self, request: Request, sink: Sink) -> Iterator[RawObject]:
        """The one object that answers a request, or the matching members of a zip archive.

        Raises:
            TransientError: connection errors, timeouts, cut bodies, 429 and 5xx, when the
                attempts are used up; the rule is that of the last one.
            TerminalError: any other status, or HTML where data was asked for.
        """
        url = self._url_of(request)
        name = request.name or url.path.rstrip("/").rsplit("/", 1)[-1] or url.host
        place = Place(self._source, name, request.page)
        parameters = {**self._options.parameters, **request.parameters}
        sent = {**request.headers, **self._token}
        absent = request.may_be_absent
        try:
            raw = self._retried(
                place, lambda: self._fetch(url, parameters, place, sink, sent, may_be_absent=absent)
            )
        except NothingThereError:
            return
        if self._options.member is None:
            yield raw
        else:
            yield from zip_members(raw.path, self._options.member, raw.name, place, sink)

    def ask(
        self,
        method: str,
        address: Request | str,
        headers: Mapping[str, str],
        place: Place,
        explain: Callable[[Answer], str],
    ) -> Answer:
        """What a server says beside its data, such as the state of work that it does.

        Args:
            method: For example `GET`.
            address: Below the transport's address, or an absolute one that a server gave.
            headers: Further headers of this request.
            place: Names what is asked for in errors.
            explain: What an answer says of its failure, for the message; without secrets.

        Returns:
            The answer, whatever its status beside those that are asked again or refused.

        Raises:
            TransientError: as for `deliver`.
            TerminalError: rule `token`, where an address of another server would get the token
                or the token is not accepted.
        """
        parameters: dict[str, Any] = {}
        if isinstance(address, Request):
            url = self._url_of(address)
            parameters = {**self._options.parameters, **address.parameters}
        else:
            url = self._own(address, place)
        request = self._client.build_request(
            method, url, params=parameters or None, headers={**headers, **self._token}
        )
        return self._retried(place, lambda: self._ask(request, place, explain))

    def download(
        self, address: str, headers: Mapping[str, str], place: Place, sink: Sink, *, token: bool
    ) -> RawObject:
        """The object at an absolute address that a server gave.

        Args:
            address: The address.
            headers: Further headers of this request.
            place: Its file names the object.
            sink: Stores it.
            token: Whether the token goes along.

        Raises:
            GoneError: rule `status`, when there is none (404, 410).
            TransientError, TerminalError: as for `ask` and `deliver`.
        """
        url = self._own(address, place) if token else httpx.URL(address)
        sent = {**headers, **(self._token if token else {})}
        return self._retried(place, lambda: self._fetch(url, {}, place, sink, sent))

    def absolute(self, address: str) -> str:
        """An address that a server gave, which may be relative to the transport's."""
        return str(self._url.join(address))

    def close(self) -> None:
        """Close the client's connections."""
        self._client.close()

    def _own(self, address: str, place: Place) -> httpx.URL:
        """An address of the server that the contract names; no other one is shown the token."""
        url = httpx.URL(address)
        if (url.scheme, url.host, url.port) != (self._url.scheme, self._url.host, self._url.port):
            raise place.terminal("token", "the address is one of another server")
        return url

    def _url_of(self, request: Request) -> httpx.URL:
        if not request.path:
            return self._url
        return self._url.copy_with(path=f"{self._url.path.rstrip('/')}/{request.path}")

    def _retried(self, place: Place, fetch: Callable[[], Got]) -> Got:
        options = self._options
        tries = Tries(
            options.attempts,
            options.backoff_seconds,
            options.backoff_max_seconds,
            options.retry_after_max_seconds,
            self.sleep,
        )
        while True:
            try:
                return fetch()
            except RetryLaterError as error:
                tries.wait_after(error, place)

    def _fetch(
        self,
        url: httpx.URL,
        parameters: Mapping[str, Any],
        place: Place,
        sink: Sink,
        headers: Mapping[str, str],
        *,
        may_be_absent: bool = False,
    ) -> RawObject:
        name = place.file if place.page is None else f"{place.file} page {place.page}"
        request = self._client.build_request(
            "GET", url, params=dict(parameters) or None, headers=dict(headers)
        )
        with self._sent(request, place) as response:
            if response.status_code == NOT_FOUND and may_be_absent:
                raise NothingThereError
            _check_status(response, place)
            return sink(_body(response, place), name or "", place.page)

    def _ask(
        self, request: httpx.Request, place: Place, explain: Callable[[Answer], str]
    ) -> Answer:
        with self._sent(request, place) as response:
            body = b""
            for chunk in _body(response, place, html=False):
                body = (body + chunk)[:ASKED_BYTES]
            headers = {name.lower(): value for name, value in response.headers.items()}
            answer = Answer(response.status_code, headers, body, _retry_after(response))
        status = answer.status
        if status in UNAUTHORISED:
            message = f"the server answered {status}: the token is not accepted"
            raise place.terminal("token", message)
        if _is_passing(status):
            message = f"the server answered {status}{explain(answer)}"
            raise RetryLaterError("status", message, answer.retry_after_seconds)
        return answer

    @contextmanager
    def _sent(self, request: httpx.Request, place: Place) -> Iterator[httpx.Response]:
        """The response to a request; what goes wrong on the way has its rule."""
        try:
            response = self._client.send(request, stream=True)
            try:
                yield response
            finally:
                response.close()
        except httpx.InvalidURL as error:
            raise place.terminal("contract", "the address is not a URL") from error
        except httpx.UnsupportedProtocol as error:
            raise place.terminal("contract", "the address is neither http nor https") from error
        except httpx.TooManyRedirects as error:
            raise place.terminal("status", "too many redirects") from error
        except httpx.TimeoutException as error:
            raise RetryLaterError("timeout", f"no answer ({type(error).__name__})") from error
        except httpx.RemoteProtocolError as error:
            raise RetryLaterError("cut_connection", "the connection was cut") from error
        except httpx.TransportError as error:
            raise RetryLaterError("connection", f"{type(error).__name__}") from error


def _token(options: HttpOptions, environ: Mapping[str, str], place: Place) -> dict[str, str]:
    """The header that carries the token, empty when the contract names none."""
    if options.token_env is None:
        return {}
    token = environ.get(options.token_env, "").strip()
    if not token:
        message = f"the environment variable {options.token_env} holds no token"
        raise place.terminal("token", message)
    if not token.isascii() or not token.isprintable():
        raise place.terminal("token", f"the token in {options.token_env} is no header text")
    return {options.token_header: f"{options.token_scheme} {token}".strip()}


def _is_passing(status: int) -> bool:
    """Whether the same request may be answered otherwise later."""
    return status == TOO_MANY_REQUESTS or status >= SERVER_ERROR


def _check_status(response: httpx.Response, place: Place) -> None:
    """Let a 200 that may be data pass.

    Raises:
        RetryLaterError: for 429 and 5xx.
        GoneError: for 404 and 410.
        TerminalError: rule `token`, `status`, `html` or `coding`.
    """
    status = response.status_code
    if _is_passing(status):
        raise RetryLaterError("status", f"the server answered {status}", _retry_after(response))
    if status in GONE:
        raise place.gone("status", f"the server answered {status}")
    if status in UNAUTHORISED:
        raise place.terminal("token", f"the server answered {status}: the token is not accepted")
    if not response.is_success:
        raise place.terminal("status", f"the server answered {status}")
    if "html" in response.headers.get("content-type", "").lower():
        raise _html(place)
    if response.headers.get("content-encoding", "").lower() not in ACCEPTED_CODINGS:
        raise place.terminal("coding", "the body has a coding that was not asked for")


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that the server asks to wait; a date is measured by the server's own clock."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        now = parsedate_to_datetime(response.headers.get("date", ""))
        seconds: float = (until - now).total_seconds()
        return max(0.0, seconds)
    except (TypeError, ValueError):
        return None


def _body(response: httpx.Response, place: Place, *, html: bool = True) -> Iterator[bytes]:
    """The body's bytes as they came; with `html`, a page of HTML is refused.

    Raises:
        RetryLaterError: when fewer bytes came than were announced.
        TerminalError: rule `html`.
    """
    received = 0
    for chunk in response.iter_raw():
        if html and received == 0 and HTML_START.match(chunk.removeprefix(BYTE_ORDER_MARK)):
            raise _html(place)
        received += len(chunk)
        yield chunk
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and received != int(announced):
        raise RetryLaterError("cut_connection", "fewer bytes came than were announced")


def _html(place: Place) -> TerminalError:
    return place.terminal("html", "the server answered 200 with an HTML page instead of data")
