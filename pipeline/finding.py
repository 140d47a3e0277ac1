"""What one check of the doctor came to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from warehouse.errors import CitylakeError


class Health(StrEnum):
    """How a check ended; only `FAIL` makes the doctor's exit code an error."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """What one check came to.

    Attributes:
        check: Name of the check.
        details: One line each; never the value of a variable.
    """

    check: str
    health: Health
    details: tuple[str, ...]


def judged(check: str, problems: Sequence[str], good: str) -> Finding:
    """A finding that fails where there is any problem, and else says what is good."""
    if problems:
        return Finding(check, Health.FAIL, tuple(problems))
    return Finding(check, Health.OK, (good,))


def guarded(check: str, run: Callable[[], Finding]) -> Finding:
    """What a check found; one that breaks has failed, and the others go on.

    Only the text of our own errors is kept, which is free of secrets; of others the type.
    """
    try:
        return run()
    except CitylakeError as error:
        return Finding(check, Health.FAIL, (str(error),))
    except Exception as error:  # noqa: BLE001 - whatever breaks a check is its finding
        return Finding(check, Health.FAIL, (f"cannot be checked ({type(error).__name__})",))
