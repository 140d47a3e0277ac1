"""Faults of the way between reader and source, on a schedule and not by chance.

The recoverable ones come every day and go away when asked again, or when a new export is asked
for. The others are there only when the server is started with them.
"""

import threading
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

DAYS_BETWEEN_EXPIRIES = 3


class Trouble(StrEnum):
    """A fault after which asking again brings what was asked for."""

    SERVER_ERROR = "server_error"
    TOO_MANY_REQUESTS = "too_many_requests"
    CUT_CONNECTION = "cut_connection"
    EXPIRED = "expired_export"  # the export is gone (410) while its first file is fetched


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


class Attempts:
    """Refuses every other attempt at a thing, so that a reader who starts anew meets the same."""

    def __init__(self) -> None:
        self._refused: set[tuple[date, str]] = set()
        self._lock = threading.Lock()

    def refuse(self, as_of: date, what: str) -> Trouble | None:
        """The fault of this attempt, or None where it succeeds."""
        with self._lock:
            place = (as_of, what)
            if place in self._refused:
                self._refused.discard(place)
                return None
            self._refused.add(place)
            return troubles(as_of)[what]
