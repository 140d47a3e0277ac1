"""Contract documents against the standard's JSON schema, then against ours."""

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs

from warehouse.contract.document import Document, Location
from warehouse.contract.problem import Problem

CUSTOM = "customProperties"
SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"


@cache
def _standard_schema() -> dict[str, Any]:
    """The schema of the Open Data Contract Standard, from the installed package."""
    text = resources.files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")
    return dict(json.loads(text))


@cache
def _standard() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(_standard_schema())


@cache
def _own_schemas() -> dict[str, dict[str, Any]]:
    """Our own schemas by file name; they refer to each other by it."""
    return {path.name: json.loads(path.read_text("utf-8")) for path in SCHEMAS.glob("*.json")}


@cache
def _own(name: str) -> jsonschema_rs.Validator:
    schemas = _own_schemas()
    return jsonschema_rs.validator_for(
        schemas[name],
        registry=jsonschema_rs.Registry(list(schemas.items()), draft=jsonschema_rs.Draft202012),
        base_uri=f"json-schema:///{name}",
        validate_formats=True,
    )


def collapse(document: Document) -> tuple[Document, list[Problem]]:
    """The document with every `customProperties` list read as an object of name to value.

    Returns:
        The collapsed document, whose lines follow the new places, and a problem for each
        property that stands twice in one list.
    """
    lines = dict(document.lines)
    problems: list[Problem] = []

    def properties(items: list[Any], old: Location, new: Location) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for index, item in enumerate(items):
            name = item["property"]
            place = (*old, index)
            if name in values:
                message = f"property {name!r} stands here twice"
                problems.append(document.problem(place, "citylake.duplicate_property", message))
            lines[(*new, name)] = document.line((*place, "property"))
            values[name] = walk(item["value"], (*place, "value"), (*new, name))
        return values

    def walk(value: Any, old: Location, new: Location) -> Any:
        lines.setdefault(new, document.line(old))
        if isinstance(value, dict):
            return {
                key: properties(item, (*old, key), (*new, key))
                if key == CUSTOM
                else walk(item, (*old, key), (*new, key))
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [walk(item, (*old, i), (*new, i)) for i, item in enumerate(value)]
        return value

    data = walk(document.data, (), ())
    return Document(document.path, data, lines, document.digest), problems


def standard_problems(document: Document) -> list[Problem]:
    """Where the document breaks the Open Data Contract Standard's JSON schema."""
    if _standard().is_valid(document.data):
        return []
    from warehouse.contract import schema_problems

    return schema_problems.standard_problems(document, _standard_schema())


def own_problems(document: Document, name: str) -> list[Problem]:
    """Where a (collapsed) document breaks one of the schemas in `warehouse/schemas/`.

    Args:
        document: The document.
        name: File name of the schema without its ending, for example `source`.
    """
    file = f"{name}.json"
    if _own(file).is_valid(document.data):
        return []
    from warehouse.contract import schema_problems

    return schema_problems.own_problems(document, _own_schemas(), file)
