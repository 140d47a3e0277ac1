"""What each role sees of the report views: which of them, and which of their rows."""

from collections.abc import Iterable, Mapping

from publish.audit_views import AUDITED
from publish.report_views import ATTENTION, FIGURES, INDICATORS, PUBLICATIONS
from warehouse.access import Role, RoleKind
from warehouse.geography_model import AreaKey
from warehouse.sql import date_literal, literal

DISTRICT = "report_district_indicator"
FIGURE_VIEWS = (*FIGURES, INDICATORS, ATTENTION)
NOTHING = "1 = 0"


def rights(role: Role, audited: Iterable[str] = AUDITED) -> Mapping[str, str | None]:
    """The views that a role may read, each with a condition on its rows.

    An area's leader reads of the whole city only what `report_district_indicator` carries beside
    the own figures (`city_value`, `target`). A role that names no area, or no service group, sees
    nothing of what these bound.

    Args:
        role: The role.
        audited: Names of further views and tables, for auditors alone.

    Returns:
        Condition by view, in plain SQL over the view's columns; None where every row is seen. What
        is not named is not seen.
    """
    if role.kind is RoleKind.CITY_LEADER:
        return dict.fromkeys((*FIGURE_VIEWS, PUBLICATIONS))
    if role.kind is RoleKind.AUDITOR:
        return dict.fromkeys((*FIGURE_VIEWS, PUBLICATIONS, *audited))
    if role.kind is RoleKind.OPEN:
        return {**dict.fromkeys(FIGURE_VIEWS, "is_open"), PUBLICATIONS: "dataset_class = 'open'"}
    if role.kind is RoleKind.SECTOR_AGENCY:
        groups = ", ".join(map(str, sorted(role.service_groups)))
        condition = f"service_group IN ({groups})" if groups else NOTHING
        return dict.fromkeys(FIGURE_VIEWS, condition)
    areas = " OR ".join(
        f"(area_code = {literal(code)} AND area_valid_from = {date_literal(day)})"
        for code, day in role.areas
    )
    return dict.fromkeys((DISTRICT, ATTENTION), areas or NOTHING)


def may_see(role: Role, area: AreaKey) -> bool:
    """Whether a role may see figures of an area at all, the city itself included."""
    if role.kind is RoleKind.AREA_LEADER:
        return area in role.areas
    return any(condition != NOTHING for condition in rights(role).values())
