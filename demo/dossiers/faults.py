"""Faults inside one row of the one-stop shop: what is broken, and how.

Every fault is planted on a quiet dossier: filed and settled on one day, never changed by itself.
So what a reader sees of it comes from the fault alone. Instants are whole seconds; text stands
for what is no instant or no number.
"""

from typing import Any

from demo import days
from demo.planted import Change, Fault, Record

YEAR = 365 * days.DAY_SECONDS  # past the end of every window, so that it stays in the future


def _set(column: str, *forms: Any) -> Change:
    def change(record: Record, salt: int) -> None:
        record[column] = forms[salt % len(forms)]

    return change


def _earlier(column: str, seconds: int) -> Change:
    """The time lies up to so many seconds before the receipt."""

    def change(record: Record, salt: int) -> None:
        record[column] = record["received_at"] - 60 - salt % seconds

    return change


def _received_in_future(record: Record, _salt: int) -> None:
    # the time of update stays: a reader by updates would not meet the row otherwise
    record |= {"status": "received", "finished_at": None, "is_result_digital": None}
    for column in ("received_at", "due_at"):
        record[column] += YEAR


def _finished_in_future(record: Record, _salt: int) -> None:
    record["finished_at"] += YEAR


def _open_with_end(record: Record, salt: int) -> None:
    record |= {"status": ("received", "in_progress")[salt % 2], "is_result_digital": None}


def _wrong_status(record: Record, salt: int) -> None:
    status = ("done", "Completed", "đã trả")[salt % 3]
    record |= {"status": status, "is_result_digital": None}


def _result_without_completion(record: Record, _salt: int) -> None:
    record |= {"status": "rejected", "is_result_digital": True}


def _nothing(_record: Record, _salt: int) -> None:
    """The row itself is good."""


WITHIN_ONE_DAY = {
    "exact_duplicate": Fault("dossier_id", _nothing, "duplicate", copies=2),
    # well formed, but of no area of the city: taken up, and cannot be placed
    "unknown_ward": Fault("ward_code", _set("ward_code", "29998", "29999"), "new"),
    "missing_id": Fault("dossier_id", _set("dossier_id", None)),
    "wrong_id": Fault("dossier_id", _set("dossier_id", "H17", "250308-1", "Hồ sơ 7")),
    "missing_procedure": Fault("procedure_code", _set("procedure_code", None)),
    "unknown_procedure": Fault("procedure_code", _set("procedure_code", "ZZ-99", "ht-01", "1")),
    "wrong_level": Fault("online_level", _set("online_level", "4", "Full", "toàn trình")),
    "missing_channel": Fault("channel", _set("channel", None)),
    "wrong_channel": Fault("channel", _set("channel", "zalo", "ONLINE", "1022")),
    "missing_status": Fault("status", _set("status", None)),
    "wrong_status": Fault("status", _wrong_status),
    "missing_ward": Fault("ward_code", _set("ward_code", None)),
    "wrong_ward": Fault("ward_code", _set("ward_code", "2023", "Hải Châu", "490-01")),
    "missing_received": Fault("received_at", _set("received_at", None)),
    "endless_received": Fault("received_at", _set("received_at", "infinity", "-infinity")),
    "received_in_future": Fault("received_at", _received_in_future),
    "missing_due": Fault("due_at", _set("due_at", None)),
    "endless_due": Fault("due_at", _set("due_at", "infinity", "-infinity")),
    "due_before_received": Fault("due_at", _earlier("due_at", 6_000 * 60)),
    "finished_before_received": Fault("finished_at", _earlier("finished_at", 6_000 * 60)),
    "finished_in_future": Fault("finished_at", _finished_in_future),
    "endless_finished": Fault("finished_at", _set("finished_at", "infinity")),
    "completed_without_end": Fault("finished_at", _set("finished_at", None)),
    "open_with_end": Fault("finished_at", _open_with_end),
    "missing_updated": Fault("updated_at", _set("updated_at", None)),
    "endless_updated": Fault("updated_at", _set("updated_at", "infinity", "-infinity")),
    "updated_before_received": Fault("updated_at", _earlier("updated_at", 30 * 60)),
    "result_without_completion": Fault("is_result_digital", _result_without_completion),
    "fee_negative": Fault("fee", _set("fee", -5_000, -1)),
    "fee_with_fraction": Fault("fee", _set("fee", "12500.5", "0.01")),
    "fee_no_number": Fault("fee", _set("fee", "NaN", "Infinity")),
    "fee_too_large": Fault("fee", _set("fee", "9223372036854775808", "1e30")),
    "fee_implausible": Fault("fee", _set("fee", 3_000_000_000, 999_999_999_999)),
}
