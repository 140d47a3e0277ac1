"""What a source contract says of transport, format and protocol that does not go together."""

from collections.abc import Iterator
from typing import Any

from warehouse.contract.document import Document, Location
from warehouse.contract.problem import Problem
from warehouse.contract.validation import CUSTOM

_SERVER: Location = ("servers", 0, CUSTOM)
_RULE = "citylake.transport"


def transport_problems(document: Document) -> Iterator[Problem]:
    """Everything that does not go together; the options themselves are the schema's matter."""
    server = document.data["servers"][0][CUSTOM]
    window = document.data[CUSTOM].get("cursor") == "window"
    by_range = server.get("protocol", {}).get("kind") == "updated_range"
    if by_range and not window:
        message = "updated_range reads a part: it needs cursor: window"
        yield document.problem((*_SERVER, "protocol"), _RULE, message)
    yield from _sdmx_problems(document, server, window=window)
    by_export = server.get("protocol", {}).get("kind") == "fhir_bulk"
    if by_export and (server["transport"]["kind"], server["format"]["kind"]) != ("http", "fhir"):
        message = "fhir_bulk needs transport http and format fhir"
        yield document.problem((*_SERVER, "protocol"), _RULE, message)
    if server["transport"]["kind"] == "postgres":
        yield from _postgres_problems(document, server, by_range)


def _sdmx_problems(
    document: Document, server: dict[str, Any], *, window: bool
) -> Iterator[Problem]:
    protocol = server.get("protocol", {})
    form = server["format"]
    names = {node["name"] for node in document.data["schema"][0]["properties"]}
    for index, name in enumerate(form.get("dimensions", ())):
        if name not in names:
            place = (*_SERVER, "format", "dimensions", index)
            message = f"the raw schema has no column {name!r}"
            yield document.problem(place, "citylake.raw_column", message)
    if protocol.get("kind") != "sdmx":
        return
    if server["transport"]["kind"] != "http" or not form["kind"].startswith("sdmx-"):
        message = "protocol sdmx needs transport http and an sdmx format"
        yield document.problem((*_SERVER, "protocol"), _RULE, message)
    if protocol.get("updated_after", False) != window:
        message = "updated_after and cursor: window need each other"
        yield document.problem((*_SERVER, "protocol"), _RULE, message)


def _postgres_problems(
    document: Document, server: dict[str, Any], by_range: bool
) -> Iterator[Problem]:
    place = (*_SERVER, "transport")
    options = server["transport"]
    is_text = "text_column" in options
    if server["format"]["kind"] != ("ndjson" if is_text else "arrow"):
        message = "transport postgres delivers format arrow; with text_column, format ndjson"
        yield document.problem((*_SERVER, "format"), _RULE, message)
    if ("cursor_column" in options) != by_range:
        message = "cursor_column and protocol updated_range need each other"
        yield document.problem(place, _RULE, message)
    if is_text:
        # Key and cursor are columns of the table, the raw columns are keys inside the text.
        return
    types = {node["name"]: node["logicalType"] for node in document.data["schema"][0]["properties"]}
    key = options["key"]
    for name in [key] if isinstance(key, str) else key:
        if name not in types:
            message = f"the raw schema has no column {name!r}"
            yield document.problem((*place, "key"), "citylake.raw_column", message)
    cursor = options.get("cursor_column")
    if cursor is not None and types.get(cursor) != "timestamp":
        message = f"the raw schema has no timestamp column {cursor!r}"
        yield document.problem((*place, "cursor_column"), "citylake.raw_column", message)
