"""Faults that are there only when the server is started with them."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


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


def broken(text: str) -> Broken:
    """Reads `KIND:DAY` or `KIND:DAY:PAGE`, for example `html:2025-07-04:2`; page 1 if none.

    Raises:
        ValueError: when the text is not of that form.
    """
    kind, day, *page = text.split(":")
    if len(page) > 1:
        raise ValueError(f"expected KIND:DAY[:PAGE], got {text!r}")
    return Broken(Breakage(kind), date.fromisoformat(day), int(page[0]) if page else 1)
