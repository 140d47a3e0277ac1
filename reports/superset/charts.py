"""Charts as Superset imports them: a question to a dataset, and how the answer is drawn."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.superset.assets import CHARTS, DATASETS, Asset, mark, uuid_of
from reports.superset.datasets import dataset_key

# (column, operator of Superset, value); a value of None where the operator needs none.
Filter = tuple[str, str, object]
ROW_LIMIT = 1000


@dataclass(frozen=True)
class Question:
    """What a chart asks of a dataset.

    Attributes:
        view: The report view behind the dataset.
        columns: Columns of a row, or what is grouped by where there are metrics.
        metrics: Names of the dataset's metrics.
        order: Columns or metrics, each with whether it ascends.
        period: Column of dates along the x axis; charts over time alone.
    """

    view: str
    columns: Sequence[str] = ()
    metrics: Sequence[str] = ()
    filters: Sequence[Filter] = ()
    order: Sequence[tuple[str, bool]] = ()
    period: str | None = None
    limit: int = ROW_LIMIT

    @property
    def names(self) -> set[str]:
        """Every column or metric that is named."""
        named = {*self.columns, *self.metrics, *(name for name, _, _ in self.filters)}
        named |= {name for name, _ in self.order}
        return named | ({self.period} if self.period else set())


@dataclass(frozen=True)
class Chart:
    """A chart before it has the form of Superset.

    Attributes:
        name: Its name among the charts of its city.
        viz_type: Superset's name of the kind of drawing.
        options: How it is drawn, in the words of that kind.
    """

    name: str
    title: str
    viz_type: str
    question: Question
    options: Mapping[str, Any] = field(default_factory=dict)


def chart_key(city: str, name: str) -> str:
    """The key of a chart."""
    return f"{city}/{name}"


def asset_of(chart: Chart, city: str) -> Asset:
    """A chart as Superset imports it.

    The question stands in it twice: in the words of the drawing, and as the query that an export
    by the chart's id runs.
    """
    key = chart_key(city, chart.name)
    params = {"viz_type": chart.viz_type, **_asked(chart), **chart.options}
    context = {
        "datasource": {"id": 0, "type": "table"},
        "force": False,
        "queries": [_query(chart.question)],
        "form_data": params,
        "result_format": "json",
        "result_type": "full",
    }
    content = {
        "slice_name": chart.title,
        "description": None,
        "viz_type": chart.viz_type,
        "params": params,
        "query_context": json.dumps(context, ensure_ascii=False, sort_keys=True),
        "cache_timeout": None,
        "dataset_uuid": str(uuid_of(DATASETS, dataset_key(city, chart.question.view))),
        **mark(key),
    }
    return Asset(CHARTS, key, content)


def _asked(chart: Chart) -> dict[str, Any]:
    """The question in the words of the drawing."""
    question = chart.question
    filters = [_adhoc(number, each) for number, each in enumerate(question.filters)]
    asked: dict[str, Any] = {"adhoc_filters": filters, "row_limit": question.limit}
    if question.period:
        return {
            **asked,
            "x_axis": question.period,
            "time_grain_sqla": "P1M",
            "metrics": list(question.metrics),
            "groupby": list(question.columns),
            "x_axis_sort_asc": True,
        }
    if question.metrics:
        first, ascends = question.order[0]
        return {
            **asked,
            "query_mode": "aggregate",
            "groupby": list(question.columns),
            "metrics": list(question.metrics),
            "timeseries_limit_metric": first,
            "order_desc": not ascends,
        }
    return {
        **asked,
        "query_mode": "raw",
        "all_columns": list(question.columns),
        "order_by_cols": [json.dumps(list(each)) for each in question.order],
    }


def _adhoc(number: int, each: Filter) -> dict[str, Any]:
    column, operator, value = each
    return {
        "clause": "WHERE",
        "expressionType": "SIMPLE",
        "filterOptionName": f"filter_{number}",
        "subject": column,
        "operator": operator,
        **({} if value is None else {"comparator": value}),
    }


def _query(question: Question) -> dict[str, Any]:
    columns: list[Any] = list(question.columns)
    if question.period:
        axis = {
            "columnType": "BASE_AXIS",
            "expressionType": "SQL",
            "label": question.period,
            "sqlExpression": question.period,
            "timeGrain": "P1M",
        }
        columns = [axis, *columns]
    return {
        "columns": columns,
        "metrics": list(question.metrics) or None,
        "filters": [
            {"col": column, "op": operator, **({} if value is None else {"val": value})}
            for column, operator, value in question.filters
        ],
        "orderby": [[name, ascends] for name, ascends in question.order],
        "row_limit": question.limit,
        "extras": {"having": "", "where": ""},
        "applied_time_extras": {},
        "annotation_layers": [],
        "url_params": {},
        "custom_params": {},
        "custom_form_data": {},
    }
