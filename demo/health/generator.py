"""The encounters of the demo city: one row an encounter with every event of its life.

A row depends on the seed, its day and its place in the day alone, so that a longer window holds
the same rows for the days it shares with a shorter one.
"""

import polars as pl

from demo import days, draw
from demo.health.calendar import HOUR_WEIGHTS, encounters_on
from demo.health.catalogue import FACILITIES, KINDS, SPECIALTIES
from demo.rows import HOUR, places, second_of_day
from demo.window import Window

CANCELLED = 0.015
SHORTEST_HOURS = 0.2
LONGEST_HOURS = 24 * 45.0
LONGEST_FILING_HOURS = 20  # from the end of an encounter until its record says so
SALT = 0x4EA17  # parts the draws from those of other systems
DRAWS = ("time", "facility", "kind", "specialty", "cancel", "filing", "words")


def generate(window: Window) -> pl.DataFrame:
    """The encounters of a window, ordered by day and time.

    Returns:
        A frame with `row` (place in the window), `day` (ordinal), `place` (in the day), the
        instants `started ended filed` (seconds; `filed` is when the source recorded the end),
        `cancelled`, the places `facility`, `kind`, `specialty` in their tables, `reformed`
        (whether the day is one since the reform) and `words` (a number that picks the wording).
    """
    frame = places(window, encounters_on)
    key = draw.keys(window.seed + SALT, pl.col("day"), pl.col("place"))
    frame = frame.with_columns(key.alias("key"))
    frame = frame.with_columns(
        *(draw.column(pl.col("key"), name).alias(f"u_{name}") for name in DRAWS),
        draw.normal(pl.col("key"), "length").alias("z_length"),
    )
    frame = _with_life(_with_start(_with_kind(frame)))
    return frame.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        *("day", "place", "started", "ended", "filed", "cancelled"),
        *("facility", "kind", "specialty", "reformed", "words"),
    )


def _with_kind(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds where it is, what it is and for which specialty."""
    facility = draw.picked(frame["u_facility"], [each.weight for each in FACILITIES])
    is_hospital = pl.Series([each.is_hospital for each in FACILITIES]).gather(facility)
    in_hospital = draw.picked(frame["u_kind"], [each.of_hospitals for each in KINDS])
    at_station = draw.picked(frame["u_kind"], [each.of_stations for each in KINDS])
    return frame.with_columns(
        facility.alias("facility"),
        pl.when(is_hospital).then(in_hospital).otherwise(at_station).alias("kind"),
        draw.picked(frame["u_specialty"], [share for *_, share in SPECIALTIES]).alias("specialty"),
        (pl.col("u_cancel") < CANCELLED).alias("cancelled"),
        (pl.col("u_words") * 2**31).cast(pl.UInt32).alias("words"),
    )


def _with_start(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds when it began, following the hours of the day."""
    return frame.with_columns(
        (frame["midnight"] + second_of_day(frame, HOUR_WEIGHTS)).alias("started"),
        (pl.col("day") >= days.REFORM_DAY.toordinal()).alias("reformed"),
    )


def _with_life(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds the end (log-normal by kind) and when the source recorded it."""
    median = pl.Series([each.hours for each in KINDS]).gather(frame["kind"])
    spread = pl.Series([each.spread for each in KINDS]).gather(frame["kind"])
    hours = (median * (spread * frame["z_length"]).exp()).clip(SHORTEST_HOURS, LONGEST_HOURS)
    ended = frame["started"] + (hours * HOUR).cast(pl.Int64)
    filing = (frame["u_filing"] ** 3 * LONGEST_FILING_HOURS * HOUR).cast(pl.Int64)
    return frame.with_columns(ended.alias("ended"), (ended + filing).alias("filed"))
