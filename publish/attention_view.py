# ruff: noqa: S608 - names come quoted from the views of figures
"""What needs attention today, read from the views of figures."""

from collections.abc import Sequence

from publish.report_column import ReportColumn, ReportView
from publish.wording import LANGUAGES, Text

_SUBJECT = (
    "indicator_code",
    "area_code",
    "area_valid_from",
    "service_group",
    "is_open",
    *(
        f"{name}_{language}"
        for name in ("indicator_name", "area_name", "area_note", "agency_name", "period")
        for language in LANGUAGES
    ),
    *(
        f"{name}_{language}"
        for name in ("value_text", "target_text", "obs_status_text", "stamp_text")
        for language in LANGUAGES
    ),
    *(f"data_as_of_text_{language}" for language in LANGUAGES),
    "stamp",
)


_GRAVITY = "CASE rating WHEN 'red' THEN 1 ELSE 3 END"


def _joined(*parts: str) -> str:
    return f"concat_ws('/', {', '.join(parts)})"


def attention_view(name: str, figures: Sequence[str]) -> ReportView:
    """Headline figures that are off target, and figures whose stamp is not current.

    What is off target is a line for each area and period. Of a late source everything is old at
    once: whatever has the same `line` is told together, for as many areas as the reader may see.

    Args:
        name: Of the view.
        figures: The views of figures that it reads.
    """
    titles = {
        "indicator_code": Text("Mã chỉ số", "Indicator code"),
        "area_code": Text("Mã địa bàn", "Area code"),
        "area_valid_from": Text("Địa bàn hiệu lực từ", "Area valid from"),
        "service_group": Text("Nhóm dịch vụ", "Service group"),
        "is_open": Text("Công khai", "Open"),
        "indicator_name": Text("Chỉ số", "Indicator"),
        "area_name": Text("Địa bàn", "Area"),
        "area_note": Text("Tình trạng địa bàn", "State of the area"),
        "agency_name": Text("Cơ quan chịu trách nhiệm", "Answerable agency"),
        "period": Text("Kỳ", "Period"),
        "value_text": Text("Giá trị", "Value"),
        "target_text": Text("Chỉ tiêu", "Target"),
        "obs_status_text": Text("Trạng thái", "Status"),
        "stamp": Text("Dấu", "Stamp"),
        "stamp_text": Text("Dấu", "Stamp"),
        "data_as_of_text": Text("Số liệu đến ngày", "Data as of"),
    }
    columns = [
        ReportColumn("reason", Text("Mã lý do", "Reason code")),
        *(ReportColumn(f"reason_text_{each}", Text("Lý do", "Reason")) for each in LANGUAGES),
        ReportColumn("severity", Text("Mức", "Severity")),
        ReportColumn("line", Text("Dòng", "Line")),
        ReportColumn("place", Text("Thứ tự", "Order")),
        ReportColumn("is_whole_city", Text("Toàn thành phố", "Whole city")),
        *(
            ReportColumn(each, titles.get(each) or titles[each.rpartition("_")[0]])
            for each in _SUBJECT
        ),
    ]
    subject = ", ".join(_SUBJECT)
    area = ("area_code", "area_valid_from")
    parts = []
    for view in figures:
        is_whole = "city" in view
        recent = f"FROM {view} WHERE is_headline AND recency <> 'past'"
        place = _joined(
            "severity", f"{int(not is_whole)}", "lpad(CAST(service_group AS VARCHAR), 2, '0')",
            "indicator_code", *area, "recency",
        )  # fmt: skip
        for code, severity, condition, line in (
            ("rating", _GRAVITY, "rating IN ('red', 'amber')", ("period_vi", *area)),
            ("stamp", "2", "stamp <> 'current' AND is_valid_area", ()),
        ):
            parts.append(
                f"SELECT {code} AS reason, {code}_text_vi AS reason_text_vi, "
                f"{code}_text_en AS reason_text_en, {severity} AS severity, "
                f"{_joined('reason', 'indicator_code', *line)} AS line, {place} AS place, "
                f"{is_whole} AS is_whole_city, {subject} {recent} AND {condition}"
            )
    title = Text("Việc cần chú ý hôm nay", "What needs attention today")
    return ReportView(name, title, columns, " UNION ALL ".join(parts))
