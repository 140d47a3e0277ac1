"""Reports are checked against the serving file without a server; each fault names its file."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.context import Context, open_context
from pipeline.contracts import contract_problems
from pipeline.superset.reports import _reports, check, render, report_problems, summary
from reports.superset.assets import CHARTS, DASHBOARDS, DATABASES, DATASETS, Asset, read_assets
from reports.superset.check import problems

Assets = Sequence[Asset]


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    return open_context("danang")


@pytest.fixture
def assets(context: Context) -> Assets:
    return _reports(context).assets


def _columns(assets: Assets) -> dict[str, list[str]]:
    return {
        each.content["table_name"]: [column["column_name"] for column in each.content["columns"]]
        for each in assets
        if each.kind == DATASETS
    }


def _changed(assets: Assets, key: str, kind: str, content: Mapping[str, Any]) -> list[Asset]:
    return [
        replace(each, content={**each.content, **content})
        if (each.kind, each.key) == (kind, key)
        else each
        for each in assets
    ]


def _of(assets: Assets, kind: str, key: str) -> Asset:
    (found,) = [each for each in assets if (each.kind, each.key) == (kind, key)]
    return found


def test_the_reports_of_the_city_are_sound(context: Context, assets: Assets) -> None:
    assert {each.kind for each in assets} == {DATABASES, DATASETS, CHARTS, DASHBOARDS}
    assert report_problems(context, assets) == []


def test_no_trend_holds_a_part_of_a_past_period(assets: Assets) -> None:
    trends = [each for each in assets if each.kind == CHARTS and "-trend-" in each.key]
    assert trends
    for chart in trends:
        (query,) = json.loads(chart.content["query_context"])["queries"]
        assert {"col": "is_partial", "op": "IS FALSE"} in query["filters"]
        assert {"col": "recency", "op": "!=", "val": "running"} in query["filters"]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_detail_has_short_headings_and_all_areas(assets: Assets, language: str) -> None:
    key = f"danang/group-1-detail-{language}"
    query = json.loads(_of(assets, CHARTS, key).content["query_context"])["queries"][0]
    columns = _of(assets, DATASETS, "danang/report_district_indicator").content["columns"]
    titles = {each["column_name"]: each["verbose_name"] for each in columns}
    shown = [titles[name] for name in query["columns"] if name != "period_start"]
    # An export's headings: in one language, and none a sentence.
    assert {"vi": "Tử số", "en": "Numerator"}[language] in shown
    assert [title for title in shown if "|" in title or len(title) > 30] == []
    assert query["row_limit"] == 10_000


def test_lists_for_auditors_have_words_of_one_language_and_no_code_beside_them(
    assets: Assets,
) -> None:
    def columns(name: str) -> set[str]:
        context = json.loads(_of(assets, CHARTS, f"danang/{name}").content["query_context"])
        return set(context["queries"][0]["columns"])

    told = {"source", "source_title_en", "service_group_name_en", "is_late_text_en"}
    assert told <= columns("source-en")
    assert not {"service_group", "is_late", "attempt_status"} & columns("source-en")
    assert not any(each.endswith("_vi") for each in columns("check-en"))
    assert {"publication", "severity_text_vi", "observed"} <= columns("check-vi")
    assert not {"severity", "status"} & columns("check-vi")


def test_every_dashboard_begins_with_the_notice_of_the_city(
    context: Context, assets: Assets
) -> None:
    notice = context.city.notice
    assert notice
    assert "giả lập" in notice["vi"]
    boards = [each for each in assets if each.kind == DASHBOARDS]
    assert boards
    for board in boards:
        position = board.content["position"]
        (first,) = position[position["GRID_ID"]["children"][0]]["children"]
        assert position[first]["meta"]["code"] == f"**{notice[board.key[-2:]]}.**"
    context.registry.__dict__["notice"] = None
    plain = [each for each in _reports(context).assets if each.kind == DASHBOARDS]
    assert not any(text in str(each.content) for each in plain for text in notice.values())


def test_another_city_has_its_own_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    context = open_context(str(Path(__file__).parents[2] / "cities" / "harbour"))
    assets = _reports(context).assets
    assert report_problems(context, assets) == []
    boards = {each.key for each in assets if each.kind == DASHBOARDS}
    assert {"harbour/city-vi", "harbour/group-4-en", "harbour/group-6-vi"} <= boards
    assert not any(key.startswith("danang/") for key in boards)


def test_a_column_that_the_marts_dropped_is_told_before_any_push(
    context: Context, assets: Assets
) -> None:
    columns = _columns(assets)
    columns["report_district_indicator"].remove("numerator")
    faults = problems(assets, columns)
    assert faults == [
        "datasets/danang.report_district_indicator.yaml: "
        "report_district_indicator has no column numerator"
    ]


def test_a_metric_over_a_dropped_column_is_told(context: Context, assets: Assets) -> None:
    key = "danang/report_city_indicator"
    metrics = [{"metric_name": "old", "verbose_name": "", "expression": "MAX(gone)"}]
    kept = [*_of(assets, DATASETS, key).content["metrics"], *metrics]
    broken = _changed(assets, key, DATASETS, {"metrics": kept})
    (fault,) = report_problems(context, broken)
    assert fault.startswith("datasets/danang.report_city_indicator.yaml: metric old: Binder Error")


@pytest.mark.parametrize(
    ("key", "params", "fault"),
    [
        pytest.param(
            "danang/attention-vi",
            {"all_columns": ["gone"]},
            "report_attention has no column gone",
            id="column",
        ),
        pytest.param(
            "danang/attention-vi",
            {"order_by_cols": ['["gone", true]']},
            "report_attention has no column gone",
            id="order",
        ),
        pytest.param(
            "danang/attention-vi",
            {"handlebarsTemplate": "{{#each data}}{{gone}}{{/each}}"},
            "shows gone, which it does not ask for",
            id="template",
        ),
        pytest.param(
            "danang/attention-vi",
            {"adhoc_filters": [{"subject": "gone"}]},
            "report_attention has no column gone",
            id="filter",
        ),
        pytest.param(
            "danang/city-headline-vi",
            {"metrics": ["gone"]},
            "report_city_indicator has no metric gone",
            id="metric",
        ),
        pytest.param(
            "danang/city-trend-higher-vi",
            {"x_axis": "gone"},
            "report_city_indicator has no column gone",
            id="axis",
        ),
    ],
)
def test_a_chart_that_asks_for_what_there_is_not_is_told(
    assets: Assets, key: str, params: Mapping[str, Any], fault: str
) -> None:
    chart = _of(assets, CHARTS, key)
    broken = _changed(assets, key, CHARTS, {"params": {**chart.content["params"], **params}})
    assert problems(broken, _columns(assets)) == [f"{chart.path}: {fault}"]


def test_a_query_for_an_export_is_checked_too(assets: Assets) -> None:
    chart = _of(assets, CHARTS, "danang/attention-vi")
    query = json.loads(chart.content["query_context"])
    query["queries"][0]["columns"].append("gone")
    broken = _changed(assets, chart.key, CHARTS, {"query_context": json.dumps(query)})
    assert problems(broken, _columns(assets)) == [
        f"{chart.path}: report_attention has no column gone"
    ]


def test_a_chart_without_its_dataset_is_told(assets: Assets) -> None:
    left = [each for each in assets if each.key != "danang/report_attention"]
    faults = problems(left, _columns(assets))
    assert len(faults) == 2
    assert all(fault.startswith("charts/danang.attention-") for fault in faults)


def test_a_dashboard_without_its_chart_or_filter_column_is_told(assets: Assets) -> None:
    left = [each for each in assets if each.key != "danang/city-trend-higher-vi"]
    (fault,) = problems(left, _columns(assets))
    assert fault.startswith("dashboards/danang.city-vi.yaml: CHART-5-0: chart ")

    board = _of(assets, DASHBOARDS, "danang/district-vi")
    metadata = json.loads(json.dumps(board.content["metadata"]))
    metadata["native_filter_configuration"][0]["targets"][0]["column"]["name"] = "gone"
    broken = _changed(assets, board.key, DASHBOARDS, {"metadata": metadata})
    assert problems(broken, _columns(assets)) == [
        f"{board.path}: filter Địa bàn: report_district_indicator has no column gone"
    ]


def test_a_link_to_a_dashboard_that_is_not_there_is_told(assets: Assets) -> None:
    left = [each for each in assets if not each.key.startswith("danang/group-")]
    assert problems(left, _columns(assets)) == [
        f"charts/danang.city-headline-{language}.yaml: leads to dashboard "
        f"danang-group-{{{{service_group}}}}-{language}, which is not there"
        for language in ("vi", "en")
    ]
    chart = _of(assets, CHARTS, "danang/city-headline-vi")
    template = '<a href="/superset/dashboard/danang-gone-vi/">x</a>'
    params = {**chart.content["params"], "handlebarsTemplate": template}
    broken = _changed(assets, chart.key, CHARTS, {"params": params})
    assert problems(broken, _columns(assets)) == [
        f"{chart.path}: leads to dashboard danang-gone-vi, which is not there"
    ]


def test_files_of_a_folder_are_checked_by_name(
    context: Context, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "files"
    assert render("danang", folder) == 0
    assert check("danang", folder) == 0
    place = folder / "charts" / "danang.attention-vi.yaml"
    place.write_text(place.read_text(encoding="utf-8").replace("severity", "gravity"), "utf-8")
    capsys.readouterr()
    assert check("danang", folder) == 1
    said = capsys.readouterr().out
    assert said.startswith("charts/danang.attention-vi.yaml: report_attention has no column")


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        pytest.param("a: 1\nb: [1, 2\n", 3, "expected ',' or ']'", id="syntax"),
        pytest.param("- a\n", 1, "holds no keys with values", id="list"),
        pytest.param("", 1, "holds no keys with values", id="empty"),
        pytest.param("a: \x00\n", 1, "is not YAML", id="control"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(
    context: Context,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    line: int,
    why: str,
) -> None:
    place = tmp_path / "files" / "charts" / "danang.one.yaml"
    place.parent.mkdir(parents=True)
    place.write_text(text, encoding="utf-8")
    said = _refused(capsys, "check", "--folder", str(place.parents[1]))
    assert said.startswith(f"citylake: {place}:{line}: ")
    assert why in said


def test_a_file_of_another_form_is_named(context: Context, assets: Assets) -> None:
    asset = Asset(CHARTS, "danang/odd", {"slice_name": "odd"})
    assert problems([*assets, asset], _columns(assets)) == [
        "charts/danang.odd.yaml: lacks 'dataset_uuid', or names what does"
    ]
    board = Asset(DASHBOARDS, "danang/odd", {"position": []})
    (fault,) = problems([*assets, board], _columns(assets))
    assert fault.startswith("dashboards/danang.odd.yaml: has not the form")


@pytest.mark.parametrize("exists", [False, True], ids=["absent", "empty"])
def test_a_folder_without_reports_is_no_sound_one(
    context: Context, tmp_path: Path, capsys: pytest.CaptureFixture[str], exists: bool
) -> None:
    folder = tmp_path / "files"
    if exists:
        folder.mkdir()
    assert f"{folder} holds no file of reports" in _refused(
        capsys, "check", "--folder", str(folder)
    )


def test_a_folder_that_cannot_be_written_is_told(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    said = _refused(capsys, "render", "--output", "/proc/foo")
    assert said.startswith("citylake: /proc/foo cannot be written: ")


def _refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a command of reports says when it refuses."""
    with pytest.raises(SystemExit) as ended:
        main(["reports", *arguments, "--city", "danang"])
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_who_sees_what_is_checked_too(
    context: Context,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    city = tmp_path / "danang-copy"
    shutil.copytree(context.city.folder, city)
    place = city / "access.yaml"
    whole = place.read_text(encoding="utf-8")
    place.write_text(whole.replace("kind: auditor", "kind: king", 1), encoding="utf-8")
    assert check(str(city), None) == 1
    told = capsys.readouterr().out
    assert told == "".join(f"{each}\n" for each in contract_problems(city))
    assert f"{place}:" in told
    place.unlink()
    assert check(str(city), None) == 0
    assert "warning: there is no access.yaml: " in capsys.readouterr().out


def test_what_was_done_is_counted_by_verb_and_kind() -> None:
    done = ["create charts/a.yaml", "update charts/b.yaml", "create charts/c.yaml", "create role x"]
    done += ["grant danang: one: +a", "grant danang: two: +b"]
    assert summary(done) == ["create charts: 2", "update charts: 1", "create role: 1", "grant: 2"]


def test_what_is_written_is_read_again_the_same(assets: Assets, tmp_path: Path) -> None:
    from reports.superset.assets import write_assets

    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "danang.old.yaml").write_text("a: 1\n", encoding="utf-8")
    write_assets(assets, tmp_path)
    again = {(each.kind, each.key, each.uuid): each.content for each in read_assets(tmp_path)}
    assert again == {(each.kind, each.key, each.uuid): each.content for each in assets}
