"""What the events say that started a run, and what follows from them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from warehouse.errors import CitylakeError
from warehouse.promotion_record import HOLD, PUBLISH

Extra = Mapping[str, Any]


class TriggerError(CitylakeError):
    """Events, or an answer, that no run can go by."""


def versions_read(built: Mapping[str, int], events: Iterable[Extra]) -> dict[str, int]:
    """Compare what a build read with what the events said that started it.

    Args:
        built: Core table to the Delta version that the build pinned.
        events: The extras of the events of core tables, and maybe of the deadline.

    Returns:
        Core table to the newest version that an event told of.

    Raises:
        TriggerError: when the build read an older version than an event told of.
    """
    told: dict[str, int] = {}
    for event in events:
        if "version" in event:
            told[event["table"]] = max(event["version"], told.get(event["table"], 0))
    for table, version in told.items():
        if built.get(table, -1) < version:
            read = built.get(table, "nothing")
            raise TriggerError(f"core table {table}: the build read {read}, not {version}")
    return told


def was_promoted(events: Iterable[Extra | None], day: str) -> bool:
    """Whether a promotion record tells of a day: its marts were built.

    Args:
        events: The extras of the events of promotion records.
        day: Processing day, `YYYY-MM-DD`.
    """
    return any(event is not None and event.get("day") == day for event in events)


def newest(events: Sequence[Extra]) -> dict[str, Any]:
    """The event of the newest promotion record.

    Raises:
        TriggerError: when there is none: the run was started by hand.
    """
    if not events:
        raise TriggerError("started without an event of `transform`: nothing says what was judged")
    return dict(max(events, key=lambda each: each["record"]))


def branch_of(told: Extra) -> str:
    """The task that follows from a verdict; whatever is neither publish nor hold is a reject."""
    return {PUBLISH: "release", HOLD: "approval"}.get(told["verdict"], "rejected")


def person_of(answer: Mapping[str, Any] | None, approvers: Sequence[str]) -> str:
    """The named person who approved.

    Raises:
        TriggerError: when nobody answered (the task was marked by hand, or it was silence), or
            somebody who is no approver.
    """
    person = ((answer or {}).get("responded_by_user") or {}).get("name")
    if not person or person not in approvers or not answer:
        raise TriggerError("nobody who may approve has answered")
    if answer["chosen_options"] != ["Approve"]:
        raise TriggerError(f"{person} did not approve")
    return str(person)


def refused_by(answer: Mapping[str, Any]) -> str | None:
    """The named person who refused, or None where nobody answered in time."""
    person = (answer.get("responded_by_user") or {}).get("name")
    return str(person) if person else None
