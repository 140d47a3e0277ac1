"""The serving file as a database of Superset, and its report views as datasets.

Columns and their titles are those of the views; metrics are made from the registry. Nothing is
named a second time here.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from publish.report_column import ReportView
from publish.report_views import ATTENTION, FIGURES
from publish.wording import LANGUAGES, Text
from reports.superset.assets import DATABASES, DATASETS, MAKER, Asset, Content, uuid_of
from warehouse.registry_model import Indicator
from warehouse.sql import literal

DATABASE = "serving"
# What one question may hold; the serving file of three years of Da Nang is 7 MB.
MEMORY = "512MB"
# Views of figures that charts draw; of an indicator, the city's says what the sector's does.
_DRAWN = [name for name in FIGURES if name != "report_sector_indicator"]
# What of a figure stands on a card: the newest complete period's, by `latest_<column>`.
LATEST = (
    "value_text",
    "period",
    "area_note",
    "change_text",
    "rating_text",
)
# The same, and of the newest period where none is complete yet, by `shown_<column>`.
SHOWN = ("target_text", "city_value_text", "data_as_of_text", "obs_status_text")
# The values of each line of a chart over time.
LINE = "line_value"
# The indicators that have the same stamp, status and data-as-of, by `names_<language>`.
NAMES = "names"
# What of the things to look into stands on their line, by `first_<column>`.
FIRST = (
    *("area_name", "area_note", "period", "value_text", "target_text", "obs_status_text"),
    "data_as_of_text",
)
# So many lines are shown; `lines_more` says how many are not.
ATTENTION_LINES = 100
_LANGUAGE = re.compile(f"_({'|'.join(LANGUAGES)})$")
# Of a view's column no type is declared: these are told from what the name says.
_DATES = ("_start", "_from", "_as_of", "_at")


def database(city: str, title: str, serving: Path) -> Asset:
    """The serving file, opened for reading alone; no statement reaches another file."""
    key = f"{city}/{DATABASE}"
    connect = {
        "read_only": True,
        "config": {
            "enable_external_access": False,
            "lock_configuration": True,
            "memory_limit": MEMORY,
        },
    }
    return Asset(
        DATABASES,
        key,
        {
            "database_name": f"{title} ({city})",
            "sqlalchemy_uri": f"duckdb:///{serving}",
            "expose_in_sqllab": False,
            "allow_run_async": False,
            "allow_ctas": False,
            "allow_cvas": False,
            "allow_dml": False,
            "allow_csv_upload": False,
            "impersonate_user": False,
            "cache_timeout": None,
            "extra": {
                "engine_params": {"connect_args": connect},
                "metadata_params": {MAKER: key},
                "allows_virtual_table_explore": False,
                "disable_data_preview": True,
            },
        },
    )


def datasets(
    city: str, views: Mapping[str, ReportView], indicators: Mapping[str, Indicator]
) -> list[Asset]:
    """One dataset for each report view, in the order of the views; metrics of the indicators."""
    return [_dataset(city, view, indicators) for view in views.values()]


def dataset_key(city: str, view: str) -> str:
    """The key of a view's dataset."""
    return f"{city}/{view}"


def _dataset(city: str, view: ReportView, indicators: Mapping[str, Indicator]) -> Asset:
    key = dataset_key(city, view.name)
    dates = [each.name for each in view.columns if each.name.endswith(_DATES)]
    content: Content = {
        "table_name": view.name,
        "main_dttm_col": "period_start" if "period_start" in dates else None,
        "description": f"{view.title.vi} | {view.title.en}",
        "schema": "main",
        "catalog": None,
        "sql": None,
        "filter_select_enabled": True,
        "normalize_columns": False,
        "always_filter_main_dttm": False,
        "extra": {"certification": {"certified_by": MAKER, "details": key}},
        "database_uuid": str(uuid_of(DATABASES, f"{city}/{DATABASE}")),
        "columns": [
            {
                "column_name": each.name,
                "verbose_name": _title_of(each.name, each.title),
                "is_dttm": each.name in dates,
                "is_active": True,
                "groupby": True,
                "filterable": True,
                "expression": None,
            }
            for each in view.columns
        ],
        "metrics": [
            {"metric_name": name, "verbose_name": title, "expression": sql, "d3format": form}
            for name, title, sql, form in _metrics(
                view, indicators if view.name in _DRAWN else None
            )
        ],
    }
    return Asset(DATASETS, key, content)


