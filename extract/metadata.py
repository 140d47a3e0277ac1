"""Raw objects that describe others: they must be read before what they describe."""

from collections.abc import Collection, Sequence

from extract.content import Content
from extract.formats.sdmx_columns import SDMX_KINDS
from extract.formats.sdmx_structure import is_structure
from extract.raw import RawStore
from warehouse.contract.model import SourceContract


def with_metadata(
    source: SourceContract,
    store: RawStore,
    batches: Sequence[Sequence[str]],
    digests: Collection[str],
) -> tuple[str, ...]:
    """Stored objects in order of reading, each after what described it in its last batch.

    Args:
        source: The stream's contract.
        store: Where the objects are.
        batches: Digests of the batches that the stream was read in, oldest first.
        digests: The objects whose records are wanted.

    Returns:
        The digests themselves, where the source's format has no such objects.
    """
    if source.format.get("kind") not in SDMX_KINDS:
        return tuple(digests)
    wanted = set(digests)
    ordered: list[str] = []
    for batch in reversed(batches):
        found = wanted & set(batch)
        if found:
            ordered[:0] = [
                each for each in batch if each in found or _describes(source, store, each)
            ]
            wanted -= found
    return (*ordered, *sorted(wanted))


def _describes(source: SourceContract, store: RawStore, digest: str) -> bool:
    return is_structure(Content(store, store.find(digest), source.id))
