"""What each role may see of the rows on the stage, written down a second time and by hand."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from tests.superset.stage import (
    CITY,
    DISTRICTS,
    HAI_CHAU,
    HAI_CHAU_WARD,
    INDICATORS,
    NEW,
    OLD,
    THANH_KHE,
    THANH_KHE_WARD,
    WARDS,
)

CITY_VIEW, DISTRICT_VIEW = "report_city_indicator", "report_district_indicator"
SECTOR_VIEW, PUBLICATIONS = "report_sector_indicator", "report_publication"
Figure = tuple[str, str, str]
Sees = Callable[[Figure, int, bool], bool]

EVERYTHING: Sees = lambda figure, group, is_open: True  # noqa: E731 - a table of rules
HAI_CHAU_AREAS = {(HAI_CHAU, OLD), (HAI_CHAU_WARD, NEW)}
THANH_KHE_AREAS = {(THANH_KHE, OLD), (THANH_KHE_WARD, NEW)}
CITY_VIEWS = {CITY_VIEW, DISTRICT_VIEW, SECTOR_VIEW}
MAY_SEE: dict[str, tuple[set[str], Sees]] = {
    "lanh_dao_thanh_pho": ({*CITY_VIEWS, PUBLICATIONS}, EVERYTHING),
    "kiem_toan": ({*CITY_VIEWS, PUBLICATIONS}, EVERYTHING),
    "lanh_dao_phuong_hai_chau": (
        {DISTRICT_VIEW},
        lambda figure, group, is_open: figure[1:] in HAI_CHAU_AREAS,
    ),
    "lanh_dao_phuong_thanh_khe": (
        {DISTRICT_VIEW},
        lambda figure, group, is_open: figure[1:] in THANH_KHE_AREAS,
    ),
    "trung_tam_1022": (CITY_VIEWS, lambda figure, group, is_open: group == 1),
    "trung_tam_hanh_chinh_cong": (CITY_VIEWS, lambda figure, group, is_open: group == 2),
    "cong_khai": ({*CITY_VIEWS, PUBLICATIONS}, lambda figure, group, is_open: is_open),
}


def all_figures(view: str) -> Iterator[tuple[Figure, int, bool]]:
    """Every figure that was written into a view: (indicator, area, valid from), group, open."""
    tiers = [(area, OLD) for area in DISTRICTS] + [(area, NEW) for area in WARDS]
    areas = tiers if view == DISTRICT_VIEW else [(CITY, OLD), (CITY, NEW)]
    for code, group, _agency, _unit, _target, is_open in INDICATORS:
        for area, since in areas:
            yield (code, area, since), group, is_open


def own_figures(role: str, view: str) -> set[Figure]:
    _, sees = MAY_SEE[role]
    return {figure for figure, group, is_open in all_figures(view) if sees(figure, group, is_open)}


def day(value: object) -> str:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, UTC).date().isoformat()
    return str(value)[:10]
