"""Encounters as the FHIR R4 resources that the server exports.

Records are written column by column for a whole file at once; nothing in them needs JSON escapes,
which a test holds by reading them back and writing them again.
"""

from datetime import date

import polars as pl

from demo import days
from demo.feedback.services import FAMILY_NAMES, GIVEN_NAMES, MIDDLE_NAMES
from demo.health.catalogue import (
    ADMITTED_FROM,
    DISCHARGED_TO,
    FACILITIES,
    INPATIENT,
    KINDS,
    REASONS,
    SPECIALTIES,
)

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S+07:00"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"


def encounter_id(day: date, place: int) -> str:
    """The identifier of the encounter at a place (from 0) of its day."""
    return f"KCB-{day:%y%m%d}-{place + 1:05d}"


def recorded(until: int) -> pl.Expr:
    """When the source last changed an encounter, of what it knew before the instant `until`."""
    return pl.when(pl.col("filed") < until).then("filed").otherwise("started")


def lines(frame: pl.DataFrame, until: int) -> pl.Series:
    """The resources of encounters as JSON texts, of what was known before the instant `until`.

    Args:
        frame: Rows of the generator's frame.
        until: The end of the day that is shown.

    Returns:
        One JSON object a row, in the frame's order.
    """
    return frame.select(_resource(until).alias("line")).to_series()


def _resource(until: int) -> pl.Expr:
    filed = pl.col("filed") < until
    closed = pl.when("cancelled").then(pl.lit("cancelled")).otherwise(pl.lit("finished"))
    status = pl.when(filed).then(closed).otherwise(pl.lit("in-progress"))
    version = pl.when(filed).then(pl.lit("2")).otherwise(pl.lit("1"))
    ended = pl.when(filed & ~pl.col("cancelled")).then(
        pl.concat_str(pl.lit(',"end":"'), _time(pl.col("ended")), pl.lit('"'))
    )
    return pl.concat_str(
        *_pieces(
            '{"resourceType":"Encounter","id":"',
            _identifier(),
            '","meta":{"versionId":"',
            version,
            '","lastUpdated":"',
            _time(recorded(until)),
            '"},"status":"',
            status,
            f'","class":{{"system":"{ACT_CODE}","code":"',
            _named(pl.col("kind"), [each.code for each in KINDS]),
            '"},"type":[{"coding":[{"code":"',
            _named(pl.col("kind"), [each.type_code for each in KINDS]),
            '","display":"',
            _named(pl.col("kind"), [each.type_name for each in KINDS]),
            '"}]}],"serviceType":{"coding":[{"code":"',
            _named(pl.col("specialty"), [code for code, *_ in SPECIALTIES]),
            '"}]},"subject":{"identifier":{"value":"',
            _insurance_number(),
            '"},"display":"',
            _person(1),
            '"},"participant":[{"individual":{"display":"BS. ',
            _person(31),
            '"}}],"period":{"start":"',
            _time(pl.col("started")),
            '"',
            ended.otherwise(pl.lit("")),
            f'}},"reasonCode":[{{"coding":[{{"system":"{ICD_10}","code":"',
            _word(REASONS, 5),
            '"}]}],',
            _hospitalization(filed),
            '"location":[{"location":{"identifier":{"value":"',
            _area(),
            '"}}}],"serviceProvider":{"identifier":{"value":"',
            _named(pl.col("facility"), [each.code for each in FACILITIES]),
            '"},"display":"',
            _named(pl.col("facility"), [each.name for each in FACILITIES]),
            '"}}',
        )
    )


def _pieces(*parts: str | pl.Expr) -> list[pl.Expr]:
    return [pl.lit(part) if isinstance(part, str) else part for part in parts]


def _hospitalization(filed: pl.Expr) -> pl.Expr:
    """Whence an inpatient came and whither they went; nothing for others."""
    discharged = pl.concat_str(
        *_pieces(',"dischargeDisposition":{"coding":[{"code":"', _word(DISCHARGED_TO, 11), '"}]}')
    )
    text = pl.concat_str(
        *_pieces(
            '"hospitalization":{"admitSource":{"coding":[{"code":"',
            _word(ADMITTED_FROM, 7),
            '"}]}',
            pl.when(filed & ~pl.col("cancelled")).then(discharged).otherwise(pl.lit("")),
            "},",
        )
    )
    return pl.when(pl.col("kind") == INPATIENT).then(text).otherwise(pl.lit(""))


def _time(instant: pl.Expr) -> pl.Expr:
    # what never comes is written, then dropped: keep the year in range
    local = instant.clip(upper_bound=2**32) + days.OFFSET_SECONDS
    return pl.from_epoch(local).dt.strftime(TIME_FORMAT)


def _named(place: pl.Expr, names: list[str]) -> pl.Expr:
    """The name at each place of a short table."""
    return pl.lit(pl.Series(names)).gather(place)


def _word(words: tuple[str, ...], divisor: int) -> pl.Expr:
    """One of the words, picked by a part of the row's number for wording."""
    return _named(pl.col("words") // divisor % len(words), list(words))


def _area() -> pl.Expr:
    old = _named(pl.col("facility"), [each.old_area for each in FACILITIES])
    new = _named(pl.col("facility"), [each.new_area for each in FACILITIES])
    return pl.when("reformed").then(new).otherwise(old)


def _identifier() -> pl.Expr:
    """The identifiers, as `encounter_id` gives them one by one."""
    day = pl.from_epoch((pl.col("day") - date(1970, 1, 1).toordinal()), time_unit="d")
    number = (pl.col("place") + 1).cast(pl.String).str.zfill(5)
    return pl.concat_str(pl.lit("KCB-"), day.dt.strftime("%y%m%d"), pl.lit("-"), number)


def _person(divisor: int) -> pl.Expr:
    return pl.concat_str(
        _word(FAMILY_NAMES, 3 * divisor),
        _word(MIDDLE_NAMES, 41 * divisor),
        _word(GIVEN_NAMES, 577 * divisor),
        separator=" ",
    )


def _insurance_number() -> pl.Expr:
    # no health insurance number begins so: it can belong to nobody
    return pl.concat_str(
        pl.lit("XX0"), (pl.col("words") % 1_000_000_007).cast(pl.String).str.zfill(12)
    )
