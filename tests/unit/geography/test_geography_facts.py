"""The tables of Da Nang against real publications, by code that shares nothing with the project."""

import csv
import gzip
import io
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

from tests.shared_data import shared_path

GEOGRAPHY = Path(__file__).resolve().parents[3] / "cities/danang/geography"
REFORM = "2025-07-01"


def table(name: str) -> list[dict[str, str]]:
    with (GEOGRAPHY / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def published_json(name: str) -> Any:
    return json.loads(gzip.decompress(shared_path(f"g_vn_admin/{name}").read_bytes()))


def published_csv(name: str, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    text = gzip.decompress(shared_path(f"g_vn_admin/{name}").read_bytes()).decode(encoding)
    return list(csv.DictReader(io.StringIO(text)))


def spelled(name: str) -> str:
    """One normal form and one of the two spellings of Hòa, which the publications mix."""
    return re.sub(r"Hoà\b", "Hòa", unicodedata.normalize("NFC", " ".join(name.split())))


def ours(valid_from: str, level: str) -> dict[str, dict[str, str]]:
    rows = table("area.csv")
    return {r["code"]: r for r in rows if (r["valid_from"], r["level"]) == (valid_from, level)}


def test_every_old_ward_stands_in_its_district() -> None:
    cities = published_json("pre_reform/dvhcvn_2025-03-01.json.gz")["data"]
    (city,) = (city for city in cities if city["level1_id"] == "48")
    districts = {d["level2_id"]: spelled(d["name"]) for d in city["level2s"]}
    wards = {
        w["level3_id"]: (spelled(w["name"]), d["level2_id"])
        for d in city["level2s"]
        for w in d["level3s"]
    }
    assert (len(districts), len(wards)) == (8, 47)
    found = ours("2025-01-01", "district")
    assert {code: row["name_vi"] for code, row in found.items()} == districts
    found = ours("2025-01-01", "ward")
    assert {c: (r["name_vi"], r["parent_code"]) for c, r in found.items()} == wards


def test_old_wards_agree_with_the_code_list() -> None:
    rows = published_csv("post_reform_raw/danhmuchanhchinh.gso.gov.vn_ward_2025-07-18.csv.gz")
    wards = {r["Mã"]: (spelled(r["Tên"]), r["Mã QH"]) for r in rows if r["Mã TP"] == "48"}
    found = ours("2025-01-01", "ward")
    assert {c: (r["name_vi"], r["parent_code"]) for c, r in found.items()} == wards


def test_new_units_agree_with_the_code_list_and_the_official_letter() -> None:
    found = {code: row["name_vi"] for code, row in ours(REFORM, "ward").items()}
    listed = published_json("post_reform_raw/production.cas.so_3221_wards_2025-08-05.json.gz")
    units = {c["code"]: spelled(c["name"]) for c in listed["communes"] if c["provinceCode"] == "48"}
    assert found == units
    letter = shared_path("g_vn_admin/dvhcvn_20250701/1027_CTK-CSCL.md.gz").read_bytes()
    cells = [
        [spelled(cell) for cell in line.split("|")]
        for line in gzip.decompress(letter).decode().splitlines()
        if line.count("|") == 5
    ]
    assert found == {c[2]: c[3] for c in cells if c[4] == "Tp Đà Nẵng" and c[2]}
    assert len(found) == 94


def test_correspondence_agrees_with_two_mappings() -> None:
    found = {
        (r["from_code"], r["to_code"], "full" if r["weight"] == "1" else "partial")
        for r in table("area_correspondence.csv")
        if r["from_code"] != "48"
    }
    cities = published_json("dvhcvn_20250701/merges.json.gz")["data"]
    (city,) = (city for city in cities if city["level1_id"] == "48")
    old = set(ours("2025-01-01", "ward")) | {"498"}
    first = {
        (merge["old_id"], unit["level2_id"], merge["type"])
        for unit in city["level2s"]
        for merge in unit["merges"]
        if merge["old_id"] in old
    }
    mapping = shared_path("g_vn_admin/da_nang/derived_crosswalk_da_nang_2025-07-01.csv")
    text = mapping.read_text(encoding="utf-8")
    second = {
        (r["old_code"], r["new_code"], r["share"])
        for r in csv.DictReader(io.StringIO(text))
        if r["old_province_code"] == "48"
    }
    assert found == first == second


def test_the_known_clash_of_names_is_not_taken_over() -> None:
    splits = published_json("dvhcvn_20250701/splits.json.gz")["data"]
    (wrong,) = (w for c in splits for w in c.get("level3s", []) if w["level3_id"] == "20669")
    assert {s["new_id"] for s in wrong["splits"]} == {"20242", "20669"}
    assert "20669" not in {row["from_code"] for row in table("area_correspondence.csv")}


def test_census_agrees() -> None:
    rows = published_csv("population/vn_district_population_1998_2020.csv.gz", "latin-1")
    census = {
        r["areanameen"]: int(r["total"])
        for r in rows
        if (r["province"], r["year"]) == ("Da Nang", "2019")
    }
    names = {
        c: r["name_en"].removesuffix(" District") for c, r in ours("2025-01-01", "district").items()
    }
    found = {
        names[r["area_code"]]: int(r["persons"])
        for r in table("population.csv")
        if r["concept"] == "census" and r["area_code"] != "48"
    }
    assert found == census
    assert sum(found.values()) == 1_134_310


def test_new_units_population_agrees_and_its_known_errors_are_not_taken_over() -> None:
    rows = published_csv("post_reform_raw/sapnhap.bando.com.vn_ward_2025-07-17.csv.gz")
    published = {
        spelled(f"{r['loai'].capitalize()} {r['tenhc']}"): r["dansonguoi"]
        for r in rows
        if spelled(r["tentinh"]).endswith("Đà Nẵng")
    }
    names = {code: row["name_vi"] for code, row in ours(REFORM, "ward").items()}
    found = {
        names[r["area_code"]]: r["persons"]
        for r in table("population.csv")
        if r["vintage"] == "2025" and r["area_code"] != "48"
    }
    # One figure is another unit's, one is not given; see the geography's README.
    assert published.pop("Đặc khu Hoàng Sa") == published["Xã Khâm Đức"] == "9741"
    assert published.pop("Xã Avương") == "đang cập nhật"
    assert found.pop("Xã Avương") == "5463"
    assert found == published
    assert sum(map(int, published.values())) + 9_741 == 3_127_193
