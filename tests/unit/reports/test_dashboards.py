"""What the dashboards of a city hold, told from the files that Superset is given."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.chart_queries import statement
from pipeline.context import open_context
from pipeline.superset.reports import _reports
from reports.superset.assets import CHARTS, DASHBOARDS, DATASETS, Asset
from tests.unit.reports.briefs import Desk
from warehouse.duck import read_only

FIGURE_VIEWS = {"report_city_indicator", "report_district_indicator", "report_attention"}
LINES, TABLE, TEMPLATE = "echarts_timeseries_line", "table", "handlebars"
HARBOUR = str(Path(__file__).parents[2] / "cities" / "harbour")
CITIES = [pytest.param("danang", id="danang"), pytest.param(HARBOUR, id="harbour")]
# As whatever of a row: the newest of a card, the first of a line, or the row's own.
NEEDED = {
    "stamp": r"(any_)?stamp_text_{}",
    "data-as-of": r"(shown_|first_)?data_as_of_text_{}",
    "status": r"(shown_|first_)?obs_status_text_{}",
}
USUAL = {"vi": "tạm tính, trừ ô ghi khác", "en": "provisional unless a tile says otherwise"}


@pytest.fixture(scope="module", params=CITIES)
def assets(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sequence[Asset]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYLAKE_HOME", str(tmp_path_factory.mktemp("dashboards")))
        yield _reports(open_context(request.param)).assets


def _charts(assets: Sequence[Asset]) -> list[Asset]:
    return [each for each in assets if each.kind == CHARTS]


def _boards(assets: Sequence[Asset], name: str = "") -> list[Asset]:
    found = [each for each in assets if each.kind == DASHBOARDS]
    return [each for each in found if each.key.partition("/")[2].startswith(name)]


def _view(chart: Asset, assets: Sequence[Asset]) -> str:
    (found,) = [each for each in assets if each.uuid == chart.content["dataset_uuid"]]
    return str(found.content["table_name"])


def _query(chart: Asset) -> Mapping[str, Any]:
    query: Mapping[str, Any] = json.loads(chart.content["query_context"])["queries"][0]
    return query


def _template(chart: Asset) -> str:
    return str(chart.content["params"].get("handlebarsTemplate", ""))


def _seen(chart: Asset) -> set[str]:
    """The columns and metrics that a reader sees of a chart."""
    query = _query(chart)
    asked = {each for each in query["columns"] if isinstance(each, str)}
    asked |= set(query["metrics"] or ())
    if chart.content["viz_type"] == TEMPLATE:
        return asked & set(re.findall(r"\{\{(\w+)\}\}", _template(chart)))
    config = chart.content["params"].get("column_config", {})
    return {name for name in asked if config.get(name, {}).get("visible", True)}


def _lacks(chart: Asset) -> list[str]:
    """What must stand beside a figure and does not."""
    language, seen = chart.key[-2:], _seen(chart)
    lacking = [
        what
        for what, pattern in NEEDED.items()
        if not any(re.fullmatch(pattern.format(language), name) for name in seen)
    ]
    # On the schematic the usual status is said once, and whatever differs on its tile.
    says_others = f"status_note_{language}" in seen and USUAL[language] in _template(chart)
    return [what for what in lacking if what != "status" or not says_others]


def _in_order(board: Asset, assets: Sequence[Asset]) -> list[Asset]:
    """The charts of a dashboard from top to bottom."""
    by_uuid = {each.uuid: each for each in _charts(assets)}
    position = board.content["position"]
    cells = [
        position[cell]
        for row in position["GRID_ID"]["children"]
        for cell in position[row]["children"]
    ]
    return [by_uuid[cell["meta"]["uuid"]] for cell in cells if cell["type"] == "CHART"]


def _texts(board: Asset) -> list[str]:
    cells = [each for each in board.content["position"].values() if isinstance(each, dict)]
    return [cell["meta"]["code"] for cell in cells if cell["type"] == "MARKDOWN"]


def test_every_figure_has_its_stamp_data_as_of_and_status(assets: Sequence[Asset]) -> None:
    drawn = [each for each in _charts(assets) if _view(each, assets) in FIGURE_VIEWS]
    kinds = {each.content["viz_type"] for each in drawn}
    assert kinds == {LINES, TABLE, TEMPLATE}
    lacking = {
        each.key: _lacks(each)
        for each in drawn
        if each.content["viz_type"] != LINES and _lacks(each)
    }
    assert lacking == {}


def test_below_every_trend_stands_what_is_known_of_its_figures(assets: Sequence[Asset]) -> None:
    lines: set[str] = set()
    for board in _boards(assets):
        charts = _in_order(board, assets)
        for place, chart in enumerate(charts):
            if chart.content["viz_type"] != LINES:
                continue
            lines.add(chart.key)
            note = charts[place + 1]
            assert note.key == f"{chart.key[:-3]}-note{chart.key[-3:]}"
            assert note.content["dataset_uuid"] == chart.content["dataset_uuid"]
            assert _query(note)["filters"] == _query(chart)["filters"]
            assert not _lacks(note)
            assert f"names_{chart.key[-2:]}" in _seen(note)
    assert lines == {each.key for each in _charts(assets) if each.content["viz_type"] == LINES}
    assert lines


def test_what_stands_below_a_trend_follows_the_filter_of_its_dashboard(
    assets: Sequence[Asset],
) -> None:
    boards = _boards(assets, "district-")
    assert len(boards) == 2
    for board in boards:
        (choice,) = board.content["metadata"]["native_filter_configuration"]
        assert choice["scope"]["excluded"] == []


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_card_leads_to_the_dashboard_of_its_group(assets: Sequence[Asset], language: str) -> None:
    slugs = {each.content["slug"] for each in _boards(assets)}
    groups = {slug for slug in slugs if re.fullmatch(rf"\w+-group-\d+-{language}", slug)}
    (card,) = [each for each in _charts(assets) if each.key.endswith(f"/city-headline-{language}")]
    (link,) = re.findall(r'<a href="/superset/dashboard/([^"]+)/">', _template(card))
    assert "service_group" in _query(card)["columns"]
    own = {slug for slug in slugs if slug == link.replace("{{service_group}}", _number(slug))}
    assert own == groups
    assert len(groups) > 1


def _number(slug: str) -> str:
    return "".join(re.findall(r"-(\d+)-", slug))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_details_have_numerator_and_denominator(assets: Sequence[Asset], language: str) -> None:
    heads = {"vi": ("Tử số", "Mẫu số"), "en": ("Numerator", "Denominator")}[language]
    details = {
        each.key.partition("/")[2]: each
        for each in _charts(assets)
        if re.search(rf"-detail(-city)?-{language}$", each.key)
    }
    assert {f"city-detail-{language}", f"district-detail-{language}"} <= set(details)
    of_groups = {re.sub(r"\d+", "N", name) for name in details if name.startswith("group-")}
    assert of_groups == {f"group-N-detail-{language}", f"group-N-detail-city-{language}"}
    for chart in details.values():
        names = [f"{name}_text_{language}" for name in ("numerator", "denominator")]
        assert set(names) <= _seen(chart)
        config = chart.content["params"]["column_config"]
        assert tuple(config[name]["customColumnName"] for name in names) == heads


@pytest.mark.parametrize(
    ("language", "words"),
    [("vi", "sơ đồ, không phải bản đồ địa giới"), ("en", "schematic, not a map of boundaries")],
)
def test_the_schematic_says_that_it_is_one(
    assets: Sequence[Asset], language: str, words: str
) -> None:
    maps = [each for each in _charts(assets) if re.search(rf"/map-\w+-{language}$", each.key)]
    assert len(maps) == 2
    for chart in maps:
        assert _template(chart).index(words) < _template(chart).index("cl-tiles")
        assert {f"area_name_{language}", "tile_x", "tile_y"} <= _seen(chart)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(
    ("board", "charts"),
    [
        pytest.param(
            "city",
            ("city-headline", "attention", "map-latest", "map-running", "city-trend",
             "city-detail"),
            id="city",
        ),
        pytest.param(
            "district", ("district-cards", "attention", "district-trend", "district-detail"),
            id="district",
        ),
        pytest.param(
            "group-1",
            ("group-1-cards", "group-1-trend", "group-1-detail-city", "group-1-detail"),
            id="group",
        ),
        pytest.param(
            "quality", ("publications", "indicator", "source", "quarantine", "check"), id="quality"
        ),
    ],
)  # fmt: skip
def test_each_kind_of_dashboard_has_its_charts(
    assets: Sequence[Asset], board: str, charts: tuple[str, ...], language: str
) -> None:
    (found,) = _boards(assets, f"{board}-{language}")
    names = [each.key.partition("/")[2].removesuffix(f"-{language}")
             for each in _in_order(found, assets)]  # fmt: skip
    # Of trends there are as many as the units and directions of the indicators ask for.
    told = dict.fromkeys(re.sub(r"-trend-.*", "-trend", name) for name in names)
    # Harbour has no headline indicators, so neither has what is about them a trend.
    absent = {"city-trend", "district-trend"} if found.key.startswith("harbour/") else set()
    assert tuple(told) == tuple(name for name in charts if name not in absent)


@pytest.mark.parametrize(
    ("board", "told"),
    [
        ("city-vi", ("Chưa được phép hiển thị", "Số lớn là kỳ đủ mới nhất")),
        ("city-en", ("Not yet cleared for display", "The large number is the newest complete")),
        ("district-en", ("Not yet cleared for display", "The large number is the newest complete")),
        ("group-10-vi", ("Chưa được phép hiển thị",)),
    ],
)
def test_what_is_withheld_keeps_its_place_and_readers_are_told_how_to_read(
    desk: Desk, board: str, told: tuple[str, ...]
) -> None:
    assert desk.file.is_file()
    (found,) = _boards(_reports(open_context("danang")).assets, board)
    for text in told:
        assert any(text in each for each in _texts(found))


def _answer(desk: Desk, key: str) -> list[dict[str, Any]]:
    assets = _reports(open_context("danang")).assets
    (chart,) = [each for each in _charts(assets) if each.key == key]
    datasets = {each.uuid: each for each in assets if each.kind == DATASETS}
    with read_only(desk.file) as connection:
        found = connection.execute(
            statement(_query(chart), datasets[chart.content["dataset_uuid"]])
        )
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_a_trend_tells_of_an_estimate_and_of_a_late_source(desk: Desk) -> None:
    key = "danang/city-trend-higher-note-en"
    (told,) = _answer(desk, key)
    assert (told["stamp"], told["obs_status_text_en"]) == ("current", "provisional")
    assert told["data_as_of_text_en"] == "5 July 2025"
    names = told["names_en"].split(", ")
    assert len(names) > 2
    desk.change(
        "UPDATE mart_city_indicator SET obs_status = 'E' "
        "WHERE indicator_code = 'AD1' AND period_start = DATE '2025-05-01'"
    )
    desk.change(
        "UPDATE publication_status SET stale = true WHERE publication = 'indicators-feedback'"
    )
    rows = _answer(desk, key)
    assert [(each["stamp"], each["obs_status_text_en"]) for each in rows] == [
        ("late", "provisional"),
        ("current", "estimated"),
        ("current", "provisional"),
    ]
    assert "," not in rows[1]["names_en"]
    assert sorted([*rows[0]["names_en"].split(", "), *rows[2]["names_en"].split(", ")]) == names


def test_a_tile_that_is_no_usual_figure_says_so(desk: Desk) -> None:
    desk.change(
        "UPDATE mart_district_indicator SET obs_status = 'E' WHERE indicator_code = 'AD1' "
        "AND period_start = DATE '2025-06-01' AND area_code = '492'"
    )
    tiles = [each for each in _answer(desk, "danang/map-latest-vi") if each["status_note_vi"]]
    assert [(each["area_name_vi"], each["status_note_vi"]) for each in tiles] == [
        ("Quận Hải Châu", "ước tính")
    ]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_failed_stands_first_among_the_checks(assets: Sequence[Asset], language: str) -> None:
    (chart,) = [each for each in _charts(assets) if each.key.endswith(f"/check-{language}")]
    assert _query(chart)["orderby"][0] == ["is_failing", False]
    # It only orders: the status beside it says the same in words.
    assert chart.content["params"]["column_config"]["is_failing"] == {"visible": False}
    assert f"status_text_{language}" in _query(chart)["columns"]
