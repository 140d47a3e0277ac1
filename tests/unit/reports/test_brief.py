"""What stands in a brief, for whom, and in which form."""

import hashlib
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pypdf import PdfReader

from pipeline.brief import find_area, find_role, open_desk
from pipeline.cli import main
from pipeline.last_day import note_last_day
from pipeline.settings import city_paths
from reports.brief.document import TEMPLATE, pdf
from reports.brief.facts import facts_digest
from reports.brief.subject import BriefError, subject
from tests.headlines import REPOSITORY, headlines
from tests.unit.reports.briefs import (
    ADMINISTRATION,
    HAI_CHAU,
    LEADER,
    NEW,
    OLD,
    OPEN,
    SOURCES,
    Desk,
    read_back,
)
from warehouse.access import Role, RoleKind

DISTRICTS = ("490", "491", "492", "493", "494", "495", "497", "498")
WARDS = ("20242", "20194", "20305", "20314", "20333", "20285")
STAMPS = {
    "late": "nguồn chậm, số liệu cũ",
    "held": "số liệu mới chờ duyệt",
    "rejected": "số liệu mới bị loại",
}
CURRENT = "số liệu đã kiểm, mới nhất"
ALL, OF_FEEDBACK = len(headlines()), len(headlines("feedback"))


@pytest.mark.parametrize(
    ("code", "valid_from", "language"),
    [
        ("48", NEW, "vi"),
        ("48", NEW, "en"),
        *((code, OLD, "vi") for code in DISTRICTS),
        *((code, NEW, language) for code, language in zip(WARDS, ("en", "vi") * 3, strict=True)),
    ],
)
def test_a_brief_has_two_pages(filled: Desk, code: str, valid_from: date, language: str) -> None:
    area = filled.area(code, valid_from)
    brief = filled.brief(area, language=language)
    assert len(brief.texts) == 2
    name = area.name_vi if language == "vi" else area.name_en
    assert all(name in text for text in brief.texts)


@pytest.mark.parametrize("code", ["48", "20194"])
def test_long_names_and_many_troubles_still_make_two_pages(desk: Desk, code: str) -> None:
    desk.change(
        "UPDATE dim_indicator SET is_headline = true, name_vi = repeat(name_vi || ' và ', 3), "
        "formula_vi = repeat(formula_vi || '; ', 2)"
    )
    desk.change("UPDATE dim_agency SET name_vi = repeat(name_vi || ' và ', 2)")
    desk.change("UPDATE dim_area SET name_vi = repeat(name_vi || ' và ', 2)")
    desk.change(SOURCES)
    desk.change("UPDATE audit_source SET is_late = true, title_vi = repeat(title_vi || ' và ', 4)")
    desk.change(
        "UPDATE publication_status SET stale = true, title_vi = repeat(title_vi || ' và ', 2), "
        "late_sources = ['administration.one_stop_shop', 'socioeconomic.statistics_office']"
    )
    area = desk.area(code)
    brief = desk.brief(replace(area, name_vi="Thành phố trực thuộc và " * 3 + area.name_vi))
    assert len(brief.texts) == 2


@pytest.mark.parametrize(
    ("language", "headings", "told"),
    [
        pytest.param(
            "vi",
            (
                "Chỉ số chính",
                "Chưa đạt và cơ quan chịu trách nhiệm",
                "Địa bàn tốt nhất và kém nhất",
                "Những gì đã thay đổi",
                "Cảnh báo",
                "Kết luận kiểm tra số liệu",
                "Nguồn và định nghĩa",
                "Chỉ số chưa được phép hiển thị",
            ),
            (
                "Nguồn: Cổng góp ý 1022 (Trung tâm Giám sát, điều hành thông minh thành phố "
                "Đà Nẵng (Tổng đài 1022)), đến 05/07/2025; "
                "Cơ sở dữ liệu một cửa (Trung tâm Phục vụ hành chính công thành phố Đà Nẵng), "
                "đến 05/07/2025; Điều tra lao động việc làm (",
                "FB1 Tỷ lệ phản ánh",
            ),
            id="vi",
        ),
        pytest.param(
            "en",
            (
                "Headline indicators",
                "Off target, and who answers",
                "Best and worst areas",
                "What changed",
                "Warnings",
                "Data-quality stamp",
                "Sources and definitions",
                "Indicators not yet cleared for display",
            ),
            (
                "Sources: Feedback portal 1022 (",
                "), as of 5 July 2025; One-stop-shop database (",
                "FB1 ",
            ),
            id="en",
        ),
    ],
)
def test_no_section_is_missing(
    desk: Desk, language: str, headings: tuple[str, ...], told: tuple[str, ...]
) -> None:
    desk.change(SOURCES)
    brief = desk.brief(desk.area("48"), language=language)
    assert len(brief.texts) == 2
    assert brief.headings == list(headings)
    for text in (*told, _formula("FB1", language)):
        assert text in brief.text
    assert "Bệnh viện" not in brief.text
    assert "Hospitals" not in brief.text


