"""Raw objects that were delivered before."""

from collections.abc import Iterator

from extract.raw import RawObject, RawStore
from extract.transport.base import Request, Sink


class StoredTransport:
    """Delivers objects out of the raw store; nothing is fetched or stored."""

    def __init__(self, store: RawStore, digests: tuple[str, ...]) -> None:
        self._store = store
        self._digests = digests

    def deliver(self, request: Request, sink: Sink) -> Iterator[RawObject]:
        """The objects in the order of their digests.

        Raises:
            FileNotFoundError: when one is not stored any more.
        """
        for digest in self._digests:
            yield self._store.find(digest)

    def close(self) -> None:
        """Nothing is held."""
