"""Observations of one SDMX message as columns of text."""

from collections.abc import Mapping

import pyarrow as pa

from extract.formats.base import Parsed, row_numbers, with_rows
from extract.schema import RawSchema

SDMX_KINDS = ("sdmx-csv", "sdmx-json", "sdmx-ml")
STRUCTURE_ID = "STRUCTURE_ID"
ACTION = "ACTION"
# Columns that say where an observation belongs; no component of a structure.
MESSAGE_COLUMNS = frozenset({"STRUCTURE", STRUCTURE_ID, "STRUCTURE_NAME", ACTION, "DATAFLOW"})
# The letters of SDMX-CSV for the actions of the other formats.
ACTIONS = {"Append": "A", "Delete": "D", "Information": "I", "Merge": "M", "Replace": "R"}
STRETCH_ROWS = 10_000


class Observations:
    """Collects observations and gives them in stretches.

    Attributes:
        structure_id: `AGENCY:ID(VERSION)` of what the next observations belong to, or None.
        action: Letter of the action that they are sent for.
    """

    def __init__(self, schema: RawSchema) -> None:
        self.structure_id: str | None = None
        self.action = "I"
        self._schema = schema
        self._declared = frozenset(schema.names)
        self._columns: dict[str, list[str | None]] = {name: [] for name in schema.wanted}
        self._seen: set[str] = set()
        self._held = 0
        self._next_row = 0

    def add(self, observation: Mapping[str, str]) -> None:
        """Add one observation: values by component."""
        self._seen.update(observation)
        for name, values in self._columns.items():
            values.append(observation.get(name))
        if STRUCTURE_ID in self._columns:
            self._columns[STRUCTURE_ID][-1] = self.structure_id
        if ACTION in self._columns:
            self._columns[ACTION][-1] = self.action
        self._held += 1

    @property
    def is_full(self) -> bool:
        """Whether a stretch is due."""
        return self._held >= STRETCH_ROWS

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held."""
        return self._held == 0

    def take(self) -> Parsed:
        """What was added since the last call."""
        arrays = [pa.array(values, pa.string()) for values in self._columns.values()]
        table = pa.table(arrays, names=list(self._columns))
        rows = row_numbers(self._next_row, self._held)
        self._next_row += self._held
        self._held = 0
        for values in self._columns.values():
            values.clear()
        return Parsed(
            with_rows(table, rows),
            undeclared=frozenset(self._seen - self._declared - MESSAGE_COLUMNS),
            absent=frozenset(self._schema.required) - self._seen - MESSAGE_COLUMNS,
        )
