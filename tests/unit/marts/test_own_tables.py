"""A publication answers for the core tables of its own rows, and ages with them alone."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.judge import core_tables, own_tables
from tests.unit.marts.conftest import Built, build_city
from warehouse.publication import Part, Publication

OWN = {
    "dossier": {"dossier"},
    "emergency_trip": {"emergency_trip"},
    "encounter": {"encounter"},
    "labour_force_survey": {"indicator_observation"},
    "sensor_observation": {"sensor_observation", "station"},
    "service_request": {"service_request"},
}


def test_indicators_answer_for_the_tables_of_their_own_events(built: Built) -> None:
    found = own_tables(built.run.manifest, built.registry)
    expected: dict[str, set[str]] = {}
    for indicator in built.registry.indicators.values():
        expected.setdefault(indicator.publication, set()).update(OWN[indicator.definition.event])
    assert len(expected) > 3
    assert {name: set(found[name]) for name in expected} == expected


@pytest.mark.parametrize(
    "parts",
    [
        (Part("mart_city_indicator"),),
        (Part("mart_city_indicator", {"agency_code": "desk"}),),
        (Part("mart_city_indicator", {"service_group": 9}),),
        (Part("mart_city_indicator", {"service_group": 1}), Part("mart_air_quality_daily")),
    ],
    ids=["every row", "another column", "a group without indicators", "a mart of its own"],
)
def test_what_is_not_one_groups_rows_answers_for_all(built: Built, parts: tuple[Part, ...]) -> None:
    publication = Publication("all", "internal", {}, {}, parts)
    registry = replace(built.registry, publications={"all": publication})
    found = own_tables(built.run.manifest, registry)
    assert found == core_tables(built.run.manifest, [publication])
    assert len(found["all"]) > 4


def _cells(built: Built, mart: str) -> dict[str, list[Any]]:
    """Rows of an indicator mart by event, without what tells of the delivery."""
    found: dict[str, list[Any]] = {}
    for row in built.rows(f"SELECT * EXCLUDE (data_as_of) FROM {mart} ORDER BY ALL"):  # noqa: S608 - fixed
        event = built.registry.indicators[row["indicator_code"]].definition.event
        found.setdefault(event, []).append(row)
    return found


@pytest.fixture(scope="module")
def late(built: Built, tmp_path_factory: pytest.TempPathFactory, dbt_cache: Path) -> Built:
    """The tiny city when every source but that of the requests went on for 40 days."""
    days = {
        event: day if event == "service_request" else day + timedelta(days=40)
        for event, day in built.inputs.data_as_of.items()
    }
    return build_city(tmp_path_factory.mktemp("late"), dbt_cache, data_as_of=days)


@pytest.mark.parametrize("mart", ["mart_city_indicator", "mart_district_indicator"])
def test_a_late_source_ages_its_own_figures_alone(built: Built, late: Built, mart: str) -> None:
    assert late.run.returncode == 0
    before, after = _cells(built, mart), _cells(late, mart)
    assert after["service_request"] == before["service_request"]
    assert all(after[event] != before[event] for event in before.keys() - {"service_request"})
    day = built.inputs.data_as_of["service_request"]
    known = late.rows(f"SELECT DISTINCT indicator_code, data_as_of FROM {mart}")  # noqa: S608 - fixed
    for row in known:
        event = built.registry.indicators[row["indicator_code"]].definition.event
        assert (row["data_as_of"] == day) == (event == "service_request")


def test_a_late_source_leaves_its_dataset_as_it_was(built: Built, late: Built) -> None:
    rows = "SELECT * FROM mart_service_request_monthly ORDER BY ALL"
    assert late.rows(rows) == built.rows(rows)
    rows = "SELECT * FROM mart_dossier_district_monthly ORDER BY ALL"
    assert late.rows(rows) != built.rows(rows)
