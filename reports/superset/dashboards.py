"""Dashboards as Superset imports them: charts in rows, texts, filters, and whose they are."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from reports.superset.assets import CHARTS, DASHBOARDS, DATASETS, Asset, mark, uuid_of
from reports.superset.charts import Chart, chart_key
from reports.superset.datasets import dataset_key
from reports.superset.looks import STYLE


@dataclass(frozen=True)
class Cell:
    """A chart, or a text in Markdown, and its size.

    Attributes:
        width: In twelfths of the page.
        height: In steps of 8 pixels.
    """

    content: Chart | str
    width: int
    height: int


@dataclass(frozen=True)
class Choice:
    """A filter that a reader sets.

    Attributes:
        name: Its name among the filters of its dashboard.
        column: What is chosen from, in the dataset of a view.
        start: What is chosen at first; None: the first that there is.
        charts: Names of the charts that it filters.
    """

    name: str
    title: str
    view: str
    column: str
    charts: Sequence[str]
    start: str | None = None
    filters: Sequence[tuple[str, str, object]] = ()


@dataclass(frozen=True)
class Dashboard:
    """A dashboard before it has the form of Superset.

    Attributes:
        name: Its name among the dashboards of its city; also the end of its address.
        rows: Cells, by row.
        service_group: The group that it is about; None where it is about several.
        about: Views that a reader must be able to read though no chart may ask them.
    """

    name: str
    title: str
    rows: Sequence[Sequence[Cell]]
    choices: Sequence[Choice] = ()
    service_group: int | None = None
    about: Set[str] = frozenset()

    @property
    def charts(self) -> list[Chart]:
        """Its charts in order."""
        return [
            cell.content for row in self.rows for cell in row if isinstance(cell.content, Chart)
        ]

    @property
    def views(self) -> set[str]:
        """The report views that a reader of it must be able to read."""
        asked = {each.question.view for each in self.charts} | {each.view for each in self.choices}
        return asked | self.about


def slug(city: str, name: str) -> str:
    """The end of a dashboard's address."""
    return f"{city}-{name}"


def asset_of(dashboard: Dashboard, city: str) -> Asset:
    """A dashboard as Superset imports it."""
    key = f"{city}/{dashboard.name}"
    content = {
        "dashboard_title": dashboard.title,
        "description": None,
        "slug": slug(city, dashboard.name),
        "published": True,
        "css": STYLE,
        "position": _position(dashboard, city),
        "metadata": _metadata(dashboard, city),
        **mark(key),
    }
    return Asset(DASHBOARDS, key, content)


def _position(dashboard: Dashboard, city: str) -> dict[str, Any]:
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [], "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": dashboard.title}},
    }
    for number, row in enumerate(dashboard.rows):
        row_id = f"ROW-{number}"
        parents = ["ROOT_ID", "GRID_ID"]
        children = []
        for place, cell in enumerate(row):
            made = _cell(cell, f"{number}-{place}", [*parents, row_id], city)
            position[made["id"]] = made
            children.append(made["id"])
        position["GRID_ID"]["children"].append(row_id)
        position[row_id] = {
            "type": "ROW",
            "id": row_id,
            "children": children,
            "parents": parents,
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
    return position


def _cell(cell: Cell, place: str, parents: list[str], city: str) -> dict[str, Any]:
    size = {"width": cell.width, "height": cell.height}
    if isinstance(cell.content, str):
        return {
            "type": "MARKDOWN",
            "id": f"MARKDOWN-{place}",
            "children": [],
            "parents": parents,
            "meta": {**size, "code": cell.content},
        }
    return {
        "type": "CHART",
        "id": f"CHART-{place}",
        "children": [],
        "parents": parents,
        "meta": {
            **size,
            "chartId": _number(cell.content, city),
            "sliceName": cell.content.title,
            "uuid": str(uuid_of(CHARTS, chart_key(city, cell.content.name))),
        },
    }


def _number(chart: Chart, city: str) -> int:
    """What stands for a chart's id until the import puts the server's in its place."""
    return int(uuid_of(CHARTS, chart_key(city, chart.name)).int % 10**9)


def _metadata(dashboard: Dashboard, city: str) -> dict[str, Any]:
    numbers = {each.name: _number(each, city) for each in dashboard.charts}
    return {
        "color_scheme": "supersetColors",
        "cross_filters_enabled": False,
        "refresh_frequency": 300,
        "show_chart_timestamps": False,
        "filter_bar_orientation": "HORIZONTAL",
        "native_filter_configuration": [
            _filter(each, dashboard.name, numbers, city) for each in dashboard.choices
        ],
    }


def _filter(
    choice: Choice, dashboard: str, numbers: Mapping[str, int], city: str
) -> dict[str, Any]:
    name = f"NATIVE_FILTER-{uuid5(NAMESPACE_URL, f'{city}/{dashboard}/{choice.name}').hex[:12]}"
    start: dict[str, Any] = {"extraFormData": {}, "filterState": {}, "ownState": {}}
    if choice.start is not None:
        chosen = [choice.start]
        start["extraFormData"] = {
            "filters": [{"col": choice.column, "op": "IN", "val": chosen}],
        }
        start["filterState"] = {"label": choice.start, "value": chosen}
    return {
        "id": name,
        "type": "NATIVE_FILTER",
        "filterType": "filter_select",
        "name": choice.title,
        "description": "",
        "targets": [
            {
                "datasetUuid": str(uuid_of(DATASETS, dataset_key(city, choice.view))),
                "column": {"name": choice.column},
            }
        ],
        "defaultDataMask": start,
        "controlValues": {
            "enableEmptyFilter": True,
            "defaultToFirstItem": choice.start is None,
            "multiSelect": False,
            "searchAllOptions": False,
            "inverseSelection": False,
            "sortAscending": True,
        },
        "adhoc_filters": [
            {
                "clause": "WHERE",
                "expressionType": "SIMPLE",
                "subject": column,
                "operator": operator,
                **({} if value is None else {"comparator": value}),
            }
            for column, operator, value in choice.filters
        ],
        "requiredFirst": choice.start is None,
        "cascadeParentIds": [],
        "scope": {
            "rootPath": ["ROOT_ID"],
            "excluded": sorted(
                number for chart, number in numbers.items() if chart not in choice.charts
            ),
        },
        "chartsInScope": [],
        "tabsInScope": [],
    }
