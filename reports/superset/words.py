"""Headings of dashboards and charts, and the short words on cards."""

from publish.wording import Text

CITY = Text("Toàn thành phố", "City")
DISTRICT = Text("Quận, huyện, phường, xã", "Districts and wards")
QUALITY = Text("Chất lượng dữ liệu", "Data quality")

HEADLINE = Text("Chỉ số chính", "Headline indicators")
INDICATORS = Text("Các chỉ số", "Indicators")
ATTENTION = Text("Việc cần chú ý hôm nay", "What needs attention today")
MAP_LATEST = Text("Địa bàn, kỳ đủ mới nhất", "Areas, newest complete period")
MAP_RUNNING = Text("Địa bàn, kỳ đang chạy (chưa xếp mức)", "Areas, running period (not rated yet)")
TREND = Text("Diễn biến", "Trend")
NOTED = Text("dấu, trạng thái, ngày số liệu", "stamp, status, data-as-of")
DETAIL = Text(
    "Chi tiết: tử số, mẫu số, địa bàn, kỳ", "Detail: numerator, denominator, area, period"
)
DETAIL_CITY = Text(
    "Chi tiết toàn thành phố: tử số, mẫu số, kỳ", "Detail of the whole city: numerator, denominator"
)
PUBLICATIONS = Text("Kết luận về từng bộ dữ liệu", "Verdict on every publication")

TARGET = Text("Chỉ tiêu", "Target")
WHOLE_CITY = Text("Thành phố", "City")
CHANGE = Text("So kỳ trước", "Change")
UNRATED = Text("kỳ đang chạy, chưa xếp mức", "running period, not rated yet")
RUNNING = Text("Đang chạy", "Running")
AS_OF = Text("Số liệu đến", "Data as of")
INDICATOR = Text("Chỉ số", "Indicator")
AREA = Text("Địa bàn", "Area")
VALUE = Text("Giá trị", "Value")
OWNER = Text("Cơ quan", "Agency")
REASON = Text("Lý do", "Reason")
NOTHING = Text("Không có gì phải chú ý.", "Nothing needs attention.")
OTHER_AREAS = Text("địa bàn khác", "more areas")
MORE_LINES = Text("mục khác không hiện ở đây", "more that are not shown here")
NO_FIGURE = Text("chưa có số liệu", "no figure yet")
BUT_TILES = Text(", trừ ô ghi khác", " unless a tile says otherwise")
NO_AREAS = Text("Không có địa bàn nào để xem.", "No area to be seen.")
TO_RISE = Text("càng cao càng tốt", "the higher the better")
TO_FALL = Text("càng thấp càng tốt", "the lower the better")
NO_TARGET = Text("không có chỉ tiêu", "no target")
AREA_FILTER = Text("Địa bàn", "Area")
INDICATOR_FILTER = Text("Chỉ số trên sơ đồ", "Indicator on the schematic")
NEW_AREA = Text(
    "Với địa bàn mới chưa có kỳ đủ nào: số lớn là kỳ đang chạy, chưa có diễn biến và việc cần "
    "chú ý. Số liệu trước ngày thay đổi địa giới nằm ở địa bàn cũ, chọn ở bộ lọc **Địa bàn**.",
    "Of a new area without a complete period: the large number is the running one, and there are "
    "no trends nor anything to attend to yet. What was before the extents changed is with the "
    "former area, to be chosen in the filter **Area**.",
)
EXPLAINED = Text(
    "Số lớn là kỳ đủ mới nhất, có xếp mức theo chỉ tiêu; kỳ đang chạy đứng bên dưới, chưa xếp mức. "
    "Dấu cho biết số liệu có phải là bản mới nhất đã qua kiểm tra hay không.",
    "The large number is the newest complete period, rated against its target; the running period "
    "stands below it, unrated. The stamp says whether it is the newest that was checked.",
)
