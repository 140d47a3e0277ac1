"""Contracts as the rest of the code sees them, after reading and merging."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Severity(StrEnum):
    """What a failing rule or check does to what it guards."""

    BLOCK = "block"
    HOLD = "hold"
    WARN = "warn"


class Classification(StrEnum):
    """Who may see a column, from everyone to nobody outside the restricted folders."""

    OPEN = "open"
    INTERNAL = "internal"
    PERSONAL = "personal"


class Layout(StrEnum):
    """How a core table is written.

    A `mutable` table rewrites the partitions it touches; an `append` table adds files and
    rewrites a partition only where a row changed.
    """

    MUTABLE = "mutable"
    APPEND = "append"


# Derivation of a month to that of the date whose month it is.
_DATE_OF_MONTH = {"localMonth": "localDate", "periodMonth": "periodStart"}


@dataclass(frozen=True)
class Column:
    """One column of a core table or a mart.

    Attributes:
        sql_type: DuckDB type, for example `VARCHAR`, `DECIMAL(9,6)`, `TIMESTAMPTZ`, `DATE`.
        unit: Unit of the value (UCUM code, or a plain word), or None.
        enum: The allowed values, empty where any is allowed.
        derived: `localDate(column)` or `localMonth(column)` for columns computed by the
            compiler from a timestamp column of the same row; None otherwise.
    """

    name: str
    description: Mapping[str, str]
    sql_type: str
    required: bool = False
    unit: str | None = None
    classification: Classification = Classification.INTERNAL
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    derived: str | None = None


@dataclass(frozen=True)
class Rule:
    """A condition that must hold; a row for which it is false breaks it (null passes).

    Attributes:
        name: Code of the rule, unique in its contract.
        column: The column that the reason code names.
        expression: DuckDB boolean expression over the table's columns and `_as_of` (DATE).
        line: Where it stands in its contract's file.
    """

    name: str
    column: str
    expression: str
    severity: Severity = Severity.BLOCK
    description: str = ""
    line: int = 0


@dataclass(frozen=True)
class TableContract:
    """A core table or a mart: what its columns are and mean.

    Attributes:
        key: Columns that identify a row within one source (core) or in the mart.
        version_column: Source's updated time, or None where sources have none.
        partition_column: The local-month column, or None for an unpartitioned table.
        late_days: For append tables, how long after its event a row may still arrive.
        health: Whether rows describe people's health (blocks publication by lineage).
    """

    name: str
    path: Path
    description: Mapping[str, str]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rules: tuple[Rule, ...] = ()
    version_column: str | None = None
    partition_column: str | None = None
    layout: Layout = Layout.MUTABLE
    late_days: int | None = None
    health: bool = False
    digest: str = ""

    @property
    def partition_date(self) -> str | None:
        """The date column whose month the partition column is, or None where there is none."""
        if self.partition_column is None:
            return None
        function, _, argument = (self.column(self.partition_column).derived or "").partition("(")
        date = f"{_DATE_OF_MONTH.get(function)}({argument}"
        return next((each.name for each in self.columns if each.derived == date), None)

    @property
    def stated_columns(self) -> list[Column]:
        """The columns without the partition column, where that repeats a date column's month."""
        repeated = self.partition_column if self.partition_date else None
        return [each for each in self.columns if each.name != repeated]

    @property
    def open_columns(self) -> list[Column]:
        """The columns that may be shown to anyone."""
        return [each for each in self.columns if each.classification is Classification.OPEN]

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            KeyError: when the table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


# What a format with types of its own delivers; a `number` is text everywhere, to be exact.
_RAW_TYPES = {
    "boolean": "BOOLEAN",
    "date": "DATE",
    "integer": "BIGINT",
    "timestamp": "TIMESTAMPTZ",
}
TYPED_FORMATS = frozenset({"arrow", "parquet"})


@dataclass(frozen=True)
class RawColumn:
    """One column of the raw schema.

    Attributes:
        name: Name in the file's header, or dotted path in a JSON record.
        logical_type: `string`, `number`, `integer` or `boolean`: the type a JSON source sends; a
            format with types of its own (Arrow, Parquet) may also deliver `date` and `timestamp`
            (an instant). Of such a format all but `string` and `number` stay typed.
        required: Whether a missing column stops the stream.
    """

    name: str
    logical_type: str = "string"
    required: bool = True

    def sql_type(self, format_kind: str | None) -> str:
        """The DuckDB type that expressions see under a format."""
        is_typed = format_kind in TYPED_FORMATS
        return _RAW_TYPES.get(self.logical_type, "VARCHAR") if is_typed else "VARCHAR"


