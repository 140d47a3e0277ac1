"""The dossiers of the demo city: one row a dossier with every event of its life.

A dossier's row depends on the seed, its day and its place in the day alone, so that a longer
window holds the same rows for the days it shares with a shorter one.
"""

from datetime import timedelta

import polars as pl

from demo import days, draw
from demo.dossiers.calendar import dossiers_on, is_working, working_days
from demo.dossiers.procedures import BY_POST, PROCEDURES
from demo.places import AREAS, NEW_AREAS, OLD_AREAS
from demo.rows import HOUR, places, second_of_day
from demo.window import Window

# Offices are open from 7 to 17; what comes before and after is filed online.
HOUR_WEIGHTS = (1, 1, 0, 0, 0, 1, 3, 48, 96, 104, 92, 40, 8, 58, 88, 84, 46, 6, 5, 7, 8, 7, 4, 2)
OPENS, CLOSES = 7, 17
LATEST_SAME_DAY = 15  # filed later, a result of the same day is due on the next
SPREAD = 0.55  # standard deviation of the logarithm of the handling time
SHORTEST = 0.7  # handling time, in working days, that a deadline of 0 stands for
LONGEST = 90
AHEAD = 140  # working days after the window that a dossier may take
NEVER_SETTLED = 0.004
REJECTED, WITHDRAWN = 0.020, 0.010
SUPPLEMENTED = 0.08
DIGITISED_LATER = 0.12
DRAWS = (
    *("time", "procedure", "area", "channel", "accept", "hour", "never", "outcome", "supplement"),
    *("gap", "digitised", "digitised_later", "digitised_after", "words"),
)
OUTCOMES = ("completed", "rejected", "withdrawn")


def generate(window: Window) -> pl.DataFrame:
    """The dossiers of a window, ordered by day and time.

    Returns:
        A frame with `row` (place in the window), `day` (ordinal), `place` (in the day), the
        instants `received accepted asked supplemented finished digitised` (seconds;
        `days.NEVER` where it never comes), the deadlines `due` and, once papers were
        supplemented, `due_extended`, the places `area`, `procedure`, `channel`, `outcome` in
        their tables, and `words` (a number that picks the applicant).
    """
    frame = places(window, dossiers_on)
    key = draw.keys(window.seed, pl.col("day"), pl.col("place"))
    frame = frame.with_columns(key.alias("key"))
    frame = frame.with_columns(
        *(draw.column(pl.col("key"), f"dossier/{name}").alias(f"u_{name}") for name in DRAWS),
        draw.normal(pl.col("key"), "dossier/handling").alias("z"),
    )
    frame = frame.with_columns(second_of_day(frame, HOUR_WEIGHTS).alias("second"))
    frame = _with_kind(_with_calendar(frame, window))
    frame = _with_life(frame, window)
    return frame.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        *("day", "place", "received", "accepted", "asked", "supplemented", "finished"),
        *("digitised", "due", "due_extended", "area", "procedure", "channel", "outcome", "words"),
    )


def _working_ordinals(window: Window) -> list[int]:
    found = working_days(window.first, window.count + AHEAD)
    return [day.toordinal() for day in found]


def _with_calendar(frame: pl.DataFrame, window: Window) -> pl.DataFrame:
    """Adds whether the office was open and `start`, the working day from which it counts."""
    ordinals = pl.Series(_working_ordinals(window), dtype=pl.Int32)
    working = [day.toordinal() for day in window.days if is_working(day)]
    hour = pl.col("second") // HOUR
    in_hours = (hour >= OPENS) & (hour < CLOSES)
    on_working_day = pl.col("day").is_in(working)
    after_hours = on_working_day & (hour >= CLOSES)
    frame = frame.with_columns(
        (on_working_day & in_hours).alias("is_open"),
        (pl.col("day") + after_hours.cast(pl.Int32)).alias("from_day"),
    )
    start = ordinals.search_sorted(frame["from_day"], side="left").cast(pl.Int64)
    return frame.with_columns(
        start.alias("start"),
        (pl.col("midnight") + pl.col("second")).alias("received"),
    )


