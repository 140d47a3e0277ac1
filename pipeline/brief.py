"""`citylake brief`: two pages about an area, read with the rights of a role."""

import sys
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.exit_codes import ExitCode
from pipeline.last_day import last_day
from pipeline.settings import city_folder, city_paths
from publish.serving import serving_file
from publish.wording import LANGUAGES
from reports.brief.facts import Facts, read_facts
from reports.brief.subject import BriefError, subject
from warehouse.access import Access, Role, RoleKind, load_access
from warehouse.city import read_settings
from warehouse.geography import Geography, load_geography
from warehouse.geography_model import Area
from warehouse.paths import RESTRICTED_MODE, CityPaths


@dataclass(frozen=True)
class Desk:
    """What a brief of a city is made from; sources and registry are not read for it."""

    folder: Path

    @cached_property
    def paths(self) -> CityPaths:
        """Where the city's data lies."""
        return city_paths(self._settings["name"])

    @cached_property
    def default_day(self) -> date:
        """The day where none is named."""
        day: date = self._settings["default_date"]
        return day

    @cached_property
    def geography(self) -> Geography:
        """Areas of the city."""
        return load_geography(self.folder / "geography")

    @cached_property
    def access(self) -> Access:
        """Roles and recipients of the city."""
        return load_access(self.folder, {area.key for area in self.geography.areas})

    @cached_property
    def _settings(self) -> dict[str, Any]:
        return read_settings(self.folder / "city.yaml")

    def facts(self, area: Area, role: Role, day: date, language: str) -> Facts:
        """What the brief of an area says to a role."""
        file = serving_file(self.paths)
        notice = self._settings["notice"]
        about = subject(self.geography, area, role)
        said = notice and notice[language]
        return read_facts(file, about, role, day, language, said, ran=last_day(self.paths))


def open_desk(city: str) -> Desk:
    """The desk of a city.

    Args:
        city: Name or folder, see `pipeline.settings.city_folder`.
    """
    return Desk(city_folder(city))


def write_brief(
    city: str, day: date | None, area: str, language: str, role: str | None, output: Path | None
) -> ExitCode:
    """Write a brief and say where it is.

    Args:
        city: Name or folder of the city.
        day: The day that it carries; the default day of `city.yaml` where None.
        area: `code`, then valid on the day, or `code@valid_from`.
        language: `vi` or `en`.
        role: Whose rights bound it; the city's leader where None.
        output: File; named by area, day and language among the city's briefs where None.

    Raises:
        BriefError: when there is no such area, role or language, the role may not see the area, or
            no run covers the day.
    """
    from reports.brief.document import pdf

    if language not in LANGUAGES:
        raise BriefError(f"there is no language {language} ({', '.join(LANGUAGES)})")
    desk = open_desk(city)
    on = day or desk.default_day
    found = find_area(desk.geography, area, on)
    content = pdf(desk.facts(found, find_role(desk.access, role), on, language))
    place = output or desk.paths.briefs / f"brief-{found.code}-{on}-{language}.pdf"
    _write(place, content, makes_folder=output is None)
    sys.stdout.write(f"{place}\n")
    return ExitCode.PUBLISHED


def find_area(geography: Geography, text: str, day: date) -> Area:
    """The area that `code` names on a day, or `code@valid_from` on any.

    Raises:
        BriefError: when there is none; the message lists the extents of the code.
    """
    code, _, start = text.partition("@")
    if not start:
        found = geography.area_on(code, day)
    else:
        fits = [each for each in geography.areas if f"{each.code}@{each.valid_from}" == text]
        found = next(iter(fits), None)
    if found is None:
        known = [f"{each.code}@{each.valid_from}" for each in geography.areas if each.code == code]
        told = f"; area.csv has {', '.join(known)}" if known else ""
        raise BriefError(f"there is no area {text} on {day}{told}")
    return found


def find_role(access: Access, code: str | None) -> Role:
    """A role by its code; without one the city's leader.

    Raises:
        BriefError: when there is none; the message lists the roles.
    """
    for role in access.roles.values():
        if role.code == code or (code is None and role.kind is RoleKind.CITY_LEADER):
            return role
    known = ", ".join(access.roles) or "none"
    raise BriefError(f"there is no role {code or 'of a city leader'} in access.yaml ({known})")


def _write(place: Path, content: bytes, *, makes_folder: bool) -> None:
    try:
        if makes_folder:
            place.parent.mkdir(mode=RESTRICTED_MODE, exist_ok=True)
        place.write_bytes(content)
    except OSError as error:
        raise BriefError(f"{place} cannot be written: {error.strerror}") from error
