"""Every rule of a geography, broken once: the refusal names file, line and rule."""

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.contract.problem import ContractError
from warehouse.geography import load_geography
from warehouse.geography_read import read_areas

AREA = """\
code,valid_from,valid_to,level,name_vi,name_en,parent_code,source
1,2020-01-01,2025-07-01,city,Thành phố,City,,act
1,2025-07-01,,city,Thành phố,City,,act
10,2020-01-01,2025-07-01,district,Quận A,A District,1,act
101,2020-01-01,2025-07-01,ward,Phường B,B Ward,10,act
102,2020-01-01,2025-07-01,ward,Phường C,C Ward,10,act
101,2025-07-01,,ward,Phường D,D Ward,1,act
102,2025-07-01,,ward,Phường E,E Ward,1,act
"""
SHARES = """\
from_code,from_valid_from,to_code,to_valid_from,weight,basis
1,2020-01-01,1,2025-07-01,1,whole
101,2020-01-01,101,2025-07-01,1,whole
102,2020-01-01,101,2025-07-01,0.3,assumed
102,2020-01-01,102,2025-07-01,0.7,assumed
"""
POPULATION = """\
area_code,area_valid_from,vintage,concept,reference_date,persons,source
10,2020-01-01,2019,census,2019-04-01,100,census
101,2025-07-01,2025,administrative,2025-07-01,200,publisher
"""
TILE = """\
code,valid_from,tile_x,tile_y
10,2020-01-01,1,1
101,2025-07-01,1,1
102,2025-07-01,2,1
"""
FILES = {"area.csv": AREA, "area_correspondence.csv": SHARES, "population.csv": POPULATION}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).write_bytes(text.encode())
    return folder


def problems_of(folder: Path) -> list[tuple[str, int, str]]:
    with pytest.raises(ContractError) as caught:
        load_geography(folder)
    return [(problem.path.name, problem.line, problem.rule) for problem in caught.value.problems]


def test_the_sound_tables_load(tmp_path: Path) -> None:
    geography = load_geography(write(tmp_path, FILES))
    area = geography.area_on("102", date(2025, 7, 1))
    assert area is not None
    assert area.name_vi == "Phường E"


