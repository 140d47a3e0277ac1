"""What differs between files and a server, in the forms in which a server gives them back."""

import json
from collections.abc import Mapping
from typing import Any

from reports.superset.assets import CHARTS, DASHBOARDS, DATASETS, Asset, mark
from reports.superset.difference import changes

KEY = "city/one"
CHART = Asset(
    CHARTS,
    KEY,
    {
        "slice_name": "Một",
        "params": {"metrics": ["value"], "row_limit": 10},
        "query_context": json.dumps({"datasource": {"id": 0}, "queries": []}),
        "dataset_uuid": "u",
        **mark(KEY),
    },
)


def _exported(asset: Asset, **changed: Any) -> Mapping[str, Any]:
    return {**asset.content, "version": "1.0.0", "cache_timeout": None, **changed}


def _lines(asset: Asset, found: Mapping[str, Any]) -> list[str]:
    made, removed = changes([asset], {(asset.kind, asset.uuid): found}, "city")
    assert removed == []
    return [line for change in made for line in change.lines()]


def test_numbers_of_the_server_are_no_difference() -> None:
    params = {**CHART.content["params"], "datasource": "7__table"}
    context = json.dumps({"datasource": {"id": 7, "type": "table"}, "queries": []})
    assert _lines(CHART, _exported(CHART, params=params, query_context=context)) == []


def test_each_difference_names_its_place() -> None:
    params = {"metrics": ["value", "other"], "row_limit": 10, "zoomable": True}
    assert _lines(CHART, _exported(CHART, slice_name="Hai", params=params)) == [
        "update charts/city.one.yaml",
        '    slice_name: there "Hai", here "Một"',
        '    params.metrics: there ["value", "other"], here ["value"]',
        "    params.zoomable: there true, here null",
    ]


def test_a_column_more_or_less_is_told_by_name() -> None:
    columns = [{"column_name": "a", "verbose_name": "A"}, {"column_name": "b", "verbose_name": "B"}]
    dataset = Asset(DATASETS, KEY, {"table_name": "v", "columns": columns, "metrics": []})
    theirs = [
        {"column_name": "c", "verbose_name": "C", "type": None},
        {"column_name": "a", "verbose_name": "X", "type": "VARCHAR"},
    ]
    assert _lines(dataset, _exported(dataset, columns=theirs))[1:] == [
        '    columns.a.verbose_name: there "X", here "A"',
        "    columns.b: not there",
        "    columns.c: not ours",
    ]


def test_the_scope_of_a_filter_is_compared_by_chart_and_not_by_number() -> None:
    def board(number: int, excluded: list[int]) -> dict[str, Any]:
        cell = {"type": "CHART", "meta": {"chartId": number, "uuid": "c"}}
        choice = {"scope": {"excluded": excluded}}
        return {
            "position": {"CHART-1": cell},
            "metadata": {"native_filter_configuration": [choice]},
        }

    dashboard = Asset(DASHBOARDS, KEY, board(999, [999]))
    assert _lines(dashboard, board(3, [3])) == []
    assert _lines(dashboard, board(3, [])) != []


def test_only_what_carries_our_mark_and_its_uuid_is_removed() -> None:
    ours = {(CHARTS, CHART.uuid): _exported(CHART)}
    copied = {(CHARTS, "another"): _exported(CHART)}
    foreign = {(CHARTS, "third"): _exported(CHART, certified_by=None, certification_details=None)}
    _, removed = changes([], {**ours, **copied, **foreign}, "city")
    assert [each.key for each in removed] == [(CHARTS, CHART.uuid)]
    assert changes([], ours, "other")[1] == []
