"""The planted dossiers of a window: what the source shows of each, step by step."""

from typing import Any

import polars as pl

from demo import days
from demo.dossiers.calendar import dossiers_on
from demo.dossiers.changes import BETWEEN_DAYS, written
from demo.dossiers.faults import WITHIN_ONE_DAY
from demo.dossiers.version import COLUMNS, INSTANTS, LAST_INSTANT, RECORDED, dossier_id, state
from demo.planted import MORNING, Planted, Record, slot_rows, steps_of
from demo.planting import Plan, Slot, slots
from demo.rows import HOUR
from demo.window import Window

PLAN = Plan(tuple(WITHIN_ONE_DAY), tuple(BETWEEN_DAYS), dossiers_on)


def plant(window: Window, frame: pl.DataFrame, rate: float) -> list[Planted]:
    """The planted dossiers of a window, ordered by row.

    Args:
        window: Which dossiers exist.
        frame: The generator's frame of that window.
        rate: Factor on the number of faults.
    """
    chosen = slots(window, rate, PLAN)
    rows = _quiet(slot_rows(chosen, frame))
    records = rows.select(
        value.alias(name) for name, value in state(pl.col("finished")).items()
    ).to_dicts()
    planted = [
        _planted(slot, record, row)
        for slot, record, row in zip(chosen, records, rows["row"], strict=True)
    ]
    return sorted(planted, key=lambda each: each.row)


def rows_of(planted: list[Planted]) -> list[dict[str, Any]]:
    """The rows of the source for planted dossiers, every value as text."""
    rows = []
    for each in planted:
        ends = [step.recorded for step in each.steps[1:]] + [LAST_INSTANT]
        for step, end in zip(each.steps, ends, strict=True):
            for record in step.records:
                recorded = dict(zip(RECORDED, (step.recorded, end), strict=True))
                rows.append(
                    {name: written(value) for name, value in recorded.items()} | _text(record)
                )
    return rows


def _text(record: Record) -> dict[str, str | None]:
    return {
        name: written(record[name])
        if name in INSTANTS
        else None
        if record[name] is None
        else str(record[name])
        for name in COLUMNS
    }


def _quiet(rows: pl.DataFrame) -> pl.DataFrame:
    """Dossiers filed in the morning and settled within hours, the result digital at once."""
    received = pl.col("midnight") + MORNING + pl.col("salt") % (3 * HOUR)
    finished = received + HOUR + pl.col("salt") // 7 % HOUR
    return rows.with_columns(
        received.alias("received"),
        (received + HOUR // 2).alias("accepted"),
        finished.alias("finished"),
        finished.alias("digitised"),
        pl.lit(0, dtype=pl.UInt32).alias("outcome"),
        *(pl.lit(days.NEVER, dtype=pl.Int64).alias(event) for event in ("asked", "supplemented")),
    )


def _planted(slot: Slot, record: Record, row: int) -> Planted:
    steps = steps_of(slot, record, record["finished_at"], WITHIN_ONE_DAY, BETWEEN_DAYS)
    identifier = dossier_id(slot.made, slot.place)
    return Planted(slot, row, record["received_at"], identifier, steps)
