"""20 cells of Da Nang and 8 of its datasets, drawn: what `explain` lists gives what they show.

The records come from the demo city's own systems by clients that are not ours, and are counted in
plain Python. No fault is planted, so that core has each record as its source has it.
"""

import csv
import io
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import duckdb
import psycopg
import pytest
from psycopg.rows import dict_row
from typer.testing import CliRunner

from pipeline.cli import app
from tests.e2e.cities import part_of_danang
from tests.e2e.expected_danang import (
    REFORM,
    Row,
    day,
    districts,
    dossier_cell,
    dossier_row,
    feedback_cell,
    feedback_row,
    weights,
)
from tests.e2e.processes import printed, serving
from tests.e2e.world import FIRST, PAGE_SIZE

DAY = date(2025, 7, 3)
SYSTEMS = "feedback,dossiers,statistics"
FEEDBACK, DOSSIERS, STATISTICS = (
    "feedback.open311:", "administration.one_stop_shop:", "socioeconomic.statistics_office:",
)  # fmt: skip
SURVEY_DIMENSIONS = "SEX=_T;AGE=Y_GE15"
CELLS = {"FB": 6, "AD1": 2, "AD2": 2, "AD3": 2, "AD4": 2, "SE1": 3, "sector": 3}
COUNTED = {
    "service-request-monthly": ("requested_month", "requests_opened", 3),
    "dossier-district-monthly": ("received_month", "dossiers_received", 3),
}
FIGURES = 2

Explain = Callable[[str], dict[str, Any]]