@pytest.mark.parametrize(
    ("name", "old", "new", "line", "rule"),
    [
        pytest.param("area.csv", "parent_code,source", "parent,source", 1, "header", id="header"),
        pytest.param("area.csv", "A District,1,act", "A District,1", 4, "field_count", id="short"),
        pytest.param("area.csv", "Phường B", '"Phường"B', 5, "csv", id="quote"),
        pytest.param("area.csv", "\n10,", "\n1 0,", 4, "type", id="code"),
        pytest.param(
            "area.csv", "10,2020-01-01", "10,2020-02-30", 4, "type", id="impossible day"
        ),
        pytest.param("area.csv", "10,2020-01-01", "10,01/01/2020", 4, "type", id="day form"),
        pytest.param(
            "area.csv", "10,2020-01-01,2025-07-01", "10,2020-01-01,?", 4, "type", id="end"
        ),
        pytest.param("area.csv", "district", "quan", 4, "type", id="level"),
        pytest.param("area.csv", "Quận A", "", 4, "required", id="no name"),
        pytest.param("area.csv", "Quận A", "Qua\u0323\u0302n A", 4, "text_form", id="not NFC"),
        pytest.param("area.csv", "Quận A", "Quận A ", 4, "text_form", id="blank at the end"),
        pytest.param("area.csv", "A District,1,act", "A District,1,", 4, "required", id="source"),
        pytest.param(
            "area.csv", "10,2020-01-01,2025-07-01", "10,2020-01-01,2020-01-01", 4, "validity",
            id="no day valid",
        ),
        pytest.param(
            "area.csv", "\n102,2025-07-01,,ward,Phường E", "\n101,2025-07-01,,ward,Phường E", 8,
            "unique", id="key twice",
        ),
        pytest.param(
            "area.csv", "101,2025-07-01,,", "101,2025-06-30,,", 7, "overlap", id="overlap"
        ),
        pytest.param("area.csv", "Phường E", "Phường D", 8, "ambiguous_name", id="name vi"),
        pytest.param("area.csv", "E Ward", "D WARD", 8, "ambiguous_name", id="name en"),
        pytest.param("area.csv", "D Ward,1,", "D Ward,2,", 7, "parent", id="unknown parent"),
        pytest.param("area.csv", "D Ward,1,", "D Ward,10,", 7, "parent", id="parent ended"),
        pytest.param("area.csv", "D Ward,1,", "D Ward,,", 7, "parent", id="no parent"),
        pytest.param(
            "area.csv", "1,2020-01-01,2025", "1,2021-01-01,2025", 4, "parent", id="younger"
        ),
        pytest.param(
            "area.csv", "10,2020-01-01,2025-07-01", "10,2020-01-01,2024-01-01", 5, "parent",
            id="parent ends first",
        ),
        pytest.param("area.csv", "D Ward,1,", "D Ward,102,", 7, "parent_level", id="same level"),
        pytest.param(
            "area_correspondence.csv", "\n101,2020-01-01,101,2025-07-01,1,whole", "", 5,
            "no_successor", id="ended without successor",
        ),
        pytest.param("area_correspondence.csv", ",0.3,", ",0,", 4, "type", id="weight 0"),
        pytest.param("area_correspondence.csv", ",0.3,", ",1.1,", 4, "type", id="weight above 1"),
        pytest.param("area_correspondence.csv", ",0.3,", ",-0.3,", 4, "type", id="negative"),
        pytest.param("area_correspondence.csv", ",0.3,", ",3e-1,", 4, "type", id="exponent"),
        pytest.param("area_correspondence.csv", ",0.3,", ",nan,", 4, "type", id="nan"),
        pytest.param(
            "area_correspondence.csv", ",0.3,", ",0.30000001,", 5, "weight_sum", id="sum above 1"
        ),
        pytest.param(
            "area_correspondence.csv", ",0.7,", ",0.6,", 5, "weight_sum", id="sum below 1"
        ),
        pytest.param(
            "area_correspondence.csv", "1,102,2025-07-01,0.7", "1,101,2025-07-01,0.7", 5, "unique",
            id="target twice",
        ),
        pytest.param(
            "area_correspondence.csv", "101,2020-01-01,101", "999,2020-01-01,101", 3, "from_area",
            id="unknown source",
        ),
        pytest.param(
            "area_correspondence.csv", "101,2020-01-01,101", "101,2025-07-01,101", 3, "from_area",
            id="source still valid",
        ),
        pytest.param(
            "area_correspondence.csv", "1,102,2025-07-01,0.7", "1,103,2025-07-01,0.7", 5, "to_area",
            id="unknown target",
        ),
        pytest.param(
            "area_correspondence.csv", "1,102,2025-07-01,0.7", "1,102,2020-01-01,0.7", 5,
            "to_area", id="target not valid on the day",
        ),
        pytest.param(
            "area_correspondence.csv", "101,2025-07-01,0.3", ",,", 5, "successor",
            id="successors and a reason for none",
        ),
        pytest.param("area_correspondence.csv", "0.3,assumed", "0.3,", 4, "required", id="basis"),
        pytest.param("population.csv", "\n10,", "\n11,", 2, "area", id="unknown area"),
        pytest.param("population.csv", "10,2020", "10,2021", 2, "area", id="other extent"),
        pytest.param("population.csv", ",100,", ',"100,5",', 2, "type", id="half a person"),
        pytest.param("population.csv", ",census,2019", ",people,2019", 2, "type", id="concept"),
        pytest.param(
            "population.csv", "101,2025-07-01,2025,administrative", "10,2020-01-01,2019,census", 3,
            "unique", id="figure twice",
        ),
    ],
)  # fmt: skip
def test_refusal(tmp_path: Path, name: str, old: str, new: str, line: int, rule: str) -> None:
    assert old in FILES[name]
    broken = FILES | {name: FILES[name].replace(old, new, 1)}
    found = problems_of(write(tmp_path, broken))
    expected = "area.csv" if rule == "no_successor" else name
    assert (expected, line, f"geography.{rule}") in found


@pytest.mark.parametrize("name", list(FILES))
def test_file_missing(tmp_path: Path, name: str) -> None:
    write(tmp_path, {other: text for other, text in FILES.items() if other != name})
    assert problems_of(tmp_path) == [(name, 1, "file.read")]


