"""Contract documents against the standard's JSON schema, then against ours."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from referencing import Registry, Resource

from warehouse.contract.document import Document, Location
from warehouse.contract.problem import Problem
from warehouse.contract.standard import StandardValidator

CUSTOM = "customProperties"
SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
_QUOTED_NAMES = re.compile(r"'([^']*)'")
_UNKNOWN_KEY = ("additionalProperties", "unevaluatedProperties")
_RULES = {
    "additionalProperties": "unknown_key",
    "unevaluatedProperties": "unknown_key",
    "required": "missing_key",
    "type": "wrong_type",
}


@cache
def _standard() -> Validator:
    """The validator of the Open Data Contract Standard, from the installed package."""
    text = resources.files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")
    return StandardValidator(json.loads(text))


@cache
def _own(name: str) -> Validator:
    """The validator of one of our own schemas; they may refer to each other by file name."""
    schemas = {path.name: json.loads(path.read_text("utf-8")) for path in SCHEMAS.glob("*.json")}
    registry: Registry[Any] = Registry().with_resources(
        (file, Resource.from_contents(schema)) for file, schema in schemas.items()
    )
    return Draft202012Validator(
        schemas[f"{name}.json"], registry=registry, format_checker=FormatChecker(("date",))
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
    return _problems(document, _standard(), "odcs")


def own_problems(document: Document, name: str) -> list[Problem]:
    """Where a (collapsed) document breaks one of the schemas in `warehouse/schemas/`.

    Args:
        document: The document.
        name: File name of the schema without its ending, for example `source`.
    """
    return _problems(document, _own(name), "citylake")


def _problems(document: Document, validator: Validator, origin: str) -> list[Problem]:
    errors = list(_leaves(validator.iter_errors(document.data)))
    found = [
        problem
        for error in errors
        if not _is_consequence(error, errors)
        for problem in _of_error(document, error, origin)
    ]
    return list(dict.fromkeys(found))


def _leaves(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """The errors that say something by themselves, in place of their `oneOf` or `anyOf`."""
    for error in errors:
        if error.context and error.validator in ("anyOf", "oneOf"):
            deepest = max(len(inner.absolute_path) for inner in error.context)
            if deepest > len(error.absolute_path):
                inner = (e for e in error.context if len(e.absolute_path) == deepest)
                yield from _leaves(inner)
                continue
        yield error


def _is_consequence(error: ValidationError, errors: list[ValidationError]) -> bool:
    """Whether keys count as unevaluated only because something inside them is wrong."""
    if error.validator != "unevaluatedProperties":
        return False
    place = tuple(error.absolute_path)
    return any(
        other.validator not in _UNKNOWN_KEY and tuple(other.absolute_path)[: len(place)] == place
        for other in errors
    )


def _of_error(document: Document, error: ValidationError, origin: str) -> Iterator[Problem]:
    place = tuple(error.absolute_path)
    rule = f"{origin}.{_RULES.get(str(error.validator), str(error.validator))}"
    if error.validator in _UNKNOWN_KEY and isinstance(error.instance, Mapping):
        for key in _unknown_keys(error):
            message = f"key {key!r} is not known here"
            yield document.problem((*place, key), rule, message)
        return
    yield document.problem(place, rule, _message(error, place))


def _unknown_keys(error: ValidationError) -> list[str]:
    """The keys that an error of unknown keys is about."""
    instance: Any = error.instance
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
        return [key for key in instance if key not in known]
    named = _QUOTED_NAMES.findall(error.message)
    return [key for key in instance if key in named]


def _message(error: ValidationError, place: Location) -> str:
    """What to change. A value is never quoted: someone may have written a secret there."""
    subject = f"{place[-1]!r}" if place else "the document"
    expected: Any = error.validator_value
    if error.validator == "required":
        instance: Any = error.instance
        missing = [key for key in expected if key not in instance]
        return f"{subject} lacks {', '.join(repr(key) for key in missing)}"
    if str(place[-1] if place else "").endswith("_env"):
        return f"{subject} must be the NAME of an environment variable, never its value"
    if error.validator in ("type", "enum", "const", "pattern", "format", "minimum", "maximum"):
        words = {
            "type": "be of type",
            "const": "be",
            "enum": "be one of",
            "pattern": "match",
            "format": "be a",
        }
        return f"{subject} must {words.get(str(error.validator), str(error.validator))} {expected}"
    return f"{subject} breaks {error.validator} {json.dumps(expected)[:200]}"
