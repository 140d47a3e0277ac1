"""Harbour's statistics: SDMX of four agencies and the UK's vintages, by configuration only."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest

from pipeline.context import Context, open_context
from pipeline.ingest import Ingested, ingest
from tests.contract.expected_statistics import (
    SDMX,
    Vintage,
    code_names,
    flat_json,
    generic_observations,
    group_titles,
    read_vintage,
)
from tests.shared_data import SHARED_VARIABLE, shared_path
from warehouse.views import relation_sql

CITY = Path(__file__).resolve().parents[1] / "cities" / "harbour"
FIRST, SECOND = date(2020, 4, 14), date(2020, 4, 15)


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A context on an empty lake for a day."""
    home = tmp_path_factory.mktemp("statistics")

    def on(day: date) -> Context:
        variables = {
            "CITYLAKE_HOME": str(home),
            SHARED_VARIABLE: str(shared_path("").parent),
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            return open_context(str(CITY), day)

    return on


@pytest.fixture(scope="module")
def loaded(harbour: Any) -> dict[str, Ingested]:
    context = harbour(FIRST)
    names = [name for name in context.city.sources if name.startswith("socioeconomic.")]
    found = {name: ingest(context, name) for name in names}
    assert {name: each.error for name, each in found.items()} == dict.fromkeys(names)
    return found


@pytest.fixture(scope="module")
def rows(harbour: Any, loaded: dict[str, Ingested]) -> Any:
    """The rows of core that came of one source, as of the first day."""
    return lambda source: _rows(harbour(FIRST), f"socioeconomic.{source}")


def _rows(context: Context, source: str) -> list[dict[str, Any]]:
    snapshot = context.lake.snapshot("core", "indicator_observation")
    sql = relation_sql(snapshot, context.city.tables["indicator_observation"])
    with duckdb.connect() as connection:
        found = connection.sql(f"FROM ({sql}) WHERE _source = '{source}'")  # noqa: S608 - fixed names
        rows: list[dict[str, Any]] = found.to_arrow_table().to_pylist()
    return rows


def _counts(each: Ingested) -> dict[str, int]:
    assert each.result is not None
    return {name: count for name, count in each.result.counts.items() if count}


def test_every_observation_is_accounted_for(loaded: dict[str, Ingested]) -> None:
    assert {name.split(".")[1]: _counts(each) for name, each in loaded.items()} == {
        "ecb_daily_rate": {"new": 4},
        "ecb_exchange_rate": {"new": 252},
        "ecb_grouped_rate": {"new": 12},
        "imf_outlook": {"new": 1},
        "insee_production": {"new": 3_230},
        "uk_cases": {"new": 11_114},
    }


def test_the_structure_belongs_to_the_batch(loaded: dict[str, Ingested]) -> None:
    outcome = loaded["socioeconomic.insee_production"].outcome
    result = loaded["socioeconomic.insee_production"].result
    assert result is not None
    assert outcome.objects == 2
    assert set(outcome.digests) == set(result.raw_digests)


def test_generic_series_of_the_ecb(rows: Any) -> None:
    path = shared_path(f"{SDMX}/ECB_EXR__1__M.USD.EUR.SP00.A.xml.gz")
    expected = {
        each["TIME_PERIOD"]: Decimal(each["OBS_VALUE"]) for each in generic_observations(path)
    }
    found = rows("ecb_exchange_rate")
    assert {row["time_period"]: row["obs_value"] for row in found} == expected
    assert len(expected) == 252
    assert {row["dataflow"] for row in found} == {"ECB:ECB_EXR1"}
    assert {row["dimension_key"] for row in found} == {
        "CURRENCY=USD;CURRENCY_DENOM=EUR;EXR_SUFFIX=A"
    }
    assert {row["unit_measure"] for row in found} == {"USD"}
    assert all(row["period_start"].isoformat() == f"{row['time_period']}-01" for row in found)


def test_attributes_of_groups_reach_their_series(rows: Any) -> None:
    path = shared_path(f"{SDMX}/ECB_EXR__sg-ts.xml.gz")
    titles = group_titles(path)
    assert len(titles) > 1
    found = rows("ecb_grouped_rate")
    assert {(row["dimension_key"][9:12], row["indicator_name_en"]) for row in found} == {
        (each["CURRENCY"], titles[each["CURRENCY"]]) for each in generic_observations(path)
    }


def test_structure_specific_series_of_the_imf(rows: Any) -> None:
    (row,) = rows("imf_outlook")
    assert (row["ref_area"], row["indicator"], row["time_period"]) == ("SVK", "NGDP_R", "2018")
    assert row["obs_value"] == 94_669_000_000
    assert row["unit_measure"] == "XDC"
    assert (row["period_start"], row["period_end"]) == (date(2018, 1, 1), date(2018, 12, 31))


def test_flat_json_of_the_ecb(rows: Any) -> None:
    expected = flat_json(shared_path(f"{SDMX}/ECB_EXR__flat.json.gz"))
    found = rows("ecb_daily_rate")
    assert {
        (row["dimension_key"][9:12], row["time_period"]): row["obs_value"] for row in found
    } == expected
    assert {row["dataflow"] for row in found} == {"ECB:EXR"}


def test_production_of_insee_with_names_of_its_code_list(rows: Any) -> None:
    data = shared_path(f"{SDMX}/INSEE__IPI-2010-A21.xml.gz")
    structure = shared_path(f"{SDMX}/INSEE__IPI-2010-A21-structure.xml.gz")
    names = code_names(structure, "CL_NAF2_A21", "en")
    expected = {
        (each["FREQ"], each["PRODUIT"], each["NATURE"], each["TIME_PERIOD"]): (
            Decimal(each["OBS_VALUE"]),
            names[each["PRODUIT"]],
            each["LAST_UPDATE"],
        )
        for each in generic_observations(data)
    }
    assert len(expected) == 3_230
    found = {
        (
            row["freq"],
            row["indicator"],
            row["dimension_key"].removeprefix("NATURE="),
            row["time_period"],
        ): (
            row["obs_value"],
            row["indicator_name_en"],
            row["updated_at"].astimezone(ZoneInfo("Europe/Paris")).date().isoformat(),
        )
        for row in rows("insee_production")
    }
    assert found == expected


@pytest.fixture(scope="module")
def vintages() -> tuple[Vintage, Vintage]:
    data = shared_path("")
    return read_vintage(data, FIRST.isoformat()), read_vintage(data, SECOND.isoformat())


@pytest.fixture(scope="module")
def second(harbour: Any, loaded: dict[str, Ingested]) -> tuple[Ingested, Context]:
    context = harbour(SECOND)
    return ingest(context, "socioeconomic.uk_cases"), context


def test_the_vintages_are_those_that_were_measured(vintages: tuple[Vintage, Vintage]) -> None:
    before, after = (each.cells for each in vintages)
    common = before.keys() & after.keys()
    assert sum(before[key][0] != after[key][0] for key in common) == 622
    assert sum(before[key] != after[key] for key in common) == 1_177
    assert (len(before.keys() - after.keys()), len(after.keys() - before.keys())) == (14, 201)


def test_a_vintage_revises_deletes_and_adds(
    second: tuple[Ingested, Context], vintages: tuple[Vintage, Vintage]
) -> None:
    ingested, context = second
    assert ingested.result is not None
    assert ingested.result.deleted == 2 * 14
    ended = pl.read_parquet(ingested.result.record_file)
    assert ingested.result.counts["new"] == 2 * 201 == ended.filter(outcome="new").height
    before, after = (each.cells for each in vintages)
    common = before.keys() & after.keys()
    daily, cumulative = (
        _written(context, measure) & common for measure in ("CASES_DAILY", "CASES_CUMULATIVE")
    )
    assert daily == {key for key in common if before[key][0] != after[key][0]}
    assert (len(daily), len(daily | cumulative)) == (622, 1_177)


def _written(context: Context, measure: str) -> set[tuple[str, str]]:
    """Area and day of the rows of a measure that the second vintage wrote."""
    return {
        (row["ref_area"], row["time_period"])
        for row in _rows(context, "socioeconomic.uk_cases")
        if row["_as_of"] == SECOND and row["indicator"] == measure
    }


def test_core_ends_in_the_second_vintage(
    second: tuple[Ingested, Context], vintages: tuple[Vintage, Vintage]
) -> None:
    expected = {}
    for (area, day), texts in vintages[1].cells.items():
        for measure, text in zip(("CASES_DAILY", "CASES_CUMULATIVE"), texts, strict=True):
            value = (Decimal(text), "A") if text else (None, "O")
            expected[area, measure, day] = value
    found = {
        (row["ref_area"], row["indicator"], row["time_period"]): (
            row["obs_value"],
            row["obs_status"],
        )
        for row in _rows(second[1], "socioeconomic.uk_cases")
    }
    assert found == expected


def test_an_older_vintage_comes_too_late(
    harbour: Any, second: tuple[Ingested, Context], vintages: tuple[Vintage, Vintage]
) -> None:
    again = ingest(harbour(FIRST), "socioeconomic.uk_cases")
    assert again.result is not None
    assert again.result.deleted == 0
    assert {"changed", "new"}.isdisjoint(_counts(again))
    test_core_ends_in_the_second_vintage(second, vintages)


def test_before_the_first_vintage_nothing_is_read(
    harbour: Any, loaded: dict[str, Ingested]
) -> None:
    early = ingest(harbour(date(2020, 4, 13)), "socioeconomic.uk_cases")
    assert early.error is None
    assert early.outcome.objects == 0
    assert early.result is not None
    assert early.result.deleted == 0
