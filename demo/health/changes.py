"""Faults that only show between two days: an encounter comes late, changes or goes away."""

import copy
from datetime import datetime

from demo import days
from demo.health.catalogue import FACILITIES, KINDS
from demo.health.faults import WITHIN_ONE_DAY, put, shifted, value
from demo.planted import QUARANTINE, Base, Effect, Plant, Record, Step
from demo.planting import MONTH

BETWEEN_COPIES = 5 * 3600


def _copy(base: Base, updated: int | None = None) -> Record:
    """A copy of the resource, with another updated time if one is given."""
    record = copy.deepcopy(base.record)
    if updated is not None:
        put(record, "lastUpdated", days.local_time(updated))
    return record


def _area_on(day: datetime, salt: int, unlike: str) -> str:
    """The area of some facility on the day, other than the given one."""
    is_old = day.date() < days.REFORM_DAY
    codes = sorted({each.old_area if is_old else each.new_area for each in FACILITIES} - {unlike})
    return codes[salt % len(codes)]


def _other_area(record: Record, salt: int) -> str:
    started = datetime.fromisoformat(value(record, "start"))
    put(record, "area", _area_on(started, salt, value(record, "area")))
    return "area"


def _other_class(record: Record, salt: int) -> str:
    others = [each.code for each in KINDS if each.code != value(record, "class")]
    put(record, "class", others[salt % len(others)])
    return "class"


def _other_facility(record: Record, salt: int) -> str:
    codes = [each.code for each in FACILITIES if each.code != value(record, "facility")]
    put(record, "facility", codes[salt % len(codes)])
    return "facility"


def late(base: Base) -> tuple[Step, ...]:
    """Recorded days after it began and ended."""
    record = _copy(base, base.shown)
    return (Step(base.shown, (record,), (Effect("start", "new", standing=True),)),)


def corrected(base: Base) -> tuple[Step, ...]:
    """A value is put right in a later version."""
    record = _copy(base, base.shown)
    corrections = (_other_area, _other_class, _other_facility)
    column = corrections[base.salt % len(corrections)](record, base.salt // len(corrections))
    return base.changed(record, column)


def date_moved(base: Base) -> tuple[Step, ...]:
    """The encounter turns out to be of the month before; its area is one valid then."""
    record = _copy(base, base.shown)
    before = datetime.fromisoformat(value(base.record, "start"))
    for column in ("start", "end"):
        put(record, column, shifted(record, column, -MONTH))
    if before.date() >= days.REFORM_DAY > (before - MONTH).date():
        _other_area(record, base.salt)
    return base.changed(record, "start")


def entered_in_error(base: Base) -> tuple[Step, ...]:
    """The source says that there was no such encounter, by its status."""
    record = _copy(base, base.shown)
    put(record, "status", "entered-in-error")
    return (base.first, Step(base.shown, (record,), (Effect("status", "deleted", standing=True),)))


def removed(base: Base) -> tuple[Step, ...]:
    """The resource is deleted: exports list it among the deleted, and have it no more."""
    return (base.first, Step(base.shown, (), (Effect("id", "deleted", standing=False),)))


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
    """A good resource is followed by a bad one."""
    record = _copy(base, base.shown)
    fault = WITHIN_ONE_DAY["unknown_class"]
    fault.change(record, base.salt)
    effect = Effect(fault.column, QUARANTINE, standing=True)
    return (base.first, Step(base.shown, (record,), (effect,)))


def stale_copy(base: Base) -> tuple[Step, ...]:
    """Two versions of one day stand in the export, the newer one first."""
    newer, older = _copy(base, base.shown), _copy(base, base.shown - BETWEEN_COPIES)
    column = _other_area(newer, base.salt)
    _other_facility(older, base.salt)
    effects = (
        Effect(column, "changed", standing=False),
        Effect("lastUpdated", "superseded", standing=True),
    )
    return (base.first, Step(base.shown, (newer, older), effects))


def redelivered(base: Base) -> tuple[Step, ...]:
    """The same resource is recorded once more, not a character of it changed."""
    effect = Effect("lastUpdated", "unchanged", standing=False)
    return (base.first, Step(base.shown, (_copy(base),), (effect,)))


BETWEEN_DAYS: dict[str, Plant] = {
    "late": late,
    "corrected": corrected,
    "entered_in_error": entered_in_error,
    "removed": removed,
    "a_b_a": there_and_back,
    "a_b_a_same_time": there_and_back_same_time,
    "date_moved": date_moved,
    "bad_update": bad_update,
    "stale_copy": stale_copy,
    "redelivered": redelivered,
}