@dataclass(frozen=True)
class Mapped:
    """How one table column is filled from raw columns.

    Attributes:
        expression: DuckDB scalar expression over raw columns (`transformLogic`).
        formats: strptime formats tried in order, for date and timestamp columns.
        timezone: IANA zone of local times; None means the stream's zone.
        ambiguous: Rule for a repeated local time: `earlier`, `later` or `quarantine`.
        sentinels: Raw texts that mean "no value" in this column.
        true_values, false_values: Texts of a boolean column.
        null_when_present: Whether the expression may give null where the raw columns hold
            something; without it that is a typing error.
        required, enum, minimum, maximum, pattern, classification: What the source tightens of
            the table's column; None or empty leaves it as it is.
        logical_type: ODCS logical type, which the standard wants repeated here.
        line: Where the expression stands in the contract's file.
    """

    column: str
    expression: str
    formats: tuple[str, ...] = ()
    timezone: str | None = None
    ambiguous: str = "quarantine"
    sentinels: tuple[str, ...] = ()
    true_values: tuple[str, ...] = ("true",)
    false_values: tuple[str, ...] = ("false",)
    null_when_present: bool = False
    required: bool | None = None
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    classification: Classification | None = None
    logical_type: str = ""
    line: int = 0


@dataclass(frozen=True)
class Unpivot:
    """Record step: several raw columns of a record become several records.

    `columns` maps the raw column to the label that stands in raw column `name_column`; the
    value stands in raw column `value_column`.
    """

    columns: Mapping[str, str]
    name_column: str
    value_column: str


@dataclass(frozen=True)
class Orchestration:
    """When and how a source is asked.

    Attributes:
        schedule: Cron expression in the source's zone, or None: on request only. What it starts
            is the processing day that ended last.
        retries: How often a failure that may pass is tried again.
        retry_delay_seconds: Wait before the first retry; it doubles with each.
        retry_delay_max_seconds: Longest wait before a retry.
        pool: Name of the pool whose slots the source shares with others of one system, or None:
            a pool of its own.
        pool_slots: How many tasks of the pool may ask at once.
        latency_hours: How long a run may take from when it was queued; a longer one is told of.
    """

    schedule: str | None = None
    retries: int = 2
    retry_delay_seconds: float = 60
    retry_delay_max_seconds: float = 900
    pool: str | None = None
    pool_slots: int = 1
    latency_hours: float = 2


@dataclass(frozen=True)
class SourceContract:
    """One stream of one source system of a city.

    Attributes:
        id: `<group>.<source>`, from its place under `sources/`; stored as `_source`.
        purpose: What it delivers, by language.
        transport, format, protocol: Options by name, `kind` first, as the contract gives them.
        drift: What an undeclared column in the data does: `evolve`, `freeze` or `discard`.
        deletes: `none`, `tombstone` (the source says so) or `absence` (from a full snapshot).
        tombstone: Expression over raw columns, true where the record is a deletion.
        max_delete_share: Largest share of live rows that one snapshot may delete.
        cursor: `none`, or `window` (requests are bounded by the processing day).
        overlap_seconds: How far a window request reaches back before the cursor.
        freshness_hours: From `slaProperties`, or None.
        orchestration: When and how a scheduler asks the source.
    """

    id: str
    path: Path
    table: str
    agency: str
    service_group: int
    timezone: str
    raw_columns: tuple[RawColumn, ...]
    mapping: tuple[Mapped, ...]
    rules: tuple[Rule, ...] = ()
    transport: Mapping[str, Any] = field(default_factory=dict)
    format: Mapping[str, Any] = field(default_factory=dict)
    protocol: Mapping[str, Any] = field(default_factory=dict)
    unpivot: Unpivot | None = None
    sentinels: tuple[str, ...] = ()
    drift: str = "freeze"
    deletes: str = "none"
    tombstone: str | None = None
    max_delete_share: float = 0.1
    cursor: str = "none"
    overlap_seconds: int = 0
    freshness_hours: float | None = None
    licence: str | None = None
    raw_retention_days: int | None = None
    orchestration: Orchestration = Orchestration()
    purpose: Mapping[str, str] = field(default_factory=dict)
    tombstone_line: int = 0
    agency_line: int = 1
    table_line: int = 1
    pool_line: int = 1
    digest: str = ""