def _with_kind(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds where the dossier is from, which procedure it is, and how it came."""
    area, procedure = frame["u_area"], frame["u_procedure"]
    usual = [item.weight for item in PROCEDURES]
    online_only = [item.weight * item.online for item in PROCEDURES]
    old = draw.picked(area, [place.weight for place in OLD_AREAS])
    new = draw.picked(area, [place.weight for place in NEW_AREAS]) + len(OLD_AREAS)
    frame = frame.with_columns(
        pl.when(pl.col("day") < days.REFORM_DAY.toordinal()).then(old).otherwise(new).alias("area"),
        pl.when("is_open")
        .then(draw.picked(procedure, usual))
        .otherwise(draw.picked(procedure, online_only))
        .alias("procedure"),
        (pl.col("u_words") * 2**31).cast(pl.UInt32).alias("words"),
    )
    online = pl.Series([item.online for item in PROCEDURES]).gather(frame["procedure"])
    not_online = (pl.col("u_channel") - online) / (1 - online)
    channel = pl.when(not_online < BY_POST).then(2).otherwise(1)
    is_online = ~pl.col("is_open") | (pl.col("u_channel") < online)
    return frame.with_columns(
        pl.when(is_online).then(0).otherwise(channel).cast(pl.UInt32).alias("channel")
    )


def _with_life(frame: pl.DataFrame, window: Window) -> pl.DataFrame:
    """Adds deadlines, taking up, supplement of papers, the end and the digital result.

    Handling times are log-normal with the deadline at the procedure's own quantile, shifted by
    the area, so that the share in time differs by procedure and area.
    """
    deadline = pl.Series([item.deadline for item in PROCEDURES]).gather(frame["procedure"])
    on_time = pl.Series([item.on_time for item in PROCEDURES]).gather(frame["procedure"])
    share = pl.Series([item.digitised for item in PROCEDURES]).gather(frame["procedure"])
    delay = pl.Series([place.delay for place in AREAS]).gather(frame["area"])
    effective = deadline.cast(pl.Float64).clip(SHORTEST)
    taken = effective * (SPREAD * (frame["z"] - on_time + delay)).exp()
    next_day = (deadline == 0) & frame["is_open"] & (frame["second"] >= LATEST_SAME_DAY * HOUR)
    frame = frame.with_columns(
        taken.floor().cast(pl.Int64).clip(0, LONGEST).alias("taken"),
        (deadline + next_day.cast(pl.Int64)).alias("allowed"),
        (1 + (pl.col("u_gap") * 5).cast(pl.Int64)).alias("gap"),
    )
    supplements = (pl.col("u_supplement") < SUPPLEMENTED) & (pl.col("taken") >= 2)
    gap = pl.when(supplements).then("gap").otherwise(0)
    frame = frame.with_columns(
        *_days_of_life(gap, frame, window),
        supplements.alias("supplements"),
        pl.when(pl.col("u_outcome") < WITHDRAWN)
        .then(2)
        .when(pl.col("u_outcome") < WITHDRAWN + REJECTED)
        .then(1)
        .otherwise(0)
        .cast(pl.UInt32)
        .alias("outcome"),
    )
    return _with_instants(frame, share)


def _days_of_life(gap: pl.Expr, frame: pl.DataFrame, window: Window) -> list[pl.Series]:
    """The midnights at which the working days of each event begin."""
    starts = pl.Series(
        [days.starts_at(window.first + timedelta(days=ordinal - window.first.toordinal()))
         for ordinal in _working_ordinals(window)]
    )  # fmt: skip
    half = pl.max_horizontal(pl.lit(1), pl.col("taken") // 2)
    places_in_calendar = {
        "due_day": pl.col("start") + pl.col("allowed"),
        "due_extended_day": pl.col("start") + pl.col("allowed") + gap,
        "asked_day": pl.col("start") + half,
        "supplemented_day": pl.col("start") + half + pl.col("gap"),
        "finished_day": pl.col("start") + pl.col("taken") + gap,
    }
    positions = frame.select(place.alias(name) for name, place in places_in_calendar.items())
    last = starts.len() - 1
    return [starts.gather(column.clip(0, last)).alias(column.name) for column in positions]


def _with_instants(frame: pl.DataFrame, digitised_share: pl.Series) -> pl.DataFrame:
    never = pl.lit(days.NEVER, dtype=pl.Int64)
    at_once = (pl.col("taken") == 0) & pl.col("is_open")
    at_desk = ((8 + 9 * pl.col("u_hour")) * HOUR).cast(pl.Int64)
    soon = ((0.1 + 0.8 * pl.col("u_hour")) * HOUR).cast(pl.Int64)
    finished = (
        pl.when(at_once).then(pl.col("received") + soon).otherwise(pl.col("finished_day") + at_desk)
    )
    settles = pl.col("u_never") >= NEVER_SETTLED
    frame = frame.with_columns(
        (pl.col("due_day") + CLOSES * HOUR).alias("due"),
        (pl.col("due_extended_day") + CLOSES * HOUR).alias("due_extended"),
        finished.alias("end"),
        pl.when("supplements").then(pl.col("asked_day") + 8 * HOUR).otherwise(never).alias("asked"),
        pl.when("supplements")
        .then(pl.col("supplemented_day") + 7 * HOUR)
        .otherwise(never)
        .alias("supplemented"),
        pl.when(settles).then(finished).otherwise(never).alias("finished"),
    )
    first_hours = pl.min_horizontal(pl.col("end") - pl.col("received"), pl.lit(8 * HOUR))
    later = (pl.col("u_digitised_after") * 92 * HOUR).cast(pl.Int64) + 4 * HOUR
    digitises = settles & (pl.col("outcome") == 0) & (pl.col("u_digitised") < digitised_share)
    return frame.with_columns(
        (pl.col("received") + 30 + (first_hours * 0.3 * pl.col("u_accept")).cast(pl.Int64)).alias(
            "accepted"
        ),
        pl.when(~digitises)
        .then(never)
        .when(pl.col("u_digitised_later") < DIGITISED_LATER)
        .then(pl.col("finished") + later)
        .otherwise("finished")
        .alias("digitised"),
    )
