"""What a city's geography is made of."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

import pyarrow as pa

AreaKey = tuple[str, date]

WEIGHT_SCALE = 8

# The columns of the three files, in their order, and the types that marts see.
AREA_SCHEMA = pa.schema(
    [
        pa.field("code", pa.string(), nullable=False),
        pa.field("valid_from", pa.date32(), nullable=False),
        pa.field("valid_to", pa.date32()),
        pa.field("level", pa.string(), nullable=False),
        pa.field("name_vi", pa.string(), nullable=False),
        pa.field("name_en", pa.string(), nullable=False),
        pa.field("parent_code", pa.string()),
        pa.field("source", pa.string(), nullable=False),
    ]
)
CORRESPONDENCE_SCHEMA = pa.schema(
    [
        pa.field("from_code", pa.string(), nullable=False),
        pa.field("from_valid_from", pa.date32(), nullable=False),
        pa.field("to_code", pa.string(), nullable=False),
        pa.field("to_valid_from", pa.date32(), nullable=False),
        pa.field("weight", pa.decimal128(WEIGHT_SCALE + 1, WEIGHT_SCALE), nullable=False),
        pa.field("basis", pa.string(), nullable=False),
    ]
)
POPULATION_SCHEMA = pa.schema(
    [
        pa.field("area_code", pa.string(), nullable=False),
        pa.field("area_valid_from", pa.date32(), nullable=False),
        pa.field("vintage", pa.string(), nullable=False),
        pa.field("concept", pa.string(), nullable=False),
        pa.field("reference_date", pa.date32(), nullable=False),
        pa.field("persons", pa.int64(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
    ]
)

TILE_SCHEMA = pa.schema(
    [
        pa.field("code", pa.string(), nullable=False),
        pa.field("valid_from", pa.date32(), nullable=False),
        pa.field("tile_x", pa.int32(), nullable=False),
        pa.field("tile_y", pa.int32(), nullable=False),
    ]
)


class Level(StrEnum):
    """The tier of an area; `ward` stands for wards, communes and special zones."""

    CITY = "city"
    DISTRICT = "district"
    WARD = "ward"


class Concept(StrEnum):
    """Who a population figure counts; figures of two concepts are never put into one rate."""

    CENSUS = "census"
    REGISTERED = "registered"
    RESIDENT = "resident"
    ADMINISTRATIVE = "administrative"


@dataclass(frozen=True)
class Area:
    """One extent of an area. Its key is (code, valid_from), for codes are used again.

    Attributes:
        valid_from: First day.
        valid_to: First day after the last one, None while the area is valid.
        parent_code: The area above, None for the city.
        source: The act or authority.
        line: Line of the row in `area.csv`.
    """

    code: str
    valid_from: date
    valid_to: date | None
    level: Level
    name_vi: str
    name_en: str
    parent_code: str | None
    source: str
    line: int

    @property
    def key(self) -> AreaKey:
        """The pair that names this extent and no other."""
        return self.code, self.valid_from

    @property
    def end(self) -> date:
        """First day after the last one; `date.max` while the area is valid."""
        return self.valid_to or date.max

    def is_valid_on(self, day: date) -> bool:
        """Whether the extent holds on a local day."""
        return self.valid_from <= day < self.end

    def overlaps(self, other: "Area") -> bool:
        """Whether the two extents share a day."""
        return self.valid_from < other.end and other.valid_from < self.end


@dataclass(frozen=True)
class Correspondence:
    """A share of an area that ended and the area it passed to.

    Attributes:
        target: Key of the later area; None where the area has no successor and `basis` says why.
        weight: Share in (0, 1]; the shares of one source sum to exactly 1. None without target.
        basis: Where the share comes from, in words.
        line: Line of the row in `area_correspondence.csv`.
    """

    source: AreaKey
    target: AreaKey | None
    weight: Decimal | None
    basis: str
    line: int


@dataclass(frozen=True)
class Population:
    """How many people one publication counts in an area.

    Attributes:
        vintage: Name of the publication's round, for example `2019`.
        reference_date: The day that the figure describes.
        line: Line of the row in `population.csv`.
    """

    area: AreaKey
    vintage: str
    concept: Concept
    reference_date: date
    persons: int
    source: str
    line: int


@dataclass(frozen=True)
class Tile:
    """The place of an area in the city's schematic, which is no map of boundaries.

    Attributes:
        x: Column, from 1 in the west.
        y: Row, from 1 in the north.
        line: Line of the row in `area_tile.csv`.
    """

    area: AreaKey
    x: int
    y: int
    line: int
