"""Dossiers as rows of the source: what it recorded, from when until when."""

from collections.abc import Iterable
from datetime import date

import polars as pl

from demo import days
from demo.dossiers.generator import OUTCOMES
from demo.dossiers.procedures import (
    CHANNELS,
    FAMILY_NAMES,
    GIVEN_NAMES,
    IDENTITY_PREFIX,
    MIDDLE_NAMES,
    PROCEDURES,
)
from demo.places import AREAS
from demo.window import Window

EVENTS = ("received", "accepted", "asked", "supplemented", "finished", "digitised")
INSTANTS = (
    *("received_at", "due_at", "supplement_requested_at", "supplemented_at", "finished_at"),
    "updated_at",
)
# The columns of a dossier in the source, with their types there.
COLUMNS = {
    "dossier_id": 'text COLLATE "C"',
    "procedure_code": "text",
    "online_level": "text",
    "agency": "text",
    "channel": "text",
    "status": "text",
    "ward_code": "text",
    "received_at": "timestamptz",
    "due_at": "timestamptz",
    "supplement_requested_at": "timestamptz",
    "supplemented_at": "timestamptz",
    "finished_at": "timestamptz",
    "updated_at": "timestamptz",
    "is_result_digital": "boolean",
    "fee": "numeric",
    "applicant_name": "text",
    "applicant_identity": "text",
    "is_deleted": "boolean",
}
RECORDED = ("recorded_from", "recorded_to")
LAST_INSTANT = 4_102_444_800  # 2100-01-01, after every other


def dossier_id(day: date, place: int) -> str:
    """The number of the dossier at a place (from 0) of its day."""
    return f"H17-{day:%y%m%d}-{place + 1:05d}"


def state(at: pl.Expr) -> dict[str, pl.Expr]:
    """What the source says of a dossier after the event at the instant `at`, by column.

    Instants are whole seconds, or null.
    """
    procedure = pl.col("procedure")
    is_over = pl.col("finished") <= at
    is_completed = is_over & (pl.col("outcome") == 0)
    has_end = is_over & (pl.col("outcome") != OUTCOMES.index("withdrawn"))
    status = (
        pl.when(is_over)
        .then(_named(pl.col("outcome"), OUTCOMES))
        .when(pl.col("accepted") <= at)
        .then(pl.lit("in_progress"))
        .otherwise(pl.lit("received"))
    )
    return {
        "dossier_id": _identifier(),
        "procedure_code": _named(procedure, [item.code for item in PROCEDURES]),
        "online_level": _named(procedure, [item.level for item in PROCEDURES]),
        "agency": _named(procedure, [item.agency for item in PROCEDURES]),
        "channel": _named(pl.col("channel"), CHANNELS),
        "status": status,
        "ward_code": _named(pl.col("area"), [area.code for area in AREAS]),
        "received_at": pl.col("received"),
        "due_at": pl.when(pl.col("supplemented") <= at).then("due_extended").otherwise("due"),
        "supplement_requested_at": _once("asked", at),
        "supplemented_at": _once("supplemented", at),
        "finished_at": pl.when(has_end).then("finished"),
        "updated_at": at,
        "is_result_digital": pl.when(is_completed).then(pl.col("digitised") <= at),
        "fee": _named(procedure, [item.fee for item in PROCEDURES]),
        "applicant_name": _applicant(),
        "applicant_identity": _identity(),
        "is_deleted": pl.lit(value=False),
    }


def versions(frame: pl.DataFrame, window: Window) -> pl.DataFrame:
    """Every version that the source shows at the end of a day of the window.

    Args:
        frame: Rows of the generator's frame.
        window: What comes after its end is unknown.

    Returns:
        Rows of `RECORDED` (half-open, instants in seconds) and `COLUMNS`, in order of number.
    """
    end = days.ends_at(window.last)
    parts = []
    for place, event in enumerate(EVENTS):
        later = [pl.when(pl.col(name) > pl.col(event)).then(name) for name in EVENTS[place + 1 :]]
        until = pl.min_horizontal(*later, pl.lit(LAST_INSTANT)) if later else pl.lit(LAST_INSTANT)
        rows = frame.with_columns(
            pl.col(event).alias("recorded_from"), until.cast(pl.Int64).alias("recorded_to")
        ).filter(
            pl.col("recorded_from") < end,
            # a result that is digital from the beginning is no event of its own
            pl.lit(value=True) if event != "digitised" else pl.col(event) > pl.col("finished"),
            _day(pl.col("recorded_from")) < _day(pl.col("recorded_to")),
        )
        parts.append(
            rows.select(
                "row",
                *RECORDED,
                *(value.alias(name) for name, value in state(pl.col("recorded_from")).items()),
            )
        )
    return pl.concat(parts).sort("row", "recorded_from").drop("row")


def _day(instant: pl.Expr) -> pl.Expr:
    return (instant + days.OFFSET_SECONDS) // days.DAY_SECONDS


def _once(event: str, at: pl.Expr) -> pl.Expr:
    return pl.when(pl.col(event) <= at).then(event)


def _named(place: pl.Expr, names: Iterable[str | int | None]) -> pl.Expr:
    """The value at each place of a short table."""
    return pl.lit(pl.Series(list(names))).gather(place)


def _identifier() -> pl.Expr:
    """The numbers, as `dossier_id` gives them one by one."""
    day = pl.from_epoch(pl.col("day") - date(1970, 1, 1).toordinal(), time_unit="d")
    number = (pl.col("place") + 1).cast(pl.String).str.zfill(5)
    return pl.concat_str(pl.lit("H17-"), day.dt.strftime("%y%m%d"), pl.lit("-"), number)


def _applicant() -> pl.Expr:
    words = pl.col("words")
    parts = ((FAMILY_NAMES, 3), (MIDDLE_NAMES, 41), (GIVEN_NAMES, 577))
    return pl.concat_str(
        *(_named(words // divisor % len(names), names) for names, divisor in parts), separator=" "
    )


def _identity() -> pl.Expr:
    number = (pl.col("words") % 1_000_000_000).cast(pl.String).str.zfill(9)
    return pl.concat_str(pl.lit(IDENTITY_PREFIX), number)
