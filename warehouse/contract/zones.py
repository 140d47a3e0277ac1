"""Local times to UTC and back by arithmetic, out of the pinned time zone database.

DuckDB's own conversion moves a time that a clock change skipped without a word, takes the later
of a repeated one, and raises for a whole batch when the zone is unknown. A zone's offsets over two
centuries are a short list of stretches; to find the stretch of a time tells skipped and repeated
times apart, and is faster than two conversions to compare.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

FIRST_YEAR = 1900
LAST_YEAR = 2099
MICROSECONDS = 1_000_000
# Marks in place of an offset: no offset is so small a number of microseconds.
GAP = 1
REPEATED = 2
_DAY = 86_400
# No zone has changed twice within this many days and come back to where it was.
_SCAN_DAYS = 7
_MOST_BRANCHES = 64
_BIN = 60 * _DAY * MICROSECONDS
_NEVER = 2**62


class UnknownZoneError(ValueError):
    """A name that the pinned time zone database does not have."""


@dataclass(frozen=True)
class _Change:
    """A change of a zone's offset: UTC second, offset before and after in seconds."""

    at: int
    before: int
    after: int


Stretch = tuple[int, int | None]
"""Where a stretch starts (microseconds since 1970-01-01), and its offset in microseconds, a mark,
or None outside the years that are typed."""


@cache
def zone_names() -> frozenset[str]:
    """Names of all zones of the pinned database."""
    text = resources.files("tzdata").joinpath("zones").read_text("utf-8")
    return frozenset(text.split())


@cache
def zone(name: str) -> ZoneInfo:
    """A zone of the pinned database, whatever the machine has.

    Raises:
        UnknownZoneError: when there is none of that name.
    """
    if name not in zone_names():
        raise UnknownZoneError(name)
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as handle:
        return ZoneInfo.from_file(handle, key=name)


def _second(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


@cache
def _changes(name: str) -> tuple[int, tuple[_Change, ...]]:
    """The offset at the start of the first year, and every change until the end of the last."""
    place = zone(name)

    def offset(second: int) -> int:
        delta = datetime.fromtimestamp(second, place).utcoffset()
        return 0 if delta is None else int(delta.total_seconds())

    # A day more on either side, so that local times at the edges find their stretch.
    first, last = _second(FIRST_YEAR) - _DAY, _second(LAST_YEAR + 1) + _DAY
    start = before = offset(first)
    changes: list[_Change] = []
    step = _SCAN_DAYS * _DAY
    for second in range(first, last, step):
        after = offset(second + step)
        if after != before:
            low, high = second, second + step
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            changes.append(_Change(high, before, after))
        before = after
    return start, tuple(changes)


@cache
def local_stretches(name: str, ambiguous: str) -> tuple[Stretch, ...]:
    """The offsets that hold at local times of a zone.

    Args:
        name: IANA name of the zone.
        ambiguous: Which offset a repeated local time gets: `earlier` or `later` instant, or
            the mark `REPEATED` where it is `quarantine`.
    """
    start, changes = _changes(name)
    stretches: list[tuple[int, int]] = [(_second(FIRST_YEAR) - 2 * _DAY, start * MICROSECONDS)]
    for change in changes:
        before, after = change.at + change.before, change.at + change.after
        if after > before:
            stretches.append((before, GAP))
        else:
            offsets = {"earlier": change.before, "later": change.after}
            mark = offsets[ambiguous] * MICROSECONDS if ambiguous in offsets else REPEATED
            stretches.append((after, mark))
        stretches.append((max(before, after), change.after * MICROSECONDS))
    return _within_years(stretches)


@cache
def utc_stretches(name: str) -> tuple[Stretch, ...]:
    """The offsets of a zone that hold at UTC times."""
    start, changes = _changes(name)
    first = (_second(FIRST_YEAR) - 2 * _DAY, start * MICROSECONDS)
    return _within_years([first, *((each.at, each.after * MICROSECONDS) for each in changes)])


def _within_years(stretches: Sequence[tuple[int, int]]) -> tuple[Stretch, ...]:
    """The stretches inside the typed years, joined where nothing changes."""
    first, last = _second(FIRST_YEAR), _second(LAST_YEAR + 1)
    found: list[Stretch] = []
    for start, offset in stretches:
        if start >= last:
            break
        if start <= first:
            found = [(first * MICROSECONDS, offset)]
        elif found[-1][1] != offset:
            found.append((start * MICROSECONDS, offset))
    found.append((last * MICROSECONDS, None))
    return tuple(found)


def offset_sql(stretches: Sequence[Stretch], operand: str) -> str:
    """SQL for the offset (BIGINT microseconds, a mark, or null) at a time.

    A zone of few changes becomes a balanced CASE. One that changes twice a year has hundreds of
    stretches, whose CASE would take longer to plan than to run: it becomes a look-up in lists.

    Args:
        stretches: From `local_stretches` or `utc_stretches`.
        operand: SQL of a BIGINT column, microseconds since 1970-01-01.
    """
    if len(stretches) > _MOST_BRANCHES:
        return _lookup_sql(stretches, operand)
    return f"CASE WHEN {operand} >= {stretches[0][0]} THEN {_tree_sql(stretches, operand)} END"


def _tree_sql(stretches: Sequence[Stretch], operand: str) -> str:
    if len(stretches) == 1:
        offset = stretches[0][1]
        return "NULL" if offset is None else f"{offset}::BIGINT"
    middle = len(stretches) // 2
    below, above = stretches[:middle], stretches[middle:]
    return (
        f"CASE WHEN {operand} < {above[0][0]} THEN {_tree_sql(below, operand)} "
        f"ELSE {_tree_sql(above, operand)} END"
    )


def _lookup_sql(stretches: Sequence[Stretch], operand: str) -> str:
    """The stretch at the start of the time's bin, and on by each start that the time has passed."""
    first, last = stretches[0][0], stretches[-1][0]
    starts = [start for start, _ in stretches]
    bins = [bisect_right(starts, low) for low in range(first, last, _BIN)]
    most = max(
        bisect_left(starts, low + _BIN) - bisect_right(starts, low)
        for low in range(first, last, _BIN)
    )
    # Behind the last start there is none to pass, and no offset.
    start_list = _list_sql([*starts, *[_NEVER] * most])
    offset_list = _list_sql([offset for _, offset in stretches if offset is not None])
    number = f"CASE WHEN {operand} >= {first} THEN 1 + ({operand} - ({first})) // {_BIN} END"
    place = f"list_extract({_list_sql(bins)}, {number})"
    passed = "".join(
        f" + CAST({operand} >= list_extract({start_list}, {place} + {step}) AS BIGINT)"
        for step in range(1, most + 1)
    )
    return f"list_extract({offset_list}, {place}{passed})"


def _list_sql(numbers: Sequence[int]) -> str:
    """A constant list; as one text it is parsed a hundred times faster than as many literals."""
    text = ",".join(str(number) for number in numbers)
    return f"CAST(string_split('{text}', ',') AS BIGINT[])"
