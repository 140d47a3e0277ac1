"""What every protocol gives: the raw objects of a stream in order, with their records."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol as Interface
from typing import TypeAlias

from extract.formats.base import Parsed
from extract.raw import RawObject

Parse: TypeAlias = Callable[[RawObject], Iterator[Parsed]]
Delivery: TypeAlias = tuple[RawObject, Iterable[Parsed]]


class Protocol(Interface):
    """Orders the raw objects of a stream."""

    def deliveries(self, parse: Parse) -> Iterator[Delivery]:
        """Each raw object with its records, in the source's order."""
