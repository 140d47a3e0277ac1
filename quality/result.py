"""The one result type of every check, whatever engine ran it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from warehouse.contract.model import Severity


class CheckStatus(StrEnum):
    """How a check ended. Only `PASSED` is evidence of quality."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    SKIPPED = "skipped"
    MISSING = "missing"


class Verdict(StrEnum):
    """What the gate says of a candidate."""

    PUBLISH = "publish"
    HOLD = "hold"
    REJECT = "reject"


@dataclass(frozen=True)
class PlannedCheck:
    """A check that must have run before the gate may open.

    Attributes:
        publication: Name of the publication.
        check: Name of the check, unique within publication and engine.
        engine: As in `CheckResult`.
        severity: What the plan says a failure does; a result cannot soften it.
    """

    publication: str
    check: str
    engine: str
    severity: Severity


@dataclass(frozen=True)
class CheckResult:
    """One check on one publication's candidate.

    Attributes:
        publication: Name of the publication.
        check: Name of the check, unique within publication and engine.
        engine: `contract`, `dbt`, `gx`, `cross` or `disclosure`.
        observed, expected: Plain JSON values, without personal data.
        failing: How many rows fail, where rows are counted.
        failing_keys: Surrogate keys (hashes) of at most 5 failing rows.
    """

    publication: str
    check: str
    engine: str
    severity: Severity
    status: CheckStatus
    observed: Any = None
    expected: Any = None
    failing: int | None = None
    failing_keys: tuple[str, ...] = ()
    message: str = ""
