"""Drill to detail: the rows behind a figure, to each reader the own ones and how many they are."""

from typing import Any

import httpx
import pytest

from tests.superset.may_see import CITY_VIEWS, DISTRICT_VIEW, MAY_SEE, day, own_figures
from tests.superset.stage import INDICATORS, Row, Stage

FOREIGN = "area_code FROM main.report_district_indicator UNION ALL SELECT "
# One month of each tier of areas is written for each indicator; two for the older one.
MONTHS = {"2025-01-01": 2, "2025-07-01": 1}


def _drilled(stage: Stage, user: str, view: str, asked: Row) -> httpx.Response:
    """What a user's browser is answered who asks for the rows behind a figure of a view."""
    where = {"datasource_type": "table", "datasource_id": stage.dataset(view), "per_page": 1000}
    return stage.browser(user).post("/datasource/samples", params={**where, "page": 1}, json=asked)


def _sql(text: str) -> Row:
    return {"expressionType": "SQL", "label": "m", "sqlExpression": text}


@pytest.mark.parametrize("role", MAY_SEE)
@pytest.mark.parametrize("view", sorted(CITY_VIEWS))
def test_a_reader_drills_to_the_own_rows_alone(stage: Stage, role: str, view: str) -> None:
    answer = _drilled(stage, role, view, {"filters": []})
    if view not in MAY_SEE[role][0]:
        assert answer.status_code == 403, answer.text
        return
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["result"]
    found = [
        (row["indicator_code"], row["area_code"], day(row["area_valid_from"]))
        for row in result["data"]
    ]
    own = own_figures(role, view)
    assert set(found) == own
    assert len(found) == result["total_count"] == sum(MONTHS[since] for _, _, since in own)


def test_the_rows_behind_one_figure_are_those_of_its_filter(stage: Stage) -> None:
    code = INDICATORS[0][0]
    one = {"filters": [{"col": "indicator_code", "op": "==", "val": code}]}
    result = _drilled(stage, "lanh_dao_phuong_hai_chau", DISTRICT_VIEW, one).json()["result"]
    assert {row["indicator_code"] for row in result["data"]} == {code}
    assert result["total_count"] == 3


def test_the_page_may_ask_what_a_dataset_is_to_be_drilled_by(stage: Stage) -> None:
    about = f"/api/v1/dataset/{stage.dataset(DISTRICT_VIEW)}/drill_info/"
    told = stage.client("lanh_dao_phuong_hai_chau").ask("GET", about)
    assert "area_code" in {each["column_name"] for each in told["result"]["columns"]}


FREE_SQL: dict[str, Row] = {
    "where": {"extras": {"where": "1 = 1 OR area_code = '491'"}},
    "having": {"extras": {"having": "COUNT(*)"}},
    "filter": {"filters": [{"col": _sql(f"{FOREIGN}'own'"), "op": "==", "val": "own"}]},
    "count": {"filters": [{"col": _sql(f"COUNT(*), {FOREIGN}'own'"), "op": "==", "val": "own"}]},
}


@pytest.mark.parametrize("role", ["lanh_dao_phuong_hai_chau", "cong_khai", "kiem_toan"])
@pytest.mark.parametrize("way", FREE_SQL)
def test_nobody_drills_in_sql(stage: Stage, role: str, way: str) -> None:
    answer = _drilled(stage, role, DISTRICT_VIEW, FREE_SQL[way])
    assert answer.status_code == 403, answer.text
    assert "columns and metrics by their names" in answer.text
