"""Promotion: verdicts on candidates become what readers see, with one commit point.

Everything immutable (composed mart file, held candidates, evidence) is written first, then one
numbered record is created exclusively. A process that loses the number reads again and finds
nothing to do, or takes the next one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from warehouse.boundary import reached
from warehouse.contract.model import TableContract
from warehouse.files import canonical_json, digest
from warehouse.mart_file import Source, attach, compose, publication_hash, scratch_session
from warehouse.paths import CityPaths
from warehouse.promotion_plan import (
    Decision,
    Judged,
    judged,
    judged_otherwise,
    next_entries,
    superseded,
)
from warehouse.promotion_record import (
    APPROVAL,
    PUBLISH,
    REFUSAL,
    REJECT,
    RUN,
    Content,
    Entry,
    OvertakenError,
    PromotionError,
    Record,
    Refused,
    create_record,
    held_path,
    latest,
    promoted_by,
    records,
    store_evidence,
)
from warehouse.publication import Part, overlaps


@dataclass(frozen=True)
class Promotion:
    """What a run or an approval came to.

    Attributes:
        record: The record in force.
        is_new: Whether this call wrote it.
        outdated: Publications whose candidate was older than what was decided on before; their
            decision stands.
    """

    record: Record
    is_new: bool
    outdated: tuple[str, ...] = field(default=())


def promote(
    paths: CityPaths,
    candidate: Path | None,
    contracts: Mapping[str, TableContract],
    decisions: Sequence[Decision],
    *,
    after: int | None = None,
) -> Promotion:
    """Commit the verdicts of one run.

    Args:
        paths: Folders of the city.
        candidate: The mart file that the run built (the caller's, and only read), or None where
            the build failed and every verdict is `reject`.
        contracts: Mart contracts by name.
        decisions: One for every publication of the city; a publication that is left out is no
            longer served.
        after: Number of the record that was in force when the decisions were taken (0 before the
            first), where another may have been written since; None takes them as they are.

    Returns:
        The record in force: a new one, or the latest where verdicts, content and the checks that
        did not pass equal it.

    Raises:
        PromotionError: when two publications may take the same row, or are given twice, or a
            mart file that is needed is gone.
        OvertakenError: when the decisions were taken before the latest record and say otherwise.
    """
    _refuse_overlaps(decisions)
    ready = [judged(paths, decision, candidate, contracts) for decision in decisions]
    while True:
        before = latest(paths)
        number = before.number + 1 if before else 1
        entries, outdated = next_entries(paths, ready, before, number)
        record = Record(
            number=number,
            kind=RUN,
            mart_file=_mart_file_name(entries),
            entries=entries,
            superseded=superseded(before, entries),
        )
        if (
            before is not None
            and record.equals(before)
            and not judged_otherwise(paths, ready, entries, before)
        ):
            result = Promotion(before, is_new=False, outdated=outdated)
            break
        if after is not None and number != after + 1:
            raise OvertakenError(
                f"checked against promotion record {after}, but {number - 1} stands: check again"
            )
        sources = _sources(paths, record, before, candidate, ready)
        _keep_held(paths, record, candidate, contracts)
        for each in ready:
            store_evidence(paths, list(each.decision.checks))
            store_evidence(paths, dict(each.decision.provenance))
        if _commit(paths, record, sources, contracts):
            # Whoever supersedes equal content at the same moment may have removed its file.
            _keep_held(paths, record, candidate, contracts)
            result = Promotion(record, is_new=True, outdated=outdated)
            break
    _remove_superseded(paths)
    return result


def approve(
    paths: CityPaths,
    publication: str,
    content_hash: str,
    person: str,
    contracts: Mapping[str, TableContract],
) -> Promotion:
    """Promote a held candidate at a named person's word.

    Args:
        paths: Folders of the city.
        publication: Name of the publication.
        content_hash: Of the candidate that the person looked at.
        person: Who takes the decision, as stated by the caller (not attested).
        contracts: Mart contracts by name.

    Returns:
        The new record; the latest one where the same person has approved just this before.

    Raises:
        PromotionError: when the candidate does not wait (superseded, decided on or never held),
            its file is gone or changed, or no person is named.
    """
    if not person.strip():
        raise PromotionError("an approval names the person who gives it")
    while True:
        before = latest(paths)
        if before is not None and _is_approved(before, publication, content_hash, person.strip()):
            return Promotion(before, is_new=False)
        content = _waiting(before, publication, content_hash)
        assert before is not None  # noqa: S101 - a candidate waits in a record
        _check_held(paths, content, contracts)
        number = before.number + 1
        held = before.entries[publication]
        approved = promoted_by(content, number, person.strip())
        entry = replace(held, verdict=PUBLISH, promoted=approved, candidate=None)
        entries = {**before.entries, publication: entry}
        record = Record(number, APPROVAL, _mart_file_name(entries), entries)
        sources = [
            Source(each.promoted.parts, paths.marts / str(before.mart_file), each.promoted.parts)
            for name, each in before.entries.items()
            if each.promoted is not None and name != publication
        ]
        sources.append(Source(content.parts, held_path(paths, content.content_hash)))
        if _commit(paths, record, sources, contracts):
            _remove_superseded(paths)
            return Promotion(record, is_new=True)


def refuse(
    paths: CityPaths, publication: str, content_hash: str, person: str | None = None
) -> Promotion:
    """Say no to a held candidate; readers go on seeing what they see.

    Args:
        paths: Folders of the city.
        publication: Name of the publication.
        content_hash: Of the candidate that was looked at.
        person: Who takes the decision, as stated by the caller; None where nobody decided in
            time.

    Returns:
        The new record; the latest one where the same was said of it before. The same content is
        held no more: a later run that would hold it rejects it, until the gate lets it pass.

    Raises:
        PromotionError: when the candidate does not wait (superseded, decided on or never held),
            or the person has no name.
    """
    if person is not None and not person.strip():
        raise PromotionError("a refusal names the person who gives it, or nobody at all")
    said_by = person.strip() if person else None
    while True:
        before = latest(paths)
        if before is not None and _is_refused(before, publication, content_hash, said_by):
            return Promotion(before, is_new=False)
        content = _waiting(before, publication, content_hash)
        assert before is not None  # noqa: S101 - a candidate waits in a record
        number = before.number + 1
        held = before.entries[publication]
        refused = Refused(content.content_hash, number, said_by)
        entry = replace(
            held,
            verdict=REJECT,
            reasons=(*held.reasons, refused.reason),
            candidate=None,
            refused=(*held.refused, refused),
        )
        entries = {**before.entries, publication: entry}
        # The rows that readers see are those of before, and so is their file.
        record = Record(number, REFUSAL, before.mart_file, entries)
        reached("promotion.before_record")
        if create_record(paths, record):
            reached("promotion.after_record")
            _remove_superseded(paths)
            return Promotion(record, is_new=True)


def referenced_files(paths: CityPaths) -> set[Path]:
    """The mart files that the latest record names; every other one is history or left over."""
    record = latest(paths)
    if record is None:
        return set()
    files = {paths.marts / record.mart_file} if record.mart_file else set()
    waiting = [entry.candidate for entry in record.entries.values() if entry.candidate]
    return files | {held_path(paths, content.content_hash) for content in waiting}


def _refuse_overlaps(decisions: Sequence[Decision]) -> None:
    names = [decision.publication.name for decision in decisions]
    if len(set(names)) < len(names):
        raise PromotionError("a publication is decided on twice in one run")
    problems = overlaps(decision.publication for decision in decisions)
    if problems:
        raise PromotionError("; ".join(problems))


def _mart_file_name(entries: Mapping[str, Entry]) -> str | None:
    """Name of the composed file: the hash of what it holds of every publication."""
    content = {
        name: entry.promoted.content_hash for name, entry in entries.items() if entry.promoted
    }
    return f"{digest(canonical_json(content))}.duckdb" if content else None


def _sources(
    paths: CityPaths,
    record: Record,
    before: Record | None,
    candidate: Path | None,
    ready: Sequence[Judged],
) -> list[Source]:
    """Where the composed file takes each publication's rows from."""
    parts: dict[str, tuple[Part, ...]] = {
        each.decision.publication.name: each.decision.publication.parts for each in ready
    }
    sources = []
    for name, entry in record.entries.items():
        if entry.promoted is None:
            continue
        if entry.promoted.record == record.number and candidate is not None:
            sources.append(Source(parts[name], candidate))
        elif before is not None and before.mart_file is not None:
            file = paths.marts / before.mart_file
            sources.append(Source(parts[name], file, entry.promoted.parts))
    return sources


def _commit(
    paths: CityPaths,
    record: Record,
    sources: Sequence[Source],
    contracts: Mapping[str, TableContract],
) -> bool:
    """Write the composed file, then the record; False when the number was taken."""
    if record.mart_file is not None:
        target = paths.marts / record.mart_file
        for source in sources:
            if not target.exists() and not source.file.exists():
                raise PromotionError(f"mart file {source.file.name} is gone")
        reached("marts.before_file")
        compose(target, sources, contracts, paths.work)
        reached("marts.after_file")
    reached("promotion.before_record")
    created = create_record(paths, record)
    if created:
        reached("promotion.after_record")
        if record.mart_file is not None:
            # Retention may have taken an old file of the same content, which now is not old.
            compose(paths.marts / record.mart_file, sources, contracts, paths.work)
    return created


def _keep_held(
    paths: CityPaths,
    record: Record,
    candidate: Path | None,
    contracts: Mapping[str, TableContract],
) -> None:
    """Keep the rows of every candidate that the record lets wait."""
    for entry in record.entries.values():
        if entry.candidate is not None and candidate is not None:
            target = held_path(paths, entry.candidate.content_hash)
            compose(target, [Source(entry.candidate.parts, candidate)], contracts, paths.work)


def _waiting(record: Record | None, publication: str, content_hash: str) -> Content:
    """The candidate that waits for a person.

    Raises:
        PromotionError: when it does not wait.
    """
    entry = record.entries.get(publication) if record else None
    if entry is None:
        raise PromotionError(f"{publication} has no promotion record")
    refused = entry.refusal_of(content_hash)
    if refused is not None:
        raise PromotionError(
            f"{publication}: {refused.reason} in promotion record {refused.record}"
        )
    if entry.candidate is None:
        raise PromotionError(f"{publication} has no candidate that waits for approval")
    if entry.candidate.content_hash != content_hash:
        raise PromotionError(
            f"candidate {content_hash[:12]} of {publication} can not be decided on: "
            f"it is superseded by {entry.candidate.content_hash[:12]} or was never held"
        )
    return entry.candidate


def _is_approved(record: Record, publication: str, content_hash: str, person: str) -> bool:
    """Whether readers see this candidate at this person's word, and nothing newer waits."""
    entry = record.entries.get(publication)
    shown = entry.promoted if entry and entry.candidate is None else None
    return shown is not None and (shown.content_hash, shown.approved_by) == (content_hash, person)


def _is_refused(record: Record, publication: str, content_hash: str, person: str | None) -> bool:
    entry = record.entries.get(publication)
    refused = entry.refusal_of(content_hash) if entry else None
    return refused is not None and refused.refused_by == person


def _check_held(paths: CityPaths, content: Content, contracts: Mapping[str, TableContract]) -> None:
    """Refuse a held file that is gone or does not hold what its name says."""
    file = held_path(paths, content.content_hash)
    if not file.exists():
        raise PromotionError(f"the held file of {content.content_hash[:12]} is gone: run again")
    try:
        with scratch_session(paths.work) as connection:
            attach(connection, file, "held")
            found = publication_hash(connection, "held", content.parts, contracts)
    except duckdb.Error as error:
        raise PromotionError(f"held file {file.name} cannot be read") from error
    if found != content.content_hash:
        raise PromotionError(f"held file {file.name} does not hold what its name says")


def _remove_superseded(paths: CityPaths) -> None:
    """Delete held candidates that a record named and the latest one no longer does.

    Files that no record names may belong to a promotion under way and are left alone.
    """
    known = records(paths)
    named = {
        entry.candidate.content_hash
        for record in known
        for entry in record.entries.values()
        if entry.candidate is not None
    }
    waiting = {
        entry.candidate.content_hash
        for record in known[-1:]
        for entry in record.entries.values()
        if entry.candidate is not None
    }
    for content_hash in named - waiting:
        held_path(paths, content_hash).unlink(missing_ok=True)
