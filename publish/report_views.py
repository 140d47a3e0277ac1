# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""What reports read of the serving file: every figure with its words, rating and stamp beside it.

Each view is one SELECT over the tables of the serving file. Columns of a mart keep the name and, as
title, the head of the description of its contract; further columns are declared here, once, with
their titles.
"""

from collections.abc import Mapping

from publish import wording
from publish.attention_view import attention_view
from publish.audit_views import audit_views
from publish.report_column import (
    ReportColumn,
    ReportView,
    declared_view,
    heading,
    in_both,
    names_of,
    words_of,
)
from publish.wording import LANGUAGES, Text
from warehouse.contract.model import TableContract
from warehouse.sql import literal, quoted

FIGURES = {
    "report_city_indicator": "mart_city_indicator",
    "report_district_indicator": "mart_district_indicator",
    "report_sector_indicator": "mart_sector_indicator",
}
INDICATORS = "report_indicator"
PUBLICATIONS = "report_publication"
ATTENTION = "report_attention"


def report_views(contracts: Mapping[str, TableContract]) -> dict[str, ReportView]:
    """The views over a serving file, by name; those of marts that the contracts lack are left out.

    Args:
        contracts: Mart contracts by name.

    Returns:
        `report_city_indicator`, `report_district_indicator`, `report_sector_indicator` (one row is
        one value of a mart), `report_indicator` (one row is one indicator, with or without
        values), `report_publication` (one row is one publication), `report_attention` (one row is
        one thing to look into today), and for auditors `report_source` (one row is one source),
        `report_quarantine` (one row is one rule that records of a source broke) and `report_check`
        (one row is one check of a publication). Later views may read earlier ones.
    """
    views = [_figures(name, contracts[mart]) for name, mart in FIGURES.items() if mart in contracts]
    known = {view.name for view in views}
    views.append(_indicators())
    views.append(_publications())
    views += audit_views()
    read = [name for name in FIGURES if name in known and "sector" not in name]
    views.append(attention_view(ATTENTION, read))
    return {view.name: view for view in views}


def _quantity(name: str, title: Text, value: str) -> tuple[ReportColumn, ReportColumn]:
    """A value of a mart with its unit."""
    return in_both(
        name,
        title,
        {each: wording.quantity_sql(value, "i.rounding", "m.unit", each) for each in LANGUAGES},
    )


def _counted(name: str, title: Text, value: str) -> tuple[ReportColumn, ReportColumn]:
    """A count as text: whole where it is, else with two decimals, as shares of events have them."""
    decimals = f"CASE WHEN {value} = round({value}) THEN 0 ELSE 2 END"
    return in_both(
        name, title, {each: wording.number_sql(value, decimals, each) for each in LANGUAGES}
    )


_OFF = "CASE i.better WHEN 'higher' THEN m.target - m.value ELSE m.value - m.target END"
# A period that still runs is not judged: what is opened in it has had no time to be closed. A stock
# is what it is on any day.
_IS_JUDGED = "i.better IS NOT NULL AND (m.coverage_share = 1 OR i.kind = 'stock')"
RATING = (
    f"CASE WHEN NOT ({_IS_JUDGED}) OR {_OFF} IS NULL THEN NULL WHEN {_OFF} <= 0 THEN 'green' "
    f"WHEN {_OFF} <= i.amber_within THEN 'amber' ELSE 'red' END"
)
STAMP = (
    "CASE WHEN s.version IS NULL THEN 'unpublished' WHEN s.verdict = 'reject' THEN 'rejected' "
    "WHEN s.verdict = 'hold' THEN 'held' WHEN s.stale THEN 'late' ELSE 'current' END"
)
_COMPLETE = (
    "max(CASE WHEN m.coverage_share = 1 THEN m.period_start END) OVER (PARTITION BY "
    "m.indicator_code, m.period_kind)"
)
_RECENCY = (
    f"CASE WHEN m.period_start = {_COMPLETE} THEN 'latest' WHEN {_COMPLETE} IS NULL OR "
    f"m.period_start > {_COMPLETE} THEN 'running' ELSE 'past' END"
)
# A mart with what the same extent had in the period before.
_WITH_BEFORE = """
    SELECT *, lag(coverage_share) OVER periods AS coverage_before,
        CASE WHEN lag(area_valid_from) OVER periods = area_valid_from
        THEN lag("value") OVER periods END AS value_before
    FROM {mart}
    WINDOW periods AS (PARTITION BY indicator_code, agency_code, period_kind, area_code
        ORDER BY period_start, area_valid_from)
