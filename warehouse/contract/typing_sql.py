"""SQL that turns text into typed values and says what it could not read.

Every column is typed in the same steps, each a projection over the one before, so that nothing is
computed twice. Columns of the steps carry a prefix with a colon.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from warehouse.contract.model import Column, Mapped
from warehouse.contract.sandbox import Expression
from warehouse.contract.zones import (
    FIRST_YEAR,
    GAP,
    LAST_YEAR,
    REPEATED,
    local_stretches,
    offset_sql,
    utc_stretches,
)
from warehouse.sql import literal, literal_list, quoted

# Our own name for ISO 8601: a time with its offset or Z, a date in full.
ISO_FORMAT = "iso8601"
_ISO_TIME = (
    r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)\s*"
)
_ISO_DATE = r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*"
_INTEGER = r"\s*[+-]?[0-9]+\s*"
_BLANK = "E' \\t\\r\\n'"

READ, CLEAN, PARSE, PLACE, VALUE = range(5)
STEPS = 5
"""Read the expression; drop blanks and sentinels; parse; find the zone's offset; give the value."""


class TypingError(Exception):
    """A mapping that cannot be typed into its column; the message says why."""


@dataclass
class Typed:
    """How one column is typed.

    Attributes:
        value: SQL of the value after the last step.
        steps: Columns that each step adds, name to SQL over the columns before it.
        unread: SQL, true where something was there and could not be read; None where that
            cannot be.
        skipped: SQL, true where a clock change skipped the local time.
        repeated: SQL, true where the local time came twice and that is not allowed.
        local: SQL of a time by the clock of its zone, BIGINT microseconds since 1970-01-01.
    """

    column: Column
    expression: Expression
    value: str = ""
    steps: list[dict[str, str]] = field(default_factory=lambda: [{} for _ in range(STEPS)])
    unread: str | None = None
    skipped: str | None = None
    repeated: str | None = None
    local: str | None = None

    def add(self, step: int, prefix: str, sql: str) -> str:
        """Add a column to a step and return how to refer to it afterwards."""
        name = quoted(f"{prefix}:{self.column.name}")
        self.steps[step][name] = sql
        return name

    @property
    def faults(self) -> list[tuple[str, str]]:
        """Built-in reason and condition of each way in which the column cannot be read."""
        found = (("type", self.unread), ("gap", self.skipped), ("repeated", self.repeated))
        return [(reason, sql) for reason, sql in found if sql is not None]


def clean_sql(text: str, sentinels: Iterable[str] = ()) -> str:
    """SQL of a text that is null where it is blank or one of the sentinels.

    Only a text that starts with white space can be blank, and `!` is the first character after
    it: the costly trim runs on next to no rows.
    """
    known = ", ".join(literal(each) for each in sentinels)
    listed = f" WHEN {text} IN ({known}) THEN NULL" if known else ""
    blank = (
        f"WHEN {text} < '!' THEN CASE WHEN trim({text}, {_BLANK}) = '' THEN NULL ELSE {text} END"
    )
    return f"CASE{listed} {blank} ELSE {text} END"


def has_offset(formats: Iterable[str]) -> bool:
    """Whether times in these formats carry their offset from UTC."""
    return any(each == ISO_FORMAT or "%z" in each for each in formats)


