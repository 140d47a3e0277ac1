"""The requests of the demo city: one row a request with every event of its life.

A request's row depends on the seed, its day and its place in the day alone, so that a longer
window holds the same rows for the days it shares with a shorter one.
"""

import polars as pl

from demo import days, draw
from demo.feedback.services import CHANNELS, SATISFACTIONS, SERVICES
from demo.places import AREAS, NEW_AREAS, OLD_AREAS
from demo.rows import HOUR, places, second_of_day
from demo.window import Window

SPREAD_OF_CLOSING = 0.75  # standard deviation of the logarithm of the closing time
FASTEST_CLOSING_DAYS = 0.02
SLOWEST_CLOSING_DAYS = 120.0
NEVER_CLOSED = 0.008
REOPENED = 0.035
ANSWERED = 0.32
WITHIN_COMPETENCE = 0.95
RAINY_MONTHS = (9, 10, 11, 12)
RAIN_FACTOR = 2.2  # of requests about drainage
DRAWS = (
    *("time", "service", "area", "channel", "competence", "satisfaction", "north", "east"),
    *("take_over", "never", "reopen", "reopen_after", "close_again", "answer", "answer_after"),
    "words",
)


def generate(window: Window) -> pl.DataFrame:
    """The requests of a window, ordered by day and time.

    Returns:
        A frame with `row` (place in the window), `day` (ordinal), `place` (in the day), the
        instants `requested taken_over closed reopened closed_again answered` (seconds;
        `days.NEVER` where it never comes), the deadline `expected`, the places `area`,
        `service`, `channel`, `satisfaction` in their tables, `within_competence`, `latitude`
        and `longitude` (degrees, 6 decimals) and `words` (a number that picks the wording).
    """
    frame = places(window, days.requests_on)
    key = draw.keys(window.seed, pl.col("day"), pl.col("place"))
    frame = frame.with_columns(key.alias("key"))
    frame = frame.with_columns(
        *(draw.column(pl.col("key"), name).alias(f"u_{name}") for name in DRAWS),
        draw.normal(pl.col("key"), "closing").alias("z_closing"),
    )
    frame = _with_kind(frame)
    frame = _with_time(frame)
    frame = _with_life(frame)
    return frame.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        *("day", "place", "requested", "expected", "taken_over", "closed", "reopened"),
        *("closed_again", "answered", "area", "service", "channel", "satisfaction"),
        *("within_competence", "latitude", "longitude", "words"),
    )


def _with_kind(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds where the request is from, what it is about, and how it came."""
    usual = [service.weight for service in SERVICES]
    rainy = [
        service.weight * (RAIN_FACTOR if service.code == "drainage" else 1.0)
        for service in SERVICES
    ]
    area, service = frame["u_area"], frame["u_service"]
    # one draw serves both tables: the later condition picks the one that holds on the day
    old = draw.picked(area, [place.weight for place in OLD_AREAS])
    new = draw.picked(area, [place.weight for place in NEW_AREAS]) + len(OLD_AREAS)
    month = pl.from_epoch(pl.col("midnight") + days.OFFSET_SECONDS).dt.month()
    frame = frame.with_columns(
        pl.when(pl.col("day") < days.REFORM_DAY.toordinal()).then(old).otherwise(new).alias("area"),
        pl.when(month.is_in(RAINY_MONTHS))
        .then(draw.picked(service, rainy))
        .otherwise(draw.picked(service, usual))
        .alias("service"),
        draw.picked(frame["u_channel"], [weight for _, weight in CHANNELS]).alias("channel"),
        draw.picked(frame["u_satisfaction"], [weight for _, weight in SATISFACTIONS]).alias(
            "satisfaction"
        ),
        (pl.col("u_competence") < WITHIN_COMPETENCE).alias("within_competence"),
        (pl.col("u_words") * 2**31).cast(pl.UInt32).alias("words"),
    )
    latitudes = pl.Series([place.latitude for place in AREAS])
    longitudes = pl.Series([place.longitude for place in AREAS])
    spreads = pl.Series([place.spread for place in AREAS])
    spread = spreads.gather(frame["area"])
    north, east = frame["u_north"] - 0.5, frame["u_east"] - 0.5
    return frame.with_columns(
        (latitudes.gather(frame["area"]) + spread * north * 2).round(6).alias("latitude"),
        (longitudes.gather(frame["area"]) + spread * east * 2).round(6).alias("longitude"),
    )


def _with_time(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds when the request was made, following the hours of the day, and its deadline."""
    deadline = pl.Series([service.days * days.DAY_SECONDS for service in SERVICES])
    requested = frame["midnight"] + second_of_day(frame, days.HOUR_WEIGHTS)
    return frame.with_columns(
        requested.alias("requested"),
        (requested + deadline.gather(frame["service"])).alias("expected"),
    )


def _with_life(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds taking over, closing, reopening, closing again and the answer about it.

    Closing times are log-normal with the deadline at the service's own quantile, shifted by
    the area, so that the share in time differs by service and area.
    """
    deadline = pl.Series([float(service.days) for service in SERVICES]).gather(frame["service"])
    on_time = pl.Series([service.on_time for service in SERVICES]).gather(frame["service"])
    delay = pl.Series([area.delay for area in AREAS]).gather(frame["area"])
    z = frame["z_closing"] - on_time + delay
    taken = (deadline * (SPREAD_OF_CLOSING * z).exp()).clip(
        FASTEST_CLOSING_DAYS, SLOWEST_CLOSING_DAYS
    )
    seconds = (taken * days.DAY_SECONDS).cast(pl.Int64)
    closes = pl.col("u_never") >= NEVER_CLOSED
    reopens = closes & (pl.col("u_reopen") < REOPENED)
    answers = closes & (pl.col("u_answer") < ANSWERED)
    frame = frame.with_columns(
        (frame["requested"] + (seconds * 0.3 * frame["u_take_over"]).cast(pl.Int64)).alias(
            "taken_over"
        ),
        pl.when(closes).then(frame["requested"] + seconds).otherwise(days.NEVER).alias("closed"),
    )
    frame = _later(frame, reopens, "reopened", "closed", "u_reopen_after", 4, 10 * 24)
    frame = _later(frame, reopens, "closed_again", "reopened", "u_close_again", 12, 6 * 24)
    frame = frame.with_columns(
        pl.when(reopens).then("closed_again").otherwise("closed").alias("finished")
    )
    return _later(frame, answers, "answered", "finished", "u_answer_after", 1, 3 * 24)


def _later(
    frame: pl.DataFrame, holds: pl.Expr, name: str, since: str, chance: str, least: int, most: int
) -> pl.DataFrame:
    """Adds an instant `least` to `most` hours after `since`, never where `holds` is false."""
    wait = ((least + (most - least) * pl.col(chance)) * HOUR).cast(pl.Int64)
    return frame.with_columns(
        pl.when(holds).then(pl.col(since) + wait).otherwise(days.NEVER).alias(name)
    )