"""
# A period of which only a part is known is no measure for the next one, nor for any other.
_BEFORE = "(CASE WHEN m.coverage_before = 1 OR i.kind = 'stock' THEN m.value_before END)"
_CHANGE = f"(m.value - {_BEFORE})"
_PARTIAL = f"(m.coverage_share < 1 AND i.kind <> 'stock' AND ({_RECENCY}) = 'past')"
_TENDENCY = (
    f"CASE WHEN i.better IS NULL OR m.coverage_share < 1 OR {_CHANGE} IS NULL THEN NULL "
    f"WHEN abs({_CHANGE}) < 0.5 * power(10, -i.rounding) THEN 'same' "
    f"WHEN ({_CHANGE} > 0) = (i.better = 'higher') THEN 'better' ELSE 'worse' END"
)


# What became of the code of an extent that is no more.
_GONE = Text("giải thể", "dissolved")
_REPLACED = Text("địa giới trước", "extent until")


def _area_note(language: str) -> str:
    """What an area that ended says beside its name; null for one in force."""
    goes_on = (
        "EXISTS (SELECT 1 FROM dim_area later WHERE later.area_code = m.area_code "
        "AND later.area_valid_from >= a.area_valid_to)"
    )
    replaced, gone = (literal(f"{each.of(language)} ") for each in (_REPLACED, _GONE))
    return (
        f"CASE WHEN a.area_valid_to <= m.data_as_of THEN CASE WHEN {goes_on} THEN {replaced} "
        f"ELSE {gone} END || {wording.day_sql('a.area_valid_to', language)} END"
    )


def _caution(language: str) -> str:
    """What must be known beside a figure: its area ended, or newer data is due; else null."""
    stamp = wording.word_sql(f"({STAMP})", wording.STAMPS, language)
    parts = f"{_area_note(language)}, CASE WHEN ({STAMP}) <> 'current' THEN {stamp} END"
    return f"nullif(concat_ws(' · ', {parts}), '')"


def _status_note(language: str) -> str:
    """The status of a figure that has not the usual one; a missing value says its own."""
    word = wording.word_sql("m.obs_status", wording.OBS_STATUSES, language)
    usual = literal(wording.USUAL_STATUS)
    return f"CASE WHEN m.value IS NOT NULL AND m.obs_status <> {usual} THEN {word} END"


def _line_name(language: str) -> str:
    """The name of a figure's line over time: an extent that ended has a line of its own."""
    return f"concat_ws(' · ', i.name_{language}, {_caution(language)})"


def _value(language: str) -> str:
    """The value of a mart with its unit, or the word that says why there is none."""
    quantity = wording.quantity_sql("m.value", "i.rounding", "m.unit", language)
    return (
        f"coalesce({quantity}, {wording.word_sql('m.obs_status', wording.OBS_STATUSES, language)})"
    )


