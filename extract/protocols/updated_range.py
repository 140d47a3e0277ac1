"""One request for what a source updated in a half-open range of time."""

from collections.abc import Iterator
from datetime import timedelta

from extract.errors import Place
from extract.protocols.base import Delivery, Parse
from extract.transport.base import Request, Sink, Transport
from extract.window import Window, iso_utc
from warehouse.contract.model import SourceContract

# Parameters of the request: ISO 8601 in UTC; without the first one, from the beginning.
UPDATED_FROM = "updated_from"
UPDATED_BEFORE = "updated_before"


class UpdatedRangeProtocol:
    """Asks once for [end of what is known minus the overlap, end of the processing day)."""

    def __init__(
        self, transport: Transport, sink: Sink, window: Window, source: SourceContract, place: Place
    ) -> None:
        if source.cursor != "window":
            # Rows outside the range would look deleted in what counts as a full snapshot.
            raise place.terminal("contract", "protocol updated_range needs cursor: window")
        self._transport = transport
        self._sink = sink
        self._request = Request(parameters=_range(window, source.overlap_seconds))

    def deliveries(self, parse: Parse) -> Iterator[Delivery]:
        """Each raw object with its records, read as they are asked for."""
        for raw in self._transport.deliver(self._request, self._sink):
            yield raw, parse(raw)


def _range(window: Window, overlap_seconds: int) -> dict[str, str]:
    bounds = {UPDATED_BEFORE: iso_utc(window.until)}
    if window.since is not None:
        bounds[UPDATED_FROM] = iso_utc(window.since - timedelta(seconds=overlap_seconds))
    return bounds
