"""What `city.yaml` and `agencies.yaml` say agrees with the city's areas."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from warehouse.geography import load_geography

REPOSITORY = Path(__file__).resolve().parents[3]
CITIES = [
    pytest.param(REPOSITORY / "cities/danang", id="danang"),
    pytest.param(REPOSITORY / "tests/cities/harbour", id="harbour"),
]
REFORM = date(2025, 7, 1)


def config(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("folder", CITIES)
def test_agencies_are_named_once_and_hold_no_person(folder: Path) -> None:
    agencies = config(folder / "agencies.yaml")["agencies"]
    codes = [agency["code"] for agency in agencies]
    assert len(set(codes)) == len(codes)
    for agency in agencies:
        assert re.fullmatch(r"[a-z0-9_]+", agency["code"])
        assert all(
            agency[key][language] for key in ("name", "contact_role") for language in ("vi", "en")
        )
        assert agency["level"] in {"city", "agency", "district", "ward"}
        assert set(agency["service_groups"]) <= set(range(1, 12))
        contact = " ".join(agency["contact_role"].values())
        assert not re.search(r"@|\d{6,}", contact)


def test_each_committee_of_danang_answers_for_an_area_of_its_name_and_time() -> None:
    folder = REPOSITORY / "cities/danang"
    geography = load_geography(folder / "geography")
    agencies = config(folder / "agencies.yaml")["agencies"]
    committees = [agency for agency in agencies if "area_code" in agency]
    assert len(committees) == 8 + 16
    for committee in committees:
        first = committee.get("valid_from", REFORM - timedelta(days=1))
        area = geography.area_on(committee["area_code"], first)
        assert area is not None
        name = committee["name"]["vi"].removeprefix("Ủy ban nhân dân ")
        assert area.name_vi.casefold() == name.casefold()
        assert committee.get("valid_to") == area.valid_to
        assert committee["level"] == area.level


def test_every_service_group_of_danang_has_an_agency() -> None:
    agencies = config(REPOSITORY / "cities/danang/agencies.yaml")["agencies"]
    assert {group for agency in agencies for group in agency["service_groups"]} == set(range(1, 12))


@pytest.mark.parametrize("folder", CITIES)
def test_the_city_has_areas_on_every_day_that_it_runs(folder: Path) -> None:
    city = config(folder / "city.yaml")
    history = city.get("history", {"from": city["default_date"], "to": city["default_date"]})
    assert history["from"] <= history["to"] <= city["default_date"]
    areas = load_geography(folder / "geography").areas
    for day in (history["from"], history["to"], city["default_date"]):
        assert sum(area.level == "city" and area.is_valid_on(day) for area in areas) == 1
