"""Requests as the Open311 GeoReport v2 records that the server sends.

Records are written column by column for a whole page at once; nothing in them needs JSON
escapes, which a test holds by reading them back and writing them again.
"""

import re
from datetime import date

import polars as pl

from demo import days
from demo.feedback.services import (
    CALL_CENTRE,
    CHANNELS,
    FAMILY_NAMES,
    GIVEN_NAMES,
    MIDDLE_NAMES,
    PHONE_PREFIX,
    SATISFACTIONS,
    SERVICES,
    STREETS,
)
from demo.places import AREAS

IDENTIFIER = re.compile(r"DN-([0-9]{2})([0-9]{2})([0-9]{2})-([0-9]{5})")
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S+07:00"
EVENTS = ("taken_over", "closed", "reopened", "closed_again", "answered")


def request_id(day: date, place: int) -> str:
    """The receipt number of the request at a place (from 0) of its day."""
    return f"DN-{day:%y%m%d}-{place + 1:05d}"


def place_of(identifier: str) -> tuple[int, int] | None:
    """Day (ordinal) and place of a receipt number; None where the text is none."""
    match = IDENTIFIER.fullmatch(identifier)
    if match is None:
        return None
    year, month, day, number = (int(part) for part in match.groups())
    try:
        return date(2000 + year, month, day).toordinal(), number - 1
    except ValueError:
        return None


def recorded(until: int) -> pl.Expr:
    """When the source last changed a request, of what it knew before the instant `until`."""
    changes = [pl.when(pl.col(event) < until).then(pl.col(event)) for event in EVENTS]
    return pl.max_horizontal("requested", *changes)


def is_closed(until: int) -> pl.Expr:
    """Whether a request was closed, of what the source knew before the instant `until`."""
    first = (pl.col("closed") < until) & (pl.col("reopened") >= until)
    return first | (pl.col("closed_again") < until)


def lines(frame: pl.DataFrame, until: int, *, extended: bool) -> pl.Series:
    """The records of requests as JSON texts, of what was known before the instant `until`.

    Args:
        frame: Rows of the generator's frame.
        until: The end of the day that is shown.
        extended: Whether the records hold `extended_attributes`.

    Returns:
        One JSON object a row, in the frame's order.
    """
    fields = _fields(until)
    if extended:
        fields["extended_attributes"] = _object(_extended_fields(until))
    return frame.select(_object(fields).alias("line")).to_series()


def _fields(until: int) -> dict[str, pl.Expr]:
    service = pl.col("service")
    agency = pl.when(pl.col("taken_over") < until).then(
        _named(service, [item.agency for item in SERVICES])
    )
    return {
        "service_request_id": _text(_identifier()),
        "status": _text(pl.when(is_closed(until)).then(pl.lit("closed")).otherwise(pl.lit("open"))),
        "service_name": _text(_named(service, [item.name for item in SERVICES])),
        "service_code": _text(_named(service, [item.code for item in SERVICES])),
        "description": _text(_description()),
        "agency_responsible": _text(agency.otherwise(pl.lit(CALL_CENTRE))),
        "requested_datetime": _text(_time(pl.col("requested"))),
        "updated_datetime": _text(_time(recorded(until))),
        "expected_datetime": _text(_time(pl.col("expected"))),
        "address": _text(_address()),
        "lat": pl.col("latitude").cast(pl.String),
        "long": pl.col("longitude").cast(pl.String),
    }


def _extended_fields(until: int) -> dict[str, pl.Expr]:
    closed_at = pl.when(pl.col("closed_again") < until).then("closed_again").otherwise("closed")
    closed = pl.when(is_closed(until)).then(_text(_time(closed_at)))
    satisfaction = _named(pl.col("satisfaction"), [name for name, _ in SATISFACTIONS])
    return {
        "area_code": _text(_named(pl.col("area"), [area.code for area in AREAS])),
        "channel": _text(_named(pl.col("channel"), [name for name, _ in CHANNELS])),
        "within_competence": _truth(pl.col("within_competence")),
        "reopened": _truth(pl.col("reopened") < until),
        "satisfaction": pl.when(pl.col("answered") < until)
        .then(_text(satisfaction))
        .otherwise(pl.lit("null")),
        "closed_datetime": closed.otherwise(pl.lit("null")),
        "contact_name": _text(_contact_name()),
        "contact_phone": _text(_contact_phone()),
    }


def _object(fields: dict[str, pl.Expr]) -> pl.Expr:
    """A JSON object, spaced like the standard library writes it."""
    parts: list[pl.Expr] = []
    for place, (name, value) in enumerate(fields.items()):
        parts += [pl.lit(f'{", " if place else "{"}"{name}": '), value]
    return pl.concat_str(*parts, pl.lit("}"))


def _text(value: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit('"'), value, pl.lit('"'))


def _truth(value: pl.Expr) -> pl.Expr:
    return pl.when(value).then(pl.lit("true")).otherwise(pl.lit("false"))


def _time(instant: pl.Expr) -> pl.Expr:
    # a request that is never closed is written, then dropped: keep the year in range
    local = instant.clip(upper_bound=2**32) + days.OFFSET_SECONDS
    return pl.from_epoch(local).dt.strftime(TIME_FORMAT)


def _named(place: pl.Expr, names: list[str]) -> pl.Expr:
    """The name at each place of a short table."""
    return pl.lit(pl.Series(names)).gather(place)


def _word(words: tuple[str, ...] | list[str], divisor: int) -> pl.Expr:
    """One of the words, picked by a part of the row's number for wording."""
    return _named(pl.col("words") // divisor % len(words), list(words))


def _identifier() -> pl.Expr:
    """The receipt numbers, as `request_id` gives them one by one."""
    day = pl.from_epoch((pl.col("day") - date(1970, 1, 1).toordinal()), time_unit="d")
    number = (pl.col("place") + 1).cast(pl.String).str.zfill(5)
    return pl.concat_str(pl.lit("DN-"), day.dt.strftime("%y%m%d"), pl.lit("-"), number)


def _description() -> pl.Expr:
    first = _named(pl.col("service"), [item.problems[0] for item in SERVICES])
    second = _named(pl.col("service"), [item.problems[1] for item in SERVICES])
    problem = pl.when(pl.col("words") % 2 == 0).then(first).otherwise(second)
    return pl.concat_str(
        problem, pl.lit(" trên đường "), _word(STREETS, 2), pl.lit(". Mong sớm xử lý.")
    )


def _address() -> pl.Expr:
    house = (pl.col("words") // 64 % 480 + 1).cast(pl.String)
    area = _named(pl.col("area"), [area.name for area in AREAS])
    return pl.concat_str(
        house, pl.lit(" "), _word(STREETS, 2), pl.lit(", "), area, pl.lit(", Đà Nẵng")
    )


def _contact_name() -> pl.Expr:
    return pl.concat_str(
        _word(FAMILY_NAMES, 3),
        _word(MIDDLE_NAMES, 41),
        _word(GIVEN_NAMES, 577),
        separator=" ",
    )


def _contact_phone() -> pl.Expr:
    return pl.concat_str(
        pl.lit(PHONE_PREFIX), (pl.col("words") % 10_000_000).cast(pl.String).str.zfill(7)
    )
