"""Words of the static site in both languages, by name."""

from collections.abc import Mapping

from publish.wording import Text

WORDS: Mapping[str, Text] = {
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