def typed_column(column: Column, mapped: Mapped, expression: Expression, zone: str) -> Typed:
    """The steps that type one mapped column.

    Args:
        column: The table's column, tightened by the source.
        mapped: How the source fills it.
        expression: The mapping's expression, checked.
        zone: IANA zone of the column's local times.

    Raises:
        TypingError: when the mapping lacks what the column's type needs, or yields another type.
    """
    typed = Typed(column, expression)
    kind = column.sql_type.partition("(")[0]
    if expression.sql_type == "VARCHAR":
        text, present = _read_text(typed, mapped)
        typer = {"VARCHAR": _type_text, "DATE": _type_date, "TIMESTAMPTZ": _type_time}
        typer.get(kind, _type_plain)(typed, mapped, text, zone)
        _mark_unread(typed, [f"{text} IS NOT NULL"] if kind != "VARCHAR" else [], present)
        return typed
    sql = expression.sql if expression.is_column else f"TRY({expression.sql})"
    value = typed.add(READ, "read", sql)
    if kind == "TIMESTAMPTZ" and expression.sql_type == "TIMESTAMP WITH TIME ZONE":
        _place_instant(typed, typed.add(PARSE, "instant", f"epoch_us({value})"), zone)
    elif kind == "TIMESTAMPTZ" and expression.sql_type == "TIMESTAMP":
        _place(typed, mapped, typed.add(PARSE, "clock", f"epoch_us({value})"), zone)
    elif kind == "DATE" and expression.sql_type == "DATE":
        typed.value = typed.add(VALUE, "value", _known_years(value))
    elif expression.sql_type == column.sql_type:
        typed.value = value
    elif expression.sql_type == "BIGINT" and kind in ("INTEGER", "DECIMAL"):
        typed.value = typed.add(VALUE, "value", f"TRY_CAST({value} AS {column.sql_type})")
    else:
        raise TypingError(f"yields {expression.sql_type}; the column is {column.sql_type}")
    _mark_unread(typed, [], _raw_present(mapped, expression))
    return typed


def _read_text(typed: Typed, mapped: Mapped) -> tuple[str, str | None]:
    """The cleaned text, and SQL that is true where all that it is made of was there."""
    expression = typed.expression
    if expression.is_column and not mapped.sentinels:
        return expression.sql, None
    sql = expression.sql if expression.is_column else f"TRY({expression.sql})"
    read = typed.add(READ, "read", sql)
    text = typed.add(CLEAN, "text", clean_sql(read, mapped.sentinels))
    return text, None if expression.is_column else _raw_present(mapped, expression)


def _raw_present(mapped: Mapped, expression: Expression) -> str | None:
    if mapped.null_when_present or not expression.columns:
        return None
    known = ", ".join(literal(each) for each in mapped.sentinels)
    parts = [
        f"{quoted(name)} NOT IN ({known})" if known else f"{quoted(name)} IS NOT NULL"
        for name in expression.columns
    ]
    return " AND ".join(parts)


def _mark_unread(typed: Typed, conditions: list[str], present: str | None) -> None:
    there = conditions + ([f"({present})"] if present else [])
    if there:
        # A time in a gap and a repeated one have a mark for an offset: they were read.
        marked = typed.skipped or typed.repeated
        nothing = quoted(f"offset:{typed.column.name}") if marked else typed.value
        typed.unread = f"({nothing} IS NULL AND coalesce({' OR '.join(there)}, false))"


def _type_text(typed: Typed, mapped: Mapped, text: str, zone: str) -> None:
    typed.value = text


def _type_plain(typed: Typed, mapped: Mapped, text: str, zone: str) -> None:
    """Integers, decimals and booleans: matched in full, since a cast takes `1.6`, `1e3`, `0x10`."""
    sql_type = typed.column.sql_type
    if sql_type == "BOOLEAN":
        typed.value = typed.add(VALUE, "value", _boolean_sql(mapped, text))
        return
    matched = _matches(text, _number_pattern(sql_type))
    # Most numbers are digits alone, and to see that costs a third of the match.
    sql = _cast_where(f"{text} NOT GLOB '*[!0-9]*' OR {matched}", text, sql_type)
    typed.value = typed.add(VALUE, "value", sql)


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def _cast_where(condition: str, text: str, sql_type: str) -> str:
    """SQL of a cast of texts for which a condition holds; others are null."""
    return f"CASE WHEN {condition} THEN TRY_CAST({text} AS {sql_type}) END"


def _number_pattern(sql_type: str) -> str:
    """What a number of this type looks like; no digit is lost but zeros at the end."""
    if not sql_type.startswith("DECIMAL"):
        return _INTEGER
    scale = int(sql_type.rstrip(")").partition(",")[2])
    fraction = f"[0-9]{{1,{scale}}}0*" if scale else "0+"
    leading = rf"|[.]{fraction}" if scale else ""
    return rf"\s*[+-]?([0-9]+([.]{fraction})?{leading})\s*"