def _formula(code: str, language: str) -> str:
    """How the file that defines an indicator says that it is computed."""
    folder = REPOSITORY / "warehouse" / "indicators"
    files = [yaml.safe_load(each.read_text(encoding="utf-8")) for each in folder.glob("*.yaml")]
    (found,) = [i for file in files for i in file["indicators"] if i["code"] == code]
    return str(found["formula"][language])


def test_a_source_that_is_late_or_never_came_says_so(desk: Desk) -> None:
    desk.change(SOURCES)
    desk.change(
        "UPDATE audit_source SET is_late = source = 'feedback.open311', "
        "as_of = CASE WHEN source LIKE 'admin%' THEN NULL ELSE as_of END"
    )
    ward = desk.brief(desk.area("20242"), HAI_CHAU)
    assert "(Tổng đài 1022)), đến 05/07/2025, chậm;" in ward.text
    assert "Cơ sở dữ liệu một cửa (Trung tâm" in ward.text
    assert "Đà Nẵng), chưa nhận số liệu nào;" in ward.text
    agency = desk.brief(desk.area("48"), ADMINISTRATION).text
    assert "Cơ sở dữ liệu một cửa" in agency
    assert "Cổng góp ý 1022" not in agency
    desk.change("DELETE FROM mart_city_indicator")
    desk.change("DELETE FROM mart_district_indicator")
    empty = desk.brief(desk.area("20242"), HAI_CHAU)
    assert "Nguồn và định nghĩa" in empty.headings
    assert "Chưa có chỉ số nào có số liệu để giải thích." in empty.text


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_headline_has_its_line_drawn_and_told(filled: Desk, language: str) -> None:
    facts = filled.facts(filled.area("48"), language=language)
    brief = read_back(pdf(facts))
    assert len(brief.alternatives) == len(facts["headline"]) == ALL
    period = {"vi": "tháng 6/2025", "en": "June 2025"}[language]
    for line, text in zip(facts["headline"], brief.alternatives, strict=True):
        assert f"{period}: {line['latest'][0]['value']}" in text
    # April to May, May to June.
    assert brief.polylines == [2] * ALL


@pytest.mark.parametrize(("language", "told"), [("vi", "ước tính"), ("en", "estimated")])
def test_what_is_not_provisional_says_so_wherever_it_stands(
    desk: Desk, language: str, told: str
) -> None:
    assert told not in desk.brief(desk.area("48"), language=language).text
    desk.change(
        "UPDATE mart_city_indicator SET obs_status = 'E' WHERE indicator_code = 'AD1' "
        "AND period_start >= DATE '2025-06-01'"
    )
    desk.change(
        "UPDATE mart_district_indicator SET obs_status = 'E' WHERE indicator_code = 'AD1' "
        "AND period_start = DATE '2025-06-01'"
    )
    brief = desk.brief(desk.area("48"), language=language)
    # The headline's complete and running figure, off target, best and worst area; what changed.
    assert [" ".join(text.split()).count(told) for text in brief.texts] == [5, 1]
    # Of a ward with the ground of two districts each has its own where they differ.
    desk.change(
        "UPDATE mart_district_indicator SET obs_status = 'P' WHERE area_code <> '490' "
        "AND obs_status = 'E'"
    )
    text = " ".join(desk.brief(desk.area("20194"), language=language).texts[0].split())
    own, other, shared = {
        "vi": ("Quận Liên Chiểu, ước tính", "Huyện Hòa Vang, tạm tính", "tháng 6/2025, tạm tính"),
        "en": ("Lien Chieu District, estimated", "Hoa Vang District, provisional",
               "June 2025, provisional"),
    }[language]  # fmt: skip
    assert [text.count(each) for each in (own, other, shared)] == [1, 1, ALL - 1]


