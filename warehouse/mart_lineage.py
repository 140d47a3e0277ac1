"""What each mart is built from, read from the models' own text.

dbt says the same once a build has run (a test holds the two together); a dataset is checked before
there is one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent / "dbt" / "models"

_COMMENT = re.compile(r"--[^\n]*|\{#.*?#\}", re.DOTALL)
_CORE = re.compile(r"source\('core', '(\w+)'\)")
_QUOTED = re.compile(r"'(\w+)'")
# The macros of the indicators read the event model that their first argument names.
_EVENT = re.compile(r"(?:flow|stock)_indicators\('(\w+)'")
_MACRO = re.compile(r"\{%-?\s*macro (\w+)\(.*?\{%-?\s*endmacro", re.DOTALL)
_CALL = re.compile(r"\b(\w+)\(")


@dataclass(frozen=True)
class Lineage:
    """What stands upstream of a mart.

    Attributes:
        tables: Core tables.
        models: Text of each model by name, the mart's own too, with that of every macro that it
            calls, without comments.
    """

    tables: frozenset[str]
    models: Mapping[str, str]


def mart_lineage(mart: str, folder: Path = MODELS) -> Lineage:
    """The lineage of a mart; empty where there is no such model."""
    texts = _texts(folder)
    seen: dict[str, str] = {}
    waiting = [mart] if mart in texts else []
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen[name] = texts[name]
        named = set(_QUOTED.findall(texts[name]))
        named |= {f"int_{event}_event" for event in _EVENT.findall(texts[name])}
        waiting += sorted(named & texts.keys())
    tables = {table for text in seen.values() for table in _CORE.findall(text)}
    return Lineage(frozenset(tables), seen)


def event_tables(event: str) -> frozenset[str]:
    """The core tables that an event model is built from; empty where there is no such model."""
    return mart_lineage(f"int_{event}_event").tables


@cache
def _texts(folder: Path) -> Mapping[str, str]:
    macros: dict[str, str] = {}
    for path in sorted((folder.parent / "macros").glob("*.sql")):
        for found in _MACRO.finditer(_without_comments(path)):
            macros[found[1]] = found[0]
    return {
        path.stem: _with_macros(_without_comments(path), macros)
        for path in sorted(folder.rglob("*.sql"))
    }


def _without_comments(path: Path) -> str:
    return _COMMENT.sub("", path.read_text(encoding="utf-8"))


def _with_macros(text: str, macros: Mapping[str, str]) -> str:
    """The text and that of every macro that it calls, directly or by another."""
    called: list[str] = []
    waiting = [text]
    while waiting:
        for name in _CALL.findall(waiting.pop()):
            if name in macros and name not in called:
                called.append(name)
                waiting.append(macros[name])
    return "\n".join([text, *(macros[name] for name in called)])
