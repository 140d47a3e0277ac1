"""Faults of the way between reader and source that go away, on a schedule and not by chance."""

import threading
from collections.abc import Hashable, Mapping
from datetime import date
from enum import StrEnum

SCHEDULED_PAGES = 3


class Trouble(StrEnum):
    """A fault after which asking again brings what was asked for."""

    SERVER_ERROR = "server_error"
    TOO_MANY_REQUESTS = "too_many_requests"
    CUT_CONNECTION = "cut_connection"
    EXPIRED = "expired_export"  # the export is gone (410) while its first file is fetched


# How often a scheduled fault comes before what was asked for.
FAILURES = {Trouble.SERVER_ERROR: 2, Trouble.TOO_MANY_REQUESTS: 1, Trouble.CUT_CONNECTION: 1}


def scheduled(as_of: date, page: int) -> Trouble | None:
    """The fault of a page: on the first of every day each of three kinds, by day and page."""
    if page > SCHEDULED_PAGES:
        return None
    kinds = tuple(FAILURES)
    return kinds[(as_of.toordinal() + page) % len(kinds)]


class Attempts:
    """Counts how often a target was refused, so that it is given after its failures.

    The count starts again once the target was given: every reader who starts anew meets the
    same faults.

    Args:
        failures: How often each fault comes.
    """

    def __init__(self, failures: Mapping[Trouble, int] = FAILURES) -> None:
        self._failures = failures
        self._refused: dict[Hashable, int] = {}
        self._lock = threading.Lock()

    def refuse(self, target: Hashable, trouble: Trouble) -> bool:
        """Whether this attempt at a target fails."""
        with self._lock:
            refused = self._refused.pop(target, 0)
            if refused >= self._failures[trouble]:
                return False
            self._refused[target] = refused + 1
            return True
