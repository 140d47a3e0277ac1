"""Every dashboard, chart and dataset: to whom it is shown, and what a page is told of it."""

from codecs import BOM_UTF8
from typing import Any

import pytest

from tests.superset.may_see import BOARDS, DATASETS, MAY_SEE, is_listed
from tests.superset.stage import Charts, Stage

LANGUAGES = ("vi", "en")


# It has only the names of what is not cleared for display.
WITHOUT_CHARTS = "danang-group-10-vi"
Board = dict[str, Any]


@pytest.fixture(scope="module")
def boards(stage: Stage) -> list[Board]:
    """Every dashboard that there is."""
    return stage.client("admin").all("dashboard")


def _slugs(role: str) -> set[str]:
    return {f"danang-{name}-{language}" for name in BOARDS[role] for language in LANGUAGES}


def _told(stage: Stage, role: str, path: str) -> Any:
    answer = stage.browser(role).get(path)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()["result"]


@pytest.mark.parametrize("role", MAY_SEE)
def test_a_page_is_answered_to_those_whose_it_is(
    stage: Stage, boards: list[Board], role: str
) -> None:
    titles = {each["slug"]: each["dashboard_title"] for each in boards}
    own = _slugs(role)
    assert own <= titles.keys()
    for slug, title in titles.items():
        page = stage.browser(role).get(f"/superset/dashboard/{slug}/")
        if slug in own:
            assert page.status_code == 200, slug
            assert title in page.text, slug
            assert f'"username": "{role}"' in page.text.replace("&#34;", '"'), slug
        else:
            assert page.status_code == 404, slug
            assert title not in page.text, slug


def test_an_exported_table_is_known_as_unicode(stage: Stage, charts: Charts) -> None:
    path = f"/api/v1/chart/{charts['danang/city-detail-vi']}/data/"
    content = stage.client("lanh_dao_thanh_pho").raw("GET", path, params={"format": "csv"})
    assert content.startswith(BOM_UTF8)
    assert not content.removeprefix(BOM_UTF8).startswith(BOM_UTF8)
    assert "Chỉ số" in content.decode("utf-8")


def test_a_page_is_as_wide_as_a_phone(stage: Stage) -> None:
    page = stage.browser("lanh_dao_thanh_pho").get("/superset/dashboard/danang-city-vi/").text
    assert page.count('<meta name="viewport" content="width=device-width, initial-scale=1">') == 1


@pytest.mark.parametrize("role", MAY_SEE)
def test_what_stands_on_a_page_is_told_to_those_whose_it_is(
    stage: Stage, boards: list[Board], role: str
) -> None:
    own = _slugs(role)
    for board in boards:
        if board["slug"] in own and board["slug"].endswith("-vi"):
            _assert_told(stage, role, board)
        elif board["slug"] not in own:
            _assert_refused(stage, role, board)


def _assert_told(stage: Stage, role: str, board: Board) -> None:
    about = f"/api/v1/dashboard/{board['slug']}"
    assert _told(stage, role, about)["slug"] == board["slug"]
    datasets = {each["table_name"] for each in _told(stage, role, f"{about}/datasets")}
    assert datasets <= DATASETS[role]
    for found in (datasets, _told(stage, role, f"{about}/charts")):
        assert bool(found) == (board["slug"] != WITHOUT_CHARTS)


def _assert_refused(stage: Stage, role: str, board: Board) -> None:
    about = f"/api/v1/dashboard/{board['slug']}"
    for path in (about, f"/api/v1/dashboard/{board['id']}", f"{about}/charts"):
        answer = stage.browser(role).get(path)
        assert (answer.status_code, answer.json()) == (404, {"message": "Not found"}), path
    answer = stage.browser(role).get(f"{about}/datasets")
    assert (answer.status_code, answer.json()) == (404, {"error": "Dashboard not found."})


@pytest.mark.parametrize("role", MAY_SEE)
def test_each_role_is_listed_its_own_datasets_and_charts(
    stage: Stage, charts: Charts, role: str
) -> None:
    found = stage.client(role)
    assert {each["table_name"] for each in found.all("dataset")} == DATASETS[role]
    expected = {key for key in charts if is_listed(key, role)}
    assert {each["certification_details"] for each in found.all("chart")} == expected