def _added(contract: TableContract) -> list[ReportColumn]:
    """What stands beside the columns of a mart of indicators."""
    columns = [
        *names_of("indicator_name", Text("Chỉ số", "Indicator"), "i.name"),
        *names_of("formula", Text("Công thức", "Formula"), "i.formula"),
        *names_of("area_name", Text("Địa bàn", "Area"), "a.name"),
        *in_both(
            "area_note",
            Text("Tình trạng địa bàn", "State of the area"),
            {each: _area_note(each) for each in LANGUAGES},
        ),
        *in_both("caution", Text("Lưu ý", "Caution"), {each: _caution(each) for each in LANGUAGES}),
        *in_both(
            "status_note",
            Text("Trạng thái khác thường lệ", "Unusual status"),
            {each: _status_note(each) for each in LANGUAGES},
        ),
        *in_both(
            "line_name",
            Text("Chỉ số trên biểu đồ", "Indicator on charts"),
            {each: _line_name(each) for each in LANGUAGES},
        ),
        *names_of("agency_name", Text("Cơ quan chịu trách nhiệm", "Answerable agency"), "o.name"),
        *words_of(
            "service_group_name",
            Text("Nhóm dịch vụ", "Service group"),
            "m.service_group",
            wording.SERVICE_GROUPS,
        ),
        *in_both(
            "period",
            Text("Kỳ", "Period"),
            {
                each: wording.period_sql("m.period_kind", "m.period_start", each)
                for each in LANGUAGES
            },
        ),
        *in_both(
            "value_text", Text("Giá trị", "Value"), {each: _value(each) for each in LANGUAGES}
        ),
        *_counted("numerator_text", Text("Tử số", "Numerator"), "m.numerator"),
        *_counted("denominator_text", Text("Mẫu số", "Denominator"), "m.denominator"),
        *_counted("n_text", Text("Số sự kiện", "Events"), "m.n"),
        *_quantity("target_text", Text("Chỉ tiêu", "Target"), "m.target"),
        *_quantity(
            "value_before_text",
            Text("Giá trị kỳ trước", "Value of the period before"),
            _BEFORE,
        ),
    ]
    if any(column.name == "city_value" for column in contract.open_columns):
        columns += _quantity(
            "city_value_text", Text("Toàn thành phố", "Whole city"), "m.city_value"
        )
    return [
        *columns,
        ReportColumn(
            "value_before",
            Text("Giá trị kỳ trước", "Value of the period before"),
            _BEFORE,
        ),
        *in_both(
            "change_text",
            Text("Thay đổi so với kỳ trước", "Change to the period before"),
            {each: wording.change_sql(_CHANGE, "i.rounding", "m.unit", each) for each in LANGUAGES},
        ),
        ReportColumn("tendency", Text("Chiều hướng", "Tendency"), _TENDENCY),
        *words_of(
            "tendency_text", Text("Chiều hướng", "Tendency"), f"({_TENDENCY})", wording.TENDENCIES
        ),
        *words_of(
            "obs_status_text", Text("Trạng thái", "Status"), "m.obs_status", wording.OBS_STATUSES
        ),
        ReportColumn("rating", Text("Mức đạt", "Rating"), RATING),
        *words_of("rating_text", Text("Mức đạt", "Rating"), f"({RATING})", wording.RATINGS),
        ReportColumn("recency", Text("Kỳ mới nhất", "Recency"), _RECENCY),
        ReportColumn("is_partial", Text("Kỳ thiếu số liệu", "Incomplete period"), _PARTIAL),
        ReportColumn(
            "is_valid_area",
            Text("Địa bàn còn hiệu lực", "Area in force"),
            "a.area_valid_to IS NULL",
        ),
        ReportColumn("tile_x", Text("Cột trên sơ đồ", "Column of the schematic"), "a.tile_x"),
        ReportColumn("tile_y", Text("Hàng trên sơ đồ", "Row of the schematic"), "a.tile_y"),
        ReportColumn("kind", Text("Loại", "Kind"), "i.kind"),
        ReportColumn("better", Text("Chiều tốt", "Better"), "i.better"),
        ReportColumn("is_headline", Text("Chỉ số chính", "Headline"), "i.is_headline"),
        ReportColumn("is_open", Text("Công khai", "Open"), "i.is_open"),
        ReportColumn("decimals", Text("Số chữ số thập phân", "Decimals"), "i.rounding"),
        ReportColumn("verdict", Text("Kết luận kiểm tra", "Verdict"), "s.verdict"),
        ReportColumn("stamp", Text("Dấu", "Stamp"), STAMP),
        *words_of("stamp_text", Text("Dấu", "Stamp"), f"({STAMP})", wording.STAMPS),
        *in_both(
            "data_as_of_text",
            Text("Số liệu đến ngày", "Data as of"),
            {each: wording.day_sql("m.data_as_of", each) for each in LANGUAGES},
        ),
    ]


def _figures(name: str, contract: TableContract) -> ReportView:
    own = [
        ReportColumn(column.name, Text(*(heading(column.description[each]) for each in LANGUAGES)))
        for column in contract.open_columns
    ]
    columns = [*own, *_added(contract)]
    selected = ",\n".join(
        f"m.{quoted(each.name)}" if each.sql is None else f"{each.sql} AS {quoted(each.name)}"
        for each in columns
    )
    sql = f"""
        SELECT {selected}
        FROM ({_WITH_BEFORE.format(mart=quoted(contract.name))}) m
        JOIN dim_indicator i ON i.indicator_code = m.indicator_code
        JOIN dim_area a ON a.area_code = m.area_code AND a.area_valid_from = m.area_valid_from
        JOIN dim_agency o ON o.agency_code = m.agency_code
        LEFT JOIN publication_status s ON s.publication = i.publication
        """
    purpose = contract.description
    return ReportView(name, Text(purpose["vi"], purpose["en"]), columns, sql)


