"""What citizens of the demo city report, who answers, and in how many days."""

from dataclasses import dataclass

CALL_CENTRE = "Tổng đài 1022 Đà Nẵng"  # holds a request until an agency takes it over
CONSTRUCTION = "Sở Xây dựng"
ENVIRONMENT = "Sở Nông nghiệp và Môi trường"
COMMUNES = "UBND xã, phường"


@dataclass(frozen=True)
class Service:
    """A service of the feedback system.

    Attributes:
        weight: Share of all requests, in any unit.
        days: Deadline counted from the request.
        on_time: Standard normal quantile of the share closed in time (1.04 is 85%).
        problems: What people write, without a full stop.
    """

    code: str
    name: str
    name_en: str
    agency: str
    weight: float
    days: int
    on_time: float
    problems: tuple[str, str]


SERVICES = (
    Service("garbage", "Rác thải sinh hoạt", "Household waste", COMMUNES, 21, 2, 1.18,
            ("Rác tồn đọng nhiều ngày bốc mùi", "Đổ rác không đúng nơi quy định")),
    Service("road", "Đường sá, vỉa hè", "Roads and pavements", CONSTRUCTION, 15, 7, 0.95,
            ("Mặt đường hư hỏng có nhiều ổ gà", "Vỉa hè sụt lún gây nguy hiểm")),
    Service("lighting", "Chiếu sáng công cộng", "Street lighting", CONSTRUCTION, 9, 3, 1.35,
            ("Đèn đường không sáng", "Đèn đường chập chờn vào ban đêm")),
    Service("drainage", "Thoát nước, ngập úng", "Drainage and flooding", CONSTRUCTION, 9, 5, 0.98,
            ("Cống thoát nước bị tắc", "Nước ngập sau mưa chưa rút")),
    Service("noise", "Tiếng ồn", "Noise", COMMUNES, 11, 2, 1.00,
            ("Hát karaoke gây ồn sau 22 giờ", "Cơ sở sản xuất gây tiếng ồn")),
    Service("construction", "Trật tự xây dựng", "Construction order", CONSTRUCTION, 7, 10, 0.88,
            ("Công trình xây dựng làm rơi vãi vật liệu", "Xây dựng lấn chiếm lối đi chung")),
    Service("water_supply", "Cấp nước", "Water supply",
            "Công ty Cổ phần Cấp nước Đà Nẵng", 6, 2, 1.40,
            ("Nước yếu vào giờ cao điểm", "Ống nước vỡ chảy ra đường")),
    Service("traffic", "An toàn giao thông", "Traffic safety", "Công an thành phố", 8, 5, 1.10,
            ("Đỗ xe lấn chiếm lòng đường", "Đèn tín hiệu giao thông bị hỏng")),
    Service("tree", "Cây xanh", "Trees", CONSTRUCTION, 5, 5, 1.20,
            ("Cây xanh nghiêng có nguy cơ ngã đổ", "Cành cây che khuất đèn đường")),
    Service("air", "Không khí, mùi hôi", "Air and odour", ENVIRONMENT, 4, 7, 0.90,
            ("Mùi hôi từ cơ sở chế biến", "Đốt rác gây khói mù")),
    Service("market", "Chợ, an toàn thực phẩm", "Markets and food safety",
            "Sở Công Thương", 3, 7, 1.05,
            ("Buôn bán lấn chiếm lối đi trong chợ", "Hàng hóa không rõ nguồn gốc")),
    Service("wifi", "Wifi công cộng", "Public wifi",
            "Sở Khoa học và Công nghệ", 2, 3, 1.30,
            ("Không kết nối được wifi công cộng", "Wifi công cộng rất chậm")),
)  # fmt: skip

CHANNELS = (("app", 42.0), ("hotline_1022", 30.0), ("web", 12.0), ("zalo", 16.0))
# Of those who answer; most say nothing.
SATISFACTIONS = (("satisfied", 62.0), ("neutral", 20.0), ("dissatisfied", 18.0))

STREETS = (
    "Nguyễn Văn Linh", "Lê Duẩn", "Trần Phú", "Bạch Đằng", "Điện Biên Phủ", "Tôn Đức Thắng",
    "Ngô Quyền", "Võ Nguyên Giáp", "Núi Thành", "Hùng Vương", "Trường Chinh", "Ông Ích Khiêm",
)  # fmt: skip
FAMILY_NAMES = ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Phan", "Võ", "Đặng", "Bùi", "Hồ")
MIDDLE_NAMES = ("Thị", "Văn", "Minh", "Thanh", "Ngọc", "Quang", "Hoài", "Đức")
GIVEN_NAMES = ("An", "Bình", "Châu", "Dung", "Giang", "Hà", "Khánh", "Lan", "Nam", "Phúc", "Vy")
# No telephone number in Viet Nam begins so: the callers' numbers can belong to nobody.
PHONE_PREFIX = "+8400"
