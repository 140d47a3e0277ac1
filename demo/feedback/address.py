"""What a request of the reader's asks for: the address and its parameters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import parse_qs, urlsplit

from demo.feedback.feed import LARGEST_PAGE, Query
from demo.http_server import BadRequestError

ROOT = re.compile(r"/as-of/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/georeport/v2/(?P<rest>.+)\.json")
USUAL_PAGE = 100


@dataclass(frozen=True)
class Address:
    """An address below `/as-of/<day>/georeport/v2/`.

    Attributes:
        rest: What follows, without `.json`: `requests`, `requests/<id>`, `services`.
    """

    as_of: date
    rest: str
    query: Query
    page: int
    page_size: int
    extended: bool


def read_address(target: str) -> Address | None:
    """The address of a request target; None where it is no address of the feedback system.

    Raises:
        BadRequestError: when a parameter cannot be read.
    """
    parts = urlsplit(target)
    match = ROOT.fullmatch(parts.path)
    if match is None:
        return None
    values = {name: texts[-1] for name, texts in parse_qs(parts.query).items()}
    return Address(
        as_of=_day(match["day"]),
        rest=match["rest"],
        query=Query(
            updated_after=_instant(values, "updated_after"),
            updated_before=_instant(values, "updated_before"),
            start=_instant(values, "start_date"),
            end=_instant(values, "end_date"),
            status=values.get("status"),
        ),
        page=_whole(values, "page", 1),
        page_size=min(LARGEST_PAGE, _whole(values, "page_size", USUAL_PAGE)),
        extended=values.get("extensions") == "true",
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadRequestError(f"as-of: no such day: {text}") from error


def _whole(values: Mapping[str, str], name: str, usual: int) -> int:
    text = values.get(name)
    if text is None:
        return usual
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise BadRequestError(f"{name}: a whole number from 1 is expected")
    return int(text)


def _instant(values: Mapping[str, str], name: str) -> int | None:
    text = values.get(name)
    if text is None:
        return None
    try:
        # a bare plus sign in a query means a blank
        instant = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise BadRequestError(f"{name}: an ISO 8601 time is expected") from error
    if instant.tzinfo is None:
        raise BadRequestError(f"{name}: a time with its zone is expected")
    return int(instant.timestamp())
