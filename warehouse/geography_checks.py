"""The rules that hold between rows of a city's geography."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations, pairwise
from pathlib import Path
from typing import TypeVar

from warehouse.contract.problem import Problem
from warehouse.geography_model import Area, AreaKey, Correspondence, Level, Population, Tile
from warehouse.geography_read import AREA_FILE, CORRESPONDENCE_FILE, POPULATION_FILE, TILE_FILE

_RANK = {Level.CITY: 0, Level.DISTRICT: 1, Level.WARD: 2}

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)


def area_problems(folder: Path, areas: Sequence[Area]) -> Iterator[Problem]:
    """What is wrong between the areas: keys, validity, names, parents."""
    path = folder / AREA_FILE
    if not areas:
        yield Problem(path, 1, "geography.empty", "a city has at least one area")
    by_code = group(areas, lambda area: area.code)
    for area in areas:
        if area.end <= area.valid_from:
            message = f"column valid_to: must lie after valid_from {area.valid_from}"
            yield Problem(path, area.line, "geography.validity", message)
    for code, extents in by_code.items():
        for earlier, later in pairwise(sorted(extents, key=lambda area: area.valid_from)):
            if earlier.valid_from == later.valid_from:
                message = f"column code: {code} from {later.valid_from} is on line {earlier.line}"
                yield Problem(path, later.line, "geography.unique", message)
            elif earlier.overlaps(later):
                message = f"column valid_from: {code} is still valid by line {earlier.line}"
                yield Problem(path, later.line, "geography.overlap", message)
    yield from _name_problems(path, areas)
    for area in areas:
        yield from _parent_problems(path, area, by_code)


def tile_problems(folder: Path, areas: Sequence[Area], tiles: Sequence[Tile]) -> Iterator[Problem]:
    """What is wrong with the schematic: areas that are none, two areas in one place."""
    path = folder / TILE_FILE
    known = {area.key: area for area in areas}
    seen: dict[AreaKey, int] = {}
    for tile in tiles:
        code, day = tile.area
        if tile.area not in known:
            message = f"column code: there is no area {code} from {day}"
            yield Problem(path, tile.line, "geography.unknown_area", message)
        if tile.area in seen:
            message = f"column code: {code} from {day} is on line {seen[tile.area]}"
            yield Problem(path, tile.line, "geography.unique", message)
        seen.setdefault(tile.area, tile.line)
    placed = [tile for tile in tiles if tile.area in known]
    for sharing in group(placed, lambda tile: (tile.x, tile.y)).values():
        for one, other in combinations(sharing, 2):
            if one.area != other.area and known[one.area].overlaps(known[other.area]):
                message = f"column tile_x: the place of {one.area[0]} on line {one.line}"
                yield Problem(path, other.line, "geography.tile", message)


def _name_problems(path: Path, areas: Sequence[Area]) -> Iterator[Problem]:
    named = [(area, "name_vi", area.name_vi) for area in areas]
    named += [(area, "name_en", area.name_en) for area in areas]
    same = group(named, lambda item: (item[0].parent_code, item[0].level, item[1], item[2].lower()))
    for namesakes in same.values():
        for (one, column, _), (other, _, _) in combinations(namesakes, 2):
            if one.code != other.code and one.overlaps(other):
                message = f"column {column}: also the name of {one.code} on line {one.line}"
                yield Problem(path, other.line, "geography.ambiguous_name", message)


def _parent_problems(
    path: Path, area: Area, by_code: Mapping[str, Sequence[Area]]
) -> Iterator[Problem]:
    if (area.parent_code is None) != (area.level is Level.CITY):
        message = "column parent_code: the city has none, every other area has one"
        yield Problem(path, area.line, "geography.parent", message)
    if area.parent_code is None:
        return
    parents = by_code.get(area.parent_code, ())
    if any(_RANK[parent.level] >= _RANK[area.level] for parent in parents if parent.overlaps(area)):
        message = f"column parent_code: {area.parent_code} is not of a higher level"
        yield Problem(path, area.line, "geography.parent_level", message)
    gap = _first_uncovered_day(area, parents)
    if gap is not None:
        message = f"column parent_code: {area.parent_code} is not valid on {gap}"
        yield Problem(path, area.line, "geography.parent", message)


def _first_uncovered_day(area: Area, parents: Sequence[Area]) -> date | None:
    day = area.valid_from
    for parent in sorted(parents, key=lambda parent: parent.valid_from):
        if parent.is_valid_on(day):
            day = parent.end
    return day if day < area.end else None


def correspondence_problems(
    folder: Path, areas: Sequence[Area], rows: Sequence[Correspondence]
) -> Iterator[Problem]:
    """What is wrong with the correspondence: unknown ends, shares, areas without successor."""
    path = folder / CORRESPONDENCE_FILE
    by_key = {area.key: area for area in areas}
    by_source = group(rows, lambda row: row.source)
    for row in rows:
        yield from _end_problems(path, row, by_key)
    for source, shares in by_source.items():
        yield from _share_problems(path, source, shares)
    for area in areas:
        if area.valid_to is not None and not _is_followed(area, areas, by_source):
            message = f"{area.code} ended on {area.valid_to} without correspondence or reason"
            yield Problem(folder / AREA_FILE, area.line, "geography.no_successor", message)


def _end_problems(
    path: Path, row: Correspondence, by_key: Mapping[AreaKey, Area]
) -> Iterator[Problem]:
    source = by_key.get(row.source)
    if source is None or source.valid_to is None:
        message = f"column from_code: {_text(row.source)} is no area that ended"
        yield Problem(path, row.line, "geography.from_area", message)
    if row.target is None:
        return
    target = by_key.get(row.target)
    if target is None:
        message = f"column to_code: {_text(row.target)} is no area"
        yield Problem(path, row.line, "geography.to_area", message)
    elif source and source.valid_to and not target.is_valid_on(source.valid_to):
        message = f"column to_valid_from: {_text(row.target)} is not valid on {source.valid_to}"
        yield Problem(path, row.line, "geography.to_area", message)


def _share_problems(
    path: Path, source: AreaKey, shares: Sequence[Correspondence]
) -> Iterator[Problem]:
    last = shares[-1].line
    weights = [share.weight for share in shares if share.weight is not None]
    if weights and len(weights) < len(shares):
        message = f"{_text(source)} has successors and a reason for having none"
        yield Problem(path, last, "geography.successor", message)
    if weights and sum(weights) != 1:
        message = f"column weight: shares of {_text(source)} sum to {sum(weights)}, not 1"
        yield Problem(path, last, "geography.weight_sum", message)
    if len({share.target for share in shares}) < len(shares):
        message = f"column to_code: {_text(source)} names one target twice"
        yield Problem(path, last, "geography.unique", message)


def _is_followed(
    area: Area, areas: Sequence[Area], by_source: Mapping[AreaKey, Sequence[Correspondence]]
) -> bool:
    """Whether the area has rows of its own, or parts whose rows say where it went.

    The parts need no look here: each of them is an area that ended and is checked itself.
    """
    return area.key in by_source or any(
        part.parent_code == area.code and part.valid_to == area.valid_to for part in areas
    )


def population_problems(
    folder: Path, areas: Sequence[Area], rows: Sequence[Population]
) -> Iterator[Problem]:
    """What is wrong with the population figures: unknown areas, figures given twice."""
    path = folder / POPULATION_FILE
    keys = {area.key for area in areas}
    for row in rows:
        if row.area not in keys:
            message = f"column area_code: {_text(row.area)} is no area"
            yield Problem(path, row.line, "geography.area", message)
    for figures in group(rows, lambda row: (row.area, row.vintage, row.concept)).values():
        for again in figures[1:]:
            message = f"column area_code: {_text(again.area)} is already on line {figures[0].line}"
            yield Problem(path, again.line, "geography.unique", message)


def group(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """The items by key, in the order they came."""
    groups: dict[Key, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(groups)


def _text(key: AreaKey) -> str:
    return f"{key[0]} from {key[1]}"
