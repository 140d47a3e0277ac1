"""The planted encounters of a window: what the source shows of each, step by step."""

import json

import polars as pl

from demo import days
from demo.health import record
from demo.health.calendar import encounters_on
from demo.health.changes import BETWEEN_DAYS
from demo.health.faults import BROKEN, WITHIN_ONE_DAY
from demo.planted import MORNING, Planted, Record, slot_rows, steps_of
from demo.planting import Plan, Slot, slots
from demo.rows import HOUR
from demo.window import Window

PLAN = Plan(tuple(WITHIN_ONE_DAY), tuple(BETWEEN_DAYS), encounters_on)


def text_of(planted: Planted, shown: Record) -> str:
    """A resource of its steps as the line of an export."""
    line = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
    return line[: len(line) // 2] if planted.slot.kind == BROKEN else line


def plant(window: Window, frame: pl.DataFrame, rate: float) -> list[Planted]:
    """The planted encounters of a window, ordered by row.

    Args:
        window: Which encounters exist.
        frame: The generator's frame of that window.
        rate: Factor on the number of faults.
    """
    chosen = slots(window, rate, PLAN)
    rows = _quiet(slot_rows(chosen, frame))
    texts = record.lines(rows, days.NEVER)
    planted = [
        _planted(slot, text, row, started, filed)
        for slot, text, row, started, filed in zip(
            chosen, texts, rows["row"], rows["started"], rows["filed"], strict=True
        )
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


def _planted(slot: Slot, text: str, row: int, started: int, filed: int) -> Planted:
    steps = steps_of(slot, json.loads(text), filed, WITHIN_ONE_DAY, BETWEEN_DAYS)
    return Planted(slot, row, started, record.encounter_id(slot.made, slot.place), steps)
