"""What people file at the demo city's one-stop shop, who settles it, and in how many days.

The names are those of common procedures; codes, deadlines, fees and shares are the demo's own.
"""

from dataclasses import dataclass

COMMUNES = "UBND xã, phường"
CONSTRUCTION = "Sở Xây dựng"
ENVIRONMENT = "Sở Nông nghiệp và Môi trường"
FINANCE = "Sở Tài chính"
HEALTH = "Sở Y tế"
TRADE = "Sở Công Thương"
JUSTICE = "Sở Tư pháp"
POLICE = "Công an thành phố"


@dataclass(frozen=True)
class Procedure:
    """An administrative procedure.

    Attributes:
        level: `full` or `partial` where it is offered online, else None.
        deadline: Working days counted from the day after receipt; 0 is the day of receipt.
        fee: In đồng.
        weight: Share of all dossiers, in any unit.
        online: Share filed online, where it is offered.
        on_time: Standard normal quantile of the share settled in time (1.04 is 85%).
        digitised: Share of results that are given in digital form.
    """

    code: str
    name: str
    sector: str
    agency: str
    level: str | None
    deadline: int
    fee: int
    weight: float
    online: float
    on_time: float
    digitised: float


PROCEDURES = (
    Procedure("CT-01", "Chứng thực bản sao từ bản chính", "Chứng thực", COMMUNES,
              "partial", 0, 4_000, 19, 0.22, 2.20, 0.55),
    Procedure("CT-02", "Chứng thực chữ ký", "Chứng thực", COMMUNES,
              None, 0, 10_000, 8, 0.0, 2.10, 0.30),
    Procedure("HT-01", "Đăng ký khai sinh", "Hộ tịch", COMMUNES,
              "full", 1, 0, 7, 0.72, 1.75, 0.88),
    Procedure("HT-02", "Đăng ký kết hôn", "Hộ tịch", COMMUNES,
              "partial", 3, 0, 3, 0.41, 1.60, 0.80),
    Procedure("HT-03", "Đăng ký khai tử", "Hộ tịch", COMMUNES,
              "full", 1, 0, 3, 0.66, 1.80, 0.86),
    Procedure("HT-04", "Xác nhận tình trạng hôn nhân", "Hộ tịch", COMMUNES,
              "full", 3, 15_000, 5, 0.70, 1.40, 0.84),
    Procedure("HT-05", "Cấp bản sao trích lục hộ tịch", "Hộ tịch", COMMUNES,
              "full", 1, 8_000, 7, 0.81, 1.90, 0.90),
    Procedure("CU-01", "Đăng ký thường trú", "Cư trú", POLICE,
              "full", 7, 10_000, 7, 0.85, 1.45, 0.92),
    Procedure("CU-02", "Đăng ký tạm trú", "Cư trú", POLICE,
              "full", 3, 7_000, 8, 0.90, 1.55, 0.93),
    Procedure("DD-01", "Đăng ký biến động quyền sử dụng đất", "Đất đai", ENVIRONMENT,
              "partial", 10, 50_000, 7, 0.35, 0.70, 0.60),
    Procedure("DD-02", "Cấp giấy chứng nhận quyền sử dụng đất lần đầu", "Đất đai", ENVIRONMENT,
              None, 20, 120_000, 2, 0.0, 0.55, 0.45),
    Procedure("DD-03", "Cung cấp thông tin đất đai", "Đất đai", ENVIRONMENT,
              "full", 3, 100_000, 3, 0.62, 1.10, 0.75),
    Procedure("XD-01", "Cấp giấy phép xây dựng nhà ở riêng lẻ", "Xây dựng", CONSTRUCTION,
              "full", 15, 75_000, 3, 0.58, 0.85, 0.72),
    Procedure("XD-02", "Cấp phép đào đường, vỉa hè", "Xây dựng", CONSTRUCTION,
              "partial", 7, 0, 1, 0.49, 1.00, 0.68),
    Procedure("GT-01", "Đổi giấy phép lái xe", "Giao thông", POLICE,
              "full", 5, 135_000, 5, 0.64, 1.35, 0.78),
    Procedure("KD-01", "Đăng ký thành lập hộ kinh doanh", "Kinh doanh", FINANCE,
              "full", 3, 100_000, 4, 0.83, 1.65, 0.95),
    Procedure("TP-01", "Cấp phiếu lý lịch tư pháp", "Tư pháp", JUSTICE,
              "full", 10, 200_000, 3, 0.78, 0.95, 0.82),
    Procedure("YT-01", "Cấp giấy chứng nhận đủ điều kiện an toàn thực phẩm", "Y tế", HEALTH,
              "partial", 15, 700_000, 1, 0.44, 0.90, 0.66),
    Procedure("CN-01", "Cấp giấy phép bán lẻ rượu, thuốc lá", "Công thương", TRADE,
              "full", 10, 1_200_000, 1, 0.70, 1.05, 0.74),
    Procedure("BT-01", "Trợ cấp xã hội hằng tháng", "Bảo trợ xã hội", COMMUNES,
              "partial", 10, 0, 3, 0.30, 0.95, 0.50),
)  # fmt: skip

ONLINE, COUNTER, POST = "online", "one_stop", "post"
CHANNELS = (ONLINE, COUNTER, POST)
BY_POST = 0.06  # of what is not filed online

FAMILY_NAMES = ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Phan", "Võ", "Đặng", "Bùi", "Hồ")
MIDDLE_NAMES = ("Thị", "Văn", "Minh", "Thanh", "Ngọc", "Quang", "Hoài", "Đức")
GIVEN_NAMES = ("An", "Bình", "Châu", "Dung", "Giang", "Hà", "Khánh", "Lan", "Nam", "Phúc", "Vy")
# No province has this code: the applicants' identity numbers can belong to nobody.
IDENTITY_PREFIX = "000"
