"""The planted requests of a window: what the source shows of each, step by step."""

import json

import polars as pl

from demo import days
from demo.feedback import record
from demo.feedback.changes import BETWEEN_DAYS
from demo.feedback.faults import WITHIN_ONE_DAY
from demo.planted import MORNING, Planted, slot_rows, steps_of
from demo.planting import Plan, Slot, slots
from demo.rows import HOUR
from demo.window import Window

PLAN = Plan(tuple(WITHIN_ONE_DAY), tuple(BETWEEN_DAYS), days.requests_on)


def plant(window: Window, frame: pl.DataFrame, rate: float) -> list[Planted]:
    """The planted requests of a window, ordered by row.

    Args:
        window: Which requests exist.
        frame: The generator's frame of that window.
        rate: Factor on the number of faults.
    """
    chosen = slots(window, rate, PLAN)
    rows = _quiet(slot_rows(chosen, frame))
    texts = record.lines(rows, days.NEVER, extended=True)
    requests = [
        _planted(slot, text, row, requested, closed)
        for slot, text, row, requested, closed in zip(
            chosen, texts, rows["row"], rows["requested"], rows["closed"], strict=True
        )
    ]
    return sorted(requests, key=lambda request: request.row)


def _quiet(rows: pl.DataFrame) -> pl.DataFrame:
    """Requests made in the morning and closed within hours, with nothing after."""
    requested = pl.col("midnight") + MORNING + pl.col("salt") % (3 * HOUR)
    deadline = pl.col("expected") - pl.col("requested")
    closed = requested + HOUR + pl.col("salt") // 7 % HOUR
    return rows.with_columns(
        requested.alias("requested"),
        (requested + deadline).alias("expected"),
        (requested + HOUR // 2).alias("taken_over"),
        closed.alias("closed"),
        *(
            pl.lit(days.NEVER, dtype=pl.Int64).alias(event)
            for event in ("reopened", "closed_again", "answered")
        ),
    )


def _planted(slot: Slot, text: str, row: int, requested: int, closed: int) -> Planted:
    steps = steps_of(slot, json.loads(text), closed, WITHIN_ONE_DAY, BETWEEN_DAYS)
    identifier = record.request_id(slot.made, slot.place)
    return Planted(slot, row, requested, identifier, steps)
