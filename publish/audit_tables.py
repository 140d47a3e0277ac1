"""How the data came and how it was checked: what auditors read in the serving file.

Neither is content: two lakes that hold the same may have come by it in other ways, so the city's
hash leaves these tables out (`warehouse.content_hash`). They know no clock: a second run that finds
everything done leaves them as they are. No key and no value of a record stands in them, and of what
tells of people's health no number.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from warehouse.files import canonical_json

LONGEST = 160
COUNTS = ("records", "new", "changed", "unchanged", "quarantined", "deleted")

_TEXT, _COUNT, _DAY = pa.string(), pa.int64(), pa.date32()
_SOURCE = pa.schema(
    {
        "source": _TEXT,
        "title_vi": _TEXT,
        "title_en": _TEXT,
        "agency_code": _TEXT,
        "service_group": pa.int32(),
        "core_table": _TEXT,
        "as_of": _DAY,
        "expected_by": _DAY,
        "is_late": pa.bool_(),
        "attempt_day": _DAY,
        "attempt_status": _TEXT,
        **dict.fromkeys(COUNTS, _COUNT),
    }
)
_QUARANTINE = pa.schema({"source": _TEXT, "reason": _TEXT, "open_records": _COUNT})
_CHECK = pa.schema(
    {
        "publication": _TEXT,
        "check_name": _TEXT,
        "engine": _TEXT,
        "severity": _TEXT,
        "status": _TEXT,
        "observed": _TEXT,
        "expected": _TEXT,
        "failing_rows": _COUNT,
        "record": pa.int32(),
    }
)


@dataclass(frozen=True)
class Delivery:
    """How a source delivers.

    Attributes:
        core_table: The table that it fills.
        as_of: Latest processing day that was loaded, or None.
        expected_by: Last day on which the next delivery is in time, or None where no SLA says so.
        is_late: Whether it failed on, or lags behind, the day that is published.
        attempt_day, attempt_status: Processing day and end of the last attempt to read it.
        counts: Records of its last batch by `COUNTS`; empty where they may not be shown.
    """

    source: str
    title: Mapping[str, str]
    agency_code: str
    service_group: int
    core_table: str
    as_of: date | None
    expected_by: date | None
    is_late: bool
    attempt_day: date | None
    attempt_status: str | None
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Broken:
    """How many records of a source still lie in quarantine for a reason."""

    source: str
    reason: str
    open_records: int


def audit_tables(
    deliveries: Iterable[Delivery] = (),
    broken: Iterable[Broken] = (),
    checks: Mapping[str, Iterable[Mapping[str, Any]]] | None = None,
    record: int | None = None,
) -> dict[str, pa.Table]:
    """The tables behind `report_source`, `report_quarantine` and `report_check`.

    Args:
        deliveries: Of the sources.
        broken: Of the quarantine.
        checks: Publication -> results of the newest judged build as plain JSON.
        record: Number of the promotion record that tells of that build.

    Returns:
        Each in the order of its key, without rows where nothing was given.
    """
    sources = [_delivery(each) for each in sorted(deliveries, key=lambda each: each.source)]
    reasons = sorted(
        (asdict(each) for each in broken), key=lambda row: (row["source"], row["reason"])
    )
    results = [
        _check(publication, each, record)
        for publication, found in sorted((checks or {}).items())
        for each in sorted(found, key=lambda each: (each["check"], each["engine"]))
    ]
    return {
        "audit_source": pa.Table.from_pylist(sources, schema=_SOURCE),
        "audit_quarantine": pa.Table.from_pylist(reasons, schema=_QUARANTINE),
        "audit_check": pa.Table.from_pylist(results, schema=_CHECK),
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    row = asdict(delivery)
    title, counts = row.pop("title"), row.pop("counts")
    return {
        **row,
        "title_vi": title.get("vi"),
        "title_en": title.get("en"),
        **{name: counts.get(name) for name in COUNTS},
    }


def _check(publication: str, result: Mapping[str, Any], record: int | None) -> dict[str, Any]:
    return {
        "publication": publication,
        "check_name": result["check"],
        "engine": result["engine"],
        "severity": result["severity"],
        "status": result["status"],
        "observed": _short(result["observed"]),
        "expected": _short(result["expected"]),
        "failing_rows": result["failing"],
        "record": record,
    }


def _short(value: Any) -> str | None:
    """A plain JSON value as one short line."""
    if value is None:
        return None
    text = value if isinstance(value, str) else canonical_json(value).decode().strip()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
