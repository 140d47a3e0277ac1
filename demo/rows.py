"""Rows of records: how many a day, when in the day, and what comes later."""

from collections.abc import Callable, Sequence
from datetime import date
from itertools import accumulate

import polars as pl

from demo import days, draw
from demo.window import Window

HOUR = 3600


def places(window: Window, records_on: Callable[[int, date, float], int]) -> pl.DataFrame:
    """One row a record.

    Args:
        window: Which days.
        records_on: How many records a seed, a day and a scale have.

    Returns:
        `day` (ordinal), `midnight` (instant at which it begins), `count` (records of the day)
        and `place` (of the record in its day, from 0).
    """
    counts = [records_on(window.seed, day, window.scale) for day in window.days]
    frame = pl.DataFrame(
        {
            "day": pl.Series([day.toordinal() for day in window.days], dtype=pl.Int32),
            "midnight": [days.starts_at(day) for day in window.days],
            "count": pl.Series(counts, dtype=pl.UInt32),
        }
    )
    return frame.with_columns(pl.int_ranges(0, "count", dtype=pl.UInt32).alias("place")).explode(
        "place"
    )


def second_of_day(frame: pl.DataFrame, hour_weights: Sequence[float]) -> pl.Series:
    """The second of the day of each record, in the order of the places.

    Args:
        frame: Has `place`, `count` and `u_time`, a draw in [0, 1).
        hour_weights: Share of each of the 24 hours, in any unit.
    """
    share = frame.select(
        ((pl.col("place") + pl.col("u_time")) / pl.col("count")).alias("share")
    ).to_series()
    weights = [float(weight) for weight in hour_weights]
    hour = draw.picked(share, weights)
    before = pl.Series([0.0, *accumulate(weights)][:-1]).gather(hour) / sum(weights)
    width = pl.Series(weights).gather(hour) / sum(weights)
    second = ((hour.cast(pl.Float64) + (share - before) / width) * HOUR).cast(pl.Int64)
    return second.clip(0, days.DAY_SECONDS - 1)
