"""Which areas a role may be told of."""

from datetime import date

import pytest

from publish.access import may_see
from warehouse.access import Role, RoleKind

NEW, OLD = date(2025, 7, 1), date(2025, 1, 1)
CITY, WARD, DISTRICT = ("48", NEW), ("20242", NEW), ("492", OLD)


def role(kind: RoleKind, *areas: tuple[str, date], groups: tuple[int, ...] = ()) -> Role:
    return Role("r", kind, {"vi": "r", "en": "r"}, areas, groups)


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        pytest.param(role(RoleKind.CITY_LEADER), {CITY, WARD, DISTRICT}, id="city"),
        pytest.param(role(RoleKind.AREA_LEADER, WARD), {WARD}, id="own-area"),
        pytest.param(role(RoleKind.AREA_LEADER), set(), id="no-area"),
        pytest.param(role(RoleKind.SECTOR_AGENCY, groups=(2,)), {CITY, WARD, DISTRICT}, id="2"),
        pytest.param(role(RoleKind.SECTOR_AGENCY), set(), id="no-group"),
        pytest.param(role(RoleKind.OPEN), {CITY, WARD, DISTRICT}, id="open"),
        pytest.param(role(RoleKind.AUDITOR), {CITY, WARD, DISTRICT}, id="auditor"),
    ],
)
def test_a_role_may_see(who: Role, seen: set[tuple[str, date]]) -> None:
    assert {area for area in (CITY, WARD, DISTRICT) if may_see(who, area)} == seen
