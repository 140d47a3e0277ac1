"""The figures of an area as the lines of the brief's tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reports.brief.reading import Row
from reports.brief.subject import Subject
from reports.brief.trend import trend

Line = dict[str, Any]
_GRAVITY = {"red": 0, "amber": 1}
_MOVES = 6
_OFF_TARGET = 8


def by_indicator(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of each indicator by code, in the order of service groups; each by period."""
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=_order):
        found.setdefault(row["indicator_code"], []).append(row)
    return found


def _order(row: Row) -> tuple[object, ...]:
    return (
        row["service_group"],
        row["indicator_code"],
        row["period_start"],
        row["area_valid_from"],
        row["area_code"],
    )


def latest(rows: Sequence[Row], subject: Subject) -> list[Row]:
    """The latest complete figures of an indicator: the area's own, else of the areas before it."""
    complete = [row for row in rows if row["recency"] == "latest"]
    own = [row for row in complete if _key(row) == subject.area.key]
    return own or complete


def running(rows: Sequence[Row], subject: Subject) -> Row | None:
    """What is known of the period that runs: the newest value, else the word that stands for it."""
    open_ones = [row for row in rows if row["recency"] == "running"]
    own = [row for row in open_ones if _key(row) == subject.area.key]
    valued = [row for row in own if row["value"] is not None]
    # Of several periods without a value the first says since when.
    if valued:
        return valued[-1]
    waiting = own or open_ones
    return waiting[0] if waiting else None


def headline(figures: Mapping[str, Sequence[Row]], subject: Subject, language: str) -> list[Line]:
    """The lines of the headline table."""
    return [
        _headline(rows, subject, language) for rows in figures.values() if rows[0]["is_headline"]
    ]


def _headline(rows: Sequence[Row], subject: Subject, language: str) -> Line:
    shown = latest(rows, subject)
    now = running(rows, subject)
    newest = shown[0] if shown else (now or rows[-1])
    return {
        "code": newest["indicator_code"],
        "name": newest[f"indicator_name_{language}"],
        "latest": [_figure(row, subject, language) for row in shown],
        "target": newest[f"target_text_{language}"],
        "city": newest.get(f"city_value_text_{language}"),
        "trend": trend(rows, language),
        "running": _figure(now, subject, language) if now else None,
        **_stamp(newest, language),
    }


def _figure(row: Row, subject: Subject, language: str) -> Line:
    key = _key(row)
    return {
        "value": row[f"value_text_{language}"],
        "is_missing": row["value"] is None,
        "period": row[f"period_{language}"],
        "area": subject.name(key, language) if key[0] != subject.area.code else None,
        "is_earlier": key != subject.area.key,
        "status": row[f"obs_status_text_{language}"] if row["value"] is not None else None,
        "status_note": row[f"status_note_{language}"],
        "rating": row["rating"],
        "rating_text": row[f"rating_text_{language}"],
        "change": row[f"change_text_{language}"],
        "tendency": row["tendency"],
        "tendency_text": row[f"tendency_text_{language}"],
        "city": row.get(f"city_value_text_{language}"),
    }


def _stamp(row: Row, language: str) -> Line:
    return {
        "stamp": row["stamp"],
        "stamp_text": row[f"stamp_text_{language}"],
        "as_of": row[f"data_as_of_text_{language}"],
    }


def off_target(
    figures: Mapping[str, Sequence[Row]], subject: Subject, language: str
) -> tuple[list[Line], int]:
    """What does not reach its target, gravest first, and how many more there are."""
    rated = [
        row
        for rows in figures.values()
        for row in _judged(rows, subject)
        if row["rating"] in _GRAVITY
    ]
    rated.sort(key=lambda row: (_GRAVITY[row["rating"]], not row["is_headline"]))
    lines = [
        {
            "name": row[f"indicator_name_{language}"],
            "code": row["indicator_code"],
            "target": row[f"target_text_{language}"],
            "owner": row[f"agency_name_{language}"],
            **_figure(row, subject, language),
            **_stamp(row, language),
        }
        for row in rated
    ]
    return lines[:_OFF_TARGET], max(len(lines) - _OFF_TARGET, 0)


def _judged(rows: Sequence[Row], subject: Subject) -> list[Row]:
    """The latest figures, and of a stock the one of today instead."""
    now = running(rows, subject)
    return [now] if now and now["rating"] else latest(rows, subject)


def moves(
    figures: Mapping[str, Sequence[Row]], subject: Subject, language: str
) -> tuple[list[Line], int]:
    """Which values moved most against the period before, and how many more moved."""
    moved: list[tuple[float, Line]] = []
    for rows in figures.values():
        for row in latest(rows, subject):
            if row[f"change_text_{language}"] is None:
                continue
            before = _before(rows, row)
            figure = _figure(row, subject, language)
            line = {
                "name": row[f"indicator_name_{language}"],
                "code": row["indicator_code"],
                "before": before[f"value_text_{language}"],
                "period_before": before[f"period_{language}"],
                **figure,
                **_stamp(row, language),
            }
            moved.append((_size(row), line))
    moved.sort(key=lambda each: (-each[0], each[1]["code"]))
    return [line for _, line in moved[:_MOVES]], max(len(moved) - _MOVES, 0)


def _before(rows: Sequence[Row], row: Row) -> Row:
    """The row of the period before, which a row with a change has."""
    earlier = [
        each
        for each in rows
        if _key(each) == _key(row)
        and each["period_kind"] == row["period_kind"]
        and each["period_start"] < row["period_start"]
    ]
    return earlier[-1]


def _size(row: Row) -> float:
    """How large a change is beside the value that it changed."""
    before, value = float(row["value_before"]), float(row["value"])
    return abs(value - before) / max(abs(before), 1e-9)


def _key(row: Row) -> tuple[Any, Any]:
    return row["area_code"], row["area_valid_from"]