def test_a_schematic_is_read_and_a_city_may_have_none(tmp_path: Path) -> None:
    assert load_geography(write(tmp_path, FILES)).tiles == ()
    geography = load_geography(write(tmp_path, FILES | {"area_tile.csv": TILE}))
    assert geography.tile_table().to_pylist() == [
        {"code": "10", "valid_from": date(2020, 1, 1), "tile_x": 1, "tile_y": 1},
        {"code": "101", "valid_from": date(2025, 7, 1), "tile_x": 1, "tile_y": 1},
        {"code": "102", "valid_from": date(2025, 7, 1), "tile_x": 2, "tile_y": 1},
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "rule"),
    [
        pytest.param("tile_x,tile_y", "x,y", 1, "header", id="header"),
        pytest.param("10,2020-01-01,1,1", "10,2020-01-01,0,1", 2, "type", id="zero"),
        pytest.param("10,2020-01-01,1,1", "10,2020-01-01,1,1.5", 2, "type", id="half"),
        pytest.param("10,2020-01-01,1,1", "10,2020-01-01,1,100", 2, "type", id="far"),
        pytest.param("10,2020-01-01", "10,2021-01-01", 2, "unknown_area", id="unknown"),
        pytest.param("102,2025-07-01,2,1", "101,2025-07-01,2,1", 4, "unique", id="twice"),
        pytest.param("102,2025-07-01,2,1", "102,2025-07-01,1,1", 4, "tile", id="same-place"),
    ],
)
def test_a_wrong_schematic_is_refused(
    tmp_path: Path, old: str, new: str, line: int, rule: str
) -> None:
    assert old in TILE
    files = FILES | {"area_tile.csv": TILE.replace(old, new, 1)}
    assert ("area_tile.csv", line, f"geography.{rule}") in problems_of(write(tmp_path, files))


def test_file_not_utf8(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    (tmp_path / "area.csv").write_bytes(AREA.encode("cp1258", errors="replace"))
    assert problems_of(tmp_path) == [("area.csv", 1, "file.encoding")]


def test_header_only_is_no_city(tmp_path: Path) -> None:
    headers = {name: text.splitlines()[0] + "\n" for name, text in FILES.items()}
    assert problems_of(write(tmp_path, headers)) == [("area.csv", 1, "geography.empty")]


def test_line_numbers_count_line_breaks_within_quotes(tmp_path: Path) -> None:
    text = AREA.replace("City,,act\n", 'City,,"act\nand act"\n', 1).replace("district", "quan")
    assert problems_of(write(tmp_path, FILES | {"area.csv": text})) == [
        ("area.csv", 5, "geography.type")
    ]


def test_an_area_may_end_for_a_stated_reason(tmp_path: Path) -> None:
    reason = "1,2020-01-01,,,,dissolved; nothing can be restated"
    shares = SHARES.replace("1,2020-01-01,1,2025-07-01,1,whole", reason, 1)
    geography = load_geography(write(tmp_path, FILES | {"area_correspondence.csv": shares}))
    assert geography.tables()["area_correspondence"]["from_code"].to_pylist() == [
        "101",
        "102",
        "102",
    ]


def test_a_district_follows_from_its_wards_and_they_are_named_when_missing(tmp_path: Path) -> None:
    shares = "".join(SHARES.splitlines(keepends=True)[:3])
    found = problems_of(write(tmp_path, FILES | {"area_correspondence.csv": shares}))
    assert found == [("area.csv", 6, "geography.no_successor")]


def test_parts_that_ended_before_say_nothing_of_their_district(tmp_path: Path) -> None:
    text = AREA.replace("2025-07-01,ward", "2024-01-01,ward")
    found = problems_of(write(tmp_path, FILES | {"area.csv": text}))
    assert ("area.csv", 4, "geography.no_successor") in found


def test_a_name_may_pass_to_another_code(tmp_path: Path) -> None:
    text = AREA.replace("102,2025-07-01,,", "102,2025-07-01,2026-01-01,")
    text += "103,2026-01-01,,ward,Phường E,E Ward,1,act\n"
    shares = SHARES + "102,2025-07-01,103,2026-01-01,1,new code\n"
    geography = load_geography(
        write(tmp_path, FILES | {"area.csv": text, "area_correspondence.csv": shares})
    )
    names = {geography.area_on(code, date(2026, 1, 1)) for code in ("102", "103")}
    assert {area and area.name_vi for area in names} == {None, "Phường E"}


@given(cells=st.lists(st.text(max_size=12), min_size=8, max_size=8))
def test_any_row_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    row = io.StringIO()
    csv.writer(row, lineterminator="\n").writerow(cells)
    text = (AREA + row.getvalue()).encode("utf-8", errors="replace").decode()
    folder = write(tmp_path_factory.mktemp("any"), FILES | {"area.csv": text})
    areas, problems = read_areas(folder)
    assert len(areas) == 7 or len(areas) == 8
    assert bool(problems) == (len(areas) == 7)
