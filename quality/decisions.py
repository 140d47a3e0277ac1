"""What promotion records decided, entered into the ledger; any later run makes up for a crash."""

from collections.abc import Iterator
from typing import Any

from quality.ledger import Ledger
from warehouse.files import file_digest
from warehouse.paths import CityPaths
from warehouse.promotion_record import (
    Content,
    Entry,
    Record,
    evidence_files,
    record_path,
    records,
)


def record_decisions(paths: CityPaths) -> int:
    """Append what the promotion records say and the ledger does not have yet.

    Subjects are `verdict:<promotion>:<publication>` for each verdict that the record gives (one
    that only stands on is not repeated), `superseded:<promotion>:<publication>`,
    `refusal:<promotion>:<publication>`,
    `approval:<promotion>:<publication>` and `promotion:<promotion>`, which has the digest of the
    record and comes last.

    Returns:
        How many promotion records the ledger now covers.

    Raises:
        LedgerError: when the ledger says otherwise than the records, or cannot be read.
    """
    ledger = Ledger(paths)
    before: Record | None = None
    number = 0
    for record in records(paths):
        number = record.number
        _append_verdicts(ledger, record, before)
        for gone in record.superseded:
            ledger.append(
                "superseded",
                f"superseded:{number}:{gone.publication}",
                {"content_hash": gone.content_hash},
            )
        ledger.append(
            "promotion",
            f"promotion:{number}",
            {
                "kind": record.kind,
                "mart_file": record.mart_file,
                "sha256": file_digest(record_path(paths, number)),
            },
        )
        before = record
    return number


def promotion_problems(paths: CityPaths, ledger: Ledger) -> Iterator[str]:
    """One line for each promotion record and each piece of evidence that is not as it was written.

    A record's digest stands in the ledger, that of evidence in its own name; the mart file that
    readers see must be there.
    """
    recorded = {
        int(entry.subject.removeprefix("promotion:")): entry.body
        for entry in ledger.entries()
        if entry.kind == "promotion"
    }
    for number, body in sorted(recorded.items()):
        path = record_path(paths, number)
        if not path.is_file():
            yield f"promotion record {number} is in the ledger, but not here"
        elif file_digest(path) != body["sha256"]:
            yield f"promotion record {number} is not the one that the ledger records"
    for path in evidence_files(paths):
        if file_digest(path) != path.stem:
            yield f"evidence {path.stem[:12]} was changed"
    shown = recorded[max(recorded)]["mart_file"] if recorded else None
    if shown is not None and not (paths.marts / str(shown)).is_file():
        yield f"mart file {shown}, which readers see, is not here"


def _append_verdicts(ledger: Ledger, record: Record, before: Record | None) -> None:
    for name, entry in sorted(record.entries.items()):
        old = before.entries.get(name) if before else None
        if old is not None and entry.equals(old) and entry.reasons == old.reasons:
            continue
        kind = "verdict"
        promoted = entry.promoted
        body: dict[str, Any] = {
            "verdict": entry.verdict,
            "reasons": list(entry.reasons),
            "checks": entry.checks,
            "promoted": promoted.content_hash if promoted else None,
            "waiting": entry.candidate.content_hash if entry.candidate else None,
        }
        if _is_approved_here(record, promoted):
            kind = "approval"
            # Stated by the caller: nothing here proves who it was.
            body["approved_by"] = {"person": _person(entry), "attestation": "stated"}
        refused = next((each for each in entry.refused if each.record == record.number), None)
        if refused is not None:
            kind = "refusal"
            body["refused"] = refused.content_hash
            stated = "silence" if refused.refused_by is None else "stated"
            body["refused_by"] = {"person": refused.refused_by, "attestation": stated}
        ledger.append(kind, f"{kind}:{record.number}:{name}", body)


def _is_approved_here(record: Record, promoted: Content | None) -> bool:
    return (
        promoted is not None
        and promoted.record == record.number
        and promoted.approved_by is not None
    )


def _person(entry: Entry) -> str | None:
    return entry.promoted.approved_by if entry.promoted else None
