"""Paths of raw columns in JSON records: `period.start`, `type.0.coding.0.code`.

Steps are parted by dots. The first is a key of the record; each further one is a key of an object
or, where it is a number, the place of an element in an array, from 0. In the trees and names made
here every place of an array stands as `[]`: its elements are of one kind.
"""

from collections.abc import Iterable, Mapping
from typing import Any

ELEMENT = "[]"

Tree = dict[str, Any]


def steps_of(name: str) -> tuple[str | int, ...]:
    """The steps of a raw column's name; places in arrays as whole numbers."""
    first, *rest = name.split(".")
    return (first, *(int(step) if step.isdecimal() else step for step in rest))


def general(name: str) -> str:
    """The name with `[]` for each place in an array, for example `type[].coding[].code`."""
    first, *rest = steps_of(name)
    return str(first) + "".join(ELEMENT if isinstance(step, int) else f".{step}" for step in rest)


def last_key(name: str) -> str:
    """The last step of a name that is a key."""
    return [step for step in steps_of(name) if isinstance(step, str)][-1]


def tree_of(kinds: Mapping[str, Any]) -> Tree:
    """What stands for each column by name, nested as the records are."""
    tree: Tree = {}
    for name, kind in kinds.items():
        *parents, leaf = (ELEMENT if isinstance(step, int) else step for step in steps_of(name))
        level = tree
        for parent in parents:
            level = level.setdefault(parent, {})
        level[leaf] = kind
    return tree


def mixed(tree: Tree, prefix: str = "") -> str | None:
    """The first place that is declared both as an object and as an array, or None."""
    if ELEMENT in tree and len(tree) > 1:
        return prefix
    inner = ((name, each) for name, each in tree.items() if isinstance(each, dict))
    found = (mixed(each, f"{prefix}.{name}".strip(".")) for name, each in inner)
    return next((each for each in found if each is not None), None)


def arrays_of(names: Iterable[str]) -> frozenset[str]:
    """General names of the arrays in which some declared column lies."""
    found = set()
    for name in names:
        parts = general(name).split(ELEMENT)
        found |= {ELEMENT.join(parts[:count]) for count in range(1, len(parts))}
    return frozenset(found)


def value_at(record: Any, steps: Iterable[str | int]) -> Any:
    """The value at a path of a parsed record; None where there is none."""
    found = record
    for step in steps:
        if isinstance(step, int):
            is_there = isinstance(found, list) and step < len(found)
            found = found[step] if is_there else None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    return found
