"""When and how a scheduler asks a source: what its contract says of it.

The schedule stands where ODCS has it (`slaProperties`, beside the freshness that it serves), and so
does the latency; retries and pool, which the standard does not know, in `customProperties`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from warehouse.contract.document import Document, Location
from warehouse.contract.model import Orchestration
from warehouse.contract.problem import Problem
from warehouse.contract.validation import CUSTOM

_RULE = "citylake.schedule"
_FIELDS = 5
_HOURS = {"h": 1, "d": 24}
# Name and greatest value of the fields of a cron expression that a contract may fill.
_TIMES = (("minute", 59), ("hour", 23))
_ITEM = re.compile(r"^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?$")


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
    """A schedule that is no cron expression, and a first wait longer than the longest."""
    for index, node in enumerate(document.data.get("slaProperties", [])):
        wrong = cron_error(node["schedule"]) if "schedule" in node else None
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


def cron_error(text: str) -> str | None:
    """Why a text is no cron expression of times of every day, or None where it is one.

    Only what every cron reads alike is taken: numbers, `*`, ranges, lists and steps. The last
    three fields are `*`: a processing day on which nobody asks would have no batch.
    """
    parts = text.split()
    if len(parts) != _FIELDS:
        return f"a cron expression has {_FIELDS} fields, this one has {len(parts)}"
    for part, (name, most) in zip(parts, _TIMES, strict=False):
        if not _values(part, most):
            return f"{part!r} is no {name} (0 to {most})"
    if parts[len(_TIMES) :] != ["*"] * (_FIELDS - len(_TIMES)):
        return "day, month and day of the week are `*`: a source is asked on every day"
    return None


def _values(part: str, most: int) -> set[int]:
    """The values that a field names; none where it is not understood."""
    values: set[int] = set()
    for item in part.split(","):
        match = _ITEM.match(item)
        if match is None:
            return set()
        first, last, step = (None if text is None else int(text) for text in match.groups())
        low = first or 0
        # `5/2` is read in two ways; a step needs a range.
        if step is not None and first is not None and last is None:
            return set()
        high = most if first is None else (low if last is None else last)
        if not low <= high <= most or step == 0:
            return set()
        values |= set(range(low, high + 1, step or 1))
    return values
