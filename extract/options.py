"""Options of a contract's transport, format and protocol, read into typed settings."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from extract.errors import Place

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Settings = TypeVar("Settings", bound="DataclassInstance")


def read_options(
    settings: type[Settings], options: Mapping[str, Any], seam: str, place: Place
) -> Settings:
    """Fill a settings dataclass from a contract's options.

    Args:
        settings: A dataclass whose fields with a default define the options and their types.
        options: The contract's mapping; its `kind` is left out.
        seam: `transport`, `format` or `protocol`, for the message.
        place: Names the source in errors.

    Raises:
        TerminalError: rule `contract`, when an option is unknown, missing or of another type.
    """
    known = {each.name: each for each in fields(settings)}
    given = {name: value for name, value in options.items() if name != "kind"}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise place.terminal("contract", f"{seam} has no option {', '.join(unknown)}")
    for name, value in given.items():
        if not _fits(known[name], value):
            raise place.terminal("contract", f"{seam} option {name} has a wrong type")
        if isinstance(value, list):
            given[name] = tuple(value)
    required = {name for name, each in known.items() if each.default is MISSING} - {
        name for name, each in known.items() if each.default_factory is not MISSING
    }
    absent = sorted(required - set(given))
    if absent:
        raise place.terminal("contract", f"{seam} lacks option {', '.join(absent)}")
    return settings(**given)


def _fits(field: Field[Any], value: Any) -> bool:
    """Whether a contract's value has the type of the field's default."""
    default = field.default if field.default is not MISSING else None
    if field.default_factory is not MISSING:
        return isinstance(value, Mapping)
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(default, int):
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(default, str):
        return isinstance(value, str)
    return value is None or isinstance(value, str | list | tuple)
