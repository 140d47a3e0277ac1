"""A validator for the standard's JSON schema (draft 2019-09) that visits each value once.

To learn which keys some schema has looked at, the library validates every branch of `allOf` anew
at every level: the work doubles with each level of a document, and was most of what reading a
city took. What is wrong in a branch of `allOf` is reported by `allOf` itself, so that whether a
document is valid does not depend on it; only branches that may fail (`anyOf`, `oneOf`, `if`) are
asked whether they hold. Keywords that the standard's schema does not use are not read here
(`$recursiveRef`, `dependentSchemas`, `patternProperties`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft201909Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

_UNEVALUATED = "unevaluatedProperties"


def _unevaluated(
    validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """The keyword `unevaluatedProperties`, of which only `false` says anything here."""
    if allowed is not False or not isinstance(instance, dict):
        return
    extras = sorted(_unseen(validator, set(instance), instance, schema))
    if extras:
        listed = ", ".join(repr(each) for each in extras)
        yield ValidationError(f"Unevaluated properties are not allowed ({listed} unexpected)")


def _unseen(validator: Any, keys: set[str], instance: Mapping[str, Any], schema: Any) -> set[str]:
    """Those of an instance's keys of which neither a schema nor one of its branches speaks."""
    if isinstance(schema, bool):
        return keys
    if schema.get("additionalProperties", False) is not False:
        return set()
    keys = keys - set(schema.get("properties", ()))
    if keys and "$ref" in schema:
        resolved = validator._resolver.lookup(schema["$ref"])
        inner = validator.evolve(schema=resolved.contents, _resolver=resolved.resolver)
        keys = _unseen(inner, keys, instance, resolved.contents)
    # Branches are asked one by one, and none where nothing is left to explain.
    branches = _holding(validator, instance, schema)
    while keys and (branch := next(branches, None)) is not None:
        keys = _unseen(validator, keys, instance, branch)
    return keys


def _holding(validator: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    """The branches of a schema that hold for the instance, those of `allOf` unasked."""

    def holds(branch: Any) -> bool:
        return bool(validator.evolve(schema=branch).is_valid(instance))

    yield from schema.get("allOf", ())
    for keyword in ("anyOf", "oneOf"):
        yield from (each for each in schema.get(keyword, ()) if holds(each))
    if "if" in schema:
        met = holds(schema["if"])
        yield from [schema["if"]] if met else []
        yield schema.get("then" if met else "else", True)


# The library's `extend` has no types.
_extend: Any = extend
StandardValidator: type[Validator] = _extend(Draft201909Validator, {_UNEVALUATED: _unevaluated})
