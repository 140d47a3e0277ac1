"""The ledger: numbered, hash-chained entries that are never changed.

Entry N is the file `ledger/00000N.json`, canonical JSON (`warehouse.files.canonical_json`):

    {"body": {...}, "format": 1, "kind": "...", "number": N, "previous": "...", "subject": "..."}

Hash rule: `previous` is the SHA-256, in hex, of the bytes of the file of entry N - 1, final
newline included; entry 1 has 64 zeros. Entries hold no clock: the same decisions give the same
chain. A subject has one entry; appending it again gives that entry back.

The chain shows an entry that was edited, removed, inserted or moved, but the last one: nobody
holds its hash yet, so an edited last entry and a cut tail are not found without a witness. A
later format may add `signatures` (over the canonical entry without that field); heads witnessed
elsewhere are (number, SHA-256 of the file) pairs and need no change of format.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.boundary import reached
from warehouse.errors import CitylakeError
from warehouse.files import canonical_json, create_exclusively, digest
from warehouse.paths import CityPaths

FORMAT = 1
FIRST_PREVIOUS = "0" * 64
_FIELDS = frozenset({"body", "format", "kind", "number", "previous", "subject"})


class LedgerError(CitylakeError):
    """The ledger cannot be read or would contradict itself."""


@dataclass(frozen=True)
class Entry:
    """One entry.

    Attributes:
        number: From 1, without gaps.
        previous: Hash of the entry before.
        kind: What is recorded, for example `verdict`, `promotion`, `release`, `superseded`.
        subject: What it is recorded of; unique in the ledger.
        body: Plain JSON.
    """

    number: int
    previous: str
    kind: str
    subject: str
    body: Mapping[str, Any]

    def content(self) -> bytes:
        """The bytes of the entry's file."""
        return canonical_json(
            {
                "format": FORMAT,
                "number": self.number,
                "previous": self.previous,
                "kind": self.kind,
                "subject": self.subject,
                "body": dict(self.body),
            }
        )


@dataclass(frozen=True)
class Broken:
    """The first entry at which the chain does not hold, and why."""

    number: int
    reason: str


class Ledger:
    """The ledger of one city, read once and kept up with what others append."""

    def __init__(self, paths: CityPaths) -> None:
        self._folder = paths.ledger
        self._work = paths.work
        self._subjects: dict[str, Entry] = {}
        self._head = FIRST_PREVIOUS
        self._count = 0

    def entries(self) -> Iterator[Entry]:
        """Every entry in order.

        Raises:
            LedgerError: at an entry that cannot be read.
        """
        number = 1
        while (path := self._path(number)).exists():
            yield _parse(path.read_bytes(), number)
            number += 1

    def append(self, kind: str, subject: str, body: Mapping[str, Any]) -> Entry:
        """Record something once.

        Args:
            kind: What is recorded.
            subject: What it is recorded of; an entry of that subject is not written again.
            body: Plain JSON without clock, secrets or personal data.

        Returns:
            The entry of that subject: the new one, or the one that was there.

        Raises:
            LedgerError: when the subject is recorded already with another kind or body, or the
                ledger cannot be read.
        """
        while True:
            self._catch_up()
            known = self._subjects.get(subject)
            if known is not None:
                return _same(known, kind, body)
            entry = Entry(self._count + 1, self._head, kind, subject, body)
            self._folder.mkdir(parents=True, exist_ok=True)
            reached("ledger.before_entry")
            if create_exclusively(self._path(entry.number), entry.content(), self._work):
                reached("ledger.after_entry")

    def verify(self) -> Broken | None:
        """The first broken entry, or None when the chain holds from its first to its last.

        Nobody holds the hash of the last entry yet: a tail that was cut off cleanly, or a last
        entry rewritten in the right form, is not found without a witness.
        """
        present = sorted(
            int(path.stem) for path in self._folder.glob("*.json") if path.stem.isdigit()
        )
        head = FIRST_PREVIOUS
        for number in range(1, (present[-1] if present else 0) + 1):
            path = self._path(number)
            if not path.exists():
                return Broken(number, "is not there")
            content = path.read_bytes()
            try:
                entry = _parse(content, number)
            except LedgerError as error:
                return Broken(number, str(error))
            if entry.previous != head and number == 1:
                return Broken(1, "does not start the chain")
            if entry.previous != head:
                return Broken(number - 1, f"does not have the hash that entry {number} records")
            head = digest(content)
        return None

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}.json"

    def _catch_up(self) -> None:
        """Read what was appended since, by this process or another."""
        while (path := self._path(self._count + 1)).exists():
            content = path.read_bytes()
            entry = _parse(content, self._count + 1)
            if entry.previous != self._head:
                raise LedgerError(f"ledger entry {entry.number} does not follow the one before it")
            self._subjects[entry.subject] = entry
            self._head = digest(content)
            self._count = entry.number


def _same(known: Entry, kind: str, body: Mapping[str, Any]) -> Entry:
    """The entry that is there, if it says the same."""
    if known.kind != kind or canonical_json(known.body) != canonical_json(dict(body)):
        raise LedgerError(
            f"ledger entry {known.number} records {known.subject} otherwise than it is now"
        )
    return known


def _parse(content: bytes, number: int) -> Entry:
    """The entry in a file's bytes; refuses every spelling but the canonical one."""
    try:
        fields = json.loads(content)
    except ValueError as error:
        raise LedgerError(f"ledger entry {number} is no JSON") from error
    if not isinstance(fields, dict) or set(fields) != _FIELDS or fields["format"] != FORMAT:
        raise LedgerError(f"ledger entry {number} does not have the fields of format {FORMAT}")
    if fields["number"] != number:
        raise LedgerError(f"ledger entry {number} calls itself {fields['number']}")
    if canonical_json(fields) != content:
        raise LedgerError(f"ledger entry {number} is not in canonical form")
    return Entry(number, fields["previous"], fields["kind"], fields["subject"], fields["body"])
