"""Which service groups a publication belongs to: those of what its marts are built from.

It is read from the definitions and the models, not from a city's sources: one source that cannot be
read must not change what a publication is found under.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from warehouse.city import PACKAGE
from warehouse.mart_lineage import event_tables, mart_lineage

DEFINITIONS = PACKAGE / "indicators"
# Whole files of definitions are slow to read, and these stand at their head.
_NUMBER = re.compile(r"^service_group: (\d+)$", re.MULTILINE)
_EVENT = re.compile(r"^event: (\w+)$", re.MULTILINE)


def groups_of(parts: Iterable[Any]) -> tuple[str, ...]:
    """Names of the service groups of a publication's parts, in order.

    Args:
        parts: As a dataset's file has them, which may be wrong; a part that is none is left out.

    Returns:
        The groups that `where` names, of a part without one those whose events its mart is built
        from.
    """
    found: set[str] = set()
    for part in parts:
        if isinstance(part, Mapping):
            found |= _groups_of_part(part)
    return tuple(sorted(found))


def _groups_of_part(part: Mapping[str, Any]) -> set[str]:
    where = part.get("where")
    number = where.get("service_group") if isinstance(where, Mapping) else None
    if number is not None:
        return {name for name, (each, _) in _groups().items() if each == number}
    read = mart_lineage(str(part.get("mart"))).tables
    return {name for name, (_, tables) in _groups().items() if read & tables}


@cache
def _groups() -> Mapping[str, tuple[int, frozenset[str]]]:
    """Number and core tables of each service group, by its name."""
    found: dict[str, tuple[int, frozenset[str]]] = {}
    for path in sorted(DEFINITIONS.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        number, event = _NUMBER.search(text), _EVENT.search(text)
        if number and event:
            found[path.stem] = (int(number[1]), event_tables(event[1]))
    return found
