"""What stands in every brief, whatever its figures: headings and fixed sentences."""

from collections.abc import Mapping

from publish.wording import Text

WORDS: Mapping[str, Text] = {
    "brief": Text("Bản tin số liệu điều hành", "Brief of city figures"),
    "day": Text("Ngày", "Date:"),
    "reader": Text("Dành cho", "For"),
    "page": Text("Trang", "Page"),
    "all_current": Text("số liệu đã kiểm, mới nhất", "figures checked, up to date"),
    "not_current": Text("chỉ số có số liệu chưa mới nhất", "indicators are not up to date"),
    "no_headline": Text("chưa có số liệu", "no figures yet"),
    "headline": Text("Chỉ số chính", "Headline indicators"),
    "indicator": Text("Chỉ số", "Indicator"),
    "latest": Text("Kỳ trọn vẹn gần nhất", "Latest complete period"),
    "target": Text("Chỉ tiêu", "Target"),
    "city": Text("Toàn thành phố", "Whole city"),
    "change": Text("So với kỳ trước", "Against period before"),
    "area_changed": Text("địa giới đã thay đổi, không so sánh", "area changed, not compared"),
    "trend": Text("Diễn biến", "Trend"),
    "running": Text("Kỳ đang diễn ra", "Running period"),
    "so_far": Text("đến nay", "so far"),
    "stamp": Text("Dấu kiểm tra", "Stamp"),
    "as_of": Text("đến", "as of"),
    "no_complete": Text("chưa có kỳ trọn vẹn", "no complete period yet"),
    "no_target": Text("không đặt chỉ tiêu", "no target set"),
    "not_rated": Text("chưa đánh giá", "not rated"),
    "no_figures": Text(
        "Chưa có số liệu nào được công bố cho địa bàn này.",
        "No figures have been published for this area yet.",
    ),
    "legend": Text(
        "Đường: các kỳ trọn vẹn; chấm rỗng: kỳ đang diễn ra; nét đứt: chỉ tiêu; đường đứt quãng "
        "khi địa giới thay đổi. Kỳ đang diễn ra chưa được đánh giá. "
        "Số liệu không ghi trạng thái là tạm tính.",
        "Line: complete periods; hollow dot: running period; dashes: target; the line breaks where "
        "the area's extent changed. A running period is not rated yet. "
        "Figures without a status are provisional.",
    ),
    "extent": Text("địa giới trước", "extent until"),
    "ground": Text(
        "Trước ngày thay đổi địa giới, số liệu là của quận, huyện trên cùng phần đất; tên ghi dưới "
        "con số.",
        "Before the extents changed, figures are those of the districts on the same ground; their "
        "names stand below the figure.",
    ),
    "off_target": Text("Chưa đạt và cơ quan chịu trách nhiệm", "Off target, and who answers"),
    "owner": Text("Cơ quan chịu trách nhiệm", "Answerable agency"),
    "value": Text("Giá trị", "Value"),
    "rating": Text("Mức đạt", "Rating"),
    "rating_target": Text("Mức đạt, chỉ tiêu", "Rating, target"),
    "none_rated": Text(
        "Chưa có số liệu nào để đánh giá theo chỉ tiêu.",
        "There are no figures yet that can be rated against a target.",
    ),
    "all_on_target": Text(
        "Không có chỉ số nào của kỳ gần nhất chưa đạt chỉ tiêu.",
        "No indicator of the latest period is off its target.",
    ),
    "changed": Text("Những gì đã thay đổi", "What changed"),
    "no_change": Text(
        "Không có hai kỳ trọn vẹn liền nhau để so sánh.",
        "There are no two complete periods in a row to compare.",
    ),
    "before": Text("Kỳ trước", "Period before"),
    "now": Text("Kỳ trọn vẹn gần nhất", "Latest complete period"),
    "reason": Text("Lý do", "Reason"),
    "area": Text("Địa bàn", "Areas"),
    "waits": Text("bản nhận đến", "what was delivered by"),
    "warnings": Text("Cảnh báo", "Warnings"),
    "no_warnings": Text(
        "Không có cảnh báo nào khác về số liệu. Bản tin chưa có cảnh báo sớm (mưa lớn, ngập, bão).",
        "No further warnings about figures. The brief has no early warnings (rain, flood) yet.",
    ),
    "areas": Text("địa bàn", "areas"),
    "others": Text("khác", "more"),
    "more": Text("mục khác không in ở đây", "more that are not printed here"),
    "extremes": Text("Địa bàn tốt nhất và kém nhất", "Best and worst areas"),
    "best": Text("Tốt nhất", "Best"),
    "worst": Text("Kém nhất", "Worst"),
    "quality": Text("Kết luận kiểm tra số liệu", "Data-quality stamp"),
    "dataset": Text("Bộ dữ liệu", "Dataset"),
    "group": Text("Nhóm dịch vụ", "Service group"),
    "verdict": Text("Kết luận", "Verdict"),
    "data_as_of": Text("Số liệu đến", "Data as of"),
    "version": Text("Phiên bản", "Version"),
    "notes": Text("Ghi chú", "Notes"),
    "failing": Text("kiểm tra không đạt", "checks not passed"),
    "late": Text("nguồn chậm", "late sources"),
    "definitions": Text("Nguồn và định nghĩa", "Sources and definitions"),
    "sources": Text("Nguồn", "Sources"),
    "not_delivered": Text("chưa nhận số liệu nào", "nothing delivered yet"),
    "is_late": Text("chậm", "late"),
    "no_definitions": Text(
        "Chưa có chỉ số nào có số liệu để giải thích.",
        "There is no indicator with figures yet that could be explained.",
    ),
    "withheld": Text("Chỉ số chưa được phép hiển thị", "Indicators not yet cleared for display"),
    "colophon": Text(
        "Mọi con số lấy từ số liệu đã qua cổng kiểm tra; con số thiếu luôn ghi rõ lý do.",
        "Every figure passed the gate; a missing one says why it is missing.",
    ),
}


def counted(datasets: int, language: str) -> str:
    """A number of datasets as text."""
    if language == "vi":
        return f"{datasets} bộ dữ liệu"
    return f"{datasets} dataset{'' if datasets == 1 else 's'}"


def words(language: str) -> dict[str, str]:
    """All of them in one language."""
    return {name: text.of(language) for name, text in WORDS.items()}
