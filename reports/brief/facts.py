"""Everything that a brief says, as plain JSON in one language, read with the rights of a role."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from publish import wording
from publish.access import DISTRICT, rights
from publish.report_views import ATTENTION, PUBLICATIONS
from reports.brief.figures import Line, by_indicator, headline, moves, off_target
from reports.brief.reading import ANY, Reading, Row, of_areas
from reports.brief.subject import BriefError, Subject
from reports.brief.words import counted, words
from warehouse.access import Role, RoleKind
from warehouse.duck import read_only
from warehouse.files import canonical_json, digest
from warehouse.geography_model import Area
from warehouse.sql import literal

CITY = "report_city_indicator"
WITHHELD = "withheld_indicator"
SOURCES = "audit_source"
_HEADLINES = 12
_WARNINGS = 8
_NAMES = 3
_PUBLICATIONS = 12
_LEAST_AREAS = 3
_RATINGS = ("red", "amber")

Facts = Mapping[str, Any]


def read_facts(
    file: Path,
    subject: Subject,
    role: Role,
    day: date,
    language: str,
    notice: str | None = None,
    *,
    ran: date | None = None,
) -> Facts:
    """What a brief says.

    Args:
        file: The serving file.
        subject: What it is about.
        role: Whose rights bound it.
        day: The day that it carries.
        language: `vi` or `en`.
        notice: What stands above every figure.
        ran: Day that was published last, where it is known; on it, nothing may have been delivered.

    Returns:
        Texts and figures, ready to be set.

    Raises:
        BriefError: when there is no serving file, it holds data of after the day, or no run covers
            the day.
    """
    if not file.is_file():
        raise BriefError("there is no serving file yet: run a day first")
    with read_only(file) as connection:
        reading = Reading(connection, rights(role), language)
        _refuse_uncovered(reading, ran, day)
        told = _facts(reading, subject, role, day, language)
    return {**told, "notice": notice}


def facts_digest(facts: Facts) -> str:
    """SHA-256 of what a brief says, in hex."""
    return digest(canonical_json(facts))


def _facts(reading: Reading, subject: Subject, role: Role, day: date, language: str) -> Facts:
    view = CITY if subject.is_city else DISTRICT
    rows = reading.rows(view, of_areas([each.key for each in subject.areas]))
    _refuse_later(rows, day)
    figures = by_indicator(rows)
    lines = headline(figures, subject, language)
    lines += _unpublished(reading, view, lines, language)
    off, more_off = off_target(figures, subject, language)
    moved, more_moved = moves(figures, subject, language)
    warned, more_warned = _warnings(reading, subject, language)
    published = reading.rows(PUBLICATIONS, order="publication")
    sees_all = PUBLICATIONS in reading.rights and reading.rights[PUBLICATIONS] is None
    printed = lines[:_HEADLINES]
    told = {line["code"] for line in (*printed, *off, *moved)}
    return {
        "language": language,
        "day": day.isoformat(),
        "day_text": wording.day_text(day, language),
        "words": words(language),
        "area": subject.name(subject.area.key, language),
        "before": [subject.name(each.key, language) for each in subject.before],
        "is_city": subject.is_city,
        "extent_end": _extent_end(subject.before, language),
        "ended": _extent_end([subject.area], language),
        "reader": role.title[language],
        "headline": printed,
        "headline_more": max(len(lines) - _HEADLINES, 0),
        "not_current": [line["code"] for line in lines if line["stamp"] != "current"],
        "stamp": _gravest([line["stamp"] for line in lines]),
        "is_rated": any(figure["rating"] for line in printed for figure in line["latest"]),
        "off_target": off,
        "off_target_more": more_off,
        "moves": moved,
        "moves_more": more_moved,
        "warnings": warned,
        "warnings_more": more_warned,
        "extremes": _extremes(reading, subject, language),
        "publications": [_publication(row, language) for row in published[:_PUBLICATIONS]],
        "publications_more": max(len(published) - _PUBLICATIONS, 0),
        "verdicts": _verdicts(published, language),
        "stamps": [] if sees_all else _stamps(figures, language),
        "definitions": _definitions(figures, told, language),
        "sources": _sources(reading, figures, told, language),
        "withheld": _withheld(reading, role, language),
        "withheld_text": wording.NOT_CLEARED.of(language),
    }


def _refuse_later(rows: Sequence[Row], day: date) -> None:
    newest = max((row["data_as_of"] for row in rows if row["data_as_of"]), default=day)
    if newest > day:
        raise BriefError(f"the figures are as of {newest}: no brief of {day} can be made of them")


def _refuse_uncovered(reading: Reading, ran: date | None, day: date) -> None:
    """A brief says how things stood on its day: of a day after the newest run nothing is known."""
    newest = max((each for each in (ran, reading.delivered()) if each), default=None)
    if newest is None:
        raise BriefError("no day was run yet: run a day first")
    if newest < day:
        raise BriefError(
            f"the newest run is of {newest}: no brief of {day} can be made of it; "
            f"run that day first, or ask for {newest}"
        )


def _extent_end(areas: Sequence[Area], language: str) -> str | None:
    """The first day on which the areas no longer had their extent; None while one has it."""
    ends = [each.valid_to for each in areas if each.valid_to]
    return wording.day_text(max(ends), language) if ends else None


def _gravest(stamps: Sequence[str]) -> str:
    """The stamp that a reader must know of first."""
    order = ("rejected", "late", "held", "unpublished", "current")
    return min(stamps, key=order.index, default="unpublished")


def _unpublished(reading: Reading, view: str, lines: Sequence[Line], language: str) -> list[Line]:
    """Headline indicators of the city of which nothing was ever published."""
    if view not in reading.rights or view != CITY:
        return []
    known = {line["code"] for line in lines}
    # A city's figures are bounded by columns that the names of indicators have too.
    named = reading.names(
        "dim_indicator", reading.rights[CITY] or ANY, "service_group, indicator_code"
    )
    text = wording.STAMPS["unpublished"].of(language)
    return [
        {
            "code": row["indicator_code"],
            "name": row[f"name_{language}"],
            "latest": [],
            "target": None,
            "city": None,
            "trend": {"lines": [], "dots": [], "target": None, "text": ""},
            "running": None,
            "stamp": "unpublished",
            "stamp_text": text,
            "as_of": None,
        }
        for row in named
        if row["is_headline"] and row["indicator_code"] not in known
    ]


def _warnings(reading: Reading, subject: Subject, language: str) -> tuple[list[Line], int]:
    """What else needs attention: what is off target elsewhere, and what is old wherever.

    That the area's own figures are off target stands in a table of its own.
    """
    condition = ANY if subject.is_city else of_areas([each.key for each in subject.areas])
    own = {each.code for each in subject.areas}
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in reading.rows(ATTENTION, condition, "severity, reason, indicator_code, area_code"):
        if row["reason"] in _RATINGS and row["area_code"] in own:
            continue
        # Of one source everything is old at once.
        what = "indicator_code" if row["reason"] in _RATINGS else f"agency_name_{language}"
        found.setdefault((row["severity"], row["reason"], row[what]), []).append(row)
    lines = [_warning(rows, language) for rows in found.values()]
    return lines[:_WARNINGS], max(len(lines) - _WARNINGS, 0)


def _warning(rows: Sequence[Row], language: str) -> Line:
    areas = list(dict.fromkeys(_area(row, language) for row in rows))
    shown = areas[:_NAMES] if rows[0]["reason"] in _RATINGS or len(areas) <= _NAMES else []
    return {
        "reason": rows[0]["reason"],
        "reason_text": rows[0][f"reason_text_{language}"],
        "name": "; ".join(dict.fromkeys(row[f"indicator_name_{language}"] for row in rows)),
        "owner": rows[0][f"agency_name_{language}"],
        "areas": shown,
        "areas_more": len(areas) - len(shown),
    }


def _area(row: Row, language: str) -> str:
    """Name of an area, with what became of it where it is no more."""
    name, note = row[f"area_name_{language}"], row[f"area_note_{language}"]
    return f"{name} ({note})" if note else str(name)


def _extremes(reading: Reading, subject: Subject, language: str) -> list[Line]:
    """Best and worst area of the city by headline indicator; counts are not compared."""
    if not subject.is_city:
        return []
    condition = (
        f"is_headline AND recency = 'latest' AND unit = {literal('%')} AND value IS NOT NULL "
        "AND better IS NOT NULL AND obs_status <> 'U'"
    )
    lines = []
    for rows in by_indicator(reading.rows(DISTRICT, condition)).values():
        ordered = sorted(
            rows,
            key=lambda row: (row["value"], row["area_code"]),
            reverse=rows[0]["better"] == "higher",
        )
        if len(ordered) >= _LEAST_AREAS:
            ends = {"best": ordered[0], "worst": ordered[-1]}
            lines.append(
                {
                    "name": rows[0][f"indicator_name_{language}"],
                    "period": rows[0][f"period_{language}"],
                    "areas": len(ordered),
                    **{end: _end(row, language) for end, row in ends.items()},
                    "stamp": rows[0]["stamp"],
                    "stamp_text": rows[0][f"stamp_text_{language}"],
                    "as_of": rows[0][f"data_as_of_text_{language}"],
                }
            )
    return lines


def _end(row: Row, language: str) -> Line:
    return {
        "area": _area(row, language),
        "value": row[f"value_text_{language}"],
        "status_note": row[f"status_note_{language}"],
        "rating": row["rating"],
        "rating_text": row[f"rating_text_{language}"],
    }


def _publication(row: Row, language: str) -> Line:
    is_behind = row["delivered_as_of"] and row["delivered_as_of"] != row["data_as_of"]
    delivered = wording.day_text(row["delivered_as_of"], language) if is_behind else None
    return {
        "title": row[f"title_{language}"],
        "verdict_text": row[f"verdict_text_{language}"],
        "stamp": row["stamp"],
        "stamp_text": row[f"stamp_text_{language}"],
        "as_of": row[f"data_as_of_text_{language}"],
        "delivered": delivered if row["stamp"] in ("held", "rejected") else None,
        "version": row["version"],
        "failing": str(row["failing_count"]) if row["failing_count"] else None,
        "late": row[f"late_sources_text_{language}"],
    }


def _verdicts(published: Sequence[Row], language: str) -> list[Line]:
    """How many datasets have each stamp, and which they are where readers see older data."""
    found: dict[str, list[Row]] = {}
    for row in published:
        found.setdefault(row["stamp"], []).append(row)
    return [
        {
            "stamp": stamp,
            "stamp_text": rows[0][f"stamp_text_{language}"],
            "count": counted(len(rows), language),
            "titles": [row[f"title_{language}"] for row in rows] if stamp != "current" else [],
        }
        for stamp, rows in sorted(found.items())
    ]


def _stamps(figures: Mapping[str, Sequence[Row]], language: str) -> list[Line]:
    """The stamps of the figures by service group, for those who do not see every dataset."""
    found: dict[tuple[Any, ...], Line] = {}
    for rows in figures.values():
        row = max(rows, key=lambda each: each["data_as_of"])
        key = (row["service_group"], row["stamp"], row["data_as_of"])
        found.setdefault(
            key,
            {
                "group": row[f"service_group_name_{language}"],
                "stamp": row["stamp"],
                "stamp_text": row[f"stamp_text_{language}"],
                "as_of": row[f"data_as_of_text_{language}"],
            },
        )
    return list(found.values())


def _definitions(
    figures: Mapping[str, Sequence[Row]], told: Collection[str], language: str
) -> list[Line]:
    """What the indicators mean that the brief tells of."""
    return [
        {
            "code": code,
            "name": rows[0][f"indicator_name_{language}"],
            "formula": rows[0][f"formula_{language}"],
            "owner": rows[0][f"agency_name_{language}"],
        }
        for code, rows in figures.items()
        if code in told
    ]


def _sources(
    reading: Reading, figures: Mapping[str, Sequence[Row]], told: Collection[str], language: str
) -> list[Line]:
    """Where the data came from that the brief tells of: the sources of the groups of its figures.

    Titles and days are no figures, and so are bounded by no right.
    """
    groups = {rows[0]["service_group"] for code, rows in figures.items() if code in told}
    agencies = {row["agency_code"]: row[f"name_{language}"] for row in reading.names("dim_agency")}
    return [
        {
            "title": row[f"title_{language}"] or row["source"],
            "owner": agencies.get(row["agency_code"]),
            "as_of": wording.day_text(row["as_of"], language) if row["as_of"] else None,
            "is_late": bool(row["is_late"]),
        }
        for row in reading.names(SOURCES, order="service_group, source")
        if row["service_group"] in groups
    ]


def _withheld(reading: Reading, role: Role, language: str) -> list[Line]:
    """Indicators whose place is kept; an agency is told of those of its own groups."""
    rows = reading.names(WITHHELD, order="indicator_code")
    return [
        {"code": row["indicator_code"], "name": row[f"name_{language}"]}
        for row in rows
        if role.kind is not RoleKind.SECTOR_AGENCY or row["service_group"] in role.service_groups
    ]
