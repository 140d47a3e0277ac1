"""What the next promotion record says, from decisions and the record before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from warehouse.contract.model import Severity, TableContract
from warehouse.files import canonical_json, digest
from warehouse.mart_file import attach, publication_hash, published_hash, row_count, scratch_session
from warehouse.paths import CityPaths
from warehouse.promotion_record import (
    HOLD,
    PUBLISH,
    REJECT,
    Content,
    Entry,
    PromotionError,
    Record,
    Superseded,
    evidence,
    promoted_by,
)
from warehouse.publication import Publication


@dataclass(frozen=True)
class Decision:
    """The gate's word on one publication's candidate, with what it was built from.

    Attributes:
        verdict: `publish`, `hold` or `reject`.
        reasons: Lines for people, without personal data.
        data_as_of: Greatest as-of of the batches that the inputs hold.
        pins: Core table -> Delta version that the candidate was built from.
        inputs: Name -> digest: contracts, geography, registry, code.
        checks: Check results as plain JSON.
        provenance: Plain JSON for the release: batch ids with raw digests, contract digests,
            code version, lock digest. No clock, no path.
    """

    publication: Publication
    verdict: str
    data_as_of: date
    reasons: tuple[str, ...] = ()
    pins: Mapping[str, int] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    checks: Sequence[Mapping[str, Any]] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """A decision with the content it is about; rejected candidates have none."""

    decision: Decision
    content: Content | None


def judged(
    paths: CityPaths,
    decision: Decision,
    candidate: Path | None,
    contracts: Mapping[str, TableContract],
) -> Judged:
    """The decision with its candidate's content.

    A candidate that is not there or cannot be hashed is rejected, whatever the gate said.
    """
    if decision.verdict not in (PUBLISH, HOLD) or candidate is None:
        return Judged(_rejected(decision, ()), None)
    try:
        with scratch_session(paths.work) as connection:
            attach(connection, candidate, "candidate")
            return Judged(decision, _content(connection, decision, contracts))
    except duckdb.Error as error:
        reason = f"candidate cannot be read ({type(error).__name__})"
        return Judged(_rejected(decision, (reason,)), None)


def next_entries(
    paths: CityPaths, ready: Sequence[Judged], before: Record | None, number: int
) -> tuple[dict[str, Entry], tuple[str, ...]]:
    """What the next record says of each publication, and whose candidate was outdated."""
    entries, outdated = {}, []
    for each in ready:
        name = each.decision.publication.name
        old = before.entries.get(name) if before else None
        if old is not None and _is_outdated(each.decision, old):
            entries[name] = old
            outdated.append(name)
        else:
            entries[name] = _next_entry(paths, each, old, number)
    return dict(sorted(entries.items())), tuple(sorted(outdated))


def superseded(before: Record | None, entries: Mapping[str, Entry]) -> tuple[Superseded, ...]:
    """The candidates that waited and neither wait on nor were promoted."""
    gone = []
    for name, old in sorted(before.entries.items()) if before else ():
        new = entries.get(name)
        if old.candidate is None:
            continue
        if new is not None and old.candidate.equals(new.candidate):
            continue
        if new is not None and old.candidate.equals(new.promoted):
            continue
        gone.append(Superseded(name, old.candidate.content_hash))
    return tuple(gone)


def judged_otherwise(
    paths: CityPaths, ready: Sequence[Judged], entries: Mapping[str, Entry], before: Record
) -> bool:
    """Whether other checks failed of a publication than those that the record before tells of.

    A tightened rule on unchanged content is such a case: verdict and values may be the same.

    Args:
        paths: Folders of the city.
        ready: What was judged.
        entries: What the next record would say (`next_entries`).
        before: The record in force.
    """
    return any(
        entries[name] is not old
        and findings(each.decision.checks) != _known_findings(paths, old.checks)
        for each in ready
        if (name := each.decision.publication.name) in before.entries
        for old in (before.entries[name],)
    )


Finding = tuple[str, str, str, str]


def findings(checks: Sequence[Mapping[str, Any]]) -> frozenset[Finding]:
    """Engine, name, status and severity of the checks that did not pass."""
    return frozenset(
        (each["engine"], each["check"], each["status"], each["severity"])
        for each in checks
        if each["status"] != "passed"
    )


def _known_findings(paths: CityPaths, name: str) -> frozenset[Finding]:
    """The findings of kept evidence; none where it is gone, so that everything is new again."""
    try:
        return findings(evidence(paths, name))
    except PromotionError:
        return frozenset()


def _next_entry(paths: CityPaths, each: Judged, old: Entry | None, number: int) -> Entry:
    decision, content = each.decision, each.content
    promoted = old.promoted if old else None
    waiting = None
    verdict = decision.verdict
    if content is not None and promoted is not None and content.equals(promoted):
        # Readers see exactly these values already. A person decides only on what was not found
        # of them when they were promoted.
        found = findings(decision.checks) - _known_findings(paths, promoted.checks)
        if all(severity == Severity.WARN for *_, severity in found):
            verdict = PUBLISH
        if verdict == HOLD:
            waiting = old.candidate if old and content.equals(old.candidate) else content
    elif content is not None and verdict == PUBLISH:
        promoted = promoted_by(content, number)
    elif content is not None:
        waiting = old.candidate if old and content.equals(old.candidate) else content
    reasons = decision.reasons
    refused = old.refusal_of(waiting.content_hash) if old and waiting else None
    if refused is not None:
        verdict, waiting, reasons = REJECT, None, (*reasons, refused.reason)
    return Entry(
        verdict=verdict,
        reasons=reasons,
        data_as_of=decision.data_as_of,
        pins=decision.pins,
        checks=_checks_digest(decision),
        promoted=promoted,
        candidate=waiting,
        refused=old.refused if old else (),
    )


def _is_outdated(decision: Decision, old: Entry) -> bool:
    """Whether the candidate was built from an older lake than the one decided on before."""
    if decision.data_as_of != old.data_as_of:
        return decision.data_as_of < old.data_as_of
    shared = decision.pins.keys() & old.pins.keys()
    behind = any(decision.pins[table] < old.pins[table] for table in shared)
    ahead = any(decision.pins[table] > old.pins[table] for table in shared)
    return behind and not ahead


def _content(
    connection: duckdb.DuckDBPyConnection,
    decision: Decision,
    contracts: Mapping[str, TableContract],
) -> Content:
    publication = decision.publication
    return Content(
        content_hash=publication_hash(connection, "candidate", publication.parts, contracts),
        published_hash=published_hash(connection, "candidate", publication, contracts),
        rows=row_count(connection, "candidate", publication.parts),
        data_as_of=decision.data_as_of,
        parts=publication.parts,
        pins=dict(decision.pins),
        inputs=dict(decision.inputs),
        checks=_checks_digest(decision),
        provenance=digest(canonical_json(dict(decision.provenance))),
    )


def _checks_digest(decision: Decision) -> str:
    return digest(canonical_json(list(decision.checks)))


def _rejected(decision: Decision, reasons: tuple[str, ...]) -> Decision:
    return Decision(
        publication=decision.publication,
        verdict=REJECT,
        data_as_of=decision.data_as_of,
        reasons=(*decision.reasons, *reasons),
        pins=decision.pins,
        inputs=decision.inputs,
        checks=decision.checks,
        provenance=decision.provenance,
    )
