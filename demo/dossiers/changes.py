"""Faults that only show between two days: a dossier comes late, changes or goes away.

The reader asks for what was updated, so that a change shows with its time of update alone: what
goes from A to B and back under the same time is left to systems that keep it.
"""

from datetime import UTC, datetime

from demo import days
from demo.dossiers.faults import WITHIN_ONE_DAY
from demo.dossiers.procedures import PROCEDURES
from demo.places import NEW_AREAS, OLD_AREAS
from demo.planted import QUARANTINE, Base, Effect, Plant, Record, Step
from demo.planting import MONTH

BETWEEN_COPIES = 5 * 3600
MONTH_SECONDS = MONTH.days * days.DAY_SECONDS


def _copy(base: Base, updated: int) -> Record:
    """A copy of the row with another time of update."""
    return base.record | {"updated_at": updated}


def _other_ward(record: Record, salt: int) -> str:
    is_old = days.day_of(record["received_at"]) < days.REFORM_DAY
    codes = [area.code for area in (OLD_AREAS if is_old else NEW_AREAS)]
    others = [code for code in codes if code != record["ward_code"]]
    record["ward_code"] = others[salt % len(others)]
    return "ward_code"


def _other_procedure(record: Record, salt: int) -> str:
    others = [item for item in PROCEDURES if item.code != record["procedure_code"]]
    procedure = others[salt % len(others)]
    record["procedure_code"] = procedure.code
    record |= {"online_level": procedure.level, "agency": procedure.agency}
    return "procedure_code"


def _other_deadline(record: Record, salt: int) -> str:
    record["due_at"] += (1 + salt % 5) * days.DAY_SECONDS
    return "due_at"


def late(base: Base) -> tuple[Step, ...]:
    """Recorded days after it was filed and settled."""
    record = _copy(base, base.shown)
    return (Step(base.shown, (record,), (Effect("received_at", "new", standing=True),)),)


def corrected(base: Base) -> tuple[Step, ...]:
    """A value is put right in a later version."""
    record = _copy(base, base.shown)
    corrections = (_other_ward, _other_procedure, _other_deadline)
    column = corrections[base.salt % len(corrections)](record, base.salt // len(corrections))
    return base.changed(record, column)


def date_moved(base: Base) -> tuple[Step, ...]:
    """The dossier turns out to be of the month before; its ward is one valid then."""
    record = _copy(base, base.shown)
    before = days.day_of(record["received_at"])
    record["received_at"] -= MONTH_SECONDS
    if before >= days.REFORM_DAY > days.day_of(record["received_at"]):
        _other_ward(record, base.salt)
    return base.changed(record, "received_at")


def deleted(base: Base) -> tuple[Step, ...]:
    """The source withdraws the row and says so; who filed it goes with it."""
    record = _copy(base, base.shown)
    record |= {"is_deleted": True, "applicant_name": None, "applicant_identity": None}
    effect = Effect("is_deleted", "deleted", standing=True)
    return (base.first, Step(base.shown, (record,), (effect,)))


def there_and_back(base: Base) -> tuple[Step, ...]:
    """A value goes from A to B and a day later back to A, each with its own time of update."""
    there = _copy(base, base.shown)
    column = _other_ward(there, base.salt)
    return base.there_and_back(there, _copy(base, base.back), column)


def bad_update(base: Base) -> tuple[Step, ...]:
    """A good row is followed by a bad one."""
    record = _copy(base, base.shown)
    fault = WITHIN_ONE_DAY["unknown_procedure"]
    fault.change(record, base.salt)
    effect = Effect(fault.column, QUARANTINE, standing=True)
    return (base.first, Step(base.shown, (record,), (effect,)))


def two_versions(base: Base) -> tuple[Step, ...]:
    """The number stands twice, with two versions of one day."""
    newer, older = _copy(base, base.shown), _copy(base, base.shown - BETWEEN_COPIES)
    column = _other_ward(newer, base.salt)
    _other_procedure(older, base.salt)
    effects = (
        Effect(column, "changed", standing=False),
        Effect("updated_at", "superseded", standing=True),
    )
    return (base.first, Step(base.shown, (newer, older), effects))


BETWEEN_DAYS: dict[str, Plant] = {
    "late": late,
    "corrected": corrected,
    "deleted": deleted,
    "a_b_a": there_and_back,
    "date_moved": date_moved,
    "bad_update": bad_update,
    "two_versions": two_versions,
}


def written(value: object) -> str | None:
    """An instant in seconds as ISO 8601; text and nothing as they are."""
    if isinstance(value, int):
        return datetime.fromtimestamp(value, UTC).isoformat()
    return None if value is None else str(value)
