# ruff: noqa: S608 - names come quoted; expressions are those of the project's own datasets
"""What a chart of Superset asks, as SQL: from the query that its file holds, without a server."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.superset.assets import CHARTS, DATASETS, Asset
from warehouse.sql import literal, quoted

_GRAINS = {"P1M": "month"}
_OPERATORS = {"==": "=", "!=": "<>", "IN": "IN"}
_TESTS = frozenset({"IS NOT NULL", "IS TRUE", "IS FALSE"})


def chart_queries(assets: Sequence[Asset]) -> dict[str, str]:
    """The statement of every chart by its key.

    Raises:
        KeyError: when a chart names what it has no form for here.
    """
    return dict(_statements(assets))


def _statements(assets: Sequence[Asset]) -> Iterator[tuple[str, str]]:
    datasets = {each.uuid: each for each in assets if each.kind == DATASETS}
    for chart in assets:
        if chart.kind == CHARTS:
            query = json.loads(chart.content["query_context"])["queries"][0]
            yield chart.key, statement(query, datasets[chart.content["dataset_uuid"]])


def statement(query: Mapping[str, Any], dataset: Asset, condition: str = "true") -> str:
    """One query of a chart.

    Args:
        query: As the chart's `query_context` holds it.
        dataset: What it asks; its metrics say what their names mean.
        condition: Which rows the reader may see.
    """
    metrics = {each["metric_name"]: each["expression"] for each in dataset.content["metrics"]}
    columns = dict(_column(each) for each in query["columns"])
    asked = columns | {name: metrics[name] for name in query["metrics"] or ()}
    selected = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in asked.items())
    kept = " AND ".join([f"({condition})", *(_filter(each) for each in query["filters"])])
    grouped = f" GROUP BY {', '.join(columns.values())}" if query["metrics"] else ""
    order = ", ".join(
        f"{metrics.get(name) or quoted(name)} {'ASC' if ascends else 'DESC'}"
        for name, ascends in query["orderby"]
    )
    ordered = f" ORDER BY {order}" if order else ""
    table = quoted(dataset.content["table_name"])
    return (
        f"SELECT {selected} FROM {table} WHERE {kept}{grouped}{ordered} LIMIT {query['row_limit']}"
    )


def _column(column: str | Mapping[str, str]) -> tuple[str, str]:
    if isinstance(column, str):
        return column, quoted(column)
    grain = literal(_GRAINS[column["timeGrain"]])
    return column["label"], f"date_trunc({grain}, {quoted(column['sqlExpression'])})"


def _filter(each: Mapping[str, Any]) -> str:
    column, operator = quoted(each["col"]), each["op"]
    if operator in _TESTS:
        return f"{column} {operator}"
    values = each["val"] if operator == "IN" else [each["val"]]
    told = ", ".join(literal(value) if isinstance(value, str) else str(value) for value in values)
    return f"{column} {_OPERATORS[operator]} {f'({told})' if operator == 'IN' else told}"
