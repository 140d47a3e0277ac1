"""A Superset in memory: it keeps what it is told, and remembers in which order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.superset.assets import DASHBOARDS, DATASETS, Asset, Content
from reports.superset.errors import LoginError
from reports.superset.readers import PERMISSIONS

Row = dict[str, Any]
MAKE, CHANGE, REMOVE = "POST", "PUT", "DELETE"
_API = "/api/v1/"


def _keep(told: Row) -> Row:
    return told


@dataclass
class FakeSuperset:
    """What stands in it, and everything that it was told to change.

    Attributes:
        told: (verb, resource, what it is called) of each change, in order.
        keeps: What is kept of a user that it is told; a faulty server keeps something else.
        loses: Keys of objects that an import takes and does not keep.
    """

    objects: dict[tuple[str, str], Asset] = field(default_factory=dict)
    rows: dict[str, dict[int, Row]] = field(default_factory=dict)
    granted: dict[int, list[int]] = field(default_factory=dict)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    keeps: Callable[[Row], Row] = _keep
    loses: frozenset[str] = frozenset()
    sessions: int = 0

    def __post_init__(self) -> None:
        self.rows = {"security/roles": {1: {"name": "Admin"}}, "rowlevelsecurity": {}}
        self.rows["security/users"] = {1: self._user("admin", [1], "citylake")}

    def client(self, address: str, user: str, password: str) -> "FakeSuperset":
        """A session, in place of `reports.superset.client.Client`."""
        if user != "admin" or not password:
            raise LoginError(f"{address} does not let {user} in")
        self.sessions += 1
        return self

    def close(self) -> None:
        """Sessions end without a trace."""

    def import_assets(self, assets: Sequence[Asset]) -> None:
        for each in assets:
            self.told.append((MAKE, each.kind, each.key))
            if each.key not in self.loses:
                self.objects[each.kind, each.uuid] = each

    def exported(self) -> dict[tuple[str, str], Content]:
        return {key: each.content for key, each in self.objects.items()}

    def all(self, resource: str, **_query: Any) -> list[Row]:
        if resource == "dataset":
            return [
                {"id": number, "uuid": each.uuid, "table_name": each.content["table_name"]}
                for number, each in self._numbered(DATASETS).items()
            ]
        if resource == "dashboard":
            return [
                {"id": number, "uuid": each.uuid, "roles": self._named_roles(self._shown(number))}
                for number, each in self._numbered(DASHBOARDS).items()
            ]
        if resource == "security/permissions-resources":
            return [
                {"id": number, "permission": {"name": name}, "view_menu": {"name": about}}
                for number, (name, about) in enumerate(self._permissions())
            ]
        found = self.rows[resource]
        return [{**self._shape(resource, row), "id": number} for number, row in found.items()]

    def ask(self, method: str, path: str, json: Row | None = None) -> Row:
        resource, number = self._place(path)
        if method == "GET":
            known = self._permissions()
            names = [known[each] for each in self.granted.get(number, ())]
            return {"result": [{"permission_name": n, "view_menu_name": of} for n, of in names]}
        if path.endswith("/permissions"):
            self.told.append((MAKE, "grant", self.rows["security/roles"][number]["name"]))
            self.granted[number] = (json or {})["permission_view_menu_ids"]
            return {}
        rows = self.rows.setdefault(resource, {})
        row = {**rows.get(number, {}), **(json or {})}
        self.told.append((method, resource, str(row.get("name") or row.get("username") or number)))
        if method == REMOVE:
            del rows[number]
            return {}
        number = number or max(rows, default=0) + 1
        rows[number] = self.keeps(row) if resource == "security/users" else row
        return {"id": number}

    def roles_of(self, user: str) -> set[str]:
        """Names of the roles that a user has."""
        return {each["name"] for each in self.user(user)["roles"]}

    def user(self, name: str) -> Row:
        """What is told of a user."""
        (found,) = [each for each in self.all("security/users") if each["username"] == name]
        return found

    def add_user(self, name: str, role: str, maker: str) -> None:
        """A user as somebody has made it by hand."""
        numbers = {row["name"]: number for number, row in self.rows["security/roles"].items()}
        users = self.rows["security/users"]
        users[max(users) + 1] = self._user(name, [numbers[role]], maker)

    @staticmethod
    def _user(name: str, roles: list[int], last_name: str) -> Row:
        email = f"{name}@citylake.invalid"
        known = {"username": name, "first_name": name, "last_name": last_name, "email": email}
        return {**known, "active": True, "roles": roles}

    def _numbered(self, kind: str) -> dict[int, Asset]:
        objects = [each for (of_kind, _), each in self.objects.items() if of_kind == kind]
        return dict(enumerate(sorted(objects, key=lambda each: each.key), 1))

    def _permissions(self) -> list[tuple[str, str]]:
        tables = self._numbered(DATASETS).items()
        reads = [
            ("datasource_access", f"[x].[{table.content['table_name']}](id:{number})")
            for number, table in tables
        ]
        return [*sorted(PERMISSIONS), *reads]

    def _shown(self, dashboard: int) -> list[int]:
        found: list[int] = self.rows.get("dashboard", {}).get(dashboard, {}).get("roles", [])
        return found

    def _named_roles(self, numbers: Sequence[int]) -> list[Row]:
        return [{"name": self.rows["security/roles"][each]["name"]} for each in numbers]

    def _shape(self, resource: str, row: Row) -> Row:
        """A row as the API lists it: what was told as numbers has names."""
        found = {**row}
        if "roles" in row:
            found["roles"] = self._named_roles(row["roles"])
        if resource == "rowlevelsecurity":
            tables = self._numbered(DATASETS)
            found["tables"] = [
                {"id": each, "table_name": tables[each].content["table_name"]}
                for each in row["tables"]
            ]
        return found

    @staticmethod
    def _place(path: str) -> tuple[str, int]:
        parts = path.removeprefix(_API).removesuffix("/").removesuffix("/permissions").split("/")
        if parts[-1].isdigit():
            return "/".join(parts[:-1]), int(parts[-1])
        return "/".join(parts), 0
