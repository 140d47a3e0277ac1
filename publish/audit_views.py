"""The report views of how data came and was checked: for auditors alone (publish.access).

They lie over the tables of `publish.audit_tables`.
"""

from collections.abc import Mapping

from publish import wording
from publish.report_column import ReportColumn, ReportView, declared_view, names_of, words_of
from publish.wording import Text
from warehouse.sql import quoted

SOURCES, QUARANTINED, CHECKS = "report_source", "report_quarantine", "report_check"
AUDITED = (SOURCES, QUARANTINED, CHECKS)


def audit_views() -> list[ReportView]:
    """`report_source`, `report_quarantine` and `report_check`."""
    return [_sources(), _quarantined(), _checks()]


def _plain(columns: Mapping[str, Text]) -> list[ReportColumn]:
    """Columns as their table `a` has them."""
    return [ReportColumn(name, title, f"a.{quoted(name)}") for name, title in columns.items()]


def _sources() -> ReportView:
    counts = {
        "records": Text("Bản ghi nhận được", "Records received"),
        "new": Text("Mới", "New"),
        "changed": Text("Thay đổi", "Changed"),
        "unchanged": Text("Không đổi", "Unchanged"),
        "quarantined": Text("Bị cách ly", "Quarantined"),
        "deleted": Text("Bị xóa", "Deleted"),
    }
    columns = [
        *_plain({"source": Text("Mã nguồn", "Source")}),
        *names_of("source_title", Text("Nguồn", "Source"), "a.title"),
        *names_of("agency_name", Text("Cơ quan chủ quản", "Owner agency"), "o.name"),
        ReportColumn("service_group", Text("Nhóm dịch vụ", "Service group"), "a.service_group"),
        *words_of(
            "service_group_name",
            Text("Nhóm dịch vụ", "Service group"),
            "a.service_group",
            wording.SERVICE_GROUPS,
        ),
        *_plain(
            {
                "core_table": Text("Bảng lõi", "Core table"),
                "as_of": Text("Nhận đến ngày", "Delivered as of"),
                "expected_by": Text("Hạn nhận tiếp theo", "Next delivery due by"),
                "is_late": Text("Chậm", "Late"),
            }
        ),
        *words_of("is_late_text", Text("Chậm", "Late"), "a.is_late", wording.YES_OR_NO),
        *_plain(
            {
                "attempt_day": Text("Ngày của lần đọc gần nhất", "Day of the last attempt"),
                "attempt_status": Text("Mã kết quả lần đọc", "Status code of the last attempt"),
            }
        ),
        *words_of(
            "attempt_status_text",
            Text("Kết quả lần đọc", "Last attempt"),
            "a.attempt_status",
            wording.ATTEMPTS,
        ),
        *_plain(counts),
    ]
    title = Text("Việc nhận dữ liệu từ từng nguồn", "Delivery of every source")
    relation = "audit_source a LEFT JOIN dim_agency o ON o.agency_code = a.agency_code"
    return declared_view(SOURCES, title, columns, relation)


def _quarantined() -> ReportView:
    columns = _plain(
        {
            "source": Text("Mã nguồn", "Source"),
            "reason": Text("Mã lý do", "Reason code"),
            "open_records": Text("Bản ghi còn bị cách ly", "Records still in quarantine"),
        }
    )
    title = Text("Bản ghi bị cách ly theo lý do", "Quarantined records by reason")
    return declared_view(QUARANTINED, title, columns, "audit_quarantine a")


def _checks() -> ReportView:
    columns = [
        *_plain({"publication": Text("Mã bộ dữ liệu", "Publication")}),
        *names_of("title", Text("Bộ dữ liệu", "Title"), "s.title"),
        *_plain(
            {
                "check_name": Text("Kiểm tra", "Check"),
                "engine": Text("Bộ kiểm tra", "Engine"),
                "severity": Text("Mã mức", "Severity code"),
            }
        ),
        *words_of("severity_text", Text("Mức", "Severity"), "a.severity", wording.SEVERITIES),
        ReportColumn("is_failing", Text("Không đạt", "Not passed"), "a.status <> 'passed'"),
        *_plain({"status": Text("Mã kết quả", "Status code")}),
        *words_of("status_text", Text("Kết quả", "Status"), "a.status", wording.CHECK_STATUSES),
        *_plain(
            {
                "observed": Text("Thấy", "Observed"),
                "expected": Text("Chờ đợi", "Expected"),
                "failing_rows": Text("Dòng không đạt", "Failing rows"),
                "record": Text("Số bản ghi công bố", "Promotion record"),
            }
        ),
    ]
    title = Text("Kết quả từng kiểm tra", "Result of every check")
    relation = "audit_check a LEFT JOIN publication_status s ON s.publication = a.publication"
    return declared_view(CHECKS, title, columns, relation)
