"""Who sees what: roles are refused where they are wrong, and see no more than they say."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from publish.access import rights
from warehouse.access import Access, Role, RoleKind, load_access
from warehouse.contract.problem import ContractError

FOLDER = Path(__file__).resolve().parents[3] / "cities" / "danang"
OLD, NEW = date(2025, 1, 1), date(2025, 7, 1)
AREAS = {("48", NEW), ("492", OLD), ("20242", NEW)}
ACCESS = """\
roles:
  - code: leader
    kind: area_leader
    title: {vi: a, en: a}
    areas:
      - {code: "20242", valid_from: 2025-07-01}
      - {code: "492", valid_from: 2025-01-01}
  - code: desk
    kind: sector_agency
    title: {vi: a, en: a}
    service_groups: [2, 1]
recipients:
  - code: first
    role: leader
    area: {code: "20242", valid_from: 2025-07-01}
    language: vi
    address_variable: MAIL_FIRST
"""


def load(folder: Path, text: str = ACCESS) -> Access:
    (folder / "access.yaml").write_text(text, encoding="utf-8")
    return load_access(folder, AREAS)


def test_roles_and_recipients_are_read(tmp_path: Path) -> None:
    access = load(tmp_path)
    assert access.roles["leader"].areas == (("20242", NEW), ("492", OLD))
    assert access.roles["desk"].service_groups == (2, 1)
    assert access.recipients["first"].area == ("20242", NEW)


def test_a_city_without_the_file_has_no_roles(tmp_path: Path) -> None:
    assert load_access(tmp_path, AREAS) == Access({}, {})


@pytest.mark.parametrize(
    ("old", "new", "line", "rule"),
    [
        pytest.param('"492"', '"493"', 7, "citylake.unknown_area", id="unknown-area"),
        pytest.param("2025-01-01", "2025-07-01", 7, "citylake.unknown_area", id="other-extent"),
        pytest.param("area_leader", "city_leader", 5, "citylake.access", id="areas-for-all"),
        pytest.param("sector_agency", "auditor", 11, "citylake.access", id="groups-for-all"),
        pytest.param("area_leader", "king", 3, "citylake.enum", id="kind"),
        pytest.param("code: desk", "code: leader", 8, "citylake.access", id="twice"),
        pytest.param("role: leader", "role: nobody", 14, "citylake.access", id="no-such-role"),
        pytest.param("MAIL_FIRST", "a@b.vn", 17, "citylake.pattern", id="an-address"),
        pytest.param("[2, 1]", "[12]", 11, "citylake.maximum", id="no-such-group"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, line: int, rule: str) -> None:
    assert old in ACCESS
    with pytest.raises(ContractError) as caught:
        load(tmp_path, ACCESS.replace(old, new, 1))
    assert [(each.line, each.rule) for each in caught.value.problems] == [(line, rule)]


def seen(role: Role) -> dict[str, list[tuple[object, ...]]]:
    """Rows (area, valid from, group, open) that a role sees of each view, by its condition."""
    rows = (
        "(SELECT *, CASE WHEN is_open THEN 'open' ELSE 'internal' END AS dataset_class FROM "
        "(VALUES ('20242', DATE '2025-07-01', 1, true), ('20242', DATE '2025-01-01', 1, true), "
        "('492', DATE '2025-01-01', 2, true), ('493', DATE '2025-01-01', 2, false)) "
        "t(area_code, area_valid_from, service_group, is_open))"
    )
    return {
        view: duckdb.sql(
            f"SELECT * EXCLUDE (dataset_class) FROM {rows} WHERE {condition or 'true'}"  # noqa: S608 - own text
        ).fetchall()
        for view, condition in rights(role, ("report_check",)).items()
    }


FIGURES = {
    "report_city_indicator",
    "report_district_indicator",
    "report_sector_indicator",
    "report_indicator",
    "report_attention",
}
HAI_CHAU, BEFORE, DISTRICT, OTHER = (
    ("20242", NEW, 1, True),
    ("20242", OLD, 1, True),
    ("492", OLD, 2, True),
    ("493", OLD, 2, False),
)


def test_each_kind_of_role_sees_its_own(tmp_path: Path) -> None:
    roles = load(tmp_path).roles
    leader = seen(roles["leader"])
    # of the whole city nothing but what stands beside the own figures
    assert leader == {
        "report_district_indicator": [HAI_CHAU, DISTRICT],
        "report_attention": [HAI_CHAU, DISTRICT],
    }
    desk = seen(roles["desk"])
    assert desk.keys() == FIGURES
    assert desk["report_city_indicator"] == [HAI_CHAU, BEFORE, DISTRICT, OTHER]
    others = {kind: seen(Role("x", kind, {})) for kind in RoleKind}
    assert others[RoleKind.OPEN].keys() == FIGURES | {"report_publication"}
    assert others[RoleKind.OPEN]["report_publication"] == [HAI_CHAU, BEFORE, DISTRICT]
    assert others[RoleKind.OPEN]["report_city_indicator"] == [HAI_CHAU, BEFORE, DISTRICT]
    assert others[RoleKind.CITY_LEADER].keys() == FIGURES | {"report_publication"}
    auditor = others[RoleKind.AUDITOR]
    assert auditor.keys() == FIGURES | {"report_publication", "report_check"}


@pytest.mark.parametrize("kind", [RoleKind.AREA_LEADER, RoleKind.SECTOR_AGENCY])
def test_a_role_without_bounds_sees_nothing(kind: RoleKind) -> None:
    shown = seen(Role("x", kind, {}))
    assert shown
    assert all(rows == [] for rows in shown.values())


def test_the_city_names_every_kind_of_role() -> None:
    from warehouse.geography import load_geography

    areas = {area.key for area in load_geography(FOLDER / "geography").areas}
    access = load_access(FOLDER, areas)
    assert {role.kind for role in access.roles.values()} == set(RoleKind)
    assert {"vi"} == {each.language for each in access.recipients.values()}