def test_a_city_without_figures_says_so(desk: Desk) -> None:
    desk.change("DELETE FROM mart_city_indicator")
    desk.change("DELETE FROM mart_district_indicator")
    desk.change("UPDATE publication_status SET version = NULL, verdict = NULL, data_as_of = NULL")
    city = desk.brief(desk.area("48"))
    assert len(city.texts) == 2
    assert "Tỷ lệ thất nghiệp SE1 chưa có kỳ trọn vẹn chưa đánh giá" in city.text
    assert f"{ALL}/{ALL} chỉ số có số liệu chưa mới nhất" in city.text
    assert "Chưa có số liệu nào để đánh giá theo chỉ tiêu." in city.text
    ward = desk.brief(desk.area("20242"), HAI_CHAU)
    assert "Chưa có số liệu nào được công bố cho địa bàn này." in ward.text
    assert CURRENT not in city.text + ward.text


# AD1 is the first indicator, the city the same hash for both extents.
def test_figures_have_the_form_of_the_language(desk: Desk) -> None:
    desk.change(
        "UPDATE mart_city_indicator SET value = CASE month(period_start) WHEN 5 THEN 70.04 "
        "WHEN 6 THEN 72.35 WHEN 7 THEN 1234.5 ELSE value END WHERE indicator_code = 'AD1'"
    )
    vietnamese, english = (
        desk.brief(desk.area("48"), language=language).text for language in ("vi", "en")
    )
    for told in ("72,4%", "tháng 6/2025, tạm tính", "địa giới trước 01/07/2025", "đạt",
                 "Chỉ tiêu 71,0%", "+2,3 điểm %", "tốt lên", "1.234,5%", "tháng 7/2025 đến nay",
                 "đến 05/07/2025", "Ngày 05/07/2025", "Dành cho: Lãnh đạo thành phố"):  # fmt: skip
        assert told in vietnamese
    for told in ("72.4%", "June 2025, provisional", "extent until 1 July 2025", "on target",
                 "Target 71.0%", "+2.3 points", "better", "1,234.5%", "July 2025 so far",
                 "as of 5 July 2025", "Date: 5 July 2025", "For: City leader"):  # fmt: skip
        assert told in english


def test_a_missing_figure_says_why(desk: Desk) -> None:
    desk.change(
        "UPDATE mart_city_indicator SET value = NULL, obs_status = 'O' "
        "WHERE indicator_code = 'SE1' AND period_start = DATE '2025-06-01'"
    )
    assert "chưa có số liệu tháng 6/2025" in desk.brief(desk.area("48")).text


def test_what_is_off_target_is_named_with_who_answers(desk: Desk) -> None:
    desk.change("UPDATE mart_city_indicator SET value = 71")
    assert "Không có chỉ số nào của kỳ gần nhất chưa đạt" in desk.brief(desk.area("48")).text
    desk.change(
        "UPDATE mart_city_indicator SET value = 12.3 "
        "WHERE indicator_code = 'AD4' AND period_start = DATE '2025-06-01'"
    )
    told = desk.facts(desk.area("48"))
    assert [(line["code"], line["rating"], line["owner"]) for line in told["off_target"]] == [
        ("AD4", "red", "Trung tâm Phục vụ hành chính công thành phố Đà Nẵng")
    ]
    assert told["moves"][0]["code"] == "AD4"
    assert (
        "chưa đạt Tỷ lệ kết quả giải quyết được số hóa AD4 12,3%"
        in desk.brief(desk.area("48")).text
    )