def _indicators() -> ReportView:
    columns = [
        ReportColumn("indicator_code", Text("Mã chỉ số", "Indicator code"), "i.indicator_code"),
        *names_of("indicator_name", Text("Chỉ số", "Indicator"), "i.name"),
        *names_of("formula", Text("Công thức", "Formula"), "i.formula"),
        *names_of("agency_name", Text("Cơ quan chịu trách nhiệm", "Answerable agency"), "o.name"),
        ReportColumn("service_group", Text("Nhóm dịch vụ", "Service group"), "i.service_group"),
        *_yes_or_no("is_headline", Text("Chỉ số chính", "Headline")),
        *_yes_or_no("is_open", Text("Công khai", "Open")),
        ReportColumn("stamp", Text("Dấu", "Stamp"), STAMP),
        *words_of("stamp_text", Text("Dấu", "Stamp"), f"({STAMP})", wording.STAMPS),
    ]
    relation = (
        "dim_indicator i JOIN dim_agency o ON o.agency_code = i.agency_code "
        "LEFT JOIN publication_status s ON s.publication = i.publication"
    )
    return declared_view(
        INDICATORS, Text("Chỉ số của thành phố", "Indicators of the city"), columns, relation
    )


def _titles_of_late(language: str) -> str:
    """The titles of the sources that a publication waits for; null where there is none."""
    return (
        f"(SELECT string_agg(coalesce(a.title_{language}, late.source), ', ' ORDER BY late.source) "
        "FROM (SELECT unnest(s.late_sources) AS source) late "
        "LEFT JOIN audit_source a ON a.source = late.source)"
    )


def _yes_or_no(name: str, title: Text) -> tuple[ReportColumn, ...]:
    """Whether something holds of an indicator, and the same in words."""
    value = f"i.{name}"
    words = words_of(f"{name}_text", title, value, wording.YES_OR_NO)
    return (ReportColumn(name, title, value), *words)


def _publications() -> ReportView:
    columns = [
        ReportColumn("publication", Text("Mã bộ dữ liệu", "Publication"), "s.publication"),
        ReportColumn("dataset_class", Text("Phân loại", "Class"), "s.dataset_class"),
        *names_of("title", Text("Bộ dữ liệu", "Title"), "s.title"),
        ReportColumn("verdict", Text("Kết luận kiểm tra", "Verdict"), "s.verdict"),
        *words_of(
            "verdict_text", Text("Kết luận kiểm tra", "Verdict"), "s.verdict", wording.VERDICTS
        ),
        ReportColumn("stamp", Text("Dấu", "Stamp"), STAMP),
        *words_of("stamp_text", Text("Dấu", "Stamp"), f"({STAMP})", wording.STAMPS),
        ReportColumn("version", Text("Phiên bản", "Version"), "s.version"),
        ReportColumn("data_as_of", Text("Số liệu đến ngày", "Data as of"), "s.data_as_of"),
        *in_both(
            "data_as_of_text",
            Text("Số liệu đến ngày", "Data as of"),
            {each: wording.day_sql("s.data_as_of", each) for each in LANGUAGES},
        ),
        ReportColumn("delivered_as_of", Text("Nhận đến ngày", "Delivered"), "s.delivered_as_of"),
        ReportColumn("row_count", Text("Số dòng", "Rows"), "s.rows"),
        *in_both(
            "row_count_text",
            Text("Số dòng", "Rows"),
            {each: wording.number_sql("s.rows", "0", each) for each in LANGUAGES},
        ),
        ReportColumn(
            "failing_count",
            Text("Số kiểm tra không đạt", "Number of checks not passed"),
            "len(s.failing_checks)",
        ),
        ReportColumn(
            "failing_checks",
            Text("Kiểm tra không đạt", "Checks not passed"),
            "array_to_string(s.failing_checks, ', ')",
        ),
        ReportColumn(
            "late_sources",
            Text("Nguồn chậm", "Late sources"),
            "array_to_string(s.late_sources, ', ')",
        ),
        *in_both(
            "late_sources_text",
            Text("Nguồn chậm", "Late sources"),
            {each: _titles_of_late(each) for each in LANGUAGES},
        ),
    ]
    title = Text("Kết luận về từng bộ dữ liệu", "Verdict on every publication")
    return declared_view(PUBLICATIONS, title, columns, "publication_status s")
