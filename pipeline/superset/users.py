"""Who may use Superset: named people and the role of the city's `access.yaml` that each has."""

from collections.abc import Mapping

from pipeline.orchestration.users import NAME_RULE, User, is_name
from pipeline.superset.errors import SupersetError
from warehouse.access import Access

VARIABLE = "CITYLAKE_SUPERSET_USERS"
ADMINISTRATOR = "admin"


def users(access: Access, environ: Mapping[str, str]) -> tuple[User, ...]:
    """The administrator, and the users that `CITYLAKE_SUPERSET_USERS` names (`name:role,...`).

    Where it names none, there is one user of each role, by the name of the role.

    Raises:
        SupersetError: for a name that is none or stands twice, or a role that the city lacks.
    """
    text = environ.get(VARIABLE)
    if not text:
        found = [User(code, code) for code in access.roles]
        return (User(ADMINISTRATOR, ADMINISTRATOR), *found)
    named: dict[str, User] = {ADMINISTRATOR: User(ADMINISTRATOR, ADMINISTRATOR)}
    for item in text.split(","):
        name, _, role = item.strip().partition(":")
        if not is_name(name):
            raise SupersetError(f"{VARIABLE}: {name!r} is no name of a user: {NAME_RULE}")
        if role not in access.roles:
            known = ", ".join(access.roles)
            raise SupersetError(f"{VARIABLE}: {name} has no role of the city's ({known})")
        if name in named:
            raise SupersetError(f"{VARIABLE}: {name} stands there twice")
        named[name] = User(name, role)
    return tuple(named.values())