@pytest.mark.parametrize("stamp", STAMPS)
def test_a_late_held_or_rejected_source_turns_the_stamp(desk: Desk, stamp: str) -> None:
    whole = desk.brief(desk.area("48")).text
    assert CURRENT in whole
    assert not any(text in whole for text in STAMPS.values())
    status = {"late": "", "held": "verdict = 'hold', ", "rejected": "verdict = 'reject', "}
    desk.change(
        f"UPDATE publication_status SET {status[stamp]} stale = true, "  # noqa: S608 - own text
        "data_as_of = DATE '2025-07-03', late_sources = ['feedback.open311'] "
        "WHERE publication = 'indicators-feedback'"
    )
    turned = desk.brief(desk.area("48")).text
    assert f"{OF_FEEDBACK}/{ALL} chỉ số có số liệu chưa mới nhất" in turned
    assert CURRENT not in turned
    # At the headline figures, among the warnings, and at the dataset.
    assert turned.count(STAMPS[stamp]) >= OF_FEEDBACK + 2
    assert "nguồn chậm: feedback.open311" in turned
    ward = desk.brief(desk.area("20242"), HAI_CHAU).text
    assert STAMPS[stamp] in ward
    assert CURRENT not in ward


def test_a_figure_of_health_has_a_place_and_no_value(desk: Desk) -> None:
    desk.change(
        "INSERT INTO mart_city_indicator SELECT * REPLACE ('HE1' AS indicator_code, 777.7 AS value)"
        " FROM mart_city_indicator WHERE indicator_code = 'SE1'"
    )
    for language, text in (
        ("vi", "chưa được phép hiển thị"),
        ("en", "not yet cleared for display"),
    ):
        brief = desk.brief(desk.area("48"), language=language).text
        assert "777" not in brief
        assert f"HE1: {text}" in brief


def test_a_ward_shows_the_district_that_access_names_and_the_city_beside_it(desk: Desk) -> None:
    desk.change("UPDATE mart_district_indicator SET value = 33.3 WHERE area_code = '492'")
    desk.change("UPDATE mart_district_indicator SET value = 44.4 WHERE area_code = '20242'")
    desk.change(
        "UPDATE mart_district_indicator SET value = 88.8 WHERE area_code NOT IN ('492', '20242')"
    )
    desk.change("UPDATE mart_city_indicator SET value = 99.9")
    own = desk.brief(desk.area("20242"), HAI_CHAU).text
    for told in ("33,3%", "Quận Hải Châu", "44,4%", "Toàn thành phố 12,5%"):
        assert told in own
    assert "88,8" not in own
    assert "99,9" not in own
    whole = desk.access.roles[HAI_CHAU]
    ward_alone = replace(whole, areas=(("20242", NEW),))
    assert subject(desk.geography, desk.area("20242"), ward_alone).before == ()
    narrow = desk.brief(desk.area("20242"), ward_alone).text
    assert "33,3" not in narrow
    assert "44,4%" in narrow
    assert "chưa có kỳ trọn vẹn" in narrow


def test_an_extent_that_ended_says_when(filled: Desk) -> None:
    told = filled.brief(filled.area("491", OLD)).text
    assert "Bản tin số liệu điều hành · địa giới trước 01/07/2025 Quận Thanh Khê" in told


@pytest.mark.parametrize(
    ("code", "role", "language", "told"),
    [
        pytest.param("20242", HAI_CHAU, "vi", "địa giới đã thay đổi, không so sánh", id="ward-vi"),
        pytest.param("20242", HAI_CHAU, "en", "area changed, not compared", id="ward-en"),
    ],
)
def test_other_ground_is_no_measure_of_the_area(
    desk: Desk, code: str, role: str, language: str, told: str
) -> None:
    # All that is known of the present extent is a running month: changes are of the one before.
    brief = desk.brief(desk.area(code), role, language).texts
    headline = " ".join(brief[0].split())
    assert headline.count(told) == ALL
    for word in ("tốt lên", "xấu đi", "better", "worse"):
        assert word not in headline
    # What changed on the ground of before is told by itself, with its name.
    changed = " ".join(brief[1].split())
    assert any(name in changed for name in ("Quận Hải Châu", "Hai Chau District"))


