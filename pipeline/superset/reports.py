"""`citylake reports render`, `check`, `plan`, `apply` and `prune`."""

import json
import os
import secrets
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from pipeline.context import Context, read_context
from pipeline.exit_codes import ExitCode
from pipeline.orchestration.users import (
    User,
    given_passwords,
    password_variable,
    write_private,
)
from pipeline.superset.errors import SupersetError
from pipeline.superset.home import PASSWORD_VARIABLE, usual_home
from pipeline.superset.server import running_address
from pipeline.superset.users import ADMINISTRATOR, users
from publish.serving import replace_serving, serving_file
from reports.superset.assets import CHARTS, DASHBOARDS, DATASETS, Asset, read_assets, write_assets
from reports.superset.check import problems
from reports.superset.client import Client
from reports.superset.contents import Reports, reports_of
from reports.superset.difference import Change, changes
from reports.superset.errors import LoginError, ReportsError
from reports.superset.rights import wanted_rights
from reports.superset.sync import Server
from warehouse.access import ACCESS_FILE, access_warnings
from warehouse.contract.problem import ContractError
from warehouse.duck import read_only
from warehouse.sql import quoted

ADDRESS_VARIABLE = "CITYLAKE_SUPERSET_ADDRESS"
_RESOURCES = {DASHBOARDS: "dashboard", CHARTS: "chart", DATASETS: "dataset"}


def render(city: str, output: Path) -> ExitCode:
    """Write the reports of a city as files into a folder."""
    reports = _reports(read_context(city))
    try:
        written = write_assets(reports.assets, output)
    except OSError as error:
        raise ReportsError(f"{output} cannot be written: {error.strerror}") from error
    sys.stdout.write(f"{len(written)} files in {output}\n")
    return ExitCode.PUBLISHED


def check(city: str, folder: Path | None) -> ExitCode:
    """Check the reports of a city, or of a folder of files, and who sees them, and print faults.

    Returns:
        1 where anything is.
    """
    context = read_context(city)
    assets = _reports(context).assets if folder is None else read_assets(folder)
    found = [*_access_problems(context), *report_problems(context, assets)]
    for problem in found:
        sys.stdout.write(f"{problem}\n")
    if not found:
        _warn(context)
        sys.stdout.write(f"{len(assets)} files and {ACCESS_FILE}, nothing is wrong\n")
    return ExitCode.ERROR if found else ExitCode.PUBLISHED


def _access_problems(context: Context) -> Sequence[str]:
    """What is wrong with who sees what, as `contract check` tells it."""
    try:
        _ = context.access
    except ContractError as error:
        return [str(problem) for problem in error.problems]
    return ()


def _warn(context: Context) -> None:
    for warning in access_warnings(context.city.folder, context.access):
        sys.stdout.write(f"warning: {warning}\n")


def report_problems(context: Context, assets: Sequence[Asset]) -> list[str]:
    """What is wrong in reports, against the views of a serving file that has no rows."""
    publications = tuple(context.registry.publications.values())
    with tempfile.TemporaryDirectory() as scratch:
        paths = replace(context.paths, home=Path(scratch))
        paths.create()
        file = replace_serving(paths, publications, context.city.marts, named=context.named)
        with read_only(file) as serving:
            rows = serving.execute(
                "SELECT table_name, list(column_name) FROM information_schema.columns GROUP BY ALL"
            ).fetchall()

            def fault(view: str, expression: str) -> str | None:
                import duckdb

                try:
                    serving.execute(f"SELECT {expression} FROM {quoted(view)}").fetchall()  # noqa: S608 - own
                except duckdb.Error as error:
                    return str(error).partition("\n")[0]
                return None

            return problems(assets, {name: columns for name, columns in rows}, fault)


def plan(city: str, address: str | None) -> ExitCode:
    """Print what `apply` and `prune` would change on a server; 3 where they would."""
    context = read_context(city)
    with _session(context, address) as session:
        _warn(context)
        lines = session.lines()
        for missing in session.without_password():
            sys.stdout.write(f"warning: {missing}\n")
    for line in lines:
        sys.stdout.write(f"{line}\n")
    if not lines:
        sys.stdout.write("nothing to change\n")
    return ExitCode.HELD if lines else ExitCode.PUBLISHED


def apply_assets(city: str, address: str | None, *, in_short: bool = False) -> ExitCode:
    """Bring reports and rights of a city into a server, and verify that it has them.

    Args:
        city: Name or folder of the city.
        address: Of the server; the one that runs here where None.
        in_short: Whether what was done is counted by its kind, and not told one by one.

    Raises:
        ReportsError: for reports that are wrong, a server that does not take them, or one that
            has something else afterwards.
    """
    context = read_context(city)
    faults = report_problems(context, _reports(context).assets)
    if faults:
        raise ReportsError("; ".join(faults))
    done: list[str] = []

    def tell(line: str) -> None:
        done.append(line)
        if not in_short:
            sys.stdout.write(f"{line}\n")

    with _session(context, address) as session:
        _warn(context)
        session.know_passwords()
        made, _ = session.changes()
        if made:
            session.push(made)
        for change in made:
            tell(f"{change.action} {change.path}")
        for step in session.server.steps():
            tell(step.what)
            step.act()
        left = [*(each.path for each in session.changes()[0])]
        left += [each.what for each in session.server.steps()]
    if left:
        raise ReportsError(f"after the push Superset still differs: {'; '.join(left)}")
    for line in summary(done) if in_short else ():
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(made)} objects written, verified\n")
    return ExitCode.PUBLISHED


