"""What needs attention, as the chart asks for it: nothing red is cut, lateness is one line."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from pipeline.context import open_context
from pipeline.superset.reports import _reports
from publish.access import rights
from publish.report_views import ATTENTION
from reports.superset.assets import CHARTS, DATASETS
from reports.superset.datasets import ATTENTION_LINES
from tests.headlines import headlines
from tests.unit.reports.briefs import HAI_CHAU, LEADER, Desk
from warehouse.duck import read_only

Row = Mapping[str, Any]


@pytest.fixture
def late(desk: Desk) -> Desk:
    """A city of which every source is late."""
    desk.change("UPDATE publication_status SET stale = true")
    return desk


def _lines(desk: Desk, role: str, limit: int | None = None) -> list[Row]:
    """What the chart answers to a role."""
    assets = {
        (each.kind, each.key): each.content for each in _reports(open_context("danang")).assets
    }
    chart = assets[CHARTS, "danang/attention-vi"]
    metrics = assets[DATASETS, f"danang/{ATTENTION}"]["metrics"]
    sql = {each["metric_name"]: each["expression"] for each in metrics}
    query = json.loads(chart["query_context"])["queries"][0]
    assert [name for name, _ in query["orderby"]] == ["line_place"]
    asked = [*query["columns"], *(f"{sql[name]} AS {name}" for name in query["metrics"])]
    condition = rights(desk.access.roles[role])[ATTENTION] or "true"
    with read_only(desk.file) as connection:
        found = connection.execute(
            f"SELECT {', '.join(asked)} FROM {ATTENTION} WHERE {condition} "  # noqa: S608 - own text
            f"GROUP BY {', '.join(query['columns'])} "
            f"ORDER BY line_place LIMIT {limit or query['row_limit']}"
        )
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_lateness_is_one_line_an_indicator_and_red_stands_first(late: Desk) -> None:
    with read_only(late.file) as connection:
        rows = connection.execute(
            f"SELECT count(*), count(*) FILTER (reason = 'late') FROM {ATTENTION}"  # noqa: S608 - own
        ).fetchall()
        ((reds,),) = connection.execute(
            f"SELECT count(*) FROM {ATTENTION} WHERE reason = 'red'"  # noqa: S608 - own
        ).fetchall()
    assert rows[0][1] > 5 * ATTENTION_LINES
    lines = _lines(late, LEADER)
    severities = [line["severity"] for line in lines]
    assert severities == sorted(severities)
    assert reds
    assert [line["reason"] for line in lines].count("red") == min(reds, ATTENTION_LINES)
    whole = _lines(late, LEADER, 10_000)
    told = [line for line in whole if line["reason"] == "late"]
    assert len(told) == len({line["indicator_name_vi"] for line in told}) == len(headlines())
    # The city first, then how many wards and communes there are beside it.
    assert {line["first_area_name_vi"] for line in told} == {"Thành phố Đà Nẵng"}
    assert {line["areas_more"] for line in told} == {94}


def test_what_is_not_shown_is_counted(late: Desk) -> None:
    late.change(
        "UPDATE mart_district_indicator SET coverage_share = 1, target = 100, value = 1 "
        "WHERE unit = '%' AND period_start = DATE '2025-07-01'"
    )
    whole = _lines(late, LEADER, 10_000)
    shown = _lines(late, LEADER)
    assert len(shown) == ATTENTION_LINES
    assert {line["reason"] for line in shown} == {"red"}
    assert {line["lines_more"] for line in shown} == {len(whole) - ATTENTION_LINES}


def test_a_leader_of_an_area_is_told_of_the_own_alone(late: Desk) -> None:
    told = [line for line in _lines(late, HAI_CHAU) if line["reason"] == "late"]
    assert told
    assert {line["first_area_name_vi"] for line in told} == {"Phường Hải Châu"}
    assert {line["areas_more"] for line in told} == {None}
    assert {line["lines_more"] for line in told} == {None}


def test_the_chart_says_how_many_more_there_are(late: Desk) -> None:
    assert late.file.is_file()
    assets = _reports(open_context("danang")).assets
    for language, words in (("vi", "mục khác không hiện ở đây"), ("en", "more that are not shown")):
        (chart,) = [each for each in assets if each.key == f"danang/attention-{language}"]
        template = chart.content["params"]["handlebarsTemplate"]
        assert "+ {{lines_more}} " + words in template
        assert "+ {{areas_more}} " in template
