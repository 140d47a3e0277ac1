"""One stream's contracts as one vectorised DuckDB projection.

The projection types every record and lists every rule that it breaks. A good record pays for the
conditions once, joined into one; only a bad record pays for its list of reasons.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from warehouse.contract.merge import merge
from warehouse.contract.model import (
    TYPED_FORMATS,
    Column,
    Rule,
    Severity,
    SourceContract,
    TableContract,
)
from warehouse.contract.problem import ContractError, Problem, raise_on
from warehouse.contract.projection import (
    AS_OF,
    AS_OF_MARK,
    RELATION_MARK,
    Condition,
    projection_sql,
)
from warehouse.contract.read import DERIVED
from warehouse.contract.sandbox import Expression, ExpressionError, Sandbox
from warehouse.contract.typing_sql import Typed, TypingError, typed_column
from warehouse.records import ROW_COLUMN
from warehouse.sql import date_literal, literal, quoted

# Types of raw columns that text cannot stand for without a format of its own.
_NEVER_TEXT = frozenset({"date", "timestamp"})
_ANY_DAY = date(2000, 1, 1)
# File, line and subject of a problem.
_Place = tuple[Path, int, str]


@dataclass(frozen=True)
class CompiledStream:
    """A stream that can be typed and split.

    Attributes:
        source: The source contract.
        table: The table contract as it holds for this stream, tightened by the source.
        raw_columns: The raw columns that the stream's expressions reference, in declared order.
        reasons: Every reason code that a record can be quarantined for.
        template: The projection with marks for relation and processing day.
    """

    source: SourceContract
    table: TableContract
    raw_columns: tuple[str, ...]
    reasons: tuple[str, ...]
    template: str

    def split_sql(self, relation: str, as_of: date) -> str:
        """SQL that types the records of a relation and lists what is wrong with each.

        Args:
            relation: A FROM item with `_raw_row` (BIGINT) and the raw columns, text or typed.
            as_of: Processing day, the only day that a rule knows.

        Returns:
            A SELECT of every business column in table order with its declared type,
            `_is_deleted` BOOLEAN, `_raw_row` BIGINT, `_reasons` VARCHAR[] (empty where the record
            is good) and `_raw_record` VARCHAR (the raw columns as a JSON object, null where the
            record is good). It has one row per record: with an unpivot, several per raw row.
        """
        dated = self.template.replace(AS_OF_MARK, date_literal(as_of))
        return dated.replace(RELATION_MARK, relation)


def compile_stream(source: SourceContract, table: TableContract) -> CompiledStream:
    """Compile one stream.

    Args:
        source: The source contract.
        table: The contract of its table.

    Raises:
        ContractError: with file, line and rule of everything in the two that does not fit.
    """
    with Sandbox() as sandbox:
        return compile_in(sandbox, source, table)


def compile_in(sandbox: Sandbox, source: SourceContract, table: TableContract) -> CompiledStream:
    """Compile one stream in a sandbox that is open already; see `compile_stream`."""
    merged = merge(source, table)
    reader = _Reader(sandbox, source, merged)
    reader.check_raw_types()
    typed = list(reader.typed_columns())
    tombstone = reader.tombstone()
    rules = list(reader.rules())
    raise_on(reader.problems)
    raw_types = reader.referenced()
    conditions = list(_conditions(merged, typed, rules))
    template = projection_sql(
        merged,
        raw_types,
        source.sentinels,
        source.unpivot,
        tombstone.sql if tombstone else None,
        typed,
        conditions,
    )
    reasons = tuple(dict.fromkeys(each.reason for each in conditions))
    compiled = CompiledStream(source, merged, tuple(raw_types), reasons, template)
    _bind(sandbox, compiled, raw_types)
    return compiled


class _Reader:
    """Checks the expressions of a stream and collects what is wrong with them."""

    def __init__(self, sandbox: Sandbox, source: SourceContract, table: TableContract) -> None:
        self.sandbox = sandbox
        self.source = source
        self.table = table
        self.problems: list[Problem] = []
        self._raw: dict[str, None] = {}
        kind = source.format.get("kind")
        self._declared = {column.name: column.sql_type(kind) for column in source.raw_columns}
        self._made = dict(self._declared)
        if source.unpivot is not None:
            self._made |= dict.fromkeys(
                (source.unpivot.name_column, source.unpivot.value_column), "VARCHAR"
            )

    def check_raw_types(self) -> None:
        """Refuse types of raw columns that the source's format cannot deliver."""
        kind = self.source.format.get("kind")
        if kind in TYPED_FORMATS:
            return
        for column in self.source.raw_columns:
            if column.logical_type in _NEVER_TEXT:
                place = (self.source.path, 1, f"raw column {column.name}")
                message = f"is declared {column.logical_type}; format {kind} delivers text"
                self._refuse(place, "citylake.typing", message)

    def typed_columns(self) -> Iterator[Typed]:
        """The mapped columns in the order of the table."""
        mapping = {each.column: each for each in self.source.mapping}
        for column in self.table.columns:
            mapped = mapping.get(column.name)
            if mapped is None:
                continue
            place = (self.source.path, mapped.line, mapped.column)
            expression = self._checked(mapped.expression, self._made, place)
            if expression is None:
                continue
            self._raw |= dict.fromkeys(expression.columns)
            zone = mapped.timezone or self.source.timezone
            try:
                yield typed_column(column, mapped, expression, zone)
            except TypingError as error:
                self._refuse(place, "citylake.typing", str(error))

    def tombstone(self) -> Expression | None:
        """The expression that is true where a record is a deletion."""
        if self.source.tombstone is None:
            return None
        place = (self.source.path, self.source.tombstone_line, "tombstone")
        expression = self._checked(self.source.tombstone, self._declared, place)
        if expression is not None:
            self._raw |= dict.fromkeys(expression.columns)
            self._want_boolean(expression, place)
        return expression

    def rules(self) -> Iterator[tuple[Rule, Expression]]:
        """The rules that quarantine a record, with their expressions; all rules are checked."""
        columns = {column.name: column.sql_type for column in self.table.columns}
        columns[AS_OF] = "DATE"
        for rule in self.table.rules:
            path = self.source.path if rule in self.source.rules else self.table.path
            place = (path, rule.line, f"rule {rule.name}")
            expression = self._checked(rule.expression, columns, place)
            if expression is None:
                continue
            self._want_boolean(expression, place)
            if rule.severity is Severity.BLOCK:
                yield rule, expression

    def referenced(self) -> dict[str, str]:
        """The raw columns that must be read, in declared order, with their DuckDB types."""
        wanted = set(self._raw) | set(self.source.unpivot.columns if self.source.unpivot else ())
        return {name: kind for name, kind in self._declared.items() if name in wanted}

    def _checked(self, text: str, columns: Mapping[str, str], place: _Place) -> Expression | None:
        try:
            return self.sandbox.check(text, columns)
        except ExpressionError as error:
            self._refuse(place, "citylake.expression", str(error))
            return None

    def _want_boolean(self, expression: Expression, place: _Place) -> None:
        if expression.sql_type != "BOOLEAN":
            message = f"yields {expression.sql_type}, not BOOLEAN"
            self._refuse(place, "citylake.expression", message)

    def _refuse(self, place: _Place, rule: str, message: str) -> None:
        path, line, subject = place
        self.problems.append(Problem(path, line, rule, f"{subject} {message}"))


