"""Which areas a role, and a recipient of its brief, may be told of."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from publish.access import may_see
from warehouse.access import ACCESS_FILE, Role, RoleKind, load_access
from warehouse.contract.problem import ContractError

DANANG = Path(__file__).resolve().parents[3] / "cities" / "danang"

NEW, OLD = date(2025, 7, 1), date(2025, 1, 1)
CITY, WARD, DISTRICT = ("48", NEW), ("20242", NEW), ("492", OLD)
OTHERS = {("20209", NEW), ("491", OLD)}


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


def test_a_recipient_of_an_area_that_the_role_may_not_see_is_refused(tmp_path: Path) -> None:
    place = Path(shutil.copy(DANANG / ACCESS_FILE, tmp_path))
    areas = {CITY, WARD, DISTRICT, *OTHERS}
    assert load_access(tmp_path, areas).recipients["hai_chau"].area == WARD
    head, _, tail = place.read_text("utf-8").rpartition('"20242"')
    place.write_text(f'{head}"20209"{tail}', "utf-8")
    with pytest.raises(ContractError, match="role lanh_dao_phuong_hai_chau may not see this area"):
        load_access(tmp_path, areas)
