"""FHIR resources, one a line, as bulk exports give them.

A line that is a Bundle is taken apart: each resource in it is a record, and so is each deletion
that a transaction Bundle asks for (bulk exports list deletions in this way). The record of a
deletion has `resourceType` and `id` of what is deleted, `request.method` (`DELETE`) and, as
`meta.lastUpdated`, the time of the Bundle.

Source: HL7 FHIR R4, Bundle; HL7 FHIR Bulk Data Access 2.0, deleted resources.
"""

import json
from collections.abc import Iterator
from typing import Any

from extract.formats.base import Parsed
from extract.formats.json import NdjsonFormat

BUNDLE = "Bundle"
DELETE = "DELETE"
_MARK = f'"{BUNDLE}"'.encode()


class FhirFormat(NdjsonFormat):
    """Reads newline-delimited FHIR resources; options and errors are those of `ndjson`."""

    def _block(self, block: bytes, row: int, encoding: str) -> Parsed:
        if _MARK in block:
            block = b"\n".join(_records(block))
        return super()._block(block, row, encoding)


def _records(block: bytes) -> Iterator[bytes]:
    """The lines of a block, each Bundle among them as its resources and deletions."""
    for line in block.removesuffix(b"\n").split(b"\n"):
        bundle = _bundle(line) if _MARK in line else None
        if bundle is None:
            yield line
            continue
        for entry in bundle.get("entry") or ():
            record = _record(entry, bundle) if isinstance(entry, dict) else entry
            yield json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _bundle(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    is_bundle = isinstance(found, dict) and found.get("resourceType") == BUNDLE
    return found if is_bundle else None


def _record(entry: dict[str, Any], bundle: dict[str, Any]) -> Any:
    """The resource of an entry, or what it says of the one that it deletes."""
    request = entry.get("request")
    if not isinstance(request, dict) or request.get("method") != DELETE:
        return entry.get("resource")
    kind, _, identifier = str(request.get("url", "")).rpartition("/")
    return {
        "resourceType": kind.rpartition("/")[2] or None,
        "id": identifier or None,
        "meta": bundle.get("meta"),
        "request": {"method": DELETE},
    }
