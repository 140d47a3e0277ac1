"""Faults that only show between two days: a request comes late, changes or goes away."""

import copy
from datetime import datetime, timedelta

from demo import days
from demo.feedback.faults import WITHIN_ONE_DAY, put, shifted, value
from demo.feedback.services import SERVICES
from demo.places import NEW_AREAS, OLD_AREAS
from demo.planted import QUARANTINE, Base, Effect, Plant, Record, Step
from demo.planting import MONTH

BETWEEN_COPIES = 5 * 3600


def _copy(base: Base, updated: int | None = None) -> Record:
    """A copy of the record, with another updated time if one is given."""
    record = copy.deepcopy(base.record)
    if updated is not None:
        put(record, "updated_datetime", days.local_time(updated))
    return record


def _area_on(day: datetime, salt: int, unlike: str) -> str:
    """A code valid on the day, other than the given one."""
    areas = OLD_AREAS if day.date() < days.REFORM_DAY else NEW_AREAS
    codes = [area.code for area in areas if area.code != unlike]
    return codes[salt % len(codes)]


def _other_area(record: Record, salt: int) -> str:
    requested = datetime.fromisoformat(value(record, "requested_datetime"))
    put(record, "area_code", _area_on(requested, salt, value(record, "area_code")))
    return "area_code"


def _other_service(record: Record, salt: int) -> str:
    others = [item for item in SERVICES if item.code != value(record, "service_code")]
    service = others[salt % len(others)]
    put(record, "service_code", service.code)
    put(record, "service_name", service.name)
    put(record, "agency_responsible", service.agency)
    return "service_code"


def _other_deadline(record: Record, salt: int) -> str:
    later = timedelta(days=1 + salt % 5)
    put(record, "expected_datetime", shifted(record, "expected_datetime", later))
    return "expected_datetime"


def late(base: Base) -> tuple[Step, ...]:
    """Recorded days after it was made and closed."""
    record = _copy(base, base.shown)
    return (Step(base.shown, (record,), (Effect("requested_datetime", "new", standing=True),)),)


def corrected(base: Base) -> tuple[Step, ...]:
    """A value is put right in a later version."""
    record = _copy(base, base.shown)
    corrections = (_other_area, _other_service, _other_deadline)
    column = corrections[base.salt % len(corrections)](record, base.salt // len(corrections))
    return base.changed(record, column)


def date_moved(base: Base) -> tuple[Step, ...]:
    """The request turns out to be of the month before; its area is one valid then."""
    record = _copy(base, base.shown)
    put(record, "requested_datetime", shifted(record, "requested_datetime", -MONTH))
    before = datetime.fromisoformat(value(base.record, "requested_datetime"))
    if before.date() >= days.REFORM_DAY > (before - MONTH).date():
        _other_area(record, base.salt)
    return base.changed(record, "requested_datetime")


def deleted(base: Base) -> tuple[Step, ...]:
    """The source withdraws the request and says so; what the caller said goes with it."""
    record = _copy(base, base.shown)
    put(record, "status", "deleted")
    for column in ("description", "address", "contact_name", "contact_phone"):
        put(record, column, None)
    return (base.first, Step(base.shown, (record,), (Effect("status", "deleted", standing=True),)))


def _there_and_back(base: Base, *, same_time: bool) -> tuple[Step, ...]:
    there = _copy(base, None if same_time else base.shown)
    back = _copy(base, None if same_time else base.back)
    return base.there_and_back(there, back, _other_area(there, base.salt))


def there_and_back(base: Base) -> tuple[Step, ...]:
    """A value goes from A to B and a day later back to A, each with its own updated time."""
    return _there_and_back(base, same_time=False)


def there_and_back_same_time(base: Base) -> tuple[Step, ...]:
    """A value goes from A to B and back to A while the updated time stays what it was."""
    return _there_and_back(base, same_time=True)


def bad_update(base: Base) -> tuple[Step, ...]:
    """A good record is followed by a bad one."""
    record = _copy(base, base.shown)
    fault = WITHIN_ONE_DAY["unknown_service_code"]
    fault.change(record, base.salt)
    effect = Effect(fault.column, QUARANTINE, standing=True)
    return (base.first, Step(base.shown, (record,), (effect,)))


def stale_copy(base: Base) -> tuple[Step, ...]:
    """Two versions of one day stand in the feed, the newer one first."""
    newer, older = _copy(base, base.shown), _copy(base, base.shown - BETWEEN_COPIES)
    column = _other_area(newer, base.salt)
    _other_service(older, base.salt)
    effects = (
        Effect(column, "changed", standing=False),
        Effect("updated_datetime", "superseded", standing=True),
    )
    return (base.first, Step(base.shown, (newer, older), effects))


def redelivered(base: Base) -> tuple[Step, ...]:
    """The same record is recorded once more, not a character of it changed."""
    effect = Effect("updated_datetime", "unchanged", standing=False)
    return (base.first, Step(base.shown, (_copy(base),), (effect,)))


BETWEEN_DAYS: dict[str, Plant] = {
    "late": late,
    "corrected": corrected,
    "deleted": deleted,
    "a_b_a": there_and_back,
    "a_b_a_same_time": there_and_back_same_time,
    "date_moved": date_moved,
    "bad_update": bad_update,
    "stale_copy": stale_copy,
    "redelivered": redelivered,
}
