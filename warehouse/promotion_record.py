"""Promotion records: what was decided of every publication, and what readers see since.

Record N is `promotions/00000N.json`, created exclusively: it is the one commit point of
publication. What it names (mart files, evidence) is written before it. Long evidence (check
results, provenance) lies in `promotions/evidence/<sha256>.json` and is named by its digest.
Records hold no clock.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from warehouse.errors import CitylakeError
from warehouse.files import canonical_json, create_exclusively, digest
from warehouse.paths import CityPaths
from warehouse.publication import Part

PUBLISH = "publish"
HOLD = "hold"
REJECT = "reject"

RUN = "run"
APPROVAL = "approval"
REFUSAL = "refusal"


class PromotionError(CitylakeError):
    """A promotion or approval that cannot be done, with the reason."""


class OvertakenError(PromotionError):
    """A decision was recorded after a build was checked: checked again it can be promoted."""


@dataclass(frozen=True)
class Content:
    """Rows of a publication that were promoted, or that wait for a person.

    Attributes:
        content_hash: Over all contract columns of all its marts.
        published_hash: Over what a release shows; None for an internal publication.
        rows: How many rows, over all marts.
        data_as_of: Greatest as-of of the batches that its inputs hold.
        parts: The parts that it had.
        pins: Core table -> Delta version that it was built from.
        inputs: Name -> digest of what else it was built from (contracts, geography, registry,
            code).
        checks, provenance: Digests of evidence.
        record: Number of the record that promoted it; 0 while it waits.
        approved_by: Who released a held candidate, or None.
    """

    content_hash: str
    published_hash: str | None
    rows: int
    data_as_of: date
    parts: tuple[Part, ...]
    pins: Mapping[str, int]
    inputs: Mapping[str, str]
    checks: str
    provenance: str
    record: int = 0
    approved_by: str | None = None

    @property
    def version(self) -> str:
        """`<data-as-of>-<12 hex>` of what is published, else of the content."""
        return f"{self.data_as_of.isoformat()}-{(self.published_hash or self.content_hash)[:12]}"

    def equals(self, other: "Content | None") -> bool:
        """Whether both show the same values to the same readers."""
        return (
            other is not None
            and self.content_hash == other.content_hash
            and self.published_hash == other.published_hash
        )


@dataclass(frozen=True)
class Refused:
    """A held candidate to which the answer was no.

    Attributes:
        content_hash: What was refused; it never waits again.
        record: Number of the record that refused it.
        refused_by: Who said so, or None where nobody decided in time.
    """

    content_hash: str
    record: int
    refused_by: str | None = None

    @property
    def reason(self) -> str:
        """One line for people, without the name."""
        how = "nobody decided in time" if self.refused_by is None else "a person's decision"
        return f"candidate {self.content_hash[:12]} was refused: {how}"


@dataclass(frozen=True)
class Entry:
    """What a record says of one publication.

    Attributes:
        verdict: `publish`, `hold` or `reject`: of the newest candidate.
        reasons: Why it is not `publish`, and warnings.
        data_as_of, pins: Of the newest candidate, whatever became of it.
        checks: Digest of the evidence on the newest candidate.
        promoted: What readers see, or None before the first promotion.
        candidate: What waits for a person, or None.
        refused: What was refused of it so far, oldest first.
    """

    verdict: str
    reasons: tuple[str, ...]
    data_as_of: date
    pins: Mapping[str, int]
    checks: str
    promoted: Content | None
    candidate: Content | None = None
    refused: tuple[Refused, ...] = ()

    def refusal_of(self, content_hash: str) -> Refused | None:
        """How a candidate was refused, or None where it was not."""
        return next((each for each in self.refused if each.content_hash == content_hash), None)

    def equals(self, other: "Entry | None") -> bool:
        """Whether both say the same verdict on, and show, the same content."""
        return (
            other is not None
            and self.verdict == other.verdict
            and _same(self.promoted, other.promoted)
            and _same(self.candidate, other.candidate)
        )


@dataclass(frozen=True)
class Superseded:
    """A held candidate that a newer one of the same publication has replaced."""

    publication: str
    content_hash: str


@dataclass(frozen=True)
class Record:
    """One promotion record.

    Attributes:
        number: From 1, without gaps.
        kind: `run`, `approval` or `refusal`.
        mart_file: Name under `marts/` of the file with the rows that readers see, or None
            while nothing was ever promoted.
        entries: Publication -> what is said of it.
        superseded: Held candidates that can no longer be approved since this record.
    """

    number: int
    kind: str
    mart_file: str | None
    entries: Mapping[str, Entry]
    superseded: tuple[Superseded, ...] = field(default=())

    def equals(self, other: "Record | None") -> bool:
        """Whether both say the same of the same publications."""
        return (
            other is not None
            and self.entries.keys() == other.entries.keys()
            and all(entry.equals(other.entries[name]) for name, entry in self.entries.items())
        )


@dataclass(frozen=True)
class Current:
    """What readers see of a publication."""

    content_hash: str
    record: int
    mart_file: Path
    content: Content


def records(paths: CityPaths) -> list[Record]:
    """Every promotion record, in order.

    Raises:
        PromotionError: at a record that cannot be read, or a gap in the numbers.
    """
    found: list[Record] = []
    while (path := record_path(paths, len(found) + 1)).exists():
        found.append(_read(path, len(found) + 1))
    return found


def latest(paths: CityPaths) -> Record | None:
    """The newest promotion record, or None before the first."""
    number = 0
    while record_path(paths, number + 1).exists():
        number += 1
    return _read(record_path(paths, number), number) if number else None


def current(paths: CityPaths, publication: str) -> Current | None:
    """What readers see of a publication, or None where nothing of it was promoted."""
    record = latest(paths)
    entry = record.entries.get(publication) if record else None
    if record is None or record.mart_file is None or entry is None or entry.promoted is None:
        return None
    content = entry.promoted
    return Current(content.content_hash, content.record, paths.marts / record.mart_file, content)


def record_path(paths: CityPaths, number: int) -> Path:
    """The file of a record."""
    return paths.promotions / f"{number:06d}.json"


def create_record(paths: CityPaths, record: Record) -> bool:
    """Commit a record; False when another process has taken the number."""
    return create_exclusively(record_path(paths, record.number), _content(record), paths.work)


def store_evidence(paths: CityPaths, value: Any) -> str:
    """Keep plain JSON under its digest.

    Returns:
        The digest.
    """
    content = canonical_json(value)
    name = digest(content)
    path = paths.promotions / "evidence" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        create_exclusively(path, content, paths.work)
    return name


def evidence(paths: CityPaths, name: str) -> Any:
    """The plain JSON kept under a digest.

    Raises:
        PromotionError: when it is gone or is not what its name says.
    """
    path = paths.promotions / "evidence" / f"{name}.json"
    if not path.exists():
        raise PromotionError(f"evidence {name[:12]} is not there")
    content = path.read_bytes()
    if digest(content) != name:
        raise PromotionError(f"evidence {name[:12]} was changed")
    return json.loads(content)


def evidence_files(paths: CityPaths) -> list[Path]:
    """The files of all evidence, in order of name."""
    return sorted((paths.promotions / "evidence").glob("*.json"))


def held_path(paths: CityPaths, content_hash: str) -> Path:
    """The file that keeps a held candidate."""
    return paths.marts / "held" / f"{content_hash}.duckdb"


def _same(one: Content | None, other: Content | None) -> bool:
    return other is None if one is None else one.equals(other)


def _content(record: Record) -> bytes:
    return canonical_json(
        {
            "format": 1,
            "number": record.number,
            "kind": record.kind,
            "mart_file": record.mart_file,
            "publications": {name: _entry_fields(entry) for name, entry in record.entries.items()},
            "superseded": [
                {"publication": each.publication, "content_hash": each.content_hash}
                for each in record.superseded
            ],
        }
    )


def _entry_fields(entry: Entry) -> dict[str, Any]:
    return {
        "verdict": entry.verdict,
        "reasons": list(entry.reasons),
        "data_as_of": entry.data_as_of.isoformat(),
        "pins": dict(entry.pins),
        "checks": entry.checks,
        "promoted": _content_fields(entry.promoted),
        "candidate": _content_fields(entry.candidate),
        **({"refused": [asdict(each) for each in entry.refused]} if entry.refused else {}),
    }


def _content_fields(content: Content | None) -> dict[str, Any] | None:
    if content is None:
        return None
    return {
        "content_hash": content.content_hash,
        "published_hash": content.published_hash,
        "rows": content.rows,
        "data_as_of": content.data_as_of.isoformat(),
        "parts": [{"mart": part.mart, "where": dict(part.where)} for part in content.parts],
        "pins": dict(content.pins),
        "inputs": dict(content.inputs),
        "checks": content.checks,
        "provenance": content.provenance,
        "record": content.record,
        "approved_by": content.approved_by,
    }


def _read(path: Path, number: int) -> Record:
    try:
        fields = json.loads(path.read_bytes())
        record = Record(
            number=fields["number"],
            kind=fields["kind"],
            mart_file=fields["mart_file"],
            entries={name: _entry(each) for name, each in fields["publications"].items()},
            superseded=tuple(Superseded(**each) for each in fields["superseded"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise PromotionError(f"promotion record {number} cannot be read") from error
    if record.number != number:
        raise PromotionError(f"promotion record {number} calls itself {record.number}")
    return record


def _entry(fields: Mapping[str, Any]) -> Entry:
    return Entry(
        verdict=fields["verdict"],
        reasons=tuple(fields["reasons"]),
        data_as_of=date.fromisoformat(fields["data_as_of"]),
        pins=fields["pins"],
        checks=fields["checks"],
        promoted=_content_of(fields["promoted"]),
        candidate=_content_of(fields["candidate"]),
        refused=tuple(Refused(**each) for each in fields.get("refused", ())),
    )


def _content_of(fields: Mapping[str, Any] | None) -> Content | None:
    if fields is None:
        return None
    parts = tuple(Part(part["mart"], part["where"]) for part in fields["parts"])
    return Content(
        **{**fields, "data_as_of": date.fromisoformat(fields["data_as_of"]), "parts": parts}
    )


def promoted_by(content: Content, number: int, person: str | None = None) -> Content:
    """The content as promoted by a record, at a person's word where one was needed."""
    return replace(content, record=number, approved_by=person)
