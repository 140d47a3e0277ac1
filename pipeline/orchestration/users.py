"""Who may use Airflow: named people, their roles and their passwords."""

import json
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.orchestration.errors import OrchestrationError

VARIABLE = "CITYLAKE_AIRFLOW_USERS"
PASSWORD_VARIABLE = "CITYLAKE_AIRFLOW_PASSWORD_"  # noqa: S105 - how the names of variables begin
USUAL = "admin:admin,engineer:engineer,approver:approver,auditor:auditor"
APPROVER = "approver"
# Our roles in the words of Airflow's simple auth manager.
ROLES = {"admin": "ADMIN", "engineer": "OP", APPROVER: "USER", "auditor": "VIEWER"}
_NAME = re.compile(r"[a-z][a-z0-9._-]{1,63}", re.ASCII)
NAME_RULE = "a name has 2 to 64 of a-z, 0-9, '.', '_' and '-', and begins with a letter"
_SHORTEST_PASSWORD = 12


@dataclass(frozen=True)
class User:
    """Somebody who may log in.

    Attributes:
        name: What stands in the ledger when this person approves.
        role: `admin`, `engineer` (runs, clears, sets pools), `approver` (also answers what is
            held) or `auditor` (reads).
    """

    name: str
    role: str


def users(environ: Mapping[str, str]) -> tuple[User, ...]:
    """The users that `CITYLAKE_AIRFLOW_USERS` names (`name:role,...`), or one of each role.

    Raises:
        OrchestrationError: for a name or role that is none, a name that stands twice or means
            nobody, or when nobody could approve.
    """
    text = environ.get(VARIABLE) or USUAL
    found: list[User] = []
    for item in text.split(","):
        name, _, role = item.strip().partition(":")
        if name == "anonymous":
            raise OrchestrationError(f"{VARIABLE}: {name!r} is no name of a user: it means nobody")
        if not is_name(name):
            raise OrchestrationError(f"{VARIABLE}: {name!r} is no name of a user: {NAME_RULE}")
        if role not in ROLES:
            raise OrchestrationError(f"{VARIABLE}: {name} has no role of {', '.join(ROLES)}")
        if name in {each.name for each in found}:
            raise OrchestrationError(f"{VARIABLE}: {name} stands there twice")
        found.append(User(name, role))
    if not approvers(found):
        raise OrchestrationError(f"{VARIABLE}: nobody has the role {APPROVER}")
    return tuple(found)


def is_name(text: str) -> bool:
    """Whether a user may be called so."""
    return _NAME.fullmatch(text) is not None


def approvers(known: Sequence[User]) -> tuple[str, ...]:
    """Names of those who may answer what is held."""
    return tuple(each.name for each in known if each.role == APPROVER)


def password_variable(name: str, beginning: str = PASSWORD_VARIABLE) -> str:
    """The environment variable that may hold a user's password."""
    return beginning + re.sub(r"[^A-Z0-9]", "_", name.upper())


def write_passwords(
    place: Path,
    known: Sequence[User],
    environ: Mapping[str, str],
    beginning: str = PASSWORD_VARIABLE,
) -> None:
    """Bring the file of passwords in line with the users; nobody but its owner can read it.

    A password comes from `CITYLAKE_AIRFLOW_PASSWORD_<NAME>` (in capitals, other signs as `_`),
    else stays as it is, else is made. Whoever is no user any more goes.

    Args:
        place: The file.
        known: The users.
        environ: Where passwords may be given.
        beginning: How the names of their variables begin.

    Raises:
        OrchestrationError: for a given password that is too short.
    """
    before = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    made = {each.name: before.get(each.name) or secrets.token_urlsafe(18) for each in known}
    passwords = {**made, **given_passwords(known, environ, beginning)}
    write_private(place, json.dumps(passwords) + "\n")


def given_passwords(
    known: Sequence[User], environ: Mapping[str, str], beginning: str = PASSWORD_VARIABLE
) -> dict[str, str]:
    """Passwords of users that the environment gives, by name.

    Raises:
        OrchestrationError: for one that is too short.
    """
    given = {}
    for user in known:
        variable = password_variable(user.name, beginning)
        password = environ.get(variable)
        if password is not None and len(password) < _SHORTEST_PASSWORD:
            raise OrchestrationError(f"{variable} has fewer than {_SHORTEST_PASSWORD} characters")
        if password:
            given[user.name] = password
    return given


def write_private(place: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    beside = place.with_name(f"{place.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
    beside.replace(place)
