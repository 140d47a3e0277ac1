"""`citylake status`, `hash` and `verify`: what stands, and whether it stands unchanged."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from extract.outcomes import last_outcome
from pipeline.approve import approve_command
from pipeline.context import Context, open_context
from pipeline.exit_codes import ExitCode
from publish.checksums import verify_release
from publish.recorded import release_problems
from publish.release import LATEST
from publish.serving import serving_file
from quality.decisions import promotion_problems
from quality.ledger import Ledger
from warehouse.content_hash import city_hash
from warehouse.duck import read_only
from warehouse.errors import CitylakeError
from warehouse.paths import CityPaths
from warehouse.promotion_record import latest, records


def print_status(city: str, *, as_json: bool) -> None:
    """Print the verdict on every publication and the as-of of every source."""
    context = open_context(city)
    found = status(context)
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
        return
    for name, source in found["sources"].items():
        held = "nothing loaded yet"
        if source["as_of"]:
            held = f"as of {source['as_of']}, batch {source['sequence']}"
        sys.stdout.write(f"{name}: {held}, last attempt {source['last_attempt'] or 'none'}\n")
        if source["error"]:
            sys.stdout.write(f"  {source['error']}\n")
    for name, each in found["publications"].items():
        sys.stdout.write(f"{name}: {each['verdict']}, readers see {_seen(each)}\n")
        for reason in each["reasons"]:
            sys.stdout.write(f"  {reason}\n")
        if each["waiting"]:
            command = approve_command(context.city, name, each["waiting"])
            sys.stdout.write(f"  waits for a named person: {command}\n")


def _seen(publication: Mapping[str, Any]) -> str:
    version = publication["version"] or "nothing"
    if not publication["is_served"]:
        return f"nothing: {version} is not cleared for display"
    if publication["late_sources"]:
        return f"{version}, marked as late: {', '.join(publication['late_sources'])}"
    return f"{version}, marked as not the newest" if publication["stale"] else version


def status(context: Context) -> dict[str, Any]:
    """What the lake and the latest promotion record say, as plain JSON without a clock."""
    record = latest(context.paths)
    entries = record.entries if record else {}
    marks = _marks(context.paths)
    return {
        "city": context.city.name,
        "record": record.number if record else None,
        "sources": {name: _source(context, name) for name in context.city.sources},
        "publications": {
            name: {
                "verdict": entry.verdict,
                "version": entry.promoted.version if entry.promoted else None,
                "data_as_of": entry.data_as_of.isoformat(),
                "waiting": entry.candidate.content_hash if entry.candidate else None,
                "reasons": list(entry.reasons),
                "is_served": name in marks or entry.promoted is None,
                **marks.get(name, {"stale": False, "late_sources": []}),
            }
            for name, entry in entries.items()
        },
    }


def _marks(paths: CityPaths) -> Mapping[str, Mapping[str, Any]]:
    """By publication, how the serving file marks what readers see; what is not served has none."""
    file = serving_file(paths)
    if not file.exists():
        return {}
    with read_only(file) as serving:
        rows = serving.execute(
            "SELECT publication, stale, late_sources FROM publication_status"
        ).fetchall()
    return {name: {"stale": stale, "late_sources": late} for name, stale, late in rows}


def is_waiting(city: str, publication: str, candidate: str) -> bool:
    """Whether a candidate still waits for a person: neither decided on nor superseded."""
    record = latest(open_context(city, without_broken=True).paths)
    entry = record.entries.get(publication) if record else None
    held = entry.candidate if entry else None
    return held is not None and held.content_hash == candidate


def _source(context: Context, source_id: str) -> Mapping[str, Any]:
    snapshot = context.lake.snapshot("core", context.city.sources[source_id].table)
    as_of = snapshot.as_of(source_id) if snapshot else None
    attempt = last_outcome(context.paths.journal, source_id) or {}
    return {
        "as_of": as_of.isoformat() if as_of else None,
        "sequence": snapshot.sequence(source_id) if snapshot else 0,
        "last_attempt": attempt.get("status"),
        "error": attempt.get("error"),
    }


def print_hash(city: str, *, as_json: bool) -> None:
    """Print content hashes: equal lakes give equal lines, whatever way they came about."""
    context = open_context(city)
    hashes = city_hash(context.paths, context.city)
    if as_json:
        sys.stdout.write(json.dumps(hashes, indent=2, sort_keys=True) + "\n")
        return
    for name, value in sorted(hashes.items()):
        sys.stdout.write(f"{value}  {name}\n")


def print_verification(city: str) -> ExitCode:
    """Verify the ledger's chain, and promotion records, evidence and releases by their digests."""
    context = open_context(city)
    problems = verification_problems(context.paths)
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    if not problems:
        releases = len(_release_folders(context.paths))
        told = f"{len(records(context.paths))} promotion records with their evidence"
        sys.stdout.write(f"ledger, {told} and {releases} releases are unchanged\n")
    return ExitCode.ERROR if problems else ExitCode.PUBLISHED


def verification_problems(paths: CityPaths) -> list[str]:
    """One line for each ledger entry, record, evidence and release that is not as written."""
    ledger = Ledger(paths)
    broken = ledger.verify()
    problems = [f"ledger entry {broken.number}: {broken.reason}"] if broken else []
    for folder in _release_folders(paths):
        try:
            verify_release(folder)
        except CitylakeError as error:
            problems.append(str(error))
    if broken is None:
        problems += promotion_problems(paths, ledger)
        problems += release_problems(paths, ledger)
    return problems


def _release_folders(paths: CityPaths) -> list[Path]:
    return sorted(path for path in paths.releases.glob("*/*") if path.name != LATEST)
