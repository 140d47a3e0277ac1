"""Reads the geography tables of a city into typed rows; every fault names file, line and column."""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from warehouse.contract.problem import Problem
from warehouse.geography_model import (
    AREA_SCHEMA,
    CORRESPONDENCE_SCHEMA,
    POPULATION_SCHEMA,
    TILE_SCHEMA,
    WEIGHT_SCALE,
    Area,
    Concept,
    Correspondence,
    Level,
    Population,
    Tile,
)

AREA_FILE = "area.csv"
CORRESPONDENCE_FILE = "area_correspondence.csv"
POPULATION_FILE = "population.csv"
TILE_FILE = "area_tile.csv"

_WEIGHT = re.compile(rf"[01](\.\d{{1,{WEIGHT_SCALE}}})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PERSONS = re.compile(r"0|[1-9]\d{0,17}")
_PLACE = re.compile(r"[1-9]\d?")
_CODE = re.compile(r"[0-9A-Za-z]+")

Value = TypeVar("Value")
Member = TypeVar("Member", bound=StrEnum)
Row = TypeVar("Row")


class Fields:
    """One row's texts, turned into typed values; what is wrong is noted and stands as None."""

    def __init__(self, texts: dict[str, str], path: Path, line: int) -> None:
        self.texts = texts
        self.path = path
        self.line = line
        self.problems: list[Problem] = []

    def _note(self, column: str, rule: str, message: str) -> None:
        self.problems.append(Problem(self.path, self.line, rule, f"column {column}: {message}"))

    def parse(
        self, column: str, pattern: re.Pattern[str], build: Callable[[str], Value], wanted: str
    ) -> Value | None:
        """The value of a column whose whole text must match, else None and a problem."""
        text = self.texts[column]
        if pattern.fullmatch(text):
            try:
                return build(text)
            except ValueError:
                pass  # for example 2025-02-30: matches, and is no day; noted below
        self._note(column, "geography.type", f"must be {wanted}")
        return None

    def text(self, column: str) -> str | None:
        """A text that is not empty, trimmed and in Unicode normal form C."""
        text = self.texts[column]
        if not text.strip():
            self._note(column, "geography.required", "must not be empty")
            return None
        if text != text.strip() or not unicodedata.is_normalized("NFC", text):
            self._note(
                column, "geography.text_form", "must be trimmed and in Unicode normal form C"
            )
            return None
        return text

    def code(self, column: str) -> str | None:
        """A code of ASCII letters and digits."""
        return self.parse(column, _CODE, str, "letters and digits")

    def day(self, column: str) -> date | None:
        """An ISO 8601 day."""
        return self.parse(column, _DATE, date.fromisoformat, "a day as YYYY-MM-DD")

    def is_empty(self, column: str) -> bool:
        """Whether the column has no text."""
        return self.texts[column] == ""


def read_areas(folder: Path) -> tuple[list[Area], list[Problem]]:
    """The rows of `area.csv` that could be typed, and what is wrong with the others."""

    def build(fields: Fields) -> Area | None:
        code, valid_from = fields.code("code"), fields.day("valid_from")
        valid_to = None if fields.is_empty("valid_to") else fields.day("valid_to")
        level = _member(fields, "level", Level)
        name_vi, name_en = fields.text("name_vi"), fields.text("name_en")
        parent = None if fields.is_empty("parent_code") else fields.code("parent_code")
        source = fields.text("source")
        if code and valid_from and level and name_vi and name_en and source:
            return Area(
                code, valid_from, valid_to, level, name_vi, name_en, parent, source, fields.line
            )
        return None

    return _read(folder / AREA_FILE, AREA_SCHEMA, build)


def read_correspondences(folder: Path) -> tuple[list[Correspondence], list[Problem]]:
    """The rows of `area_correspondence.csv` that could be typed, and what is wrong elsewhere."""

    def build(fields: Fields) -> Correspondence | None:
        code, valid_from = fields.code("from_code"), fields.day("from_valid_from")
        basis = fields.text("basis")
        if all(fields.is_empty(column) for column in ("to_code", "to_valid_from", "weight")):
            if code and valid_from and basis:
                return Correspondence((code, valid_from), None, None, basis, fields.line)
            return None
        to_code, to_day = fields.code("to_code"), fields.day("to_valid_from")
        wanted = f"a decimal in (0, 1] with at most {WEIGHT_SCALE} places"
        weight = fields.parse("weight", _WEIGHT, _share, wanted)
        if code and valid_from and to_code and to_day and weight and basis:
            key, target = (code, valid_from), (to_code, to_day)
            return Correspondence(key, target, weight, basis, fields.line)
        return None

    return _read(folder / CORRESPONDENCE_FILE, CORRESPONDENCE_SCHEMA, build)


def read_populations(folder: Path) -> tuple[list[Population], list[Problem]]:
    """The rows of `population.csv` that could be typed, and what is wrong with the others."""

    def build(fields: Fields) -> Population | None:
        code, valid_from = fields.code("area_code"), fields.day("area_valid_from")
        vintage, source = fields.text("vintage"), fields.text("source")
        concept = _member(fields, "concept", Concept)
        day = fields.day("reference_date")
        persons = fields.parse("persons", _PERSONS, int, "a whole number of people")
        if code and valid_from and vintage and concept and day and persons is not None and source:
            key = (code, valid_from)
            return Population(key, vintage, concept, day, persons, source, fields.line)
        return None

    return _read(folder / POPULATION_FILE, POPULATION_SCHEMA, build)


def read_tiles(folder: Path) -> tuple[list[Tile], list[Problem]]:
    """The rows of `area_tile.csv` that could be typed, and what is wrong with the others.

    A city need not have a schematic: without the file there are none.
    """
    if not (folder / TILE_FILE).exists():
        return [], []

    def build(fields: Fields) -> Tile | None:
        code, valid_from = fields.code("code"), fields.day("valid_from")
        x, y = (
            fields.parse(name, _PLACE, int, "a whole number from 1 to 99")
            for name in ("tile_x", "tile_y")
        )
        if code and valid_from and x and y:
            return Tile((code, valid_from), x, y, fields.line)
        return None

    return _read(folder / TILE_FILE, TILE_SCHEMA, build)


def _share(text: str) -> Decimal:
    share = Decimal(text)
    if not 0 < share <= 1:
        raise ValueError(text)
    return share


def _member(fields: Fields, column: str, kind: type[Member]) -> Member | None:
    members = [member.value for member in kind]
    pattern = re.compile("|".join(map(re.escape, members)))
    return fields.parse(column, pattern, kind, "one of " + ", ".join(members))


def _read(
    path: Path, schema: pa.Schema, build: Callable[[Fields], Row | None]
) -> tuple[list[Row], list[Problem]]:
    rows: list[Row] = []
    problems: list[Problem] = []
    for record in _records(path, schema.names):
        if isinstance(record, Problem):
            problems.append(record)
            continue
        row = build(record)
        problems.extend(record.problems)
        if row is not None:
            rows.append(row)
    return rows, problems


def _records(path: Path, columns: list[str]) -> Iterator[Fields | Problem]:
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        yield Problem(path, 1, "file.read", error.strerror or "cannot be read")
        return
    except UnicodeDecodeError:
        yield Problem(path, 1, "file.encoding", "is not UTF-8")
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if next(reader, []) != columns:
            yield Problem(path, 1, "geography.header", f"must be {','.join(columns)}")
            return
        line = reader.line_num + 1
        for texts in reader:
            if len(texts) == len(columns):
                yield Fields(dict(zip(columns, texts, strict=True)), path, line)
            else:
                message = f"{len(texts)} fields, expected {len(columns)}"
                yield Problem(path, line, "geography.field_count", message)
            line = reader.line_num + 1
    except csv.Error as error:
        yield Problem(path, reader.line_num, "geography.csv", str(error))
