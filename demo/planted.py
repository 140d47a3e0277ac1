"""Planted faults, whatever the system: what a source shows of a record, step by step."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from demo import days
from demo.planting import Slot

Record = dict[str, Any]
Change = Callable[[Record, int], None]

QUARANTINE = "quarantine"
MORNING = 8 * 3600
AFTERNOON = 14 * 3600


@dataclass(frozen=True)
class Fault:
    """A kind of fault that one record shows by itself.

    Attributes:
        column: The field in which it lies.
        change: Breaks the record in place; its number chooses among the forms of the fault.
        outcome: What a reader should make of the record.
        copies: How often the source shows the record.
    """

    column: str
    change: Change
    outcome: str = QUARANTINE
    copies: int = 1


@dataclass(frozen=True)
class Effect:
    """What a reader should make of a planted record.

    Attributes:
        column: The field in which the fault lies.
        outcome: quarantine, duplicate, superseded, changed, deleted, unchanged or new.
        standing: Whether it also shows to a reader who sees the state alone, not the change.
    """

    column: str
    outcome: str
    standing: bool


@dataclass(frozen=True)
class Step:
    """What the source shows of a record from an instant on, in place of the step before."""

    recorded: int
    records: tuple[Record, ...]
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class Base:
    """A quiet record on which a fault is planted.

    Attributes:
        record: The record as it would be without the fault.
        recorded: When the source first recorded it.
        shown: When the fault shows; of a later day for the faults between days.
        salt: Chooses among the forms of a fault.
    """

    record: Record
    recorded: int
    shown: int
    salt: int

    @property
    def first(self) -> Step:
        """The step before the fault."""
        return Step(self.recorded, (self.record,))

    def changed(self, record: Record, column: str) -> tuple[Step, ...]:
        """The steps of a record that is another from the fault on."""
        return (self.first, Step(self.shown, (record,), (Effect(column, "changed", False),)))

    @property
    def back(self) -> int:
        """When a change is taken back: a day after it showed."""
        return self.shown + days.DAY_SECONDS

    def there_and_back(self, there: Record, back: Record, column: str) -> tuple[Step, ...]:
        """The steps of a record that is another for a day, then what it was."""
        effect = Effect(column, "changed", standing=False)
        return (
            self.first,
            Step(self.shown, (there,), (effect,)),
            Step(self.back, (back,), (effect,)),
        )


Plant = Callable[[Base], tuple[Step, ...]]


@dataclass(frozen=True)
class Planted:
    """One record with a fault.

    Attributes:
        row: Its row in the generator's frame, whose ordinary life it replaces.
        began: When it was made, as long as no fault says otherwise.
        identifier: The number it was given, shown or not.
    """

    slot: Slot
    row: int
    began: int
    identifier: str
    steps: tuple[Step, ...]

    def step_at(self, until: int) -> Step | None:
        """The step that shows of what was recorded before an instant; None if none was."""
        known = [step for step in self.steps if step.recorded < until]
        return known[-1] if known else None

    def effects(self) -> list[tuple[Step, Effect]]:
        """Every effect with the step that shows it, in order."""
        return [(step, effect) for step in self.steps for effect in step.effects]


@dataclass(frozen=True)
class Seen:
    """An effect as a reader meets it: `day` on which it was planted, `seen` by which read."""

    planted: Planted
    step: Step
    effect: Effect
    day: date
    seen: date


def slot_rows(slots: Sequence[Slot], frame: pl.DataFrame) -> pl.DataFrame:
    """The generator's rows of the records that carry faults.

    Args:
        slots: What is planted where.
        frame: The generator's frame, with `day` (ordinal) and `place`.

    Returns:
        Its columns, `salt` and `midnight` (instant at which the day begins); a row a slot, in
        their order.
    """
    places = pl.DataFrame(
        {
            "day": pl.Series([slot.made.toordinal() for slot in slots], dtype=pl.Int32),
            "place": pl.Series([slot.place for slot in slots], dtype=pl.UInt32),
            "salt": pl.Series([slot.salt for slot in slots], dtype=pl.Int64),
            "midnight": [days.starts_at(slot.made) for slot in slots],
        }
    )
    return places.join(frame, on=["day", "place"], how="left", maintain_order="left")


def steps_of(
    slot: Slot,
    record: Record,
    recorded: int,
    within_a_day: Mapping[str, Fault],
    between_days: Mapping[str, Plant],
) -> tuple[Step, ...]:
    """The steps of a quiet record that carries a slot's fault.

    Args:
        slot: What is planted.
        record: The record as it would be without the fault.
        recorded: When the source first recorded it.
        within_a_day: The system's faults that a record shows by itself, by kind.
        between_days: Its faults that only show between two days, by kind.
    """
    base = Base(record, recorded, _shown_at(slot), slot.salt)
    if slot.kind in within_a_day:
        return _within(within_a_day[slot.kind], base)
    return between_days[slot.kind](base)


def _within(fault: Fault, base: Base) -> tuple[Step, ...]:
    """The one step of a fault that a record shows by itself."""
    record = copy.deepcopy(base.record)
    fault.change(record, base.salt)
    effect = Effect(fault.column, fault.outcome, standing=True)
    return (Step(base.recorded, (record,) * fault.copies, (effect,)),)


def _shown_at(slot: Slot) -> int:
    """The instant of the afternoon at which a fault between days shows."""
    return days.starts_at(slot.shown) + AFTERNOON + slot.salt // 11 % (3 * 3600)


def seen(records: Iterable[Planted], first_read: date, first: date, last: date) -> list[Seen]:
    """The effects of planted records as a reader meets them, by day and identifier.

    Args:
        records: What is planted.
        first_read: The first day that the reader looks at the source.
        first: First day of planting that is asked for.
        last: Last day of planting that is asked for.
    """
    met = [
        each
        for planted in records
        for each in _seen(planted, first_read)
        if first <= each.day <= last
    ]
    return sorted(met, key=lambda each: (each.day, each.planted.identifier))


def _seen(planted: Planted, first_read: date) -> Iterator[Seen]:
    state = planted.step_at(days.ends_at(first_read))
    for step, effect in planted.effects():
        day = days.day_of(step.recorded)
        if day > first_read or (step is state and effect.standing):
            yield Seen(planted, step, effect, day, max(day, first_read))
