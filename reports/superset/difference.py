"""What differs between what we have as files and what a server holds."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.superset.assets import CHARTS, DASHBOARDS, DATASETS, Asset, Content, is_ours

_SHORTEST, _LONGEST = 3, 70
# What a server holds of a dataset beside what we say, in rows of their own.
_ROWS = {"columns": "column_name", "metrics": "metric_name"}
Key = tuple[str, str]


@dataclass(frozen=True)
class Change:
    """One object in which the server and the files differ.

    Attributes:
        action: `create`, `update` or `remove`.
        path: Its file; for what is removed, its kind and title.
        details: What differs, a line each; of an update alone.
    """

    action: str
    path: str
    key: Key
    details: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The change as people read it."""
        return [f"{self.action} {self.path}", *(f"    {each}" for each in self.details)]


def changes(
    assets: Sequence[Asset], found: Mapping[Key, Content], city: str
) -> tuple[list[Change], list[Change]]:
    """What `apply` would do, and what `prune` would.

    Args:
        assets: Every object that there is to be.
        found: Every object of the server by kind and uuid.
        city: Name of the city.

    Returns:
        Creations and updates in the order of the objects; removals, those first that need others.
    """
    wanted = {(each.kind, each.uuid): each for each in assets}
    made: list[Change] = []
    for key, asset in wanted.items():
        if key not in found:
            made.append(Change("create", asset.path, key))
            continue
        details = tuple(_differences(_normal(asset.kind, asset.content), found[key], asset.kind))
        if details:
            made.append(Change("update", asset.path, key, details))
    removed = [
        Change("remove", f"{kind}: {_title(content)}", (kind, uuid))
        for kind in (DASHBOARDS, CHARTS, DATASETS)
        for (of_kind, uuid), content in found.items()
        if of_kind == kind and (kind, uuid) not in wanted and is_ours(kind, uuid, content, city)
    ]
    return made, removed


def _title(content: Content) -> str:
    for name in ("dashboard_title", "slice_name", "table_name", "database_name"):
        if name in content:
            return str(content[name])
    return ""


def _differences(wanted: Content, found: Content, kind: str) -> Iterator[str]:
    theirs = _normal(kind, found)
    for name, ours in wanted.items():
        if name in _ROWS and kind == DATASETS:
            yield from _row_differences(name, ours, theirs.get(name) or [])
        else:
            yield from _compared(name, ours, theirs.get(name))


def _row_differences(
    name: str, ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Columns and metrics are told by name; of each only what we say is compared."""
    key = _ROWS[name]
    found = {each[key]: each for each in theirs}
    for row in ours:
        label = f"{name}.{row[key]}"
        if row[key] not in found:
            yield f"{label}: not there"
            continue
        there = found.pop(row[key])
        for field, value in row.items():
            yield from _compared(f"{label}.{field}", value, there.get(field))
    yield from (f"{name}.{extra}: not ours" for extra in found)


def _compared(label: str, ours: Any, theirs: Any) -> Iterator[str]:
    """Where two values differ, as deep as they can be followed."""
    if ours == theirs or (not ours and not theirs and ours is not False and theirs is not False):
        return
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for name in dict.fromkeys([*ours, *theirs]):
            yield from _compared(f"{label}.{name}", ours.get(name), theirs.get(name))
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _compared(f"{label}[{number}]", one, other)
    else:
        yield f"{label}: there {_short(theirs)}, here {_short(ours)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - _SHORTEST]}..."


def _normal(kind: str, content: Content) -> dict[str, Any]:
    """Content without the numbers that a server gives its objects."""
    found: dict[str, Any] = json.loads(json.dumps(content, default=str))
    if kind == CHARTS:
        (found.get("params") or {}).pop("datasource", None)
        context = json.loads(found.get("query_context") or "{}")
        context.pop("datasource", None)
        (context.get("form_data") or {}).pop("datasource", None)
        found["query_context"] = context
    if kind == DASHBOARDS:
        numbers = {}
        for each in (found.get("position") or {}).values():
            meta = each.get("meta") or {} if isinstance(each, dict) else {}
            if "uuid" in meta:
                numbers[meta.pop("chartId", None)] = meta["uuid"]
        for choice in (found.get("metadata") or {}).get("native_filter_configuration") or []:
            excluded = choice.get("scope", {}).get("excluded", [])
            choice.get("scope", {})["excluded"] = sorted(numbers.get(n, str(n)) for n in excluded)
    return found
