"""What a request asks for, in the words of SDMX REST for 2.1 (`v1`) and for 3.0 (`v2`)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import parse_qs, unquote, urlsplit

from demo.http_server import BadRequestError
from demo.statistics.codes import AGENCY, FLOW, VERSION

_ROOT = re.compile(r"/as-of/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/sdmx/(?P<api>v1|v2)/(?P<rest>.+)")
_VERSIONS = {"v1": "2.1", "v2": "3.0"}
STRUCTURES = ("dataflow", "datastructure", "codelist", "conceptscheme")


@dataclass(frozen=True)
class Address:
    """A request for data or structures.

    Attributes:
        version: `2.1` or `3.0`, of the standard.
        resource: `data`, or a kind of structure.
        is_known: Whether agency, name and version are those of the one data flow.
        key: Codes asked for by dimension; an empty set is any.
        updated_after: Seconds since 1970, or None.
        references: What is sent with a structure.
        target: The address as it was asked for.
    """

    as_of: date
    version: str
    resource: str
    is_known: bool
    key: tuple[frozenset[str], ...]
    updated_after: float | None
    references: str
    target: str


def read_address(target: str) -> Address | None:
    """The request of a target; None where it is no address of the service.

    Raises:
        BadRequestError: when a parameter cannot be read.
    """
    parts = urlsplit(target)
    match = _ROOT.fullmatch(parts.path)
    if match is None:
        return None
    version = _VERSIONS[match["api"]]
    steps = [unquote(step) for step in match["rest"].strip("/").split("/")]
    found = _data(version, steps) or _structure(version, steps)
    if found is None:
        return None
    resource, is_known, key = found
    values = {name: texts[-1] for name, texts in parse_qs(parts.query).items()}
    return Address(
        _day(match["day"]),
        version,
        resource,
        is_known,
        key,
        _instant(values),
        values.get("references", "none"),
        target,
    )


_Found = tuple[str, bool, tuple[frozenset[str], ...]]


def _data(version: str, steps: list[str]) -> _Found | None:
    if steps[0] != "data" or len(steps) < 2:
        return None
    if version == "2.1":
        agency, flow, number = _reference(steps[1])
        key = steps[2] if len(steps) > 2 else "all"
    elif len(steps) < 5 or steps[1] != "dataflow":
        return None
    else:
        agency, flow, number = steps[2:5]
        key = steps[5] if len(steps) > 5 else "*"
    return "data", _is_known(agency, flow, number), _key(version, key)


def _reference(text: str) -> tuple[str, str, str]:
    """Agency, flow and version of `FLOW`, `AGENCY,FLOW` or `AGENCY,FLOW,VERSION`."""
    parts = text.split(",")
    if len(parts) == 1:
        return "all", parts[0], "latest"
    return parts[0], parts[1], parts[2] if len(parts) > 2 else "latest"


def _structure(version: str, steps: list[str]) -> _Found | None:
    if version == "3.0":
        if steps[0] != "structure":
            return None
        steps = steps[1:]
    if not steps or steps[0] not in STRUCTURES:
        return None
    agency, name, number = (*steps[1:4], *("all", "all", "latest")[len(steps) - 1 :])
    is_list = steps[0] in ("codelist", "conceptscheme")
    return steps[0], _is_known(agency, FLOW if is_list else name, number), ()


def _is_known(agency: str, name: str, version: str) -> bool:
    return (
        agency in (AGENCY, "all", "*")
        and name in (FLOW, "all", "*")
        and version in ("latest", "all", "~", "*", "+", VERSION, f"{VERSION}.0")
    )


def _key(version: str, text: str) -> tuple[frozenset[str], ...]:
    if text in ("all", "*", ""):
        return ()
    separator = "+" if version == "2.1" else ","
    return tuple(
        frozenset(code for code in part.split(separator) if code not in ("", "*"))
        for part in text.split(".")
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadRequestError(f"{text} is no day") from None


def _instant(values: Mapping[str, str]) -> float | None:
    text = values.get("updatedAfter")
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequestError("updatedAfter is no time") from None
    if instant.tzinfo is None:
        raise BadRequestError("updatedAfter carries no time zone")
    return instant.timestamp()
