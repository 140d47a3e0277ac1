"""Brings roles, conditions on rows, dashboards' readers and users of a server in line."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from reports.superset.assets import DASHBOARDS, DATASETS, uuid_of
from reports.superset.client import Client
from reports.superset.contents import Reports
from reports.superset.errors import ReportsError
from reports.superset.readers import PERMISSIONS, READER
from reports.superset.rights import ADMINISTRATORS, BASE, GROUP, Rule, Wanted

_DATASET = re.compile(r"\(id:(\d+)\)$")
_GRANT = "datasource_access"


@dataclass(frozen=True)
class Step:
    """One thing to do on a server.

    Attributes:
        what: As people read it.
        act: Does it.
    """

    what: str
    act: Callable[[], object]


class Server:
    """What a server has of rights, and how it is brought in line."""

    def __init__(
        self, client: Client, reports: Reports, wanted: Wanted, passwords: Mapping[str, str]
    ) -> None:
        self.client, self.reports, self.wanted = client, reports, wanted
        self.passwords = passwords
        self.city = reports.city

    def steps(self) -> list[Step]:
        """What is to be done, in an order that never shows more than is wanted."""
        self._forget()
        return [
            *self._shut_outs(),
            *self._roles(),
            *self._rule_steps(),
            *self._grants(),
            *self._boards(),
            *self._users(),
        ]

    def new_users(self) -> list[str]:
        """Users that are to be created."""
        there = {each["username"] for each in self.client.all("security/users")}
        return [name for name in self.wanted.users if name not in there]

    def stale_roles(self) -> list[Step]:
        """Removal of roles of this city that are no more."""
        self._forget()
        return [
            Step(f"remove role {name}", partial(self._remove_role, number))
            for name, number in self.roles.items()
            if name.startswith(f"{self.city}: ") and name not in self.wanted.grants
        ]

    def _forget(self) -> None:
        for name in ("roles", "datasets"):
            self.__dict__.pop(name, None)

    @cached_property
    def roles(self) -> dict[str, int]:
        """Number of each role by name."""
        return {each["name"]: int(each["id"]) for each in self.client.all("security/roles")}

    @cached_property
    def datasets(self) -> dict[str, int]:
        """Number of each view's dataset, of those that are there."""
        wanted = {each.uuid: each.content["table_name"] for each in self.reports.of_kind(DATASETS)}
        return {
            wanted[str(each["uuid"])]: int(each["id"])
            for each in self.client.all("dataset")
            if str(each["uuid"]) in wanted
        }

    @cached_property
    def _permissions(self) -> dict[tuple[str, str], int]:
        """Number of each permission by its name and what it is about."""
        return {
            (each["permission"]["name"], each["view_menu"]["name"]): int(each["id"])
            for each in self.client.all("security/permissions-resources")
        }

    def _roles(self) -> Iterator[Step]:
        for name in (READER, *self.wanted.grants):
            if name not in self.roles:
                yield Step(f"create role {name}", partial(self._create_role, name))

    def _create_role(self, name: str) -> None:
        answer = self.client.ask("POST", "/api/v1/security/roles/", json={"name": name})
        self.roles[name] = int(answer["id"])

    def _remove_role(self, number: int) -> None:
        self.client.ask("DELETE", f"/api/v1/security/roles/{number}")

    def _granted(self, role: str) -> set[tuple[str, str]]:
        if role not in self.roles:
            return set()
        path = f"/api/v1/security/roles/{self.roles[role]}/permissions/"
        found = self.client.ask("GET", path)["result"]
        return {(each["permission_name"], each["view_menu_name"]) for each in found}

    def _grants(self) -> Iterator[Step]:
        if self._granted(READER) != PERMISSIONS:
            yield Step(
                f"give role {READER} what every reader may do",
                lambda: self._grant(READER, [self._number(each) for each in PERMISSIONS]),
            )
        views = {number: view for view, number in self.datasets.items()}
        for role, wanted in self.wanted.grants.items():
            told = {self._told(each, views) for each in self._granted(role)}
            if told != set(wanted):
                change = _words(told, set(wanted))
                yield Step(f"grant {role}: {change}", partial(self._give, role, wanted))

    @staticmethod
    def _told(permission: tuple[str, str], views: Mapping[int, str]) -> str:
        """A permission in words: the name of the view where it is to read one."""
        name, about = permission
        found = _DATASET.search(about)
        if name == _GRANT and found and int(found[1]) in views:
            return views[int(found[1])]
        return f"{name} on {about}"

    def _number(self, permission: tuple[str, str]) -> int:
        number = self._permissions.get(permission)
        if number is None:
            raise ReportsError(f"Superset knows no permission {' on '.join(permission)}")
        return number

    def _give(self, role: str, views: tuple[str, ...]) -> None:
        about = {
            int(found[1]): number
            for (name, of), number in self._permissions.items()
            if name == _GRANT and (found := _DATASET.search(of))
        }
        self._grant(role, [about[self._dataset(view)] for view in views])

    def _grant(self, role: str, numbers: list[int]) -> None:
        path = f"/api/v1/security/roles/{self.roles[role]}/permissions"
        self.client.ask("POST", path, json={"permission_view_menu_ids": sorted(numbers)})

    def _dataset(self, view: str) -> int:
        if view not in self.datasets:
            raise ReportsError(f"Superset has no dataset of {view}")
        return self.datasets[view]

    def _rules(self) -> dict[str, tuple[int, Rule]]:
        """The rules that bear the city's name, or that anybody laid on one of its datasets."""
        found = {}
        ours = set(self.datasets.values())
        for each in self.client.all("rowlevelsecurity"):
            tables = {int(table["id"]): str(table["table_name"]) for table in each["tables"]}
            if each["name"].startswith(f"{self.city}: ") or ours & tables.keys():
                rule = Rule(
                    each["name"],
                    each["filter_type"],
                    each["clause"],
                    tuple(sorted(role["name"] for role in each["roles"])),
                    tuple(sorted(tables.values())),
                    each["group_key"] or "",
                )
                found[rule.name] = int(each["id"]), rule
        return found

    def _rule_steps(self) -> Iterator[Step]:
        found = self._rules()
        for rule in self.wanted.rules:
            number, there = found.pop(rule.name, (None, None))
            if rule != there:
                verb = "create" if number is None else "update"
                was = f" (it was {_rule_words(there)})" if there else ""
                yield Step(
                    f"{verb} rule {rule.name}: {_rule_words(rule)}{was}",
                    partial(self._write_rule, rule, number),
                )
        for name, (number, rule) in found.items():
            yield Step(
                f"remove rule {name}: {_rule_words(rule)}",
                partial(self._remove_rule, number),
            )

    def _remove_rule(self, number: int) -> None:
        self.client.ask("DELETE", f"/api/v1/rowlevelsecurity/{number}")

    def _write_rule(self, rule: Rule, number: int | None) -> None:
        sent = {
            "name": rule.name,
            "filter_type": rule.kind,
            "clause": rule.clause,
            "group_key": rule.group,
            "roles": [self.roles[name] for name in rule.roles],
            "tables": [self._dataset(view) for view in rule.views],
        }
        if number is None:
            self.client.ask("POST", "/api/v1/rowlevelsecurity/", json=sent)
        else:
            self.client.ask("PUT", f"/api/v1/rowlevelsecurity/{number}", json=sent)

    def _board_rows(self) -> dict[str, dict[str, Any]]:
        return {str(each["uuid"]): each for each in self.client.all("dashboard")}

    def _boards(self) -> Iterator[Step]:
        rows = self._board_rows()
        for key, wanted in self.wanted.boards.items():
            uuid = str(uuid_of(DASHBOARDS, key))
            there = tuple(sorted(each["name"] for each in rows.get(uuid, {}).get("roles", ())))
            if there != wanted:
                yield Step(
                    f"show dashboard {key} to {', '.join(wanted)}",
                    partial(self._show, uuid, wanted),
                )

    def _show(self, uuid: str, names: tuple[str, ...]) -> None:
        row = self._board_rows().get(uuid)
        if row is None:
            raise ReportsError(f"Superset has no dashboard {uuid}")
        sent = {"roles": [self.roles[name] for name in names]}
        self.client.ask("PUT", f"/api/v1/dashboard/{row['id']}", json=sent)

    def _users(self) -> Iterator[Step]:
        found = {each["username"]: each for each in self.client.all("security/users")}
        for name, role in self.wanted.users.items():
            there = found.get(name)
            if there is None:
                yield Step(f"create user {name}: {role}", partial(self._create, name, role))
            elif {each["name"] for each in there["roles"]} != {READER, role}:
                yield Step(
                    f"put user {name} into {role}",
                    partial(self._put, int(there["id"]), role),
                )

    def _shut_outs(self) -> Iterator[Step]:
        for there in self.client.all("security/users"):
            name = there["username"]
            roles = {each["name"] for each in there["roles"]}
            is_shut_out = roles <= {READER} and not there["active"]
            if name not in self.wanted.users and self._is_made_here(there) and not is_shut_out:
                had = ", ".join(sorted(roles)) or "no role"
                yield Step(
                    f"shut user {name} out, who has: {had}",
                    partial(self._shut_out, int(there["id"])),
                )

    def _is_made_here(self, user: Mapping[str, Any]) -> bool:
        """Whether `_create` made a user; one that somebody made an administrator is left alone."""
        ours = self.city, _email(user["username"])
        is_administrator = ADMINISTRATORS in {each["name"] for each in user["roles"]}
        return (user["last_name"], user["email"]) == ours and not is_administrator

    def _put(self, number: int, role: str) -> None:
        sent = {"active": True, "roles": [self.roles[READER], self.roles[role]]}
        self.client.ask("PUT", f"/api/v1/security/users/{number}", json=sent)

    def _shut_out(self, number: int) -> None:
        """Leave a user nothing to see and no way in; what was logged stays told of somebody."""
        sent = {"active": False, "roles": [self.roles[READER]]}
        self.client.ask("PUT", f"/api/v1/security/users/{number}", json=sent)

    def _create(self, name: str, role: str) -> None:
        sent = {
            "username": name,
            "first_name": name,
            "last_name": self.city,
            "email": _email(name),
            "active": True,
            "password": self.passwords[name],
            "roles": [self.roles[READER], self.roles[role]],
        }
        self.client.ask("POST", "/api/v1/security/users/", json=sent)


def _email(user: str) -> str:
    """Superset wants one of each user; nothing is sent there."""
    return f"{user}@citylake.invalid"


def _rule_words(rule: Rule) -> str:
    whom = "all but " if rule.kind == BASE else ""
    about = f"{rule.clause} on {', '.join(rule.views)} for {whom}{', '.join(rule.roles)}"
    return about if rule.group == GROUP else f"{about}, in group {rule.group or 'none'}"


def _words(there: set[str], wanted: set[str]) -> str:
    added = [f"+{name}" for name in sorted(wanted - there)]
    return " ".join([*added, *(f"-{name}" for name in sorted(there - wanted))])
