"""Faults inside one record of the feedback system: what is broken, and how.

Every fault is planted on a quiet request: made and closed on one day, recorded once, never
changed by itself. So what a reader sees of it comes from the fault alone.
"""

from datetime import datetime, timedelta
from typing import Any

from demo.planted import Change, Fault, Record

YEAR = timedelta(days=365)  # past the end of every window, so that it stays in the future


def holder(record: Record, column: str) -> Record:
    """The object of the record in which a field stands: the record, or its extension."""
    extension: Record = record["extended_attributes"]
    return extension if column in extension else record


def value(record: Record, column: str) -> Any:
    """The value of a field, wherever it stands."""
    return holder(record, column)[column]


def put(record: Record, column: str, new: Any) -> None:
    """Replaces the value of a field, wherever it stands."""
    holder(record, column)[column] = new


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
        if salt % 2:
            put(record, column, None)
        else:
            del holder(record, column)[column]

    return change


def _reopen(record: Record) -> None:
    put(record, "status", "open")
    put(record, "closed_datetime", None)


def _bad_closed_time(record: Record, salt: int) -> None:
    # the status is open, so that nothing but the time itself is wrong
    put(record, "status", "open")
    put(record, "closed_datetime", f"2025-13-{1 + salt % 28:02d}T10:15:00+07:00")


def _closed_before(record: Record, salt: int) -> None:
    early = timedelta(minutes=1 + salt % 6_000)
    put(record, "closed_datetime", shifted(record, "requested_datetime", -early))


def _expected_before(record: Record, salt: int) -> None:
    early = timedelta(minutes=1 + salt % 6_000)
    put(record, "expected_datetime", shifted(record, "requested_datetime", -early))


def _requested_in_future(record: Record, _salt: int) -> None:
    _reopen(record)
    for column in ("expected_datetime", "requested_datetime"):
        put(record, column, shifted(record, column, YEAR))


def _closed_in_future(record: Record, _salt: int) -> None:
    put(record, "closed_datetime", shifted(record, "closed_datetime", YEAR))


def _identifier_of_wrong_type(record: Record, salt: int) -> None:
    identifier = value(record, "service_request_id")
    put(record, "service_request_id", {"number": identifier} if salt % 2 else [identifier])


def _nothing(_record: Record, _salt: int) -> None:
    """The record itself is good."""


WITHIN_ONE_DAY = {
    "exact_duplicate": Fault("service_request_id", _nothing, "duplicate", copies=2),
    # well formed, but of no area of the city: taken up, and cannot be placed
    "unknown_area": Fault("area_code", _set("area_code", "29998", "29999"), "new"),
    "missing_id": Fault("service_request_id", _missing("service_request_id")),
    "wrong_type_id": Fault("service_request_id", _identifier_of_wrong_type),
    "missing_status": Fault("status", _missing("status")),
    "wrong_status": Fault("status", _set("status", "in_progress", "CLOSED", "đã xử lý")),
    "missing_service_code": Fault("service_code", _missing("service_code")),
    "unknown_service_code": Fault("service_code", _set("service_code", "parking", "GARBAGE", "99")),
    "missing_requested": Fault("requested_datetime", _missing("requested_datetime")),
    "impossible_requested": Fault(
        "requested_datetime",
        _set("requested_datetime", "2025-02-31T08:30:00+07:00", "2026-02-31T17:05:00+07:00"),
    ),
    "requested_in_future": Fault("requested_datetime", _requested_in_future),
    "impossible_updated": Fault(
        "updated_datetime",
        _set("updated_datetime", "2025-06-31T08:30:00+07:00", "2025-06-12T25:61:00+07:00"),
    ),
    "impossible_expected": Fault(
        "expected_datetime",
        _set("expected_datetime", "2025-04-31T08:30:00+07:00", "trong tuần"),
    ),
    "expected_before_requested": Fault("expected_datetime", _expected_before),
    "impossible_closed": Fault("closed_datetime", _bad_closed_time),
    "closed_before_requested": Fault("closed_datetime", _closed_before),
    "closed_in_future": Fault("closed_datetime", _closed_in_future),
    "closed_without_closed_time": Fault("closed_datetime", _set("closed_datetime", None)),
    "open_with_closed_time": Fault("closed_datetime", _set("status", "open")),
    "missing_area": Fault("area_code", _missing("area_code")),
    "wrong_area_code": Fault("area_code", _set("area_code", "2023", "Hải Châu", "490-01")),
    "wrong_satisfaction": Fault("satisfaction", _set("satisfaction", "5", "rất tốt", "Satisfied")),
    "wrong_channel": Fault("channel", _set("channel", "fax", "1022", "App")),
    "wrong_competence": Fault(
        "within_competence", _set("within_competence", "maybe", "có thể", "2")
    ),
    "wrong_reopened": Fault("reopened", _set("reopened", "maybe", "chưa rõ", "-1")),
    "latitude_outside": Fault("lat", _set("lat", 10.776889, 21.028511)),
    "longitude_outside": Fault("long", _set("long", 105.804817, 116.405285)),
    "latitude_not_number": Fault("lat", _set("lat", "không rõ", "16°03'B")),
    "longitude_not_number": Fault("long", _set("long", "không rõ", "108°12'Đ")),
}
