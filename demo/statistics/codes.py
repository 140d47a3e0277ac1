"""The data structure of the statistics office: dimensions, attributes, code lists."""

from dataclasses import dataclass, replace

from demo.places import DISTRICTS, NEW_UNITS

AGENCY = "DNSO"
FLOW = "SOCIO_ECONOMIC"
VERSION = "1.0"
FLOW_NAME = ("Chỉ tiêu kinh tế - xã hội thành phố", "Socio-economic indicators of the city")
CITY = "48"
DISTRICT_CODES = ("490", "491", "492", "493", "494", "495", "497")
# The indicators that the city publishes; Vietnamese, then English.
INDICATORS = {
    "LF": ("Lực lượng lao động từ 15 tuổi", "Labour force aged 15 and over"),
    "UNE": ("Số người thất nghiệp", "Unemployed persons"),
    "REVENUE": ("Thu ngân sách trong tháng", "Budget revenue of the month"),
    "REVENUE_PLAN": ("Dự toán thu ngân sách năm", "Planned budget revenue of the year"),
    "BUSINESS": ("Doanh nghiệp đang hoạt động", "Active businesses"),
    "VISITORS": ("Khách lưu trú trong ngày", "Guests in accommodation on the day"),
}


@dataclass(frozen=True)
class Codelist:
    """A code list: its codes with their Vietnamese and English names."""

    id: str
    names: tuple[str, str]
    codes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Component:
    """A dimension or attribute; without a code list it holds a text or a number."""

    id: str
    names: tuple[str, str]
    codelist: str | None = None


@dataclass(frozen=True)
class Definition:
    """The data structure: dimensions in the order of the key, time left out, and attributes."""

    dimensions: tuple[Component, ...]
    attributes: tuple[Component, ...]

    @property
    def columns(self) -> list[str]:
        """The components in the order in which data is written."""
        dimensions = [each.id for each in self.dimensions]
        attributes = [each.id for each in self.attributes]
        return [*dimensions, "TIME_PERIOD", "OBS_VALUE", *attributes]


def _areas() -> tuple[tuple[str, str, str], ...]:
    old = [
        (code, f"{district.name} (đến 30/6/2025)", f"{district.name} (until 2025-06-30)")
        for code, district in zip(DISTRICT_CODES, DISTRICTS, strict=True)
    ]
    new = [
        (code, f"{name} (từ 1/7/2025)", f"{name} (from 2025-07-01)") for code, name, *_ in NEW_UNITS
    ]
    return ((CITY, "Thành phố Đà Nẵng", "Da Nang City"), *old, *new)


CODELISTS = (
    Codelist("CL_FREQ", ("Tần suất", "Frequency"), (
        ("A", "Năm", "Annual"), ("Q", "Quý", "Quarterly"), ("M", "Tháng", "Monthly"),
        ("D", "Ngày", "Daily"))),
    Codelist("CL_AREA", ("Địa bàn", "Area"), _areas()),
    Codelist("CL_INDICATOR", ("Chỉ tiêu", "Indicator"),
             tuple((code, *names) for code, names in INDICATORS.items())),
    Codelist("CL_SEX", ("Giới tính", "Sex"), (
        ("_T", "Chung", "Total"), ("M", "Nam", "Male"), ("F", "Nữ", "Female"),
        ("_Z", "Không áp dụng", "Not applicable"))),
    Codelist("CL_AGE", ("Nhóm tuổi", "Age group"), (
        ("Y_GE15", "Từ 15 tuổi", "15 years and over"),
        ("_Z", "Không áp dụng", "Not applicable"))),
    Codelist("CL_UNIT", ("Đơn vị", "Unit"), (
        ("PS", "Người", "Persons"), ("VND", "Đồng Việt Nam", "Vietnamese dong"),
        ("ENT", "Doanh nghiệp", "Businesses"))),
    Codelist("CL_OBS_STATUS", ("Trạng thái quan sát", "Observation status"), (
        ("A", "Bình thường", "Normal value"), ("P", "Sơ bộ", "Provisional value"),
        ("O", "Thiếu số liệu", "Missing value"))),
    Codelist("CL_CONF_STATUS", ("Trạng thái bảo mật", "Confidentiality status"), (
        ("F", "Được công bố", "Free"), ("N", "Không công bố", "Not for publication"))),
)  # fmt: skip

DEFINITION = Definition(
    dimensions=(
        Component("FREQ", ("Tần suất", "Frequency"), "CL_FREQ"),
        Component("REF_AREA", ("Địa bàn", "Reference area"), "CL_AREA"),
        Component("INDICATOR", ("Chỉ tiêu", "Indicator"), "CL_INDICATOR"),
        Component("SEX", ("Giới tính", "Sex"), "CL_SEX"),
        Component("AGE", ("Nhóm tuổi", "Age"), "CL_AGE"),
    ),
    attributes=(
        Component("UNIT_MEASURE", ("Đơn vị đo", "Unit of measure"), "CL_UNIT"),
        Component("UNIT_MULT", ("Bội số đơn vị", "Unit multiplier")),
        Component("DECIMALS", ("Số lẻ", "Decimals")),
        Component("OBS_STATUS", ("Trạng thái quan sát", "Observation status"), "CL_OBS_STATUS"),
        Component("CONF_STATUS", ("Trạng thái bảo mật", "Confidentiality"), "CL_CONF_STATUS"),
        Component("STD_ERROR", ("Sai số chuẩn", "Standard error")),
        Component("SAMPLE_SIZE", ("Cỡ mẫu", "Sample size")),
        Component("UPDATED", ("Thời điểm công bố", "Time of publication")),
    ),
)


def with_dimension_added(definition: Definition) -> Definition:
    """The structure with one dimension more, before time."""
    further = Component("EDUCATION", ("Trình độ", "Education"))
    return replace(definition, dimensions=(*definition.dimensions, further))


def with_dimension_renamed(definition: Definition) -> Definition:
    """The structure whose age dimension has another name."""
    renamed = tuple(
        replace(each, id="AGE_GROUP") if each.id == "AGE" else each
        for each in definition.dimensions
    )
    return replace(definition, dimensions=renamed)


def with_attribute_added(definition: Definition) -> Definition:
    """The structure with one attribute more."""
    further = Component("COMMENT_OBS", ("Ghi chú", "Comment"))
    return replace(definition, attributes=(*definition.attributes, further))