@pytest.mark.parametrize(
    ("language", "changed", "extent"),
    [("vi", "không so sánh", "địa giới trước"), ("en", "not compared", "extent until")],
)
def test_a_city_is_compared_within_its_former_extent(
    desk: Desk, language: str, changed: str, extent: str
) -> None:
    headline = " ".join(desk.brief(desk.area("48"), LEADER, language).texts[0].split())
    assert changed not in headline
    assert headline.count(extent) >= ALL
    figures = desk.facts(desk.area("48"), LEADER, language)["headline"]
    told = [row["latest"][0]["change"] for row in figures]
    assert all(told)
    assert all(" ".join(each.split()) in headline for each in told)


def test_warnings_about_areas_that_are_no_more_say_so(desk: Desk) -> None:
    desk.change(
        "UPDATE mart_district_indicator SET value = 1 "
        "WHERE unit = '%' AND area_code = '492' AND period_start = DATE '2025-06-01'"
    )
    for language, note in (("vi", "giải thể 01/07/2025"), ("en", "dissolved 1 July 2025")):
        facts = desk.facts(desk.area("48"), language=language)
        named = [area for line in facts["warnings"] for area in line["areas"]]
        assert named
        assert all(area.endswith(f"({note})") for area in named)
        worst = {line["worst"]["area"] for line in facts["extremes"]}
        assert all(area.endswith(f"({note})") for area in worst)
        assert note in desk.brief(desk.area("48"), language=language).text


@pytest.mark.parametrize(
    ("language", "told"), [("vi", "Số liệu giả lập"), ("en", "Synthetic data of the demo city")]
)
def test_the_notice_of_the_city_stands_on_each_page(desk: Desk, language: str, told: str) -> None:
    assert desk.file.is_file()
    office = open_desk("danang")
    city = office.facts(desk.area("48"), desk.access.roles[LEADER], date(2025, 7, 5), language)
    brief = read_back(pdf(city))
    assert len(brief.texts) == 2
    for page in brief.texts:
        text = " ".join(page.split())
        assert told in text
        assert text.index(told) < text.index("%")
    assert told not in desk.brief(desk.area("48"), language=language).text


def test_datasets_are_counted_in_words(desk: Desk) -> None:
    vietnamese, english = (
        desk.brief(desk.area("48"), language=language).text for language in ("vi", "en")
    )
    assert re.search(r"\d bộ dữ liệu: đã kiểm, mới nhất\.", vietnamese)
    assert re.search(r"\d datasets: checked, up to date\.", english)
    desk.change(
        "UPDATE publication_status SET stale = true WHERE publication = 'indicators-feedback'"
    )
    turned = desk.brief(desk.area("48"), language="en").text
    assert re.search(r"1 dataset: source late, older data \(", turned)


def test_a_ward_of_two_districts_shows_both(filled: Desk) -> None:
    named = [each.code for each in _subject(filled, "20194").before]
    assert named == ["490", "497"]
    told = filled.brief(filled.area("20194")).text
    assert "Quận Liên Chiểu" in told
    assert "Huyện Hòa Vang" in told


def test_the_public_sees_nothing_internal(filled: Desk) -> None:
    told = filled.brief(filled.area("48"), OPEN).text
    # FB5 and FB1b are not declared open; of the publications, the open datasets are for everyone.
    internals = ("FB5", "FB1b", "Chỉ số phản ánh, kiến nghị")
    for internal in internals:
        assert internal not in told
    assert "FB1" in told
    assert "Phản ánh, kiến nghị theo" in told
    assert "đã kiểm, mới nhất, đến 05/07/2025" in told
    # Who does not see every dataset is told of the stamps of the figures by service group.
    assert "Nhóm dịch vụ Dấu kiểm tra Phản ánh, kiến nghị của người dân" in told
    inside = filled.brief(filled.area("48")).text
    for internal in internals:
        assert internal in inside
    assert "Nhóm dịch vụ Dấu kiểm tra" not in inside


