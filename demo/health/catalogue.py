"""Where people of the demo city are seen, by whom and for what; no facility is a real one."""

from dataclasses import dataclass

from demo.places import NEW_UNITS, OLD_AREAS


@dataclass(frozen=True)
class Facility:
    """A place of examination and treatment.

    Attributes:
        weight: Share of all encounters, in any unit.
        old_area, new_area: Area that it lies in, before and since the reform.
        is_hospital: Whether it admits people and has an emergency room.
    """

    code: str
    name: str
    weight: float
    old_area: str
    new_area: str
    is_hospital: bool


@dataclass(frozen=True)
class Kind:
    """A class of encounters (v3-ActEncounterCode).

    Attributes:
        of_hospitals, of_stations: Share of the encounters there.
        hours: Median length.
        spread: Standard deviation of the logarithm of the length.
        type_code, type_name: Its kind by the source's own list.
    """

    code: str
    of_hospitals: float
    of_stations: float
    hours: float
    spread: float
    type_code: str
    type_name: str


KINDS = (
    Kind("AMB", 74, 94, 1.5, 0.5, "KB01", "Khám bệnh ngoại trú"),
    Kind("EMER", 12, 0, 4.0, 0.6, "CC01", "Cấp cứu"),
    Kind("IMP", 14, 0, 110.0, 0.7, "NT01", "Điều trị nội trú"),
    Kind("HH", 0, 6, 1.0, 0.3, "TN01", "Khám tại nhà"),
)
INPATIENT = 2  # place in KINDS

# Code, name and share of the specialties.
SPECIALTIES = (
    ("K01", "Nội tổng hợp", 30.0), ("K02", "Nhi", 18.0), ("K03", "Sản phụ khoa", 11.0),
    ("K04", "Ngoại tổng hợp", 10.0), ("K05", "Tai mũi họng", 9.0), ("K06", "Mắt", 7.0),
    ("K07", "Răng hàm mặt", 8.0), ("K08", "Y học cổ truyền", 7.0),
)  # fmt: skip
# Reasons by ICD-10; the source holds them, no reader takes them.
REASONS = ("J06", "I10", "E11", "K29", "M54", "J20", "A09", "H10", "N39", "R51")
ADMITTED_FROM = ("emd", "outp", "gp", "hosp-trans")
DISCHARGED_TO = ("home", "other-hcf", "aadvice", "exp")

# The old ward of each sample hospital and its share.
_HOSPITALS = (
    ("20233", 22.0), ("20242", 14.0), ("20269", 9.0), ("20284", 10.0), ("20198", 11.0),
    ("20305", 9.0), ("20207", 12.0), ("20260", 8.0), ("20320", 6.0), ("20278", 7.0),
)  # fmt: skip
_STATION_SHARE = 0.28  # of all encounters, at the health stations of the wards together


def _new_area(old_area: str) -> str:
    """The unit that took over an old ward; of a ward that was divided, the first."""
    return next(code for code, _, _, parts in NEW_UNITS if old_area in parts)


def _facilities() -> tuple[Facility, ...]:
    hospitals = [
        Facility(
            f"48{number:03d}", f"Bệnh viện mẫu số {number}", share, area, _new_area(area), True
        )
        for number, (area, share) in enumerate(_HOSPITALS, start=1)
    ]
    persons = sum(area.weight for area in OLD_AREAS)
    total = sum(share for _, share in _HOSPITALS) * _STATION_SHARE / (1 - _STATION_SHARE)
    stations = [
        Facility(
            f"48{number:03d}",
            f"Trạm Y tế mẫu {area.name}",
            total * area.weight / persons,
            area.code,
            _new_area(area.code),
            False,
        )
        for number, area in enumerate(OLD_AREAS, start=101)
    ]
    return (*hospitals, *stations)


FACILITIES = _facilities()
