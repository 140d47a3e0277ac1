"""Faults inside one resource: what is broken, and how.

Every fault is planted on a quiet encounter: begun and ended on one day, recorded once, never
changed by itself. So what a reader sees of it comes from the fault alone.
"""

from datetime import datetime, timedelta
from typing import Any

from demo.planted import Change, Fault, Record

YEAR = timedelta(days=365)  # past the end of every window, so that it stays in the future
BROKEN = "broken_line"  # the resource is cut in the middle of its line

# Where the fields stand that faults are about.
PATHS: dict[str, tuple[str | int, ...]] = {
    "resourceType": ("resourceType",),
    "id": ("id",),
    "lastUpdated": ("meta", "lastUpdated"),
    "status": ("status",),
    "class": ("class", "code"),
    "start": ("period", "start"),
    "end": ("period", "end"),
    "area": ("location", 0, "location", "identifier", "value"),
    "facility": ("serviceProvider", "identifier", "value"),
}


def _holder(record: Record, column: str) -> Any:
    found: Any = record
    for step in PATHS[column][:-1]:
        found = found[step]
    return found


def value(record: Record, column: str) -> Any:
    """The value of a field; None where it is absent."""
    holder, last = _holder(record, column), PATHS[column][-1]
    return holder.get(last)


def put(record: Record, column: str, new: Any) -> None:
    """Replaces the value of a field."""
    _holder(record, column)[PATHS[column][-1]] = new


def drop(record: Record, column: str) -> None:
    """Takes a field out."""
    _holder(record, column).pop(PATHS[column][-1], None)


def shifted(record: Record, column: str, by: timedelta) -> str:
    """A time field's value moved by a duration, as text."""
    return (datetime.fromisoformat(value(record, column)) + by).isoformat()


def _set(column: str, *forms: Any) -> Change:
    def change(record: Record, salt: int) -> None:
        put(record, column, forms[salt % len(forms)])

    return change


def _missing(column: str) -> Change:
    """The field is absent, or there without a value."""

    def change(record: Record, salt: int) -> None:
        drop(record, column)
        if salt % 2:
            put(record, column, None)

    return change


def _open_with_end(record: Record, _salt: int) -> None:
    put(record, "status", "in-progress")


def _without_end(record: Record, _salt: int) -> None:
    drop(record, "end")


def _impossible_end(record: Record, salt: int) -> None:
    # the status is one that asks for no end, so that nothing but the time itself is wrong
    put(record, "status", "unknown")
    put(record, "end", f"2025-13-{1 + salt % 28:02d}T10:15:00+07:00")


def _end_before_start(record: Record, salt: int) -> None:
    put(record, "end", shifted(record, "start", -timedelta(minutes=1 + salt % 6_000)))


def _start_in_future(record: Record, _salt: int) -> None:
    put(record, "status", "in-progress")
    put(record, "start", shifted(record, "start", YEAR))
    drop(record, "end")


def _end_in_future(record: Record, _salt: int) -> None:
    put(record, "end", shifted(record, "end", YEAR))


def _identifier_of_wrong_type(record: Record, salt: int) -> None:
    identifier = value(record, "id")
    put(record, "id", {"value": identifier} if salt % 2 else [identifier])


def _nothing(_record: Record, _salt: int) -> None:
    """The resource itself is good."""


WITHIN_ONE_DAY = {
    "exact_duplicate": Fault("id", _nothing, "duplicate", copies=2),
    # well formed, but of no area of the city: taken up, and cannot be placed
    "unknown_area": Fault("area", _set("area", "29998", "29999"), "new"),
    BROKEN: Fault("id", _nothing),
    "missing_id": Fault("id", _missing("id")),
    "wrong_type_id": Fault("id", _identifier_of_wrong_type),
    "wrong_resource": Fault("resourceType", _set("resourceType", "Observation", "Condition")),
    "missing_status": Fault("status", _missing("status")),
    "wrong_status": Fault("status", _set("status", "completed", "FINISHED", "đã khám")),
    "missing_class": Fault("class", _missing("class")),
    "unknown_class": Fault("class", _set("class", "VR", "amb", "1")),
    "missing_start": Fault("start", _missing("start")),
    "impossible_start": Fault(
        "start", _set("start", "2025-02-31T08:30:00+07:00", "2026-02-31T17:05:00+07:00")
    ),
    "start_in_future": Fault("start", _start_in_future),
    "missing_updated": Fault("lastUpdated", _missing("lastUpdated")),
    "impossible_updated": Fault(
        "lastUpdated", _set("lastUpdated", "2025-06-31T08:30:00+07:00", "2025-06-12T25:61:00Z")
    ),
    "impossible_end": Fault("end", _impossible_end),
    "end_before_start": Fault("end", _end_before_start),
    "end_in_future": Fault("end", _end_in_future),
    "finished_without_end": Fault("end", _without_end),
    "open_with_end": Fault("end", _open_with_end),
    "missing_area": Fault("area", _missing("area")),
    "wrong_area_code": Fault("area", _set("area", "2023", "Hải Châu", "490-01")),
    "missing_facility": Fault("facility", _missing("facility")),
    "wrong_facility": Fault("facility", _set("facility", "BV-C", "4801", "99001")),
}
