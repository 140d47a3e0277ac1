"""What each role may see of the rows on the stage, written down a second time and by hand."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from tests.superset.stage import (
    CITY,
    DISTRICTS,
    HAI_CHAU,
    HAI_CHAU_WARD,
    INDICATORS,
    LIEN_CHIEU,
    NEW,
    OLD,
    SON_TRA_WARD,
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

_OF_ALL = {"report_district_indicator", "report_attention"}
_OF_THE_CITY = {*_OF_ALL, CITY_VIEW, SECTOR_VIEW, "report_indicator"}
AUDITED = ("report_source", "report_quarantine", "report_check")
# The datasets that each role is told of.
DATASETS = {
    "lanh_dao_thanh_pho": {*_OF_THE_CITY, PUBLICATIONS},
    "kiem_toan": {*_OF_THE_CITY, PUBLICATIONS, *AUDITED},
    "lanh_dao_phuong_hai_chau": _OF_ALL,
    "lanh_dao_phuong_thanh_khe": _OF_ALL,
    "trung_tam_1022": _OF_THE_CITY,
    "trung_tam_hanh_chinh_cong": _OF_THE_CITY,
    "cong_khai": {*_OF_THE_CITY, PUBLICATIONS},
}
_GROUPS = {"group-1", "group-2", "group-5", "group-10"}
# The dashboards that each role is shown, in each language.
BOARDS = {
    "lanh_dao_thanh_pho": {"city", "district", *_GROUPS},
    "kiem_toan": {"city", "district", "quality", *_GROUPS},
    "lanh_dao_phuong_hai_chau": {"district"},
    "lanh_dao_phuong_thanh_khe": {"district"},
    "trung_tam_1022": {"city", "district", "group-1"},
    "trung_tam_hanh_chinh_cong": {"city", "district", "group-2"},
    "cong_khai": {"city", "district", *_GROUPS},
}
# Charts of which area leaders may ask the dataset; all others are about the city or for auditors.
_CHARTS_OF_ALL = re.compile(r"attention|map-(latest|running)|district-.+|group-\d+-detail")
# Dataset of each chart that is not about the figures of the whole city.
_LISTS = {
    "publications": PUBLICATIONS,
    "indicator": "report_indicator",
    "source": "report_source",
    "quarantine": "report_quarantine",
    "check": "report_check",
}
# What people call the areas and the indicators of the stage.
AREA_NAMES = {
    (HAI_CHAU, OLD): ("Quận Hải Châu", "Hai Chau District"),
    (THANH_KHE, OLD): ("Quận Thanh Khê", "Thanh Khe District"),
    (LIEN_CHIEU, OLD): ("Quận Liên Chiểu", "Lien Chieu District"),
    (HAI_CHAU_WARD, NEW): ("Phường Hải Châu", "Hai Chau Ward"),
    (THANH_KHE_WARD, NEW): ("Phường Thanh Khê", "Thanh Khe Ward"),
    (SON_TRA_WARD, NEW): ("Phường Sơn Trà", "Son Tra Ward"),
}
INDICATOR_NAMES = {
    "FB1": ("Tỷ lệ phản ánh xử lý đúng hạn", "Feedback handled on time"),
    "FB5": ("Số phản ánh quá hạn chưa xử lý", "Overdue backlog of feedback"),
    "AD1": ("Tỷ lệ hồ sơ giải quyết đúng hạn", "Dossiers settled on time"),
}
# What would tell of an indicator of health: its code, its names, the value on the stage.
OF_HEALTH = (
    *("HE1", "Số lượt khám bệnh trên 1.000 dân", "Visits per 1,000 people"),
    *("87654", "87.654", "87,654"),
)


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


def is_listed(chart: str, role: str) -> bool:
    """Whether a role is told of a chart."""
    name = chart.removeprefix("danang/")[: -len("-vi")]
    if _CHARTS_OF_ALL.fullmatch(name):
        return True
    return _LISTS.get(name, CITY_VIEW) in DATASETS[role]


def day(value: object) -> str:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, UTC).date().isoformat()
    return str(value)[:10]
