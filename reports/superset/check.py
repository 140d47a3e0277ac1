"""Checks reports without a server: dashboard -> chart -> dataset -> view -> column."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from reports.superset.assets import CHARTS, DASHBOARDS, DATABASES, DATASETS, Asset

Columns = Mapping[str, Sequence[str]]
# Parts of templates and parameters that name no column.
_HELPERS = frozenset({"data", "else", "this", "each", "if"})
_LINK = re.compile(r'href="/superset/dashboard/([^/"]+)/"')
_WRITTEN = re.compile(r"\{\{\w+\}\}")


def problems(
    assets: Sequence[Asset],
    columns: Columns,
    expression_fault: Callable[[str, str], str | None] = lambda view, sql: None,
) -> list[str]:
    """What is wrong in files of reports.

    Args:
        assets: Every object.
        columns: Columns of each view of the serving file.
        expression_fault: What is wrong with an expression over a view, if anything.

    Returns:
        `<file>: <what>`, in the order of the files.
    """
    by_kind = {
        kind: {each.uuid: each for each in assets if each.kind == kind}
        for kind in (DATABASES, DATASETS, CHARTS, DASHBOARDS)
    }
    slugs = [str(each.content.get("slug")) for each in by_kind[DASHBOARDS].values()]
    found: list[str] = []
    for asset in assets:
        if asset.kind == DATASETS:
            faults = _dataset_faults(asset, by_kind[DATABASES], columns, expression_fault)
        elif asset.kind == CHARTS:
            faults = _chart_faults(asset, by_kind[DATASETS], slugs)
        elif asset.kind == DASHBOARDS:
            faults = _dashboard_faults(asset, by_kind[CHARTS], by_kind[DATASETS])
        else:
            continue
        found += [f"{asset.path}: {fault}" for fault in _formed(faults)]
    return found


def _formed(faults: Iterator[str]) -> Iterator[str]:
    """The faults of a file, to which belongs that it has not the form that is written here."""
    try:
        yield from faults
    except KeyError as error:
        yield f"lacks {error}, or names what does"
    except (AttributeError, IndexError, TypeError, ValueError):
        yield "has not the form that `citylake reports render` writes"


def _dataset_faults(
    asset: Asset,
    databases: Mapping[str, Asset],
    columns: Columns,
    expression_fault: Callable[[str, str], str | None],
) -> Iterator[str]:
    content = asset.content
    if content["database_uuid"] not in databases:
        yield f"database {content['database_uuid']} is not there"
    view = content["table_name"]
    if view not in columns:
        yield f"the serving file has no view {view}"
        return
    known = set(columns[view])
    for column in content["columns"]:
        if column["column_name"] not in known:
            yield f"{view} has no column {column['column_name']}"
    for metric in content["metrics"]:
        fault = expression_fault(view, metric["expression"])
        if fault is not None:
            yield f"metric {metric['metric_name']}: {fault}"


def _chart_faults(
    asset: Asset, datasets: Mapping[str, Asset], slugs: Collection[str]
) -> Iterator[str]:
    dataset = datasets.get(asset.content["dataset_uuid"])
    if dataset is None:
        yield f"dataset {asset.content['dataset_uuid']} is not there"
        return
    view = dataset.content["table_name"]
    columns = {each["column_name"] for each in dataset.content["columns"]}
    metrics = {each["metric_name"] for each in dataset.content["metrics"]}
    params = asset.content["params"]
    query = json.loads(asset.content["query_context"])["queries"][0]
    for name in dict.fromkeys([*_named_columns(params), *_queried_columns(query)]):
        if name not in columns:
            yield f"{view} has no column {name}"
    for name in dict.fromkeys([*params.get("metrics", ()), *(query["metrics"] or ())]):
        if name not in metrics:
            yield f"{view} has no metric {name}"
    for name, _ in query["orderby"]:
        if name not in columns | metrics:
            yield f"{view} has no column or metric {name} to order by"
    asked = {*_queried_columns(query), *(query["metrics"] or ())}
    yield from _template_faults(params.get("handlebarsTemplate", ""), asked, slugs)


def _template_faults(
    template: str, asked: Collection[str], slugs: Collection[str]
) -> Iterator[str]:
    for name in _shown(template):
        if name not in asked:
            yield f"shows {name}, which it does not ask for"
    for link in _LINK.findall(template):
        if not any(_may_be(link, slug) for slug in slugs):
            yield f"leads to dashboard {link}, which is not there"


def _may_be(link: str, slug: str) -> bool:
    """Whether the end of an address, parts of which a template writes, may be a dashboard's."""
    return bool(re.fullmatch("[^-]+".join(map(re.escape, _WRITTEN.split(link))), slug))


def _named_columns(params: Mapping[str, Any]) -> Iterator[str]:
    yield from params.get("all_columns", ())
    yield from params.get("groupby", ())
    yield from (each["subject"] for each in params.get("adhoc_filters", ()))
    yield from (json.loads(each)[0] for each in params.get("order_by_cols", ()))
    yield from params.get("column_config", {})
    if params.get("x_axis"):
        yield params["x_axis"]


def _queried_columns(query: Mapping[str, Any]) -> Iterator[str]:
    for column in query["columns"]:
        yield column if isinstance(column, str) else column["sqlExpression"]
    yield from (each["col"] for each in query["filters"])


def _shown(template: str) -> Iterator[str]:
    """Names that a template writes out or asks about."""
    for part in template.split("{{")[1:]:
        words = part.partition("}}")[0].lstrip("#/").split()
        for word in words:
            name = word.partition(".")[0]
            if name not in _HELPERS and not name.startswith("@"):
                yield name


def _dashboard_faults(
    asset: Asset, charts: Mapping[str, Asset], datasets: Mapping[str, Asset]
) -> Iterator[str]:
    for name, cell in asset.content["position"].items():
        if isinstance(cell, dict) and cell["type"] == "CHART":
            uuid = cell["meta"]["uuid"]
            if uuid not in charts:
                yield f"{name}: chart {uuid} ({cell['meta']['sliceName']}) is not there"
    for choice in asset.content["metadata"]["native_filter_configuration"]:
        for target in choice["targets"]:
            dataset = datasets.get(target["datasetUuid"])
            if dataset is None:
                yield f"filter {choice['name']}: dataset {target['datasetUuid']} is not there"
                continue
            known = {each["column_name"] for each in dataset.content["columns"]}
            subjects = [each["subject"] for each in choice["adhoc_filters"]]
            for column in (target["column"]["name"], *subjects):
                if column not in known:
                    view = dataset.content["table_name"]
                    yield f"filter {choice['name']}: {view} has no column {column}"
