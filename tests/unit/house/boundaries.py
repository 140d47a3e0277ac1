"""Finds the named boundaries in the code, from the text of the modules; nothing is executed."""

import ast
from collections.abc import Iterator
from pathlib import Path

# What a name with a place to fill in may hold there: the kinds of tables.
KINDS = ("core", "quarantine")


def boundary_names(root: Path, packages: tuple[str, ...]) -> set[str]:
    """The names with which `reached` is called below the packages.

    Raises:
        ValueError: where a name is neither a text nor one with the kind of a table in it.
    """
    return {
        name
        for package in packages
        for path in sorted((root / package).rglob("*.py"))
        for name in _names(path)
    }


def _names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and _called(node.func) == "reached":
            yield from _told(node, f"{path.name}:{node.lineno}")


def _called(function: ast.expr) -> str | None:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else None


def _told(call: ast.Call, place: str) -> list[str]:
    match call.args:
        case [ast.Constant(value=str(name))]:
            return [name]
        case [
            ast.JoinedStr(values=[ast.FormattedValue(value=value), ast.Constant(value=str(rest))])
        ]:
            if _called(value) == "kind":
                return [f"{kind}{rest}" for kind in KINDS]
    raise ValueError(f"{place}: the name of a boundary cannot be read")
