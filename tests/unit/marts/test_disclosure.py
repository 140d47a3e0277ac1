"""What is refused before disclosure control exists: each reason in a test of its own."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.marts.conftest import MARTS, TABLES, Built, city, write_config
from warehouse.contract.model import Classification, TableContract
from warehouse.contract.problem import ContractError
from warehouse.mart_lineage import MODELS, mart_lineage
from warehouse.registry import load_registry

MONTHLY = """\
class: open
title: {vi: a, en: a}
description: {vi: a, en: a}
owner: desk
licence: CC-BY-4.0
revision_window_days: 10
parts:
  - {mart: mart_service_request_monthly}
key: [requested_month, area_code, area_valid_from, service_code]
columns: [requested_month, area_code, area_valid_from, service_code, requests_opened]
"""
HEALTH_KEY = (
    "[indicator_code, area_code, area_valid_from, service_group, agency_code, period_kind,"
    " period_start]"
)
OPEN_HEALTH = f"""\
class: open
title: {{vi: a, en: a}}
description: {{vi: a, en: a}}
owner: desk
licence: CC-BY-4.0
revision_window_days: 10
parts:
  - {{mart: mart_health_indicator, where: {{service_group: 10}}}}
key: {HEALTH_KEY}
columns: {HEALTH_KEY}
"""
HEALTH = "indicators-health"  # of the tiny city; replaced
INTERNAL_HEALTH = """\
class: internal
title: {vi: a, en: a}
description: {vi: a, en: a}
owner: desk
revision_window_days: 10
parts:
  - {mart: mart_health_indicator, where: {service_group: 10}}
"""


def problems(
    folder: Path, dataset: str, name: str = "further", **changes: Any
) -> list[tuple[str, str]]:
    """Rule and message of what is wrong with a city that has one more dataset."""
    definitions = write_config(folder)
    (folder / "datasets" / f"{name}.yaml").write_text(dataset, encoding="utf-8")
    parts = SimpleNamespace(**{**vars(city(folder)), **changes})
    try:
        load_registry(parts, definitions)
    except ContractError as error:
        return [(problem.rule, problem.message) for problem in error.problems]
    return []


def changed(
    contracts: dict[str, TableContract], name: str, column: str, to: Classification
) -> dict[str, TableContract]:
    """The contracts with one column of one of them classified otherwise."""
    columns = tuple(
        replace(each, classification=to) if each.name == column else each
        for each in contracts[name].columns
    )
    return {**contracts, name: replace(contracts[name], columns=columns)}


def test_the_datasets_themselves_are_accepted(tmp_path: Path) -> None:
    assert problems(tmp_path / "monthly", MONTHLY) == []


def test_an_open_dataset_on_health_is_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, OPEN_HEALTH, HEALTH)
    message = "mart_health_indicator tells of people's health through encounter"
    assert found == [("citylake.health", message)]


def test_lineage_from_health_is_refused_whatever_the_mart_says(tmp_path: Path) -> None:
    mart = replace(MARTS["mart_health_indicator"], health=False)
    marts = {**MARTS, mart.name: mart}
    assert {rule for rule, _ in problems(tmp_path / "open", OPEN_HEALTH, HEALTH, marts=marts)} == {
        "citylake.health"
    }
    assert problems(tmp_path / "internal", INTERNAL_HEALTH, HEALTH, marts=marts) == [
        (
            "citylake.health",
            "mart_health_indicator is served and reaches encounter, on people's health",
        )
    ]


def test_a_table_that_becomes_one_on_health_closes_its_datasets(tmp_path: Path) -> None:
    table = replace(TABLES["service_request"], health=True)
    found = problems(tmp_path, MONTHLY, tables={**TABLES, table.name: table})
    assert {rule for rule, _ in found} == {"citylake.health"}
    names = {message.split(" ")[0] for _, message in found}
    # The indicator marts are served: the same table closes them too.
    assert names == {"mart_service_request_monthly", *_served_marts("service_request")} - {
        "mart_air_quality_daily"
    }


def _served_marts(table: str) -> set[str]:
    return {name for name in MARTS if table in mart_lineage(name).tables}


@pytest.mark.parametrize("closed", [Classification.INTERNAL, Classification.PERSONAL])
def test_a_column_that_the_mart_does_not_call_open_is_refused(
    tmp_path: Path, closed: Classification
) -> None:
    marts = changed(dict(MARTS), "mart_service_request_monthly", "requests_opened", closed)
    found = problems(tmp_path, MONTHLY, marts=marts)
    assert ("citylake.not_open", "column 'requests_opened' is not classified open") in found


@pytest.mark.parametrize("closed", [Classification.INTERNAL, Classification.PERSONAL])
def test_a_column_that_is_closed_in_core_is_refused(tmp_path: Path, closed: Classification) -> None:
    tables = changed(dict(TABLES), "service_request", "service_code", closed)
    found = problems(tmp_path, MONTHLY, tables=tables)
    of = "mart_service_request_monthly"
    message = f"column 'service_code' of {of} is {closed} in service_request"
    assert ("citylake.not_open", message) in found


def test_row_level_output_is_refused(tmp_path: Path) -> None:
    # Were the month's kind of service a record's key, each row would be one record.
    table = replace(TABLES["service_request"], key=("service_code",))
    found = problems(tmp_path, MONTHLY, tables={**TABLES, table.name: table})
    assert found == [("citylake.row_level", "a row is one record of service_request")]


def test_grouping_by_a_personal_column_is_refused(tmp_path: Path) -> None:
    tables = changed(dict(TABLES), "service_request", "requested_month", Classification.PERSONAL)
    found = problems(tmp_path, MONTHLY, tables=tables)
    told = [message for rule, message in found if rule == "citylake.personal_group"]
    assert {
        "mart_service_request_monthly tells rows apart by 'requested_month', a personal column",
        "int_service_request_month groups and names 'requested_month', a personal column",
    } <= set(told)


def test_grouping_by_a_personal_column_under_another_name_is_refused(tmp_path: Path) -> None:
    tables = changed(dict(TABLES), "station", "operating_from", Classification.PERSONAL)
    internal = MONTHLY.split("licence")[0].replace("class: open", "class: internal")
    dataset = internal + "revision_window_days: 1\nparts:\n  - {mart: mart_air_quality_daily}\n"
    assert problems(tmp_path / "open", dataset) == []
    lineage = mart_lineage("mart_air_quality_daily")
    texts = lineage.models.items()
    grouping = {name for name, text in texts if "operating_from" in text and "group by" in text}
    assert grouping
    found = problems(tmp_path / "personal", dataset, tables=tables)
    refused = {text.split(" ")[0] for rule, text in found if rule == "citylake.personal_group"}
    assert refused >= grouping


def test_lineage_is_that_of_dbt(built: Built) -> None:
    from pipeline.judge import core_tables
    from warehouse.publication import Part, Publication

    publications = [Publication(mart, "internal", {}, {}, (Part(mart),)) for mart in MARTS]
    assert core_tables(built.run.manifest, publications) == {
        mart: mart_lineage(mart).tables for mart in MARTS
    }


def test_health_has_a_chain_of_its_own() -> None:
    reached = {name for name in MARTS if "encounter" in mart_lineage(name).tables}
    assert reached == {name for name, mart in MARTS.items() if mart.health}
    assert mart_lineage("no_such_mart", MODELS).tables == frozenset()