def _title_of(name: str, title: Text) -> str:
    """The title in the column's language; in both where the column has none."""
    found = _LANGUAGE.search(name)
    if found:
        return title.of(found[1])
    return title.vi if title.vi == title.en else f"{title.vi} | {title.en}"


def _metrics(
    view: ReportView, indicators: Mapping[str, Indicator] | None
) -> Iterable[tuple[str, str, str, str | None]]:
    """Name, title, SQL and number format of each metric."""
    yield "row_number", "Số dòng | Rows", "COUNT(*)", None
    if view.name == ATTENTION:
        yield from _lines(view)
    if indicators is None:
        return
    titles = {each.name: _title_of(each.name, each.title) for each in view.columns}
    order = "MIN(LPAD(CAST(service_group AS VARCHAR), 2, '0') || indicator_code)"
    yield "place", "Thứ tự | Order", order, None
    for name in ("rating", *_in_each_language(LATEST)):
        yield f"latest_{name}", titles[name], _latest(name), None
    for name in _in_each_language(SHOWN):
        if name in titles:
            newest = f"ARG_MAX({name}, period_start)"
            yield f"shown_{name}", titles[name], f"COALESCE({_latest(name)}, {newest})", None
    for language, title in zip(LANGUAGES, ("Kỳ đang chạy", "Running period"), strict=True):
        text = f"period_{language} || ': ' || value_text_{language}"
        sql = f"ARG_MAX(CASE WHEN recency = 'running' THEN {text} END, period_start)"
        yield f"running_text_{language}", title, sql, None
    for name in ("stamp", *(f"stamp_text_{each}" for each in LANGUAGES)):
        yield f"any_{name}", titles[name], f"ARG_MAX({name}, period_start)", None
    yield LINE, "Giá trị | Value", "MAX(value)", None
    for language in LANGUAGES:
        name = f"indicator_name_{language}"
        sql = f"STRING_AGG(DISTINCT {name}, ', ' ORDER BY {name})"
        yield f"{NAMES}_{language}", titles[name], sql, None
    yield from _values(indicators)


def _values(indicators: Mapping[str, Indicator]) -> Iterable[tuple[str, str, str, str | None]]:
    """The values of each indicator, for charts over time."""
    for code, indicator in indicators.items():
        definition = indicator.definition
        for language in LANGUAGES:
            sql = f"MAX(CASE WHEN indicator_code = {literal(code)} THEN value END)"
            name = metric_of(code, language)
            yield name, definition.name[language], sql, f",.{definition.rounding}f"


def _lines(view: ReportView) -> Iterable[tuple[str, str, str, str | None]]:
    """Of what is told in one line: the gravest, how many areas it is about, and what is not shown.

    They are counted among the rows that the reader may see.
    """
    titles = {each.name: _title_of(each.name, each.title) for each in view.columns}
    yield "line_place", titles["place"], "MIN(place)", None
    for name in _in_each_language(FIRST):
        yield f"first_{name}", titles[name], f"ARG_MIN({name}, place)", None
    areas = "NULLIF(COUNT(DISTINCT CONCAT(area_code, area_valid_from)) - 1, 0)"
    yield "areas_more", "Số địa bàn khác | Further areas", areas, None
    more = f"NULLIF(GREATEST(COUNT(*) OVER () - {ATTENTION_LINES}, 0), 0)"
    yield "lines_more", "Số dòng không hiện | Lines not shown", more, None


def _in_each_language(names: Iterable[str]) -> list[str]:
    return [f"{name}_{language}" for name in names for language in LANGUAGES]


def _latest(column: str) -> str:
    return f"ARG_MAX(CASE WHEN recency = 'latest' THEN {column} END, period_start)"


def metric_of(indicator: str, language: str) -> str:
    """The metric of a view of figures that holds an indicator's values."""
    return f"{indicator}_{language}"