def _conditions(
    table: TableContract, typed: Sequence[Typed], rules: Sequence[tuple[Rule, Expression]]
) -> Iterator[Condition]:
    faults = {
        each.column.name: [quoted(f"{reason}:{each.column.name}") for reason, _ in each.faults]
        for each in typed
    }
    for each in typed:
        column = each.column
        needed = column.name in table.key
        ordering = needed or column.name == table.version_column
        for reason, _ in each.faults:
            broken = quoted(f"{reason}:{column.name}")
            yield Condition(f"{column.name}:{reason}", broken, None, ordering)
        unread = " OR ".join(faults[column.name]) or None
        if column.required or needed:
            broken = f"{quoted(column.name)} IS NULL"
            yield Condition(f"{column.name}:required", broken, unread, needed)
        for reason, broken in _value_conditions(column):
            yield Condition(f"{column.name}:{reason}", broken, None, needed)
    for rule, expression in rules:
        asked = {_origin(table.column(name)) for name in expression.columns if name != AS_OF}
        unread = " OR ".join(flag for name in sorted(asked) for flag in faults.get(name, ()))
        # A rule that cannot be computed is broken: TRY gives null, which is not true.
        broken = f"TRY(coalesce({expression.sql}, true)) IS DISTINCT FROM true"
        yield Condition(f"{rule.column}:{rule.name}", f"({broken})", unread or None)


def _origin(column: Column) -> str:
    """The column that a derived column is computed from, or the column itself."""
    found = DERIVED.match(column.derived or "")
    return found[2] if found else column.name


def _value_conditions(column: Column) -> Iterator[tuple[str, str]]:
    name = quoted(column.name)
    if column.enum:
        yield "enum", f"{name} NOT IN ({', '.join(literal(each) for each in column.enum)})"
    limits = []
    if column.minimum is not None:
        limits.append(f"{name} < {column.minimum}")
    if column.maximum is not None:
        limits.append(f"{name} > {column.maximum}")
    if limits:
        yield "range", f"({' OR '.join(limits)})"
    if column.pattern is not None:
        yield "pattern", f"NOT regexp_matches({name}, {literal(column.pattern)})"


def _bind(sandbox: Sandbox, compiled: CompiledStream, raw_types: Mapping[str, str]) -> None:
    """Bind the whole projection against an empty table of the raw schema."""
    columns = "".join(
        f", CAST(NULL AS {sql_type}) AS {quoted(name)}" for name, sql_type in raw_types.items()
    )
    empty = f"(SELECT CAST(0 AS BIGINT) AS {ROW_COLUMN}{columns} WHERE false)"
    try:
        found = sandbox.describe(compiled.split_sql(empty, _ANY_DAY))
    except duckdb.Error as error:
        message = f"the stream does not bind: {str(error).splitlines()[0]}"
        problem = Problem(compiled.source.path, 1, "citylake.binding", message)
        raise ContractError([problem]) from error
    wrong = [
        Problem(
            compiled.source.path,
            1,
            "citylake.typing",
            f"{column.name} comes out as {found[column.name]}, not {column.sql_type}",
        )
        for column in compiled.table.columns
        if _plain(found[column.name]) != _plain(column.sql_type)
    ]
    raise_on(wrong)


def _plain(sql_type: str) -> str:
    return sql_type.replace(" ", "").replace("TIMESTAMPWITHTIMEZONE", "TIMESTAMPTZ")
