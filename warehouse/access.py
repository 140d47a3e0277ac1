"""Who may see what of a city's reports, as `access.yaml` declares it."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.contract.document import Document, read_document
from warehouse.contract.problem import Problem, raise_on
from warehouse.contract.validation import own_problems

if TYPE_CHECKING:
    from warehouse.geography_model import AreaKey

ACCESS_FILE = "access.yaml"


class RoleKind(StrEnum):
    """What a role is; `publish.access` says what each kind sees."""

    CITY_LEADER = "city_leader"
    AREA_LEADER = "area_leader"
    SECTOR_AGENCY = "sector_agency"
    AUDITOR = "auditor"
    OPEN = "open"


@dataclass(frozen=True)
class Role:
    """A role that persons are put into where they log in.

    Attributes:
        title: By language.
        areas: Keys (code, valid_from) of the areas that an area's leader sees.
        service_groups: Numbers of the groups that a sector's agency sees.
    """

    code: str
    kind: RoleKind
    title: Mapping[str, str]
    areas: "tuple[AreaKey, ...]" = ()
    service_groups: tuple[int, ...] = ()


@dataclass(frozen=True)
class Recipient:
    """Who is sent the brief of an area, with the rights of a role.

    Attributes:
        role: Code of the role.
        area: Key of the area that the brief is about.
        language: `vi` or `en`.
        address_variable: Environment variable that holds the e-mail address.
    """

    code: str
    role: str
    area: "AreaKey"
    language: str
    address_variable: str


@dataclass(frozen=True)
class Access:
    """The roles and recipients of a city, by code."""

    roles: Mapping[str, Role]
    recipients: Mapping[str, Recipient]


def load_access(folder: Path, areas: "Set[AreaKey]") -> Access:
    """Read and check a city's `access.yaml`; a city without one has no roles.

    Args:
        folder: The city's folder.
        areas: Keys of every area of its geography.

    Raises:
        ContractError: everything that is wrong, with file, line and rule.
    """
    path = folder / ACCESS_FILE
    if not path.exists():
        return Access({}, {})
    document = read_document(path)
    raise_on(own_problems(document, "access"))
    problems = [*_role_problems(document, areas), *_recipient_problems(document, areas)]
    raise_on(problems)
    roles = {
        node["code"]: Role(
            node["code"],
            RoleKind(node["kind"]),
            node["title"],
            tuple(_key(each) for each in node.get("areas", ())),
            tuple(node.get("service_groups", ())),
        )
        for node in document.data["roles"]
    }
    recipients = {
        node["code"]: Recipient(
            node["code"],
            node["role"],
            _key(node["area"]),
            node["language"],
            node["address_variable"],
        )
        for node in document.data.get("recipients", ())
    }
    return Access(roles, recipients)


def access_warnings(folder: Path, access: Access) -> tuple[str, ...]:
    """What may be meant so, and is told since somebody would miss it; nothing is opened by it.

    Args:
        folder: The city's folder.
        access: As `load_access` gives it.
    """
    if not access.roles:
        has_file = (folder / ACCESS_FILE).exists()
        what = f"{ACCESS_FILE} names no role" if has_file else f"there is no {ACCESS_FILE}"
        return (f"{what}: of the city's reports nobody but an administrator sees any",)
    bounds = {RoleKind.AREA_LEADER: "areas", RoleKind.SECTOR_AGENCY: "service_groups"}
    return tuple(
        f"{ACCESS_FILE}: role {role.code} of kind {role.kind} sees nothing: it has no {bound}"
        for role in access.roles.values()
        if (bound := bounds.get(role.kind)) and not getattr(role, bound)
    )


def _role_problems(document: Document, areas: "Set[AreaKey]") -> list[Problem]:
    problems = _twice(document, "roles")
    for index, node in enumerate(document.data["roles"]):
        for name, kind in (("areas", "area_leader"), ("service_groups", "sector_agency")):
            if name in node and node["kind"] != kind:
                message = f"only a role of kind {kind} has {name}"
                problems.append(
                    document.problem(("roles", index, name), "citylake.access", message)
                )
        for place, area in enumerate(node.get("areas", ())):
            problems += _unknown(document, ("roles", index, "areas", place), area, areas)
    return problems


def _recipient_problems(document: Document, areas: "Set[AreaKey]") -> list[Problem]:
    problems = _twice(document, "recipients")
    known = {node["code"]: node for node in document.data["roles"]}
    for index, node in enumerate(document.data.get("recipients", ())):
        if node["role"] not in known:
            message = f"there is no role {node['role']!r}"
            place = ("recipients", index, "role")
            problems.append(document.problem(place, "citylake.access", message))
        elif not _names(known[node["role"]], node["area"]):
            message = f"role {node['role']} may not see this area"
            place = ("recipients", index, "area")
            problems.append(document.problem(place, "citylake.access", message))
        problems += _unknown(document, ("recipients", index, "area"), node["area"], areas)
    return problems


def _names(role: Mapping[str, Any], area: Mapping[str, Any]) -> bool:
    """Whether a role is not bound to areas, or names this one."""
    is_bound = role["kind"] == RoleKind.AREA_LEADER
    return not is_bound or _key(area) in [_key(each) for each in role.get("areas", ())]


def _twice(document: Document, name: str) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for index, node in enumerate(document.data.get(name, ())):
        if node["code"] in seen:
            place = (name, index, "code")
            problems.append(document.problem(place, "citylake.access", "stands here twice"))
        seen.add(node["code"])
    return problems


def _unknown(
    document: Document,
    place: tuple[str | int, ...],
    area: Mapping[str, Any],
    areas: "Set[AreaKey]",
) -> list[Problem]:
    if _key(area) in areas:
        return []
    message = f"area.csv has no area {area['code']} that is valid from {area['valid_from']}"
    return [document.problem(place, "citylake.unknown_area", message)]


def _key(area: Mapping[str, Any]) -> "AreaKey":
    return area["code"], date.fromisoformat(area["valid_from"])
