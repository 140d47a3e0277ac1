"""Faults of the way between reader and source: their schedule, and those that stay.

The recoverable ones come every day and go away when asked again, or when a new export is asked
for. The others are there only when the server is started with them.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from demo.trouble import Trouble

DAYS_BETWEEN_EXPIRIES = 3


class Breakage(StrEnum):
    """A fault that no asking again puts right."""

    MISSING_FILE = "missing_file"  # the manifest lists a file that is not there
    SHORT_FILE = "short_file"  # the last file holds one resource less than the manifest says
    ALWAYS_EXPIRED = "always_expired"
    OUTCOME_ERROR = "outcome_error"  # the manifest lists errors beside the files
    FAILED_EXPORT = "failed_export"  # the export ends in an error


@dataclass(frozen=True)
class Broken:
    """A breakage of the exports as of one day."""

    kind: Breakage
    as_of: date


def troubles(as_of: date) -> dict[str, Trouble]:
    """The recoverable faults of a day, by what is asked for: kick-off, status, file."""
    of_files = (Trouble.EXPIRED, Trouble.CUT_CONNECTION, Trouble.CUT_CONNECTION)
    return {
        "kick-off": Trouble.SERVER_ERROR,
        "status": Trouble.TOO_MANY_REQUESTS,
        "file": of_files[as_of.toordinal() % DAYS_BETWEEN_EXPIRIES],
    }


def broken(text: str) -> Broken:
    """Reads `KIND:DAY`, for example `missing_file:2025-07-04`.

    Raises:
        ValueError: when the text is not of that form.
    """
    kind, separator, day = text.partition(":")
    if not separator:
        raise ValueError(f"expected KIND:DAY, got {text!r}")
    return Broken(Breakage(kind), date.fromisoformat(day))
