"""The planted encounters of a window: what the source shows of each, step by step."""

import json
from dataclasses import dataclass

import polars as pl

from demo import days
from demo.health import record
from demo.health.calendar import encounters_on
from demo.health.changes import BETWEEN_DAYS, Base, within
from demo.health.faults import BROKEN, WITHIN_ONE_DAY
from demo.health.generator import HOUR
from demo.planted import Effect, Record, Step
from demo.planting import Plan, Slot, slots
from demo.window import Window

MORNING = 8 * HOUR
AFTERNOON = 14 * HOUR
PLAN = Plan(tuple(WITHIN_ONE_DAY), tuple(BETWEEN_DAYS), encounters_on)


@dataclass(frozen=True)
class Planted:
    """One encounter with a fault.

    Attributes:
        row: Its row in the generator's frame, whose ordinary life it replaces.
        encounter_id: The identifier it was given, shown or not.
    """

    slot: Slot
    row: int
    encounter_id: str
    steps: tuple[Step, ...]

    def step_at(self, until: int) -> Step | None:
        """The step that shows of what was recorded before an instant; None if none was."""
        known = [step for step in self.steps if step.recorded < until]
        return known[-1] if known else None

    def effects(self) -> list[tuple[Step, Effect]]:
        """Every effect with the step that shows it, in order."""
        return [(step, effect) for step in self.steps for effect in step.effects]

    def text(self, shown: Record) -> str:
        """A resource of its steps as the line of an export."""
        line = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
        return line[: len(line) // 2] if self.slot.kind == BROKEN else line


def plant(window: Window, frame: pl.DataFrame, rate: float) -> list[Planted]:
    """The planted encounters of a window, ordered by row.

    Args:
        window: Which encounters exist.
        frame: The generator's frame of that window.
        rate: Factor on the number of faults.
    """
    chosen = slots(window, rate, PLAN)
    places = pl.DataFrame(
        {
            "day": pl.Series([slot.made.toordinal() for slot in chosen], dtype=pl.Int32),
            "place": pl.Series([slot.place for slot in chosen], dtype=pl.UInt32),
            "salt": pl.Series([slot.salt for slot in chosen], dtype=pl.Int64),
            "midnight": [days.starts_at(slot.made) for slot in chosen],
        }
    )
    rows = _quiet(places.join(frame, on=["day", "place"], how="left", maintain_order="left"))
    texts = record.lines(rows, days.NEVER)
    planted = [
        _planted(slot, text, row, filed)
        for slot, text, row, filed in zip(chosen, texts, rows["row"], rows["filed"], strict=True)
    ]
    return sorted(planted, key=lambda each: each.row)


def _quiet(rows: pl.DataFrame) -> pl.DataFrame:
    """Outpatients seen in the morning, their records complete within hours."""
    started = pl.col("midnight") + MORNING + pl.col("salt") % (3 * HOUR)
    ended = started + HOUR // 2 + pl.col("salt") // 7 % HOUR
    return rows.with_columns(
        started.alias("started"),
        ended.alias("ended"),
        (ended + HOUR // 4).alias("filed"),
        pl.lit(0, dtype=rows.schema["kind"]).alias("kind"),
        pl.lit(False).alias("cancelled"),  # noqa: FBT003 - a value, not an option
    )


def _planted(slot: Slot, text: str, row: int, filed: int) -> Planted:
    shown = days.starts_at(slot.shown) + AFTERNOON + slot.salt // 11 % (3 * HOUR)
    base = Base(json.loads(text), filed, shown, slot.salt)
    if slot.kind in WITHIN_ONE_DAY:
        steps = within(WITHIN_ONE_DAY[slot.kind], base)
    else:
        steps = BETWEEN_DAYS[slot.kind](base)
    return Planted(slot, row, record.encounter_id(slot.made, slot.place), steps)
