"""What is wrong in a document that a JSON schema refuses, as problems with lines.

Imported only for a document that was refused: the library that finds words for errors takes
long to load and to run.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from referencing import Registry, Resource

from warehouse.contract.document import Document, Location
from warehouse.contract.problem import Problem
from warehouse.contract.standard import StandardValidator

_QUOTED_NAMES = re.compile(r"'([^']*)'")
_UNKNOWN_KEY = ("additionalProperties", "unevaluatedProperties")
_RULES = {
    "additionalProperties": "unknown_key",
    "unevaluatedProperties": "unknown_key",
    "required": "missing_key",
    "dependentRequired": "missing_key",
    "type": "wrong_type",
    "not": "not_allowed",
}
# What an author must do, and what is counted.
_MUST = {
    "type": ("be of type", ""),
    "const": ("be", ""),
    "enum": ("be one of", ""),
    "pattern": ("match", ""),
    "format": ("be a", ""),
    "minimum": ("be at least", ""),
    "maximum": ("be at most", ""),
    "exclusiveMinimum": ("be more than", ""),
    "exclusiveMaximum": ("be less than", ""),
    "minItems": ("hold at least", "item{s}"),
    "maxItems": ("hold at most", "item{s}"),
    "minLength": ("be at least", "character{s} long"),
    "maxLength": ("be at most", "character{s} long"),
    "minProperties": ("hold at least", "key{s}"),
    "maxProperties": ("hold at most", "key{s}"),
}
_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
Schemas = Mapping[str, Mapping[str, Any]]


def standard_problems(document: Document, schema: Mapping[str, Any]) -> list[Problem]:
    """Where the document breaks the standard's schema."""
    return _problems(document, StandardValidator(schema), "odcs")


def own_problems(document: Document, schemas: Schemas, name: str) -> list[Problem]:
    """Where the document breaks one of our schemas, all given by file name."""
    registry: Registry[Any] = Registry().with_resources(
        (file, Resource.from_contents(schema)) for file, schema in schemas.items()
    )
    validator = Draft202012Validator(
        schemas[name], registry=registry, format_checker=FormatChecker(("date",))
    )
    return _problems(document, validator, "citylake")


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
    """What to change.

    A text is never quoted: someone may have written a secret there. A number out of its bounds is.
    """
    subject = _subject(place)
    expected: Any = error.validator_value
    if error.validator == "not":
        return f"{subject} is not allowed here"
    if error.validator == "required":
        instance: Any = error.instance
        missing = [key for key in expected if key not in instance]
        return f"{subject} lacks {', '.join(repr(key) for key in missing)}"
    if str(place[-1] if place else "").endswith("_env"):
        return f"{subject} must be the NAME of an environment variable, never its value"
    if error.validator == "uniqueItems":
        return f"{subject} must not hold the same entry twice"
    words = _MUST.get(str(error.validator))
    if words is None:
        return f"{subject} breaks {error.validator} {json.dumps(expected)[:200]}"
    verb, noun = words
    if noun:
        return f"{subject} must {verb} {expected} {noun.format(s='' if expected == 1 else 's')}"
    found = f", not {error.instance}" if error.validator in _BOUNDS else ""
    return f"{subject} must {verb} {expected}{found}"


def _subject(place: Location) -> str:
    """What a place is called: a key by its name, an item of a list by its number, from 1."""
    if not place:
        return "the document"
    *above, last = place
    return f"item {last + 1} of {_subject((*above,))}" if isinstance(last, int) else f"{last!r}"
