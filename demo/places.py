"""The areas of Da Nang that requests come from: 47 wards and communes, then 16 new units.

Codes, names and the units that each new unit was made of are facts of the General Statistics
Office's lists before and after 2025-07-01. Populations: census 2019 by district; the new
units as announced in July 2025. Points are schematic: near the place, made for the demo, not
taken from a map.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Area:
    """Where requests come from.

    Attributes:
        code: Code of the General Statistics Office; valid before or since the reform only.
        weight: Persons that requests are shared out by.
        delay: Shift of closing times in standard deviations; above 0 is slower.
        latitude, longitude: Degrees of a schematic centre.
        spread: Degrees around the centre in which its requests lie.
    """

    code: str
    name: str
    weight: float
    delay: float
    latitude: float
    longitude: float
    spread: float


@dataclass(frozen=True)
class District:
    """A district of the old tier; `persons` in 2019, wards as (code, name) without prefix."""

    name: str
    persons: int
    delay: float
    latitude: float
    longitude: float
    spread: float
    wards: tuple[tuple[str, str], ...]


def _wards(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((entry[:5], entry[6:]) for entry in text.split(", "))


DISTRICTS = (
    District("Liên Chiểu", 194_913, 0.10, 16.083, 108.145, 0.018, _wards(
        "20194 Hòa Hiệp Bắc, 20195 Hòa Hiệp Nam, 20197 Hòa Khánh Bắc, 20198 Hòa Khánh Nam,"
        " 20200 Hòa Minh")),
    District("Thanh Khê", 185_064, -0.05, 16.064, 108.188, 0.010, _wards(
        "20206 Thanh Khê Tây, 20207 Thanh Khê Đông, 20209 Xuân Hà, 20215 Chính Gián,"
        " 20218 Thạc Gián, 20224 An Khê")),
    District("Hải Châu", 201_522, -0.20, 16.058, 108.214, 0.012, _wards(
        "20227 Thanh Bình, 20230 Thuận Phước, 20233 Thạch Thang, 20236 Hải Châu,"
        " 20242 Phước Ninh, 20245 Hòa Thuận Tây, 20254 Bình Thuận, 20257 Hòa Cường Bắc,"
        " 20258 Hòa Cường Nam")),
    District("Sơn Trà", 157_415, -0.10, 16.080, 108.242, 0.012, _wards(
        "20263 Thọ Quang, 20266 Nại Hiên Đông, 20269 Mân Thái, 20272 An Hải Bắc,"
        " 20275 Phước Mỹ, 20278 An Hải Nam")),
    District("Ngũ Hành Sơn", 90_352, 0.05, 16.015, 108.255, 0.015, _wards(
        "20284 Mỹ An, 20285 Khuê Mỹ, 20287 Hoà Quý, 20290 Hoà Hải")),
    District("Cẩm Lệ", 159_295, 0.00, 16.018, 108.200, 0.014, _wards(
        "20260 Khuê Trung, 20305 Hòa Phát, 20306 Hòa An, 20311 Hòa Thọ Tây,"
        " 20312 Hòa Thọ Đông, 20314 Hòa Xuân")),
    District("Hòa Vang", 145_749, 0.30, 16.010, 108.110, 0.040, _wards(
        "20293 Hòa Bắc, 20296 Hòa Liên, 20299 Hòa Ninh, 20302 Hòa Sơn, 20308 Hòa Nhơn,"
        " 20317 Hòa Phú, 20320 Hòa Phong, 20323 Hòa Châu, 20326 Hòa Tiến, 20329 Hòa Phước,"
        " 20332 Hòa Khương")),
)  # fmt: skip

# Code, name and persons of each new unit, and the old units that it was made of. Hòa Liên
# (20296) was divided between two; the demo counts it with both. Hoàng Sa has no residents.
NEW_UNITS: tuple[tuple[str, str, int, tuple[str, ...]], ...] = (
    ("20194", "Hải Vân", 48_992, ("20194", "20195", "20293", "20296")),
    ("20197", "Liên Chiểu", 70_628, ("20197", "20296")),
    ("20200", "Hòa Khánh", 112_518, ("20198", "20200", "20302")),
    ("20209", "Thanh Khê", 201_240, ("20206", "20207", "20209", "20215", "20218")),
    ("20242", "Hải Châu", 131_427, ("20227", "20230", "20233", "20242", "20236")),
    ("20257", "Hòa Cường", 119_363, ("20254", "20245", "20257", "20258")),
    ("20260", "Cẩm Lệ", 78_837, ("20260", "20311", "20312")),
    ("20263", "Sơn Trà", 86_890, ("20263", "20266", "20269")),
    ("20275", "An Hải", 82_635, ("20275", "20272", "20278")),
    ("20285", "Ngũ Hành Sơn", 115_944, ("20284", "20285", "20287", "20290")),
    ("20305", "An Khê", 93_625, ("20224", "20305", "20306")),
    ("20314", "Hòa Xuân", 85_580, ("20314", "20323", "20329")),
    ("20308", "Bà Nà", 25_267, ("20299", "20308")),
    ("20320", "Hòa Vang", 26_712, ("20317", "20320")),
    ("20332", "Hòa Tiến", 38_823, ("20326", "20332")),
    ("20333", "Hoàng Sa", 0, ()),
)


def _ward_persons() -> dict[str, float]:
    """Persons by ward: a new unit's shared equally among its parts, then fitted to 2019."""
    shares: dict[str, float] = {}
    for _, _, persons, parts in NEW_UNITS:
        for part in parts:
            shares[part] = shares.get(part, 0.0) + persons / len(parts)
    for district in DISTRICTS:
        total = sum(shares[code] for code, _ in district.wards)
        for code, _ in district.wards:
            shares[code] *= district.persons / total
    return shares


def _old_areas() -> tuple[Area, ...]:
    persons = _ward_persons()
    areas = []
    for district in DISTRICTS:
        for place, (code, name) in enumerate(district.wards):
            # a grid of three columns around the district's centre
            north = (place // 3 - 1) * district.spread
            east = (place % 3 - 1) * district.spread
            areas.append(
                Area(
                    code=code,
                    name=name,
                    weight=persons[code],
                    delay=district.delay,
                    latitude=round(district.latitude + north, 6),
                    longitude=round(district.longitude + east, 6),
                    spread=district.spread / 2,
                )
            )
    return tuple(areas)


def _new_area(
    code: str, name: str, persons: int, parts: tuple[str, ...], old: dict[str, Area]
) -> Area:
    places = [old[part] for part in parts]
    return Area(
        code=code,
        name=name,
        weight=float(persons),
        delay=sum(place.delay for place in places) / len(places),
        latitude=round(sum(place.latitude for place in places) / len(places), 6),
        longitude=round(sum(place.longitude for place in places) / len(places), 6),
        spread=max(place.spread for place in places),
    )


OLD_AREAS = _old_areas()
NEW_AREAS = tuple(
    _new_area(*unit, {area.code: area for area in OLD_AREAS}) for unit in NEW_UNITS if unit[3]
)
AREAS = OLD_AREAS + NEW_AREAS  # requests hold a place in this tuple
