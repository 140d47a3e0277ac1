"""Objects that another protocol delivered before, once more."""

from collections.abc import Iterator

from extract.protocols.base import Delivery, Parse
from extract.transport.base import Request, Sink, Transport


class StoredProtocol:
    """Each stored object in its order; which they are was settled when they were delivered."""

    def __init__(self, transport: Transport, sink: Sink) -> None:
        self._transport = transport
        self._sink = sink

    def deliveries(self, parse: Parse) -> Iterator[Delivery]:
        """Each raw object with its records, read as they are asked for.

        An object without a byte was taken by a protocol that knew it to hold no record.
        """
        for raw in self._transport.deliver(Request(), self._sink):
            yield raw, parse(raw) if raw.size else ()
