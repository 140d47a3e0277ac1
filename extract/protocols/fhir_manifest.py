"""What a bulk export's manifest and OperationOutcomes say.

Of an OperationOutcome only severity and code are told, which are taken from fixed lists: its texts
may hold what a record holds.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import zstandard

from extract.errors import Place
from extract.raw import ZSTANDARD, RawObject
from extract.transport.base import Answer

OUTCOME = "OperationOutcome"
SEVERITIES = frozenset({"fatal", "error", "warning", "information"})
GRAVE = frozenset({"fatal", "error"})
LISTED = 5


@dataclass(frozen=True)
class ExportFile:
    """One file of an export.

    Attributes:
        address: Absolute.
        name: What it is called in errors and in the raw store.
        count: Number of resources in it, or None where the manifest does not say.
    """

    address: str
    name: str
    count: int | None


@dataclass(frozen=True)
class Export:
    """A finished export.

    Attributes:
        files: Resources, then deletions, in the manifest's order.
        errors: Files of OperationOutcomes.
        needs_token: Whether the files are given only to who shows the token.
    """

    files: tuple[ExportFile, ...]
    errors: tuple[ExportFile, ...]
    needs_token: bool


def read_manifest(
    body: bytes, types: Sequence[str], place: Place, absolute: Callable[[str], str]
) -> Export:
    """The export that a manifest tells of; files of types that were not asked for are left out.

    Raises:
        TerminalError: rule `manifest`.
    """
    try:
        found = json.loads(body)
        needs_token = found["requiresAccessToken"]
        listed = {name: found.get(name) or [] for name in ("output", "deleted", "error")}
        if not isinstance(needs_token, bool) or not isinstance(found["output"], list):
            raise TypeError
        output = list(
            _files((each for each in listed["output"] if each["type"] in types), absolute)
        )
        # Their count is one of Bundles, of which each deletes many.
        deleted = [
            ExportFile(each.address, each.name, None)
            for each in _files(listed["deleted"], absolute)
        ]
        errors = list(_files(listed["error"], absolute))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"the manifest is not one of a bulk export ({type(error).__name__})"
        raise place.terminal("manifest", message) from None
    return Export((*output, *deleted), tuple(errors), needs_token)


def outcome_text(answer: Answer) -> str:
    """What an answer's OperationOutcome says, as the end of a sentence; empty without one."""
    try:
        codes = list(_codes(json.loads(answer.body), SEVERITIES))
    except (ValueError, RecursionError):
        return ""
    return f" ({OUTCOME} {', '.join(codes[:LISTED])})" if codes else ""


def outcome_errors(raw: RawObject) -> tuple[str, ...]:
    """Errors in a stored file of OperationOutcomes, each code once, with how often it stands."""
    counts: dict[str, int] = {}
    for line in _lines(raw):
        try:
            codes = list(_codes(json.loads(line), GRAVE))
        except (ValueError, RecursionError):
            codes = ["unreadable"]
        for code in codes:
            counts[code] = counts.get(code, 0) + 1
    return tuple(f"{count} {code}" for code, count in list(counts.items())[:LISTED])


def _files(
    nodes: Iterable[Mapping[str, Any]], absolute: Callable[[str], str]
) -> Iterator[ExportFile]:
    for node in nodes:
        address, count = absolute(node["url"]), node.get("count")
        if count is not None and (not isinstance(count, int) or count < 0):
            raise TypeError
        yield ExportFile(address, PurePosixPath(urlsplit(address).path).name, count)


def _codes(outcome: Any, severities: frozenset[str]) -> Iterator[str]:
    """Severity and code of each issue, as far as they are words of the fixed lists' form."""
    if not isinstance(outcome, dict) or outcome.get("resourceType") != OUTCOME:
        return
    for issue in outcome.get("issue") or ():
        severity, code = str(issue.get("severity")), str(issue.get("code"))
        if severity in severities:
            is_word = code.replace("-", "").isalpha() and len(code) <= 30
            yield f"{severity}/{code if is_word else 'unknown'}"


def _lines(raw: RawObject) -> Iterator[bytes]:
    with raw.path.open("rb") as file:
        is_compressed = raw.path.suffix == ZSTANDARD
        stream = zstandard.ZstdDecompressor().stream_reader(file) if is_compressed else file
        yield from (line for line in stream.read().split(b"\n") if line.strip())
