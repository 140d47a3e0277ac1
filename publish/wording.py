"""The words and forms in which figures are read, in Vietnamese and in English.

Statuses are those of SDMX (CL_OBS_STATUS). Numbers and dates have the form of each language:
`1.234,5` and `05/07/2025`, `1,234.5` and `5 July 2025`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

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

# What a figure is until its source can change it no more: most of those that leaders see.
USUAL_STATUS = "P"

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

YES_OR_NO: Mapping[int, Text] = {True: Text("có", "yes"), False: Text("không", "no")}

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

# Where a value went since the period before, by which direction is good.
TENDENCIES: Mapping[str, Text] = {
    "better": Text("tốt lên", "better"),
    "same": Text("không đổi", "unchanged"),
    "worse": Text("xấu đi", "worse"),
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


def change_sql(change: str, decimals: str, unit: str, language: str) -> str:
    """SQL expression: a difference with its sign and unit; of percentages it is in points."""
    sign = (
        f"CASE WHEN abs({change}) < 0.5 * power(10, -{decimals}) THEN '' "
        f"WHEN {change} > 0 THEN '+' ELSE '−' END"
    )
    points = Text(" điểm %", " points").of(language)
    word = f"coalesce({word_sql(unit, UNITS, language)}, {unit})"
    return (
        f"{sign} || {number_sql(f'abs({change})', decimals, language)} || "
        f"CASE {unit} WHEN '%' THEN {literal(points)} ELSE ' ' || {word} END"
    )


def day_sql(day: str, language: str) -> str:
    """SQL expression: a day as text."""
    form = "%d/%m/%Y" if language == "vi" else "%-d %B %Y"
    return f"strftime({day}, {literal(form)})"


def day_text(day: date, language: str) -> str:
    """A day as text, as `day_sql` writes it."""
    return f"{day:%d/%m/%Y}" if language == "vi" else f"{day.day} {day:%B %Y}"


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