@dataclass(frozen=True)
class World:
    """What the sources say as of the day by record as `explain` names it, and the lake of it."""

    requests: dict[str, Row]
    dossiers: dict[str, Row]
    figures: dict[str, Row]
    city: str
    environment: dict[str, str]

    def explain(self, reference: str) -> dict[str, Any]:
        """The command's answer."""
        arguments = ["explain", "--city", self.city, reference, "--json"]
        done = CliRunner().invoke(app, arguments, env=self.environment)
        assert done.exit_code == 0, (reference, done.output, done.exception)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def served(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query on the serving file, in order."""
        path = Path(self.environment["CITYLAKE_HOME"]) / "danang" / "serving" / "marts.duckdb"
        with duckdb.connect(str(path), read_only=True) as serving:
            found: list[dict[str, Any]] = serving.sql(sql).to_arrow_table().to_pylist()
        return found


@pytest.fixture(scope="module")
def world(seed: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    options = ["--systems", SYSTEMS, "--no-faults", "--seed", str(seed), "--scale", "0.02"]
    options += ["--start", FIRST.isoformat(), "--days", "118"]
    token = f"drawn-{seed}"
    with serving(*options, variables={"DEMO_TOKEN": token}) as ready:
        shown = {
            name: address.replace("{day}", DAY.isoformat())
            for name, address in ready["variables"].items()
        }
        city = part_of_danang("feedback", "administration", "socioeconomic")
        home = {"CITYLAKE_HOME": str(tmp_path_factory.mktemp("drawn"))}
        told = {**shown, **dict.fromkeys(ready["token_variables"], token), **home}
        printed("run", "--city", city, "--date", DAY.isoformat(), variables=told)
        yield World(
            _requests(shown["CITYLAKE_DANANG_OPEN311_URL"], token),
            _dossiers(shown["CITYLAKE_DANANG_ONE_STOP_SHOP"]),
            _figures(shown["CITYLAKE_DANANG_STATISTICS_URL"], token),
            city,
            home,
        )


def _get(address: str, token: str, accept: str = "application/json") -> str:
    headers = {"Authorization": f"Bearer {token}", "Accept": accept}
    with urlopen(Request(address, headers=headers), timeout=60) as answer:  # noqa: S310 - loopback
        text: str = answer.read().decode()
    return text


def _requests(address: str, token: str) -> dict[str, Row]:
    found: dict[str, Row] = {}
    number = 1
    asked = f"{address}/requests.json?page_size={PAGE_SIZE}&extensions=true&page="
    while page := json.loads(_get(f"{asked}{number}", token)):
        found |= {FEEDBACK + each["service_request_id"]: feedback_row(each) for each in page}
        number += 1
    return found


def _dossiers(address: str) -> dict[str, Row]:
    with psycopg.connect(address, row_factory=dict_row) as connection:
        rows = connection.execute("SELECT * FROM dossier").fetchall()
    return {DOSSIERS + row["dossier_id"]: dossier_row(row) for row in rows}


def _figures(address: str, token: str) -> dict[str, Row]:
    asked = f"{address}/data/dataflow/DNSO/SOCIO_ECONOMIC/~/*"
    text = _get(asked, token, "application/vnd.sdmx.data+csv;version=2.0.0")
    found = {}
    for row in csv.DictReader(io.StringIO(text)):
        flow = row["STRUCTURE_ID"].partition("(")[0]
        key = [flow, row["REF_AREA"], row["INDICATOR"], row["FREQ"]]
        key += [f"SEX={row['SEX']};AGE={row['AGE']}", row["TIME_PERIOD"]]
        found[STATISTICS + "/".join(key)] = row
    return found


@pytest.fixture(scope="module")
def drawn(world: World, seed: int) -> list[tuple[str, dict[str, Any]]]:
    """Cells with their marts: of every indicator group so many, sector cells beside them."""
    draw = random.Random(seed)  # noqa: S311 - test data
    found: list[tuple[str, dict[str, Any]]] = []
    marts = {name: world.served(
        f"SELECT * FROM mart_{name}_indicator WHERE n > 0 ORDER BY ALL"  # noqa: S608 - fixed names
    ) for name in ("city", "district", "sector")}  # fmt: skip
    places = [(name, row) for name in ("city", "district") for row in marts[name]]
    for group, count in CELLS.items():
        cells = [each for each in places if each[1]["indicator_code"].startswith(group)]
        if group == "sector":
            cells = [("sector", row) for row in marts["sector"]]
        found += draw.sample(cells, count)
    return found


def _reference(mart: str, cell: dict[str, Any]) -> str:
    place = cell["agency_code"] if mart == "sector" else cell["area_code"]
    return (
        f"{cell['indicator_code']}/{place}@{cell['area_valid_from']}/{cell['period_start']:%Y-%m}"
    )


def _told(
    world: World, mart: str, cell: dict[str, Any], records: list[str]
) -> tuple[Any, Any, int]:
    """Numerator, denominator and n, from nothing but the records that are listed."""
    code, month = cell["indicator_code"], cell["period_start"]
    if code == "SE1":
        listed = [world.figures[name] for name in records]
        sums = [
            sum(Fraction(row["OBS_VALUE"]) for row in listed if row["INDICATOR"] == kind)
            for kind in ("UNE", "LF")
        ]
        assert {row["SEX"] + row["AGE"] + row["TIME_PERIOD"] for row in listed} == {
            f"_TY_GE15{month:%Y-%m}"
        }
        sample = sum(int(row["SAMPLE_SIZE"]) for row in listed if row["INDICATOR"] == "UNE")
        return sums[0], sums[1], sample
    rows = [(world.requests if code.startswith("FB") else world.dossiers)[name] for name in records]
    moved = weights()
    shares = []
    for row in rows:
        is_moved = day(row["opened"]) < REFORM <= month  # type: ignore[operator]
        is_split = is_moved and mart == "district" and code != "AD2"
        shares.append((row, moved[row["ward"], cell["area_code"]] if is_split else Fraction(1)))
    if code.startswith("FB"):
        return *feedback_cell(code, shares, month, DAY), len(rows)
    return *dossier_cell(code, shares, month), len(rows)


@pytest.mark.parametrize("number", range(sum(CELLS.values())))
def test_the_records_of_a_cell_give_it(
    world: World, drawn: list[tuple[str, dict[str, Any]]], number: int
) -> None:
    mart, cell = drawn[number]
    reference = _reference(mart, cell)
    found = world.explain(reference)
    assert found["mart"] == f"mart_{mart}_indicator"
    assert Decimal(found["cell"]["numerator"]) == cell["numerator"]
    records = [record for event in found["events"] for record in event["records"]]
    assert len(set(records)) == len(records) > 0
    assert _told(world, mart, cell, records) == (
        cell["numerator"], cell["denominator"], cell["n"],
    ), reference  # fmt: skip


def _counts(dataset: str, column: str, row: Row) -> bool:
    """Whether a record is one that a column counts."""
    what = column.partition("_")[2]
    is_open = row["closed"] is None and day(row["due"]) <= DAY  # type: ignore[operator]
    if dataset == "service-request-monthly":
        counts = {"opened": True, "closed": row["closed"] is not None, "overdue": is_open}
        return bool(counts.get(what, row["on_time"] if what == "closed_on_time" else row["late"]))
    counts = {"received": True, "completed": row["done"], "overdue": is_open}
    counts |= {"online": row["online"], "digitised": row["digital"]}
    return bool(counts.get(what, row["on_time"] if what == "completed_on_time" else row["late"]))


@pytest.mark.parametrize("dataset", COUNTED)
def test_the_records_of_a_count_are_those_of_the_source(
    world: World, seed: int, dataset: str
) -> None:
    month_column, whole, count = COUNTED[dataset]
    mart = f"mart_{dataset.replace('-', '_')}"
    rows = world.served(f"SELECT * FROM {mart} WHERE {whole} > 0 ORDER BY ALL")  # noqa: S608 - fixed names
    columns = [name for name, value in rows[0].items() if isinstance(value, int)]
    assert len(columns) >= 5
    sources = world.requests if dataset.startswith("service") else world.dossiers
    old = districts()
    draw = random.Random(seed)  # noqa: S311 - test data
    for row, column in zip(draw.sample(rows, count), draw.sample(columns, count), strict=True):
        month, area, service = row[month_column], row["area_code"], row.get("service_code")
        place = draw.choice([area, f"{area}@{row['area_valid_from']}"])
        values = [month, place, *([service] if service else []), column]
        found = world.explain("/".join([dataset, *values]))
        wanted = {
            name
            for name, each in sources.items()
            if f"{day(each['opened']):%Y-%m}" == month
            and area == (old[each["ward"]] if day(each["opened"]) < REFORM else each["ward"])  # type: ignore[operator]
            and service in (None, each.get("service"))
            and _counts(dataset, column, each)
        }
        listed = [record for event in found["events"] for record in event["records"]]
        assert sorted(listed) == sorted(wanted), values
        assert len(wanted) == row[column] == found["cell"][column]


def test_a_published_figure_names_its_record(world: World, seed: int) -> None:
    rows = world.served("SELECT * FROM mart_socio_economic_indicator ORDER BY ALL")
    names = ("dataflow", "area_code", "indicator_code", "freq", "dimension_key", "time_period")
    for row in random.Random(seed).sample(rows, FIGURES):  # noqa: S311 - test data
        key = "/".join(row[name] for name in names)
        (event,) = world.explain(f"socio-economic-indicators/{key}/value")["events"]
        assert event["records"] == [STATISTICS + key]
        assert row["value"] == Decimal(world.figures[STATISTICS + key]["OBS_VALUE"])


@pytest.mark.parametrize("kind", ["requests", "dossiers", "figures"])
def test_a_listed_record_is_explained_in_turn(world: World, seed: int, kind: str) -> None:
    name = random.Random(seed).choice(sorted(getattr(world, kind)))  # noqa: S311 - test data
    found = world.explain(name)
    assert found["verdict"] == "in core"
    assert "/".join(found["key"].values()) == name.partition(":")[2]
