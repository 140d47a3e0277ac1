"""Who sees what in Superset: roles, their datasets, conditions on rows, dashboards and users.

Everything follows from `publish.access.rights`, the one mapping of a city's roles. The order in
which it is written keeps the door shut: conditions on rows stand before any user has a role, and a
condition that is lost shows nothing (`BASE`), not everything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from publish.access import NOTHING, rights
from reports.superset.contents import Reports
from reports.superset.dashboards import Dashboard
from warehouse.access import Access, Role, RoleKind

ADMINISTRATORS = "Admin"
REGULAR, BASE = "Regular", "Base"
# Rules of one group are joined by OR: a person with two roles sees the rows of both.
GROUP = "citylake"


@dataclass(frozen=True)
class Rule:
    """A condition on rows of datasets.

    Attributes:
        kind: `Regular`: it holds for its roles; `Base`: for all but its roles.
        roles: Names.
        views: Names of the views behind the datasets.
        group: Rules of one group are joined by OR, groups by AND.
    """

    name: str
    kind: str
    clause: str
    roles: tuple[str, ...]
    views: tuple[str, ...]
    group: str = GROUP


@dataclass(frozen=True)
class Wanted:
    """What is to hold on a server.

    Attributes:
        grants: Views that each role reads, by its name in Superset.
        rules: Conditions on rows.
        boards: Names of roles by key of a dashboard.
        users: Name of the role of each user.
    """

    grants: Mapping[str, tuple[str, ...]]
    rules: Sequence[Rule]
    boards: Mapping[str, tuple[str, ...]]
    users: Mapping[str, str] = field(default_factory=dict)


def role_name(city: str, code: str) -> str:
    """What a role of a city is called in Superset."""
    return f"{city}: {code}"


def wanted_rights(reports: Reports, access: Access, users: Mapping[str, str]) -> Wanted:
    """What is to hold for the roles of a city.

    Args:
        reports: What the city shows.
        access: Its roles.
        users: Code of the role of each user.
    """
    city = reports.city
    sees = {
        role_name(city, code): {
            view: condition
            for view, condition in rights(role, reports.audited).items()
            if view in reports.views
        }
        for code, role in access.roles.items()
    }
    grants = {name: tuple(sorted(views)) for name, views in sees.items()}
    boards: dict[str, tuple[str, ...]] = {}
    for dashboard in reports.dashboards:
        readers = [
            role_name(city, code)
            for code, role in access.roles.items()
            if _reads(role, dashboard, sees[role_name(city, code)])
        ]
        # A dashboard that is given to nobody would be seen by whoever may read one dataset of it.
        boards[f"{city}/{dashboard.name}"] = tuple(sorted(readers)) or (ADMINISTRATORS,)
    named = {user: role_name(city, code) for user, code in users.items()}
    return Wanted(grants, [*_base_rules(city, reports, sees), *_rules(sees)], boards, named)


def _reads(role: Role, dashboard: Dashboard, sees: Mapping[str, str | None]) -> bool:
    """Whether a dashboard is for a role: it may read all of it, and some of it is about it."""
    if not dashboard.views <= sees.keys():
        return False
    if role.kind is RoleKind.SECTOR_AGENCY and dashboard.service_group is not None:
        return dashboard.service_group in role.service_groups
    return True


def _rules(sees: Mapping[str, Mapping[str, str | None]]) -> Iterable[Rule]:
    for name, views in sees.items():
        clauses = dict.fromkeys(clause for clause in views.values() if clause is not None)
        for number, clause in enumerate(clauses, 1):
            bound = tuple(sorted(view for view, each in views.items() if each == clause))
            yield Rule(f"{name} {number}", REGULAR, clause, (name,), bound)


def _base_rules(
    city: str, reports: Reports, sees: Mapping[str, Mapping[str, str | None]]
) -> Iterable[Rule]:
    """A view shows nothing but to those who see all of it; rules of others open rows of it."""
    by_roles: dict[tuple[str, ...], list[str]] = {}
    for view in reports.views:
        unbound = tuple(
            sorted(name for name, views in sees.items() if views.get(view, NOTHING) is None)
        )
        by_roles.setdefault(unbound, []).append(view)
    for number, (unbound, views) in enumerate(by_roles.items(), 1):
        roles = tuple(sorted((ADMINISTRATORS, *unbound)))
        yield Rule(f"{city}: base {number}", BASE, NOTHING, roles, tuple(sorted(views)))
