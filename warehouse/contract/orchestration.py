"""When and how a scheduler asks a source: what its contract says of it.

The schedule stands where ODCS has it (`slaProperties`, beside the freshness that it serves), and so
does the latency; retries and pool, which the standard does not know, in `customProperties`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from warehouse.contract.document import Document, Location
from warehouse.contract.model import Orchestration
from warehouse.contract.problem import Problem
from warehouse.contract.validation import CUSTOM

_RULE = "citylake.schedule"
_FIELDS = 5
_HOURS = {"h": 1, "d": 24}
# Name and greatest value of the fields of a cron expression that a contract may fill.
_TIMES = (("minute", 59), ("hour", 23))
_NUMBER = re.compile(r"^\d{1,2}$", re.ASCII)
# Rules of zones repeat by year; some change in one year and not in the next.
_LOOKED_AT = date(2025, 1, 1)
_LOOKED_AT_DAYS = 4 * 366


def orchestration_of(data: Mapping[str, Any]) -> Orchestration:
    """What a (collapsed, valid) source contract says."""
    options = data[CUSTOM]
    retries, pool = options.get("retries", {}), options.get("pool", {})
    usual, promised = Orchestration(), data.get("slaProperties", [])
    return Orchestration(
        schedule=next((node["schedule"] for node in promised if "schedule" in node), None),
        retries=retries.get("attempts", usual.retries),
        retry_delay_seconds=retries.get("delaySeconds", usual.retry_delay_seconds),
        retry_delay_max_seconds=retries.get("maxDelaySeconds", usual.retry_delay_max_seconds),
        pool=pool.get("name"),
        pool_slots=pool.get("slots", usual.pool_slots),
        latency_hours=sla_hours(promised, "latency") or usual.latency_hours,
    )


def sla_hours(nodes: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """The hours that `slaProperties` promise for a property, or None where they do not name it."""
    for node in nodes:
        if node["property"] == name:
            return float(node["value"]) * _HOURS[node["unit"]]
    return None


def orchestration_problems(document: Document) -> Iterator[Problem]:
    """A schedule that is no time of every day, and a first wait longer than the longest."""
    timezone = document.data[CUSTOM]["timezone"]
    for index, node in enumerate(document.data.get("slaProperties", [])):
        wrong = schedule_error(node["schedule"], timezone) if "schedule" in node else None
        if wrong:
            yield document.problem(("slaProperties", index, "schedule"), _RULE, wrong)
    found = orchestration_of(document.data)
    if found.retry_delay_seconds > found.retry_delay_max_seconds:
        place: Location = (CUSTOM, "retries")
        message = (
            f"the first wait ({found.retry_delay_seconds:g} s) is longer than the longest "
            f"({found.retry_delay_max_seconds:g} s)"
        )
        yield document.problem(place, "citylake.retries", message)


def schedule_error(text: str, timezone: str) -> str | None:
    """What `cron_error` or, of a cron expression, `gap_error` says."""
    return cron_error(text) or gap_error(text, timezone)


def cron_error(text: str) -> str | None:
    """Why a text is no cron expression of one time of every day, or None where it is one.

    A run is for the day that ended last: a second time of a day would be for a day that goes on.
    The last three fields are `*`: a processing day on which nobody asks would have no batch.
    """
    parts = text.split()
    if len(parts) != _FIELDS:
        return f"a cron expression has {_FIELDS} fields, this one has {len(parts)}"
    for part, (name, most) in zip(parts, _TIMES, strict=False):
        if not _NUMBER.match(part) or int(part) > most:
            return f"{part!r} is no {name} (0 to {most}): a source is asked at one time of a day"
    if parts[len(_TIMES) :] != ["*"] * (_FIELDS - len(_TIMES)):
        return "day, month and day of the week are `*`: a source is asked on every day"
    return None


def gap_error(text: str, timezone: str) -> str | None:
    """Why a schedule has no run on some day, or None where it has one on every day.

    Where clocks are put forward, a time that they leave out does not come: Airflow would take
    the day before for the day after (the run of one day would be lost).

    Args:
        text: A cron expression that `cron_error` takes.
        timezone: IANA zone of the clock.
    """
    minute, hour = (int(part) for part in text.split()[: len(_TIMES)])
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        # A rule of its own says so.
        return None
    for day in _changes(timezone):
        told = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
        if told.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != told.replace(tzinfo=None):
            shown = f"{hour:02}:{minute:02}"
            return f"in {timezone}, {day} has no {shown}: clocks are put forward"
    return None


@cache
def _changes(timezone: str) -> tuple[date, ...]:
    """The days on which clocks change, in the years that are looked at."""
    zone = ZoneInfo(timezone)
    days = [_LOOKED_AT + timedelta(days=number) for number in range(_LOOKED_AT_DAYS)]
    offsets = [datetime(each.year, each.month, each.day, tzinfo=zone).utcoffset() for each in days]
    return tuple(
        day for day, now, then in zip(days, offsets, offsets[1:], strict=False) if now != then
    )
