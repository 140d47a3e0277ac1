"""Raw objects that were delivered before."""

from collections.abc import Iterator

from extract.raw import RawObject, RawReference, RawStore
from extract.transport.base import Request, Sink


class StoredTransport:
    """Delivers objects out of the raw store; nothing is fetched or stored."""

    def __init__(self, store: RawStore, objects: tuple[RawReference, ...]) -> None:
        self._store = store
        self._objects = objects

    def deliver(self, request: Request, sink: Sink) -> Iterator[RawObject]:
        """The objects in their order.

        Raises:
            FileNotFoundError: when one is not stored any more.
        """
        for known in self._objects:
            yield self._store.recall(known)

    def close(self) -> None:
        """Nothing is held."""
