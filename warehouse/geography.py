"""A city's areas over time, what became of them, and how many people live there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.contract.problem import raise_on
from warehouse.errors import CitylakeError
from warehouse.geography_checks import (
    area_problems,
    correspondence_problems,
    group,
    population_problems,
    tile_problems,
)
from warehouse.geography_model import (
    AREA_SCHEMA,
    CORRESPONDENCE_SCHEMA,
    POPULATION_SCHEMA,
    TILE_SCHEMA,
    Area,
    Correspondence,
    Population,
    Tile,
)
from warehouse.geography_read import (
    read_areas,
    read_correspondences,
    read_populations,
    read_tiles,
)


class AmbiguousAreaError(CitylakeError):
    """A code names more than one area on one day."""


@dataclass(frozen=True)
class Geography:
    """The checked geography of a city."""

    areas: Sequence[Area]
    correspondences: Sequence[Correspondence]
    populations: Sequence[Population]
    tiles: Sequence[Tile] = ()

    @cached_property
    def _by_code(self) -> dict[str, list[Area]]:
        return group(self.areas, lambda area: area.code)

    def area_on(self, code: str, day: date) -> Area | None:
        """The area that a code names on a local day; None where it names none.

        Raises:
            AmbiguousAreaError: The code names several; a loaded geography never does.
        """
        valid = [area for area in self._by_code.get(code, ()) if area.is_valid_on(day)]
        if len(valid) > 1:
            raise AmbiguousAreaError(f"area {code} is ambiguous on {day}: {len(valid)} extents")
        return valid[0] if valid else None

    def tables(self) -> dict[str, pa.Table]:
        """The Arrow tables `area`, `area_correspondence` and `population`, columns as in the files.

        `valid_to` is null while an area is valid. Weights are DECIMAL(9,8). An area without
        successor has no row in `area_correspondence`.
        """
        areas = [
            (
                area.code,
                area.valid_from,
                area.valid_to,
                area.level.value,
                area.name_vi,
                area.name_en,
                area.parent_code,
                area.source,
            )
            for area in self.areas
        ]
        shares = [
            (*row.source, *row.target, row.weight, row.basis)
            for row in self.correspondences
            if row.target is not None
        ]
        figures = [
            (*row.area, row.vintage, row.concept.value, row.reference_date, row.persons, row.source)
            for row in self.populations
        ]
        return {
            "area": _table(areas, AREA_SCHEMA),
            "area_correspondence": _table(shares, CORRESPONDENCE_SCHEMA),
            "population": _table(figures, POPULATION_SCHEMA),
        }

    def tile_table(self) -> pa.Table:
        """The places of areas in the schematic, columns as in `area_tile.csv`."""
        return _table([(*tile.area, tile.x, tile.y) for tile in self.tiles], TILE_SCHEMA)

    def write_parquet(self, folder: Path) -> dict[str, Path]:
        """Write each table to `<folder>/<table>.parquet`; the paths by relation (`ref.area`...)."""
        folder.mkdir(parents=True, exist_ok=True)
        paths: dict[str, Path] = {}
        for name, table in self.tables().items():
            paths[f"ref.{name}"] = folder / f"{name}.parquet"
            pq.write_table(table, paths[f"ref.{name}"])
        return paths


def load_geography(folder: Path) -> Geography:
    """Read and check the tables of a folder; `area_tile.csv` may be missing.

    Raises:
        ContractError: Everything that is wrong, each with file, line and rule. Rules between
            rows are checked once every row can be read, so that one slip is told once.
    """
    areas, problems = read_areas(folder)
    correspondences, more = read_correspondences(folder)
    populations, others = read_populations(folder)
    tiles, further = read_tiles(folder)
    problems += [*more, *others, *further]
    if not problems:
        problems += area_problems(folder, areas)
        problems += correspondence_problems(folder, areas, correspondences)
        problems += population_problems(folder, areas, populations)
        problems += tile_problems(folder, areas, tiles)
    raise_on(problems)
    return Geography(tuple(areas), tuple(correspondences), tuple(populations), tuple(tiles))


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    arrays = [
        pa.array(list(values), field.type) for values, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
