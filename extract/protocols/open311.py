"""Open311 GeoReport v2: `GET requests.json`, page by page.

Source: https://wiki.open311.org/GeoReport_v2/ ; paging and `updated_after`/`updated_before` are
the common extensions of that standard, so their names are options.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from extract.errors import Place
from extract.formats.base import Parsed
from extract.protocols.base import Delivery, Parse
from extract.raw import RawObject
from extract.transport.base import Request, Sink, Transport
from extract.window import Window, iso_utc


@dataclass(frozen=True)
class Open311Options:
    """How pages are asked for; see `extract.read` for the meaning of each option."""

    path: str = "requests.json"
    page_size: int = 1000
    first_page: int = 1
    max_pages: int = 100_000
    in_flight: int = 2
    page_parameter: str = "page"
    page_size_parameter: str = "page_size"
    updated_after_parameter: str = "updated_after"
    updated_before_parameter: str = "updated_before"
    extensions: bool = True


class Open311Protocol:
    """Asks for the requests that changed in a window, several pages in flight."""

    def __init__(
        self,
        options: Open311Options,
        transport: Transport,
        sink: Sink,
        window: Window,
        overlap_seconds: int,
        place: Place,
    ) -> None:
        if min(options.page_size, options.in_flight, options.max_pages) < 1:
            message = "page_size, in_flight and max_pages are at least 1"
            raise place.terminal("contract", message)
        self._options = options
        self._transport = transport
        self._sink = sink
        self._place = place
        self._parameters = _window_parameters(options, window, overlap_seconds)

    def deliveries(self, parse: Parse) -> Iterator[Delivery]:
        """The pages in order, up to the first that is shorter than the page size.

        Pages are fetched, stored and parsed ahead on other threads; what was fetched beyond
        the last page is not delivered, and an error there is not one of this stream.

        Raises:
            TerminalError: rule `paging_loop`, when a page repeats an earlier one or there are
                more pages than declared; and whatever transport and format raise.
        """
        first, seen = self._options.first_page, dict[str, int]()
        ahead: deque[Future[tuple[RawObject, list[Parsed]]]] = deque()
        pool = ThreadPoolExecutor(self._options.in_flight, thread_name_prefix="open311")
        try:
            for page in range(first, first + self._options.in_flight):
                ahead.append(pool.submit(self._page, page, parse))
            for page in range(first, first + self._options.max_pages):
                raw, parsed = ahead.popleft().result()
                count = sum(stretch.count for stretch in parsed)
                if count:
                    self._check_new(raw, page, seen)
                if count < self._options.page_size:
                    yield raw, parsed
                    return
                ahead.append(pool.submit(self._page, page + self._options.in_flight, parse))
                yield raw, parsed
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        message = f"more than {self._options.max_pages} pages"
        raise self._place.terminal("paging_loop", message)

    def _page(self, page: int, parse: Parse) -> tuple[RawObject, list[Parsed]]:
        parameters = {**self._parameters, self._options.page_parameter: str(page)}
        request = Request(self._options.path, parameters, page)
        raw = next(iter(self._transport.deliver(request, self._sink)))
        return raw, list(parse(raw))

    def _check_new(self, raw: RawObject, page: int, seen: dict[str, int]) -> None:
        earlier = seen.setdefault(raw.digest, page)
        if earlier != page:
            place = Place(self._place.source, self._options.path, page)
            raise place.terminal("paging_loop", f"the page repeats page {earlier}")


def _window_parameters(
    options: Open311Options, window: Window, overlap_seconds: int
) -> dict[str, str]:
    parameters = {
        options.page_size_parameter: str(options.page_size),
        options.updated_before_parameter: iso_utc(window.until),
    }
    if options.extensions:
        parameters["extensions"] = "true"
    if window.since is not None:
        since = window.since - timedelta(seconds=overlap_seconds)
        parameters[options.updated_after_parameter] = iso_utc(since)
    return parameters
