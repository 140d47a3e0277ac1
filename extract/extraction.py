"""Extractions: what one reading of a source came to, in one file that is written once.

`journal/extractions/<source>_<as-of>_<16 hex of its own digest>.json` names the raw objects in the
order of reading. It is written when the whole of the source was read, so that nothing can be
loaded of a reading that ended midway, and holds no clock: the same answer of the source is the
same extraction.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from extract.raw import RawReference
from extract.window import Window
from warehouse.boundary import reached
from warehouse.errors import CitylakeError
from warehouse.files import canonical_json, create_exclusively, digest
from warehouse.load_journal import RawList

FOLDER = "extractions"
_HEX = 16
_NAME = re.compile(rf"[\w.-]+_\d{{4}}-\d{{2}}-\d{{2}}_[0-9a-f]{{{_HEX}}}", re.ASCII)


class ExtractionError(CitylakeError):
    """An extraction that cannot be loaded, with the reason."""


@dataclass(frozen=True)
class Extraction:
    """One complete reading of a source.

    Attributes:
        source: Source id.
        window: What was asked for; its `as_of` is the processing day.
        stored: The stream's as-of that the window started from, or None.
        is_snapshot: Whether this is all that the source holds, so that absence may delete.
        objects: The raw objects in the order of reading.
        records: How many records they hold by the contract of the reading.
    """

    source: str
    window: Window
    stored: date | None
    is_snapshot: bool
    objects: tuple[RawReference, ...]
    records: int

    @property
    def id(self) -> str:
        """The name of its file."""
        return f"{self.source}_{self.window.as_of.isoformat()}_{digest(self.content())[:_HEX]}"

    @property
    def size(self) -> int:
        """Bytes of all raw objects as they came."""
        return sum(each.size or 0 for each in self.objects)

    def content(self) -> bytes:
        """The bytes of its file."""
        since, until = self.window.since, self.window.until
        return canonical_json(
            {
                "source": self.source,
                "as_of": self.window.as_of.isoformat(),
                "since": since.isoformat() if since else None,
                "until": until.isoformat(),
                "stored": self.stored.isoformat() if self.stored else None,
                "is_snapshot": self.is_snapshot,
                "objects": [asdict(each) for each in self.objects],
                "records": self.records,
            }
        )


def write_extraction(extraction: Extraction, journal: Path, work: Path) -> None:
    """Commit an extraction; one that is there already is the same.

    Args:
        extraction: Of a reading that came to its end.
        journal: The city's journal folder.
        work: Scratch folder on the same file system.
    """
    reached("extraction.before_file")
    create_exclusively(_path(journal, extraction.id), extraction.content(), work)
    reached("extraction.after_file")


def read_extraction(journal: Path, name: str) -> Extraction:
    """The extraction of an id.

    Raises:
        ExtractionError: when there is none, or its file is not as it was written.
    """
    path = _path(journal, name)
    if not _NAME.fullmatch(name) or not path.is_file():
        raise ExtractionError(f"there is no extraction {name}: extract again")
    content = path.read_bytes()
    if digest(content)[:_HEX] != name.rpartition("_")[2]:
        raise ExtractionError(f"extraction {name} was changed: extract again")
    return _extraction(json.loads(content))


def extraction_lists(journal: Path) -> Iterator[RawList]:
    """The raw objects that each extraction names, loaded or not."""
    for path in sorted((journal / FOLDER).glob("*.json")):
        found = _extraction(json.loads(path.read_bytes()))
        digests = frozenset(each.digest for each in found.objects)
        yield RawList(found.window.as_of, found.source, digests)


def forget_extractions(journal: Path, *, as_of: date, days: Callable[[str], int | None]) -> int:
    """Remove the extractions whose raw objects are past their retention.

    The caller has removed these objects: without the extraction nobody knows that they were read.

    Args:
        journal: The city's journal folder.
        as_of: Processing day of the run.
        days: Days that a stream's raw objects are kept, None for ever.

    Returns:
        How many were removed.
    """
    removed = 0
    for path in sorted((journal / FOLDER).glob("*.json")):
        source, day, _ = path.stem.rsplit("_", 2)
        limit = days(source)
        if limit is not None and date.fromisoformat(day) < as_of - timedelta(days=limit):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _path(journal: Path, name: str) -> Path:
    return journal / FOLDER / f"{name}.json"


def _extraction(fields: dict[str, Any]) -> Extraction:
    since, stored = fields["since"], fields["stored"]
    return Extraction(
        source=fields["source"],
        window=Window(
            as_of=date.fromisoformat(fields["as_of"]),
            since=datetime.fromisoformat(since) if since else None,
            until=datetime.fromisoformat(fields["until"]),
        ),
        stored=date.fromisoformat(stored) if stored else None,
        is_snapshot=fields["is_snapshot"],
        objects=tuple(RawReference(**each) for each in fields["objects"]),
        records=fields["records"],
    )
