"""Each object that the transport has is read once."""

from collections.abc import Iterator

from extract.protocols.base import Delivery, Parse
from extract.transport.base import Request, Sink, Transport


class SingleProtocol:
    """One request without parameters, answered by one or more objects."""

    def __init__(self, transport: Transport, sink: Sink) -> None:
        self._transport = transport
        self._sink = sink

    def deliveries(self, parse: Parse) -> Iterator[Delivery]:
        """Each raw object with its records, read as they are asked for."""
        for raw in self._transport.deliver(Request(), self._sink):
            yield raw, parse(raw)