def summary(done: Sequence[str]) -> list[str]:
    """How often what was done, by verb and kind, in the order in which each began."""
    # A word with a colon is a name already: "grant danang: auditor ...".
    kinds = Counter(
        " ".join(word for word in each.replace("/", " ").split()[:2] if not word.endswith(":"))
        for each in done
    )
    return [f"{kind}: {number}" for kind, number in kinds.items()]


def prune(city: str, address: str | None) -> ExitCode:
    """Remove from a server what was made here and is no more; others' objects stay."""
    with _session(read_context(city), address) as session:
        _, removed = session.changes()
        for change in removed:
            session.remove(change)
            sys.stdout.write(f"{change.path}\n")
        stale = session.server.stale_roles()
        for step in stale:
            step.act()
            sys.stdout.write(f"{step.what}\n")
    sys.stdout.write(f"{len(removed) + len(stale)} removed\n")
    return ExitCode.PUBLISHED


def _reports(context: Context) -> Reports:
    return reports_of(
        context.city.name,
        context.city.title,
        context.registry,
        context.city.marts,
        serving_file(context.paths),
    )


@dataclass
class _Session:
    """A city's reports beside a server that is to hold them."""

    client: Client
    reports: Reports
    server: Server

    def __enter__(self) -> "_Session":
        return self

    def __exit__(self, *_error: object) -> None:
        self.client.close()

    def changes(self) -> tuple[list[Change], list[Change]]:
        """Creations and updates; removals."""
        return changes(self.reports.assets, self.client.exported(), self.reports.city)

    def lines(self) -> list[str]:
        """What differs, as people read it."""
        made, removed = self.changes()
        lines = [line for change in (*made, *removed) for line in change.lines()]
        steps = [*self.server.steps(), *self.server.stale_roles()]
        return [*lines, *(each.what for each in steps)]

    def know_passwords(self) -> None:
        """Have a password of every user that is to be created; a Superset that runs here gets them.

        Raises:
            SupersetError: for a Superset elsewhere, which nobody would learn a made one of.
        """
        if missing := self.without_password():
            raise SupersetError("; ".join(missing))
        place = usual_home().passwords
        new = self.server.new_users()
        if not new or not place.exists():
            return
        known = self.server.passwords
        theirs = {name: known.get(name) or secrets.token_urlsafe(18) for name in new}
        write_private(place, json.dumps(json.loads(place.read_text("utf-8")) | theirs) + "\n")
        self.server.passwords = {**known, **theirs}

    def without_password(self) -> list[str]:
        """Users that are to be created and that nobody gave a password, where none is made."""
        if usual_home().passwords.exists():
            return []
        return [
            f"user {name} has no password: {password_variable(name, PASSWORD_VARIABLE)} gives one"
            for name in self.server.new_users()
            if name not in self.server.passwords
        ]

    def push(self, made: Sequence[Change]) -> None:
        """Import what changed."""
        keys = {each.key for each in made}
        assets = [each for each in self.reports.assets if (each.kind, each.uuid) in keys]
        self.client.import_assets(assets)

    @cached_property
    def _numbers(self) -> Mapping[tuple[str, str], int]:
        return {
            (kind, str(each["uuid"])): int(each["id"])
            for kind, resource in _RESOURCES.items()
            for each in self.client.all(resource, columns=["id", "uuid"])
        }

    def remove(self, change: Change) -> None:
        """Remove one object."""
        kind, _ = change.key
        number = self._numbers[change.key]
        self.client.ask("DELETE", f"/api/v1/{_RESOURCES[kind]}/{number}")


def _session(context: Context, address: str | None) -> _Session:
    """A city's reports beside a server.

    Raises:
        SupersetError: when no server or no password of the administrator is known, or the password
            is not what the server knows; it says where the password came from.
        ReportsError: when the server does not answer.
    """
    reports = _reports(context)
    known = users(context.access, os.environ)
    passwords, origin = _passwords(known)
    where = address or os.environ.get(ADDRESS_VARIABLE) or running_address()
    named = {each.name: each.role for each in known if each.name != ADMINISTRATOR}
    wanted = wanted_rights(reports, context.access, named)
    try:
        client = Client(where, ADMINISTRATOR, passwords[ADMINISTRATOR])
    except LoginError as error:
        raise SupersetError(f"{error}; the password came from {origin}") from None
    return _Session(client, reports, Server(client, reports, wanted, passwords))


def _passwords(known: Sequence[User]) -> tuple[Mapping[str, str], str]:
    """Passwords by user, and where the administrator's came from.

    Raises:
        SupersetError: when that of the administrator is not known.
        OrchestrationError: for a given password that is too short.
    """
    place = usual_home().passwords
    found: dict[str, str] = json.loads(place.read_text("utf-8")) if place.exists() else {}
    given = given_passwords(known, os.environ, PASSWORD_VARIABLE)
    variable = password_variable(ADMINISTRATOR, PASSWORD_VARIABLE)
    if ADMINISTRATOR not in {**found, **given}:
        raise SupersetError(
            f"no password of {ADMINISTRATOR}: no Superset was started here (there is no {place}; "
            f"`citylake superset up` starts one), and {variable} is not set"
        )
    return {**found, **given}, variable if ADMINISTRATOR in given else str(place)