def _boolean_sql(mapped: Mapped, text: str) -> str:
    true = ", ".join(literal(each) for each in mapped.true_values)
    false = ", ".join(literal(each) for each in mapped.false_values)
    return f"CASE WHEN {text} IN ({true}) THEN true WHEN {text} IN ({false}) THEN false END"


def _type_date(typed: Typed, mapped: Mapped, text: str, zone: str) -> None:
    formats = _formats(typed, mapped)
    if has_offset(each for each in formats if each != ISO_FORMAT):
        raise TypingError("a date has no offset: declare formats without %z")
    parsed = [
        _cast_where(_matches(text, _ISO_DATE), text, "DATE")
        if each == ISO_FORMAT
        else f"CAST(try_strptime({text}, {literal(each)}) AS DATE)"
        for each in formats
    ]
    read = typed.add(PARSE, "date", f"coalesce({', '.join(parsed)})")
    typed.value = typed.add(VALUE, "value", _known_years(read))


def _known_years(day: str) -> str:
    """SQL of a date, null where it lies out of the years that anything is known of."""
    years = f"DATE '{FIRST_YEAR}-01-01' AND DATE '{LAST_YEAR}-12-31'"
    return f"CASE WHEN {day} BETWEEN {years} THEN {day} END"


def _type_time(typed: Typed, mapped: Mapped, text: str, zone: str) -> None:
    formats = _formats(typed, mapped)
    with_offset = [each == ISO_FORMAT or "%z" in each for each in formats]
    if any(with_offset) != all(with_offset):
        raise TypingError("formats are all local or all with an offset")
    if not any(with_offset):
        parsed = f"epoch_us(try_strptime({text}, {literal_list(formats)}))"
        _place(typed, mapped, typed.add(PARSE, "clock", parsed), zone)
        return
    parts = [
        _cast_where(_matches(text, _ISO_TIME), text, "TIMESTAMPTZ")
        if each == ISO_FORMAT
        else f"try_strptime({text}, {literal(each)})"
        for each in formats
    ]
    _place_instant(
        typed, typed.add(PARSE, "instant", f"epoch_us(coalesce({', '.join(parts)}))"), zone
    )


def _place_instant(typed: Typed, instant: str, zone: str) -> None:
    """From an instant to the clock of a zone; out of the zone's known years it is not read."""
    offset = typed.add(PLACE, "offset", offset_sql(utc_stretches(zone), instant))
    kept = f"CASE WHEN {offset} IS NOT NULL THEN {instant} END"
    typed.value = typed.add(VALUE, "value", f"make_timestamptz({kept})")
    typed.local = typed.add(VALUE, "local", f"{instant} + {offset}")


def _formats(typed: Typed, mapped: Mapped) -> tuple[str, ...]:
    if not mapped.formats:
        raise TypingError(f"a {typed.column.sql_type} column read from text needs `formats`")
    if any("%Z" in each for each in mapped.formats):
        raise TypingError("names of zones (%Z) are ambiguous: declare `timezone`")
    return mapped.formats


def _place(typed: Typed, mapped: Mapped, clock: str, zone: str) -> None:
    """From the clock of a zone to UTC."""
    stretches = local_stretches(zone, mapped.ambiguous)
    offset = typed.add(PLACE, "offset", offset_sql(stretches, clock))
    read = f"CASE WHEN {offset} NOT IN ({GAP}, {REPEATED}) THEN {{}} END"
    utc = read.format(f"{clock} - {offset}")
    typed.value = typed.add(VALUE, "value", f"make_timestamptz({utc})")
    typed.local = typed.add(VALUE, "local", read.format(clock))
    marks = {mark for _, mark in stretches}
    if GAP in marks:
        typed.skipped = f"({offset} IS NOT DISTINCT FROM {GAP})"
    if REPEATED in marks:
        typed.repeated = f"({offset} IS NOT DISTINCT FROM {REPEATED})"
