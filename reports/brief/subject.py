"""What a brief is about: an area, and what became it, as far as a role may see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from publish.access import may_see
from warehouse.access import Role
from warehouse.errors import CitylakeError
from warehouse.geography import Geography
from warehouse.geography_model import Area, AreaKey, Level


class BriefError(CitylakeError):
    """A brief that cannot be made."""


@dataclass(frozen=True)
class Subject:
    """The areas whose figures a brief shows.

    Attributes:
        area: What it is about.
        before: The areas whose ground it took over and that the role may see, by code.
    """

    area: Area
    before: tuple[Area, ...] = ()

    @property
    def is_city(self) -> bool:
        """Whether it is about the whole city."""
        return self.area.level is Level.CITY

    @property
    def areas(self) -> tuple[Area, ...]:
        """The area, then those before it."""
        return self.area, *self.before

    def name(self, key: AreaKey, language: str) -> str:
        """Name of one of its areas."""
        (area,) = [each for each in self.areas if each.key == key]
        return area.name_vi if language == "vi" else area.name_en


def subject(geography: Geography, area: Area, role: Role) -> Subject:
    """What a brief for a role shows of an area.

    Before the reform figures are those of districts, so a ward follows the districts in which the
    old wards lay whose ground it has; a city follows its own earlier extent.

    Raises:
        BriefError: when the role may not see the area.
    """
    if not may_see(role, area.key):
        raise BriefError(f"role {role.code} may not see area {area.code}@{area.valid_from}")
    before = [each for each in _before(geography, area) if may_see(role, each.key)]
    return Subject(area, tuple(before))


def _before(geography: Geography, area: Area) -> Sequence[Area]:
    by_key = {each.key: each for each in geography.areas}
    found: dict[AreaKey, Area] = {}
    for row in geography.correspondences:
        if row.target != area.key:
            continue
        source = by_key[row.source]
        if source.level is Level.WARD and source.parent_code:
            above = geography.area_on(source.parent_code, source.valid_from)
            source = above if above and above.level is Level.DISTRICT else source
        found[source.key] = source
    return [found[key] for key in sorted(found)]
