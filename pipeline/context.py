"""What every step of a run is given; what only some steps need is imported when they ask."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.settings import city_folder, city_paths
from pipeline.variables import on_day
from warehouse.city import City, load_city
from warehouse.contract.compiler import CompiledStream, compile_stream
from warehouse.lake import Lake
from warehouse.paths import CityPaths

if TYPE_CHECKING:
    import pyarrow as pa

    from warehouse.access import Access
    from warehouse.geography import Geography
    from warehouse.registry_model import Registry


@dataclass(frozen=True)
class Context:
    """A city, its lake and the processing day.

    Attributes:
        as_of: Processing day D. Every result follows from it and the data, never from the clock.
        environ: Where variables that contracts name are looked up.
    """

    city: City
    paths: CityPaths
    as_of: date
    environ: Mapping[str, str] = field(repr=False)

    @cached_property
    def lake(self) -> Lake:
        """Core and quarantine of the city."""
        return Lake(self.paths)

    @cached_property
    def registry(self) -> "Registry":
        """Indicators and publications of the city."""
        from warehouse.registry import load_registry

        return load_registry(self.city)

    @cached_property
    def geography(self) -> "Geography":
        """Areas, correspondences and populations of the city."""
        from warehouse.geography import load_geography

        return load_geography(self.city.folder / "geography")

    @cached_property
    def access(self) -> "Access":
        """Roles and recipients of the city."""
        from warehouse.access import load_access

        return load_access(self.city.folder, {area.key for area in self.geography.areas})

    @property
    def named(self) -> "dict[str, pa.Table]":
        """The tables that name the codes of the marts."""
        from publish.dimensions import dimensions

        return dimensions(self.registry, self.geography, self.city.agencies, self.city.marts)

    def read_all(self) -> None:
        """Read what else the city declares, so that its faults show before any source is asked.

        Raises:
            ContractError: everything that is wrong in contracts, indicators, datasets, geography
                or access.
        """
        load_city(self.city.folder, without_broken=bool(self.city.broken))
        _ = self.registry, self.access

    def compiled(self, source_id: str) -> CompiledStream:
        """A source's contracts, compiled."""
        source = self.city.sources[source_id]
        return compile_stream(source, self.city.tables[source.table])


def open_context(city: str, as_of: date | None = None, *, without_broken: bool = False) -> Context:
    """Read a city and open its lake: the folders are there afterwards.

    Args:
        city: Name or folder, see `pipeline.settings.city_folder`.
        as_of: Processing day; the default day of `city.yaml` where None.
        without_broken: Whether sources whose contract is wrong are left out.

    Raises:
        UnknownCityError: when there is no such city.
        ContractError: everything that is wrong in the files of the city's sources and settings.
    """
    context = read_context(city, as_of, without_broken=without_broken)
    context.paths.create()
    return context


def read_context(city: str, as_of: date | None = None, *, without_broken: bool = False) -> Context:
    """As `open_context`, for what only reads: no folder is made, the lake may lie elsewhere."""
    loaded = load_city(city_folder(city), lazily=True, without_broken=without_broken)
    day = as_of or loaded.default_date
    return Context(loaded, city_paths(loaded.name), day, on_day(os.environ, day))