def test_an_agency_sees_its_own_groups(filled: Desk) -> None:
    told = filled.facts(filled.area("48"), ADMINISTRATION)
    assert {line["code"] for line in told["definitions"]} == {"AD1", "AD2", "AD3", "AD4"}
    assert told["withheld"] == []
    assert told["publications"] == []


def _subject(desk: Desk, code: str) -> Any:
    return subject(desk.geography, desk.area(code), desk.access.roles[LEADER])


@pytest.mark.parametrize(
    ("code", "role"),
    [
        pytest.param("48", HAI_CHAU, id="the-city-to-a-ward"),
        pytest.param("20209", HAI_CHAU, id="another-ward"),
        pytest.param(
            "20242", Role("r", RoleKind.AREA_LEADER, {"vi": "r", "en": "r"}), id="no-areas"
        ),
        pytest.param(
            "48", Role("r", RoleKind.SECTOR_AGENCY, {"vi": "r", "en": "r"}), id="no-groups"
        ),
    ],
)
def test_who_may_not_see_an_area_gets_no_brief(filled: Desk, code: str, role: str | Role) -> None:
    with pytest.raises(BriefError, match=f"may not see area {code}@2025-07-01"):
        filled.facts(filled.area(code), role)


def test_a_brief_is_not_of_a_day_before_its_figures(desk: Desk) -> None:
    desk.change("UPDATE mart_city_indicator SET data_as_of = DATE '2025-07-06'")
    with pytest.raises(BriefError, match="as of 2025-07-06: no brief of 2025-07-05"):
        desk.facts(desk.area("48"))


def test_a_brief_is_of_no_day_after_the_newest_run(
    desk: Desk, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = ["brief", "--city", "danang", "--area", "48", "--date", "2025-07-06"]
    with pytest.raises(SystemExit) as ended:
        main(asked)
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "citylake: the newest run is of 2025-07-05: no brief of 2025-07-06 can be made of it; "
        "run that day first, or ask for 2025-07-05\n"
    )
    # A day on which every source was late was run all the same.
    journal = tmp_path / "danang" / "journal"
    journal.mkdir()
    (tmp_path / "danang" / "work").mkdir()
    note_last_day(city_paths("danang"), date(2025, 7, 6), ["feedback.open311"])
    with pytest.raises(SystemExit) as ended:
        main(asked)
    assert ended.value.code == 0


def test_a_source_that_was_asked_was_run(desk: Desk) -> None:
    desk.change("UPDATE publication_status SET delivered_as_of = DATE '2025-07-04'")
    with pytest.raises(BriefError, match="newest run is of 2025-07-04"):
        desk.facts(desk.area("48"))
    desk.change("INSERT INTO audit_source (source, attempt_day) VALUES ('a.b', DATE '2025-07-05')")
    assert desk.facts(desk.area("48"))["day"] == "2025-07-05"


def test_where_no_day_was_run_there_is_no_brief(desk: Desk) -> None:
    desk.change("UPDATE publication_status SET delivered_as_of = NULL")
    with pytest.raises(BriefError, match="run a day first"):
        desk.facts(desk.area("48"))


