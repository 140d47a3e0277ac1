"""Every chart and every filter, as JSON and as a file: about the own areas and groups alone."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import httpx
import pytest

from tests.superset.may_see import (
    AREA_NAMES,
    DISTRICT_VIEW,
    INDICATOR_NAMES,
    MAY_SEE,
    OF_HEALTH,
    is_listed,
    own_figures,
)
from tests.superset.stage import CITY, Charts, Row, Stage

# Headings of the columns that say of which area a row is.
AREA_COLUMNS = {
    *("area_code", "area_name_vi", "area_name_en"),
    *("Địa bàn", "Area", "Mã đơn vị hành chính | Code of the area"),
}
# Those who see every row: nothing is another's for them.
ALL_ROWS = ("lanh_dao_thanh_pho", "kiem_toan")
BOUND = tuple(role for role in MAY_SEE if role not in ALL_ROWS)
OF_AN_AREA = ("lanh_dao_phuong_hai_chau", "lanh_dao_phuong_thanh_khe")
THE_CITY = {CITY, "Thành phố Đà Nẵng", "Da Nang City"}
LANGUAGES = ("vi", "en")
THREADS = 4


def _own_areas(role: str) -> set[str]:
    """Codes and names of the areas that a role sees something of."""
    own = {(area, since) for _, area, since in own_figures(role, DISTRICT_VIEW)}
    return {text for area in own for text in (area[0], *AREA_NAMES[area])}


def _foreign(role: str) -> set[str]:
    """Names of areas and indicators of which a role sees nothing."""
    own = own_figures(role, DISTRICT_VIEW)
    areas = AREA_NAMES.keys() - {(area, since) for _, area, since in own}
    indicators = INDICATOR_NAMES.keys() - {code for code, _, _ in own}
    names = [AREA_NAMES[area] for area in areas] + [INDICATOR_NAMES[code] for code in indicators]
    return {*chain.from_iterable(names)}


def _rows(answer: httpx.Response, form: str) -> list[Row] | None:
    """The rows of an answer; None where it is a refusal."""
    if answer.status_code in (403, 404):
        return None
    assert answer.status_code == 200, answer.text
    if form == "csv":
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    return [row for each in answer.json()["result"] for row in each["data"]]


def _asked(stage: Stage, charts: Charts, user: str, form: str) -> dict[str, list[Row] | None]:
    """What a user is answered to the question of every chart, by the chart."""
    web = stage.browser(user)

    def asked(number: int) -> list[Row] | None:
        path = f"/api/v1/chart/{number}/data/"
        return _rows(web.get(path, params={"format": form}), form)

    with ThreadPoolExecutor(THREADS) as several:
        return dict(zip(charts, several.map(asked, charts.values()), strict=True))


def _areas(role: str, what: str, rows: Iterable[Row], foreign: Set[str]) -> set[str]:
    """The areas that rows are about, none of which tells of what is another's."""
    areas = set()
    for row in rows:
        for name, value in row.items():
            text = str(value)
            assert not [each for each in foreign if each in text], (role, what, name, text)
            if name in AREA_COLUMNS and value not in (None, ""):
                areas.add(text)
    return areas


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("role", BOUND)
def test_every_chart_is_about_the_own_alone(
    stage: Stage, charts: Charts, role: str, form: str
) -> None:
    foreign = {*_foreign(role), *OF_HEALTH}
    own = _own_areas(role) | (set() if role in OF_AN_AREA else THE_CITY)
    seen: set[str] = set()
    for chart, rows in _asked(stage, charts, role, form).items():
        assert rows is not None or _is_shut(chart, role), chart
        found = _areas(role, chart, rows or (), foreign)
        assert found <= own, (role, chart, found - own)
        seen |= found
    # Every own area was there to be seen.
    assert _own_areas(role) <= seen


def _is_shut(chart: str, role: str) -> bool:
    """Whether a chart is not for a role at all: its dataset is not."""
    return not is_listed(chart, role)


@pytest.mark.parametrize("role", ALL_ROWS)
def test_no_chart_tells_those_who_see_all_of_health(
    stage: Stage, charts: Charts, role: str
) -> None:
    in_vietnamese = {key: number for key, number in charts.items() if key.endswith("-vi")}
    seen: set[str] = set()
    for chart, rows in _asked(stage, in_vietnamese, role, "json").items():
        assert rows is not None or _is_shut(chart, role), chart
        seen |= _areas(role, chart, rows or (), {*OF_HEALTH})
    assert {vietnamese for vietnamese, _ in AREA_NAMES.values()} <= seen


def _chosen(stage: Stage, role: str) -> Iterator[tuple[str, set[str]]]:
    """Column of each filter on the dashboards of a role, and what there is to choose."""
    for board in stage.client(role).all("dashboard"):
        told = stage.client(role).ask("GET", f"/api/v1/dashboard/{board['slug']}")["result"]
        for each in json.loads(told["json_metadata"])["native_filter_configuration"]:
            (target,) = each["targets"]
            column = target["column"]["name"]
            yield column, _values(stage, role, target["datasetId"], column, each)


def _values(
    stage: Stage, role: str, dataset: int, column: str, choice: Mapping[str, Any]
) -> set[str]:
    """The values that a page asks for to fill a filter."""
    filters = [
        {"col": each["subject"], "op": each["operator"], "val": each.get("comparator")}
        for each in choice["adhoc_filters"]
    ]
    sent = {
        "datasource": {"id": dataset, "type": "table"},
        "queries": [
            {
                "columns": [column],
                "metrics": [],
                "filters": filters,
                "orderby": [[column, True]],
                "row_limit": 1000,
                "extras": {"having": "", "where": ""},
            }
        ],
        "form_data": {"groupby": [column], "native_filter_id": choice["id"]},
        "result_format": "json",
        "result_type": "full",
    }
    answer = stage.client(role).ask("POST", "/api/v1/chart/data", json=sent)
    return {str(row[column]) for row in answer["result"][0]["data"]}


@pytest.mark.parametrize("role", MAY_SEE)
def test_every_filter_offers_the_own_alone(stage: Stage, role: str) -> None:
    own = own_figures(role, DISTRICT_VIEW)
    areas = [AREA_NAMES[area, since] for area, since in {figure[1:] for figure in own}]
    indicators = [INDICATOR_NAMES[code] for code in {figure[0] for figure in own}]
    expected = {
        f"{what}_name_{language}": {names[place] for names in named}
        for what, named in (("area", areas), ("indicator", indicators))
        for place, language in enumerate(LANGUAGES)
    }
    found = dict(_chosen(stage, role))
    assert {"area_name_vi", "area_name_en"} <= found.keys()
    assert found == {column: expected[column] for column in found}
