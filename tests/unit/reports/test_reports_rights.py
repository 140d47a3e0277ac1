"""Roles, rules and readers of dashboards that follow from access.yaml."""

from pathlib import Path

import pytest

from pipeline.context import Context, open_context
from pipeline.superset.reports import _reports
from publish.audit_views import AUDITED
from reports.superset.contents import Reports
from reports.superset.rights import Rule, wanted_rights
from warehouse.access import Access, Role, RoleKind

TITLE = {"vi": "Vai", "en": "Role"}
FIGURES = {
    "report_city_indicator",
    "report_district_indicator",
    "report_sector_indicator",
    "report_indicator",
    "report_attention",
}


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    return open_context("danang")


@pytest.fixture
def reports(context: Context) -> Reports:
    return _reports(context)


def _access(*roles: Role) -> Access:
    return Access({role.code: role for role in roles}, {})


CITY = Role("city", RoleKind.CITY_LEADER, TITLE)
NOWHERE = Role("nowhere", RoleKind.AREA_LEADER, TITLE)
NO_GROUP = Role("no_group", RoleKind.SECTOR_AGENCY, TITLE)
AUDITOR = Role("auditor", RoleKind.AUDITOR, TITLE)
FEEDBACK = Role("feedback", RoleKind.SECTOR_AGENCY, TITLE, (), (1,))


def _rules(reports: Reports, *roles: Role) -> dict[str, Rule]:
    return {each.name: each for each in wanted_rights(reports, _access(*roles), {}).rules}


def test_a_role_without_areas_or_groups_sees_nothing(reports: Reports) -> None:
    rules = _rules(reports, NOWHERE, NO_GROUP)
    assert rules["danang: nowhere 1"].clause == "1 = 0"
    assert set(rules["danang: nowhere 1"].views) == {
        "report_district_indicator",
        "report_attention",
    }
    assert rules["danang: no_group 1"].clause == "1 = 0"
    assert set(rules["danang: no_group 1"].views) == FIGURES


def test_every_view_is_shut_but_to_those_who_see_all_of_it(reports: Reports) -> None:
    rules = [e for e in _rules(reports, CITY, FEEDBACK, NOWHERE).values() if e.kind == "Base"]
    shut = {view: rule for rule in rules for view in rule.views}
    assert set(shut) == set(reports.views)
    assert {rule.clause for rule in rules} == {"1 = 0"}
    assert {role for rule in rules for role in rule.roles} == {"Admin", "danang: city"}


def test_a_view_that_a_role_may_not_read_is_not_granted(reports: Reports) -> None:
    wanted = wanted_rights(reports, _access(CITY, FEEDBACK, NOWHERE), {"eve": "feedback"})
    assert set(wanted.grants["danang: feedback"]) == FIGURES
    assert set(wanted.grants["danang: city"]) == set(reports.views) - set(AUDITED)
    assert wanted.users == {"eve": "danang: feedback"}


def test_dashboards_are_for_those_who_may_read_all_of_them(reports: Reports) -> None:
    boards = wanted_rights(reports, _access(CITY, FEEDBACK, NOWHERE, AUDITOR), {}).boards
    everything = ("danang: auditor", "danang: city")
    assert boards["danang/city-vi"] == (*everything, "danang: feedback")
    assert boards["danang/group-1-en"] == (*everything, "danang: feedback")
    assert boards["danang/group-2-en"] == everything
    assert boards["danang/quality-vi"] == ("danang: auditor",)
    assert "danang: nowhere" in boards["danang/district-vi"]
    # What holds names of withheld indicators alone is no more for an area's leader than the others.
    assert boards["danang/group-10-vi"] == everything
    assert wanted_rights(reports, _access(NOWHERE), {}).boards["danang/city-vi"] == ("Admin",)
