"""Faults of the way between reader and source, on a schedule and not by chance.

The recoverable ones come on the first pages of every day and go away when asked again. The
others are there only when the server is started with them.
"""

import threading
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

SCHEDULED_PAGES = 3


class Trouble(StrEnum):
    """A fault after which asking again brings the page."""

    SERVER_ERROR = "server_error"
    TOO_MANY_REQUESTS = "too_many_requests"
    CUT_CONNECTION = "cut_connection"


FAILURES = {Trouble.SERVER_ERROR: 2, Trouble.TOO_MANY_REQUESTS: 1, Trouble.CUT_CONNECTION: 1}


class Breakage(StrEnum):
    """A fault that no asking again puts right."""

    LOOPING_PAGE = "looping_page"  # the page stands in for every page after it
    HTML = "html"  # a web page with status 200 in place of the records
    INVALID_JSON = "invalid_json"  # the records end in the middle of one
    ALWAYS_ERROR = "always_error"


@dataclass(frozen=True)
class Broken:
    """A breakage of one page as of one day."""

    kind: Breakage
    as_of: date
    page: int


def scheduled(as_of: date, page: int) -> Trouble | None:
    """The recoverable fault of a page: each of the three kinds, in turn by day and page."""
    if page > SCHEDULED_PAGES:
        return None
    kinds = tuple(Trouble)
    return kinds[(as_of.toordinal() + page) % len(kinds)]


def broken(text: str) -> Broken:
    """Reads `KIND:DAY` or `KIND:DAY:PAGE`, for example `html:2025-07-04:2`; page 1 if none.

    Raises:
        ValueError: when the text is not of that form.
    """
    kind, day, *page = text.split(":")
    if len(page) > 1:
        raise ValueError(f"expected KIND:DAY[:PAGE], got {text!r}")
    return Broken(Breakage(kind), date.fromisoformat(day), int(page[0]) if page else 1)


class Attempts:
    """Counts how often a page was refused, so that it is given after its failures.

    The count starts again once the page was given: every reader who starts anew meets the
    same faults.
    """

    def __init__(self) -> None:
        self._refused: dict[str, int] = {}
        self._lock = threading.Lock()

    def refuse(self, target: str, trouble: Trouble) -> bool:
        """Whether this attempt at a target fails."""
        with self._lock:
            refused = self._refused.pop(target, 0)
            if refused >= FAILURES[trouble]:
                return False
            self._refused[target] = refused + 1
            return True
