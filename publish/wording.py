"""The words and forms in which figures are read, in Vietnamese and in English.

Statuses are those of SDMX (CL_OBS_STATUS). Numbers and dates have the form of each language:
`1.234,5` and `05/07/2025`, `1,234.5` and `5 July 2025`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from warehouse.sql import literal

LANGUAGES = ("vi", "en")


@dataclass(frozen=True)
class Text:
    """One text in both languages."""

    vi: str
    en: str

    def of(self, language: str) -> str:
        """The text in a language of `LANGUAGES`."""
        return {"vi": self.vi, "en": self.en}[language]


SERVICE_GROUPS: Mapping[int, Text] = {
    1: Text("Phản ánh, kiến nghị của người dân", "Citizen feedback"),
    2: Text("Dịch vụ hành chính công", "Public administrative services"),
    3: Text("Hạ tầng mạng và công nghệ thông tin", "Network and IT environment"),
    4: Text("Không khí và nước", "Air and water"),
    5: Text("Kinh tế - xã hội", "Socio-economic"),
    6: Text("Cấp cứu và cứu hỏa", "Ambulance and fire"),
    7: Text("Nước thải", "Wastewater"),
    8: Text("Mưa lớn và ngập đô thị", "Heavy rain and urban flooding"),
    9: Text("Tàu cá", "Fishing vessels"),
    10: Text("Khám, chữa bệnh", "Medical examination and treatment"),
    11: Text("Phân tích hình ảnh camera", "Camera analytics"),
}

OBS_STATUSES: Mapping[str, Text] = {
    "Q": Text("không công bố", "suppressed"),
    "M": Text("không thể có", "cannot exist"),
    "L": Text("không thu thập", "not collected"),
    "O": Text("chưa có số liệu", "not delivered"),
    "B": Text("đứt gãy chuỗi", "break in series"),
    "D": Text("định nghĩa khác", "definition differs"),
    "U": Text("độ tin cậy thấp", "low reliability"),
    "I": Text("bổ khuyết", "imputed"),
    "E": Text("ước tính", "estimated"),
    "F": Text("dự báo", "forecast"),
    "P": Text("tạm tính", "provisional"),
    "A": Text("chính thức", "final"),
}

UNITS: Mapping[str, Text] = {
    "%": Text("%", "%"),
    "requests": Text("phản ánh", "requests"),
    "procedures": Text("thủ tục", "procedures"),
    "dossiers": Text("hồ sơ", "dossiers"),
    "d": Text("ngày", "days"),
    "min": Text("phút", "minutes"),
}

# How far what readers see is the newest that there is.
STAMPS: Mapping[str, Text] = {
    "current": Text("đã kiểm, mới nhất", "checked, up to date"),
    "late": Text("nguồn chậm, số liệu cũ", "source late, older data"),
    "held": Text("số liệu mới chờ duyệt", "newer data awaits approval"),
    "rejected": Text("số liệu mới bị loại", "newer data was rejected"),
    "unpublished": Text("chưa công bố", "not published"),
}

VERDICTS: Mapping[str, Text] = {
    "publish": Text("công bố", "published"),
    "hold": Text("chờ duyệt", "held"),
    "reject": Text("loại", "rejected"),
}

RATINGS: Mapping[str, Text] = {
    "green": Text("đạt", "on target"),
    "amber": Text("gần đạt", "near target"),
    "red": Text("chưa đạt", "off target"),
}

# How an attempt to read a source ended.
ATTEMPTS: Mapping[str, Text] = {
    "ok": Text("đã nhận", "delivered"),
    "transient": Text("lỗi tạm thời", "failed for now"),
    "terminal": Text("lỗi ở nguồn", "failed at the source"),
    "failed": Text("lỗi", "failed"),
    "running": Text("đang đọc", "under way"),
}

SEVERITIES: Mapping[str, Text] = {
    "block": Text("loại", "block"),
    "hold": Text("giữ lại", "hold"),
    "warn": Text("cảnh báo", "warn"),
}

CHECK_STATUSES: Mapping[str, Text] = {
    "passed": Text("đạt", "passed"),
    "failed": Text("không đạt", "failed"),
    "errored": Text("lỗi", "errored"),
    "skipped": Text("bỏ qua", "skipped"),
    "missing": Text("thiếu", "missing"),
}

# Words of the static site (publish/site).
SITE: Mapping[str, Text] = {
    "data_of_city": Text("số liệu công khai", "open figures"),
    "intro": Text(
        "Các chỉ số chính và các bộ dữ liệu mở của thành phố. Mỗi con số mang kỳ, trạng thái, dấu "
        "kiểm và cơ quan chịu trách nhiệm.",
        "Headline indicators and open datasets of the city. Every figure carries its period, its "
        "status, its stamp and the agency that answers for it.",
    ),
    "record": Text("Bản ghi công bố số", "Promotion record no."),
    "no_record": Text("Chưa có bản ghi công bố", "No promotion record yet"),
    "skip": Text("Tới nội dung chính", "Skip to the main content"),
    "language": Text("Ngôn ngữ", "Language"),
    "contents": Text("Mục lục", "Contents"),
    "warnings": Text("Số liệu chưa phải mới nhất", "Not the newest figures"),
    "all_current": Text(
        "Mọi số liệu trên trang này đã kiểm và mới nhất.",
        "All figures on this page are checked and up to date.",
    ),
    "headline": Text("Chỉ số chính", "Headline indicators"),
    "legend": Text("Mức đạt so với chỉ tiêu", "Rating against the target"),
    "no_rating": Text("chưa đánh giá", "not rated"),
    "target": Text("Chỉ tiêu", "Target"),
    "before": Text("Kỳ trước", "Period before"),
    "running": Text("Kỳ đang diễn ra", "Running period"),
    "to_date": Text("đến nay", "to date"),
    "not_rated_yet": Text("chưa hết kỳ nên chưa đánh giá", "not over, so not rated"),
    "status": Text("Trạng thái", "Status"),
    "answers": Text("Chịu trách nhiệm", "Answerable"),
    "data_as_of": Text("Số liệu đến ngày", "Data as of"),
    "formula": Text("Cách tính", "How it is computed"),
    "by_period": Text("Số liệu từng kỳ", "Figures by period"),
    "period": Text("Kỳ", "Period"),
    "value": Text("Giá trị", "Value"),
    "rating": Text("Mức đạt", "Rating"),
    "trend": Text("Xu hướng", "Trend"),
    "trend_from": Text("từ", "from"),
    "trend_to": Text("đến", "to"),
    "lowest": Text("thấp nhất", "lowest"),
    "highest": Text("cao nhất", "highest"),
    "target_line": Text("nét đứt: chỉ tiêu", "dashed: target"),
    "another_extent": Text("ngắt: địa giới thay đổi", "gap: another extent of the city"),
    "withheld": Text("Chỉ số chưa được phép hiển thị", "Indicators not yet cleared for display"),
    "changes": Text("Thay đổi từ lần công bố trước", "What changed since the previous publication"),
    "changes_short": Text("Thay đổi", "Changes"),
    "no_changes": Text(
        "Không bộ dữ liệu mở nào thay đổi trong bản ghi công bố mới nhất.",
        "No open dataset changed in the newest promotion record.",
    ),
    "first_version": Text("phiên bản đầu tiên", "first version"),
    "same_content": Text(
        "nội dung không đổi so với lần trước", "the same content as the time before"
    ),
    "rows_added": Text("mới", "added"),
    "rows_revised": Text("được sửa", "revised"),
    "rows_removed": Text("bị bỏ", "removed"),
    "still_seen": Text("người đọc vẫn thấy phiên bản", "readers still see version"),
    "datasets": Text("Bộ dữ liệu mở", "Open datasets"),
    "no_datasets": Text("Chưa có bộ dữ liệu mở nào.", "There is no open dataset yet."),
    "verdict": Text("Kết luận kiểm tra", "Verdict"),
    "approved": Text("công bố theo phê duyệt", "published on approval"),
    "version": Text("Phiên bản", "Version"),
    "rows": Text("Số dòng", "Rows"),
    "rows_of": Text("dòng", "rows"),
    "frequency": Text("Tần suất cập nhật", "Updated"),
    "revision_window": Text("Còn sửa đổi trong", "Revised within"),
    "days": Text("ngày", "days"),
    "owner": Text("Cơ quan phụ trách", "Owner agency"),
    "licence": Text("Giấy phép", "Licence"),
    "checks_passed": Text("Kiểm tra đạt", "Checks passed"),
    "damaged": Text(
        "bản phát hành không còn nguyên vẹn, không thể tải về",
        "the release is not as it was written and cannot be downloaded",
    ),
    "files": Text("Tệp tải về", "Files to download"),
    "file": Text("Tệp", "File"),
    "content": Text("Nội dung", "Content"),
    "size": Text("Dung lượng", "Size"),
    "dictionary": Text("Từ điển dữ liệu", "Data dictionary"),
    "column": Text("Cột", "Column"),
    "type": Text("Kiểu", "Type"),
    "unit": Text("Đơn vị", "Unit"),
    "meaning": Text("Ý nghĩa", "Meaning"),
    "key": Text("khóa", "key"),
    "versions": Text("Nhật ký phiên bản", "Change log of versions"),
    "about": Text(
        "Trang này đọc được không cần mạng và không cần script. Kiểm tra tệp đã tải bằng "
        "sha256sum -c SHA256SUMS trong thư mục của phiên bản.",
        "This page needs neither network nor script. Check downloaded files with "
        "sha256sum -c SHA256SUMS in the folder of the version.",
    ),
}

# What a file of a release is, by its name or how that ends; in the order of a list of them.
RELEASE_FILES: Mapping[str, Text] = {
    ".csv": Text("dữ liệu, CSV", "data, CSV"),
    ".parquet": Text("dữ liệu, Parquet", "data, Parquet"),
    "changes.parquet": Text(
        "thay đổi so với phiên bản trước", "changes against the version before"
    ),
    "datapackage.json": Text("từ điển dữ liệu (Data Package)", "data dictionary (Data Package)"),
    "quality-report.md": Text("báo cáo chất lượng, cho người đọc", "quality report, for people"),
    "quality-report.json": Text("báo cáo chất lượng, cho máy", "quality report, for programs"),
    "provenance.json": Text(
        "nguồn gốc: lô, hợp đồng, mã nguồn", "provenance: batches, contracts, code"
    ),
    "": Text("tệp khác", "another file"),
    "SHA256SUMS": Text("mã kiểm của các tệp", "checksums of the files"),
}

FREQUENCIES: Mapping[str, Text] = {
    "CONT": Text("liên tục", "continuously"),
    "HOURLY": Text("hằng giờ", "hourly"),
    "DAILY": Text("hằng ngày", "daily"),
    "WEEKLY": Text("hằng tuần", "weekly"),
    "MONTHLY": Text("hằng tháng", "monthly"),
    "QUARTERLY": Text("hằng quý", "quarterly"),
    "ANNUAL": Text("hằng năm", "annually"),
    "IRREG": Text("không định kỳ", "irregularly"),
}

NOT_CLEARED = Text("chưa được phép hiển thị", "not yet cleared for display")
SCHEMATIC = Text("sơ đồ, không phải bản đồ địa giới", "schematic, not a map of boundaries")

_MOST_DECIMALS = 4
_VIETNAMESE = str.maketrans(",.", ".,")
_ROMAN = {1: "I", 2: "II", 3: "III", 4: "IV"}


def number(value: int | float, language: str, decimals: int = 0) -> str:
    """A number as text; `number_sql` in Python."""
    text = f"{value:,.{decimals}f}"
    return text.translate(_VIETNAMESE) if language == "vi" else text


def size(count: int, language: str) -> str:
    """A number of bytes as text, in units of 1,000."""
    for unit, step in (("MB", 1_000_000), ("kB", 1_000)):
        if count >= step:
            return f"{number(count / step, language, 1)} {unit}"
    return f"{number(count, language)} {'byte' if language == 'vi' or count == 1 else 'bytes'}"


def word_sql(code: str, words: Mapping[str, Text] | Mapping[int, Text], language: str) -> str:
    """SQL expression: the word of a code; null where the code has none."""
    cases = " ".join(
        f"WHEN {literal(key) if isinstance(key, str) else key} THEN {literal(text.of(language))}"
        for key, text in words.items()
    )
    return f"CASE {code} {cases} END"


def number_sql(value: str, decimals: str, language: str) -> str:
    """SQL expression: a number as text.

    Args:
        value: Expression of the number; null gives null.
        decimals: Expression of how many decimals are shown, 0 to 4.
        language: Whose separators.
    """
    cases = " ".join(
        f"WHEN {places} THEN format('{{:,.{places}f}}', CAST(round({value}, {places}) AS DOUBLE))"
        for places in range(_MOST_DECIMALS + 1)
    )
    text = f"CASE {decimals} {cases} END"
    return f"translate({text}, ',.', '.,')" if language == "vi" else text


def quantity_sql(value: str, decimals: str, unit: str, language: str) -> str:
    """SQL expression: a number with its unit; a percent sign stands at the number."""
    number = number_sql(value, decimals, language)
    word = f"coalesce({word_sql(unit, UNITS, language)}, {unit})"
    return f"{number} || CASE {unit} WHEN '%' THEN '%' ELSE ' ' || {word} END"


def day_sql(day: str, language: str) -> str:
    """SQL expression: a day as text."""
    form = "%d/%m/%Y" if language == "vi" else "%-d %B %Y"
    return f"strftime({day}, {literal(form)})"


def period_sql(kind: str, start: str, language: str) -> str:
    """SQL expression: a month or quarter as text."""
    if language == "en":
        month = f"strftime({start}, '%B %Y')"
        quarter = f"'Q' || quarter({start}) || ' ' || year({start})"
    else:
        month = f"'tháng ' || month({start}) || '/' || year({start})"
        roman = " ".join(f"WHEN {number} THEN '{text}'" for number, text in _ROMAN.items())
        quarter = f"'quý ' || CASE quarter({start}) {roman} END || '/' || year({start})"
    return f"CASE {kind} WHEN 'month' THEN {month} WHEN 'quarter' THEN {quarter} END"