def test_a_brief_lies_beside_the_data_where_no_file_is_named(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(SystemExit) as ended:
        main(["brief", "--city", "danang", "--area", "48"])
    assert ended.value.code == 0
    place = tmp_path / "danang" / "briefs" / "brief-48-2025-07-05-vi.pdf"
    assert capsys.readouterr().out == f"{place}\n"
    assert place.read_bytes().startswith(b"%PDF-")
    assert place.parent.stat().st_mode & 0o777 == 0o700
    assert list((tmp_path / "here").iterdir()) == []


def test_areas_and_roles_that_are_not_there_are_named(filled: Desk) -> None:
    on = date(2025, 7, 5)
    assert find_area(filled.geography, "20242", on).key == ("20242", NEW)
    assert find_area(filled.geography, "492@2025-01-01", on).key == ("492", OLD)
    assert find_role(filled.access, None).code == LEADER
    with pytest.raises(BriefError, match="no area 999"):
        find_area(filled.geography, "999", on)
    with pytest.raises(BriefError, match="area.csv has 492@2025-01-01"):
        find_area(filled.geography, "492", on)
    with pytest.raises(BriefError, match="no role nobody .*lanh_dao_thanh_pho"):
        find_role(filled.access, "nobody")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param(("--area", "999"), "there is no area 999", id="area"),
        pytest.param(("--area", "48", "--lang", "fr"), "there is no language fr", id="language"),
        pytest.param(("--area", "48", "--role", HAI_CHAU), "may not see area 48", id="rights"),
        pytest.param(
            ("--area", "48", "--output", "/nowhere/x.pdf"), "cannot be written", id="file"
        ),
    ],
)
def test_the_command_says_what_is_wrong(
    desk: Desk, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["brief", "--city", "danang", *options])
    assert ended.value.code == 1
    assert told in capsys.readouterr().err


def test_equal_input_gives_equal_bytes_in_any_process(desk: Desk, tmp_path: Path) -> None:
    role, day = desk.access.roles[LEADER], date(2025, 7, 5)
    office = open_desk("danang")
    here = [pdf(office.facts(desk.area("48"), role, day, "vi")) for _ in range(2)]
    assert here[0] == here[1]
    digests = {hashlib.sha256(here[0]).hexdigest()}
    for number, zone in enumerate(("Asia/Ho_Chi_Minh", "America/New_York")):
        place = tmp_path / f"{number}.pdf"
        environment = {"TZ": zone, "PYTHONHASHSEED": str(number), "LC_ALL": "C"}
        subprocess.run(  # noqa: S603 - the project's own command
            [sys.executable, "-m", "pipeline.cli", "brief", "--city", "danang", "--date",
             "2025-07-05", "--area", "48", "--output", place],
            env={**os.environ, **environment},
            check=True,
        )  # fmt: skip
        digests.add(hashlib.sha256(place.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_other_input_gives_another_digest(desk: Desk) -> None:
    before = facts_digest(desk.facts(desk.area("48")))
    assert facts_digest(desk.facts(desk.area("48"))) == before
    desk.change("UPDATE mart_city_indicator SET value = value + 1 WHERE indicator_code = 'FB1'")
    assert facts_digest(desk.facts(desk.area("48"))) != before


def _fonts(reader: PdfReader) -> Iterator[Any]:
    for page in reader.pages:
        fonts: Any = page["/Resources"]["/Font"]  # type: ignore[index]
        yield from (each.get_object() for each in fonts.values())


def test_it_is_an_archival_file_with_its_fonts_inside(filled: Desk) -> None:
    content = filled.brief(filled.area("48")).content
    reader = PdfReader(io.BytesIO(content))
    fonts = list(_fonts(reader))
    assert fonts
    for font in fonts:
        (descendant,) = font["/DescendantFonts"]
        descriptor = descendant.get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor)
        assert "/ToUnicode" in font
    metadata = reader.trailer["/Root"]["/Metadata"].get_data().decode()  # type: ignore[index]
    assert "<pdfaid:part>2</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert reader.metadata is not None
    assert str(reader.metadata.creation_date) == "2025-07-05 00:00:00+00:00"
    assert (reader.metadata.title or "").endswith("Thành phố Đà Nẵng – 05/07/2025")


def test_every_letter_of_vietnamese_is_in_the_font(filled: Desk) -> None:
    letters = "ắằẳẵặấầẩẫậếềểễệốồổỗộớờởỡợứừửữựỳýỷỹỵđĐƠƯẶỆỢỰỸ"
    area = replace(filled.area("48"), name_vi=letters)
    assert letters in filled.brief(area).text


def test_the_template_takes_nothing_from_outside() -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    assert "@preview" not in text
    assert "#import" not in text
    assert "read(" not in text


def test_it_takes_less_than_a_second(filled: Desk) -> None:
    read_back(pdf(filled.facts(filled.area("48"))))
    started = time.process_time()
    pdf(filled.facts(filled.area("48")))
    assert time.process_time() - started < 1.0
