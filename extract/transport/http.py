"""HTTP: one client, bounded retries, and a body that is whole or an error."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from extract.errors import Place, TerminalError
from extract.raw import RawObject
from extract.transport.base import Request, Sink, zip_members
from extract.transport.retry import RetryLaterError, Tries

TOO_MANY_REQUESTS = 429
UNAUTHORISED = frozenset({401, 403})
NOT_FOUND = 404
ACCEPTED_CODINGS = frozenset({"", "identity", "gzip"})
HTML_START = re.compile(rb"\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


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
    ) -> None:
        url = (environ.get(options.url_env) if options.url_env else None) or options.url
        if not url and options.url_env:
            raise place.terminal("url", f"environment variable {options.url_env} holds no address")
        if not url:
            raise place.terminal("contract", "transport lacks option url")
        self._url = httpx.URL(url)
        self._options = options
        self._source = place.source
        self._sleep = sleep
        token = _token(options, environ, place)
        # Settings come from the contract, never from a proxy or netrc that happens to be set.
        self._client = httpx.Client(
            headers={"accept-encoding": "identity", **options.headers, **token},
            timeout=httpx.Timeout(
                options.read_timeout_seconds, connect=options.connect_timeout_seconds
            ),
            follow_redirects=not token,
            proxy=environ.get(options.proxy_env) if options.proxy_env else None,
            trust_env=False,
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
        try:
            raw = self._retried(place, lambda: self._fetch(url, request, place, sink))
        except NothingThereError:
            return
        if self._options.member is None:
            yield raw
        else:
            yield from zip_members(raw.path, self._options.member, raw.name, place, sink)

    def close(self) -> None:
        """Close the client's connections."""
        self._client.close()

    def _url_of(self, request: Request) -> httpx.URL:
        if not request.path:
            return self._url
        return self._url.copy_with(path=f"{self._url.path.rstrip('/')}/{request.path}")

    def _retried(self, place: Place, fetch: Callable[[], RawObject]) -> RawObject:
        options = self._options
        tries = Tries(
            options.attempts,
            options.backoff_seconds,
            options.backoff_max_seconds,
            options.retry_after_max_seconds,
            self._sleep,
        )
        while True:
            try:
                return fetch()
            except RetryLaterError as error:
                tries.wait_after(error, place)

    def _fetch(self, url: httpx.URL, request: Request, place: Place, sink: Sink) -> RawObject:
        parameters = {**self._options.parameters, **request.parameters}
        name = place.file if place.page is None else f"{place.file} page {place.page}"
        try:
            with self._client.stream(
                "GET", url, params=parameters or None, headers=dict(request.headers)
            ) as response:
                if response.status_code == NOT_FOUND and request.may_be_absent:
                    raise NothingThereError
                _check_status(response, place)
                return sink(_body(response, place), name or "", place.page)
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


def _check_status(response: httpx.Response, place: Place) -> None:
    """Let a 200 that may be data pass.

    Raises:
        RetryLaterError: for 429 and 5xx.
        TerminalError: rule `token`, `status`, `html` or `coding`.
    """
    status = response.status_code
    if status == TOO_MANY_REQUESTS or response.is_server_error:
        raise RetryLaterError("status", f"the server answered {status}", _retry_after(response))
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


def _body(response: httpx.Response, place: Place) -> Iterator[bytes]:
    """The body's bytes as they came.

    Raises:
        RetryLaterError: when fewer bytes came than were announced.
        TerminalError: rule `html`.
    """
    received = 0
    for chunk in response.iter_raw():
        if received == 0 and HTML_START.match(chunk.removeprefix(BYTE_ORDER_MARK)):
            raise _html(place)
        received += len(chunk)
        yield chunk
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and received != int(announced):
        raise RetryLaterError("cut_connection", "fewer bytes came than were announced")


def _html(place: Place) -> TerminalError:
    return place.terminal("html", "the server answered 200 with an HTML page instead of data")
