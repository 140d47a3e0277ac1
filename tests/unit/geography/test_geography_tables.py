"""What the geography of the two cities says."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.geography import AmbiguousAreaError, Geography, load_geography
from warehouse.geography_model import Level

REPOSITORY = Path(__file__).resolve().parents[3]
BEFORE, REFORM = date(2025, 6, 30), date(2025, 7, 1)
OLD_START = date(2025, 1, 1)


@pytest.fixture(scope="module")
def danang() -> Geography:
    return load_geography(REPOSITORY / "cities/danang/geography")


@pytest.fixture(scope="module")
def harbour() -> Geography:
    return load_geography(REPOSITORY / "tests/cities/harbour/geography")


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(date(2024, 12, 31), {}, id="before the table vouches"),
        pytest.param(OLD_START, {"city": 1, "district": 8, "ward": 47}, id="first day"),
        pytest.param(BEFORE, {"city": 1, "district": 8, "ward": 47}, id="last day of the tier"),
        pytest.param(REFORM, {"city": 1, "ward": 94}, id="day of the reform"),
    ],
)
def test_areas_by_level(danang: Geography, day: date, expected: dict[str, int]) -> None:
    assert Counter(area.level.value for area in danang.areas if area.is_valid_on(day)) == expected


def test_kinds_of_the_new_units(danang: Geography) -> None:
    units = [a.name_vi for a in danang.areas if a.level is Level.WARD and a.is_valid_on(REFORM)]
    kinds = ("Phường ", "Xã ", "Đặc khu ")
    assert [sum(name.startswith(kind) for name in units) for kind in kinds] == [23, 70, 1]


def test_a_code_names_another_extent_after_the_reform(danang: Geography) -> None:
    before, after = danang.area_on("20242", BEFORE), danang.area_on("20242", REFORM)
    assert before is not None
    assert after is not None
    assert (before.name_vi, before.parent_code) == ("Phường Phước Ninh", "492")
    assert (after.name_vi, after.parent_code) == ("Phường Hải Châu", "48")
    assert danang.area_on("492", REFORM) is None
    assert danang.area_on("no such code", REFORM) is None


@given(day=st.dates(OLD_START, OLD_START + timedelta(days=800)))
def test_every_area_of_a_day_hangs_below_the_city(danang: Geography, day: date) -> None:
    for area in danang.areas:
        if area.is_valid_on(day):
            assert danang.area_on(area.code, day) is area
            steps = 0
            while area.parent_code is not None:
                parent = danang.area_on(area.parent_code, day)
                assert parent is not None
                area, steps = parent, steps + 1
            assert (area.code, steps <= 2) == ("48", True)


def test_a_code_of_two_areas_on_one_day_is_an_error(danang: Geography) -> None:
    twice = Geography((danang.areas[0], danang.areas[0]), (), ())
    with pytest.raises(AmbiguousAreaError, match="48 is ambiguous on 2025-06-30"):
        twice.area_on("48", BEFORE)


def test_weights_of_each_area_that_ended_sum_to_one(danang: Geography) -> None:
    sums: dict[str, Decimal] = {}
    for row in danang.correspondences:
        assert row.weight is not None
        sums[row.source[0]] = sums.get(row.source[0], Decimal(0)) + row.weight
    assert set(sums.values()) == {Decimal(1)}
    ended = {a.code for a in danang.areas if a.valid_to == REFORM and a.level is Level.WARD}
    assert set(sums) == ended | {"48", "498"}


def test_only_hoa_lien_is_divided_and_its_share_says_it_is_assumed(danang: Geography) -> None:
    parts = [row for row in danang.correspondences if row.weight != 1]
    assert {(row.source[0], row.target and row.target[0], row.weight) for row in parts} == {
        ("20296", "20194", Decimal("0.09")),
        ("20296", "20197", Decimal("0.91")),
    }
    assert all("declared assumption" in row.basis for row in parts)


def test_sixteen_new_units_lie_on_the_old_city(danang: Geography) -> None:
    targets = {row.target for row in danang.correspondences if row.source[0] != "48"}
    assert len(targets) == 16


def test_population_sums(danang: Geography) -> None:
    census = {p.area[0]: p.persons for p in danang.populations if p.vintage == "2019"}
    units = {p.area[0]: p.persons for p in danang.populations if p.vintage == "2025"}
    assert census.pop("48") == sum(census.values()) == 1_134_310
    assert len(census) == 7
    on_old_land = {row.target[0] for row in danang.correspondences if row.target} - {"48"}
    assert on_old_land - set(units) == {"20333"}  # Hoàng Sa: unknown, and unknown is not zero
    assert sum(units[code] for code in on_old_land - {"20333"}) == 1_318_481
    assert units.pop("48") == 3_065_628
    assert sum(units.values()) == 3_122_915


def test_harbour(harbour: Geography) -> None:
    day = date(2015, 6, 1)
    codes = {area.code for area in harbour.areas if area.is_valid_on(day)}
    wards = {f"W{number:02}" for number in range(1, 23)} | {
        f"B{number:02}" for number in range(1, 7)
    }
    stations = {f"S{number:02}" for number in range(1, 13)}
    assert codes == {"H"} | wards | stations | {f"D{number:02}" for number in range(1, 12)}
    assert {a.code for a in harbour.areas if a.level is Level.WARD} == wards
    first, last = harbour.area_on("S01", day), harbour.area_on("S12", day)
    assert first is not None
    assert last is not None
    assert (first.name_en, last.name_en) == (
        "Aotizhongxin station area",
        "Wanshouxigong station area",
    )


def test_parquet_holds_the_tables(danang: Geography, harbour: Geography, tmp_path: Path) -> None:
    for city, geography in {"danang": danang, "harbour": harbour}.items():
        paths = geography.write_parquet(tmp_path / city)
        assert list(paths) == ["ref.area", "ref.area_correspondence", "ref.population"]
        for name, table in geography.tables().items():
            assert pq.read_table(paths[f"ref.{name}"]).equals(table)
    shares = pq.read_table(tmp_path / "danang/area_correspondence.parquet")
    assert str(shares.schema.field("weight").type) == "decimal128(9, 8)"
    assert shares.num_rows == 50
