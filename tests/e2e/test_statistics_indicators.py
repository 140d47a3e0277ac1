"""SE1 and the open dataset of statistics against figures computed in plain Python from the source.

The statistics office has no faults here, so that every figure of it counts; it is asked by a plain
HTTP client. The lake reads it twice, so that most of what the last answer says came with the first
read, and some of it was revised since. Names of areas come from the city's own table of areas.
"""

import csv
import io
import json
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from math import sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any
from urllib.request import Request, urlopen
from xml.etree import ElementTree

import duckdb
import pytest

from tests.e2e.cities import DANANG, part_of_danang
from tests.e2e.one_system import TOKEN, OneSystem, one_system
from tests.e2e.processes import printed
from tests.e2e.world import FIRST

EARLIER, DAY = date(2025, 8, 1), date(2025, 9, 5)
REFORM = date(2025, 7, 1)
CITY = "48"
URL = "CITYLAKE_DANANG_STATISTICS_URL"
CSV_2 = "application/vnd.sdmx.data+csv;version=2.0.0"
STRUCTURE = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/structure}"
COMMON = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/common}"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
# Figures of a survey are published with 4 decimals; the normal interval is of 95%.
EXACT_TO = 1e-4
REACH = NormalDist().inv_cdf(0.975)
UNRELIABLE_PERCENT = 20
WINDOW_DAYS = 100  # after the end of a month SE1 may still be revised
TARGET = 3
MEASURES = ("standard_error", "coefficient_of_variation", "interval_lower", "interval_upper")

Row = dict[str, Any]
Key = tuple[str, ...]


@dataclass(frozen=True)
class World:
    """What the source says as of the day, and what was served and released of it."""

    root: Path
    before: list[dict[str, str]]
    rows: list[dict[str, str]]
    names: dict[str, tuple[str, str]]
    areas: list[dict[str, str]]

    def area(self, code: str, day: date) -> dict[str, str]:
        """The area of a code that is valid on a day."""
        (found,) = (
            each for each in self.areas if each["code"] == code and _is_valid(each, day, day)
        )
        return found

    def served(self, mart: str) -> list[Row]:
        """SE1 in a mart of the serving file."""
        path = str(self.root / "serving" / "marts.duckdb")
        with duckdb.connect(path, read_only=True) as serving:
            found = serving.execute(f"SELECT * FROM {mart} WHERE indicator_code = 'SE1'")  # noqa: S608 - our own names
            return _rows(found)

    def released(self, ending: str) -> Path:
        """The one file of the newest release with an ending."""
        folder = self.root / "releases" / "socio-economic-indicators"
        version = json.loads((folder / "latest.json").read_text())["version"]
        files = (folder / version).glob(f"*.{ending}")
        (found,) = (path for path in files if path.name != "changes.parquet")
        return found


def _rows(found: duckdb.DuckDBPyConnection) -> list[Row]:
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _is_valid(area: Mapping[str, str], first: date, last: date) -> bool:
    """Whether an area is valid on a day of a period."""
    ends = area["valid_to"]
    return area["valid_from"] <= last.isoformat() and (not ends or ends > first.isoformat())


@pytest.fixture(scope="module")
def world(seed: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("statistics-indicators")
    days = (DAY - FIRST).days + 1
    with one_system(OneSystem("statistics", seed, days, ("--no-faults",))) as source:
        for day in (EARLIER, DAY):
            _run(home, source, day)
        before, rows = _figures(source, EARLIER), _figures(source, DAY)
        names = _names(source)
    with (DANANG / "geography" / "area.csv").open(encoding="utf-8") as areas:
        yield World(home / "danang", before, rows, names, list(csv.DictReader(areas)))


def _run(home: Path, source: OneSystem, day: date) -> None:
    told = {**source.environ(day), "CITYLAKE_HOME": str(home)}
    city = part_of_danang("socioeconomic")
    printed("run", "--city", city, "--date", day.isoformat(), variables=told)


def _ask(source: OneSystem, day: date, path: str, accept: str) -> bytes:
    address = source.environ(day)[URL]
    headers = {"Accept": accept, "Authorization": f"Bearer {TOKEN}"}
    request = Request(f"{address}/{path}", headers=headers)  # noqa: S310 - loopback
    with urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        content: bytes = answer.read()
        return content


def _figures(source: OneSystem, day: date) -> list[dict[str, str]]:
    """Every figure that the office shows as of a day."""
    content = _ask(source, day, "data/dataflow/DNSO/SOCIO_ECONOMIC/~/*", CSV_2)
    return list(csv.DictReader(io.StringIO(content.decode())))


def _names(source: OneSystem) -> dict[str, tuple[str, str]]:
    """Vietnamese and English name of each indicator by the office's code list."""
    content = _ask(source, DAY, "structure/codelist/DNSO/CL_INDICATOR/~", "*/*")
    (found,) = (
        each
        for each in ElementTree.fromstring(content).iter(f"{STRUCTURE}Codelist")  # noqa: S314 - loopback
        if each.attrib["id"] == "CL_INDICATOR"
    )
    names = {}
    for code in found.findall(f"{STRUCTURE}Code"):
        texts = {name.attrib[LANGUAGE]: name.text or "" for name in code.findall(f"{COMMON}Name")}
        names[code.attrib["id"]] = (texts["vi"], texts["en"])
    return names


# The open dataset.


def _period(text: str) -> tuple[date, date]:
    """First and last day of a year, quarter, month or day."""
    year = int(text[:4])
    if len(text) == 4:
        return date(year, 1, 1), date(year, 12, 31)
    if "Q" in text:
        last = 3 * int(text[-1])
        return date(year, last - 2, 1), date(year, last, monthrange(year, last)[1])
    if len(text) == 7:
        month = int(text[5:])
        return date(year, month, 1), date(year, month, monthrange(year, month)[1])
    return date.fromisoformat(text), date.fromisoformat(text)


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _key(row: Mapping[str, Any]) -> Key:
    names = ("dataflow", "area_code", "indicator_code", "freq", "dimension_key", "time_period")
    return tuple(row[name] for name in names)


def _told(world: World, sent: Mapping[str, str]) -> Row:
    """What the dataset must say of one figure, but for what is computed from its error."""
    start, end = _period(sent["TIME_PERIOD"])
    area = world.area(sent["REF_AREA"], start)
    vietnamese, english = world.names[sent["INDICATOR"]]
    value, error = Decimal(sent["OBS_VALUE"]), _number(sent["STD_ERROR"])
    is_vague = error is not None and 100 * error > UNRELIABLE_PERCENT * value
    own = None if sent["OBS_STATUS"] == "A" else sent["OBS_STATUS"]
    statuses = [each for each in ("U" if is_vague else None, own) if each]
    return {
        "dataflow": sent["STRUCTURE_ID"].partition("(")[0],
        "area_code": sent["REF_AREA"],
        "area_valid_from": date.fromisoformat(area["valid_from"]),
        "area_name_vi": area["name_vi"],
        "area_name_en": area["name_en"],
        "indicator_code": sent["INDICATOR"],
        "indicator_name_vi": vietnamese,
        "indicator_name_en": english,
        "freq": sent["FREQ"],
        "dimension_key": f"SEX={sent['SEX']};AGE={sent['AGE']}",
        "time_period": sent["TIME_PERIOD"],
        "period_start": start,
        "period_end": end,
        "value": value,
        "unit_measure": sent["UNIT_MEASURE"],
        "unit_mult": int(sent["UNIT_MULT"]),
        "decimals": int(sent["DECIMALS"]),
        "standard_error": error,
        "sample_size": int(sent["SAMPLE_SIZE"]) if sent["SAMPLE_SIZE"] else None,
        "obs_status": statuses[0] if statuses else "A",
        "obs_status_2": statuses[1] if len(statuses) > 1 else None,
        "conf_status": sent["CONF_STATUS"],
    }


def test_every_row_of_the_release_is_what_the_source_says(world: World) -> None:
    wanted = {_key(row): row for row in (_told(world, sent) for sent in world.rows)}
    assert len(wanted) == len(world.rows)
    found = _rows(duckdb.execute("SELECT * FROM read_parquet(?)", [str(world.released("parquet"))]))
    computed = {"coefficient_of_variation", "interval_lower", "interval_upper"}
    said = {
        _key(row): {name: value for name, value in row.items() if name not in computed}
        for row in found
    }
    assert len(said) == len(found)
    assert said == wanted
    assert {row["obs_status"] for row in found} == {"A", "P", "U"}
    assert {row["indicator_code"] for row in found} == set(world.names)


def test_the_error_of_a_survey_gives_its_variation_and_interval(world: World) -> None:
    found = _rows(duckdb.execute("SELECT * FROM read_parquet(?)", [str(world.released("parquet"))]))
    surveyed = 0
    for row in found:
        value, error = float(row["value"]), row["standard_error"]
        shown = [row[name] for name in MEASURES[1:]]
        if error is None:
            assert shown == [None, None, None]
            continue
        surveyed += 1
        reach = REACH * float(error)
        wanted = (100 * float(error) / value, value - reach, value + reach)
        assert [float(each) for each in shown] == pytest.approx(wanted, abs=EXACT_TO), _key(row)
    assert surveyed == sum(bool(sent["STD_ERROR"]) for sent in world.rows) > 100


def test_the_csv_says_the_same(world: World) -> None:
    with world.released("csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    names = ("standard_error", "sample_size", "unit_mult")
    said = {
        _key(row): (Decimal(row["value"]), *(_number(row[name]) for name in names)) for row in found
    }
    wanted = {
        _key(_told(world, sent)): (
            Decimal(sent["OBS_VALUE"]),
            *(_number(sent[name]) for name in ("STD_ERROR", "SAMPLE_SIZE", "UNIT_MULT")),
        )
        for sent in world.rows
    }
    assert said == wanted


def test_figures_were_revised_between_the_reads(world: World) -> None:
    """Otherwise nothing here would tell a release of the first read from one of the last."""
    names = ("REF_AREA", "INDICATOR", "SEX", "TIME_PERIOD")
    before, now = (
        {tuple(sent[name] for name in names): sent["OBS_VALUE"] for sent in rows}
        for rows in (world.before, world.rows)
    )
    revised = {key[1] for key in before if now[key] != before[key]}
    assert {"UNE", "VISITORS"} <= revised


# SE1.


@dataclass(frozen=True)
class Survey:
    """What the survey of one month found in an area."""

    unemployed: int
    force: int
    variance: Decimal
    sample: int


def _surveys(world: World) -> dict[tuple[str, date], Survey]:
    """The figures of all persons by area and month."""
    chosen = {
        (sent["REF_AREA"], _period(sent["TIME_PERIOD"])[0], sent["INDICATOR"]): sent
        for sent in world.rows
        if (sent["SEX"], sent["AGE"], sent["FREQ"]) == ("_T", "Y_GE15", "M")
    }
    return {
        (area, month): Survey(
            int(sent["OBS_VALUE"]),
            int(chosen[area, month, "LF"]["OBS_VALUE"]),
            Decimal(sent["STD_ERROR"]) ** 2,
            int(sent["SAMPLE_SIZE"]),
        )
        for (area, month, indicator), sent in chosen.items()
        if indicator == "UNE"
    }


def _city(world: World) -> dict[date, Survey]:
    """The districts together while there are any, else what the office says of the city."""
    surveys = _surveys(world)
    found = {}
    for month in {month for _, month in surveys}:
        parts = [each for (area, day), each in surveys.items() if day == month and area != CITY]
        parts = parts or [surveys[CITY, month]]
        found[month] = Survey(
            sum(each.unemployed for each in parts),
            sum(each.force for each in parts),
            sum((each.variance for each in parts), Decimal(0)),
            sum(each.sample for each in parts),
        )
    return found


def _months() -> list[date]:
    return [date(2025, month, 1) for month in range(1, DAY.month + 1)]


def _last_day(month: date) -> date:
    return _period(f"{month:%Y-%m}")[1]


def _rate(survey: Survey) -> Decimal:
    share = Decimal(100 * survey.unemployed) / survey.force
    return share.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _cell(survey: Survey, month: date) -> Row:
    """What a mart must say of a survey, but for what is computed from its error."""
    is_vague = 100 * sqrt(survey.variance) > UNRELIABLE_PERCENT * survey.unemployed
    is_open = (DAY - _last_day(month)).days < WINDOW_DAYS
    statuses = ["U"] * is_vague + ["P"] * is_open
    return {
        "service_group": 5,
        "agency_code": "thong_ke_thanh_pho",
        "period_kind": "month",
        "value": _rate(survey),
        "numerator": survey.unemployed,
        "denominator": survey.force,
        "n": survey.sample,
        "unit": "%",
        "target": TARGET,
        "obs_status": statuses[0] if statuses else "A",
        "obs_status_2": statuses[1] if len(statuses) > 1 else None,
        "coverage_share": 1,
        "data_as_of": DAY,
    }


def _measured(survey: Survey) -> tuple[float, ...]:
    """Standard error, its share of the value in percent and the ends of the interval."""
    error = 100 * sqrt(survey.variance) / survey.force
    rate = 100 * survey.unemployed / survey.force
    return error, 100 * error / rate, rate - REACH * error, rate + REACH * error


def _equals(row: Row, survey: Survey) -> None:
    wanted = _cell(survey, row["period_start"])
    assert {name: row[name] for name in wanted} == wanted
    shown = [float(row[name]) for name in MEASURES]
    assert shown == pytest.approx(_measured(survey), abs=EXACT_TO), row


def test_the_city_is_what_the_source_says(world: World) -> None:
    found = {row["period_start"]: row for row in world.served("mart_city_indicator")}
    wanted = _city(world)
    assert sorted(found) == _months()
    for month, row in found.items():
        start = date(2025, 1, 1) if month < REFORM else REFORM
        assert (row["area_code"], row["area_valid_from"]) == (CITY, start)
        if month in wanted:
            _equals(row, wanted[month])
        else:  # the survey of a month comes two months later
            assert (row["value"], row["n"], row["obs_status"]) == (None, 0, "O")
    assert sorted(wanted) == _months()[:7]
    assert found[REFORM]["numerator"] == _surveys(world)[CITY, REFORM].unemployed


def test_sector_rows_are_the_city_rows(world: World) -> None:
    names = ("period_start", "agency_code", "value", "numerator", "denominator", "n", *MEASURES)
    city, sector = (
        sorted(
            (tuple(row[name] for name in names) for row in world.served(f"mart_{mart}_indicator")),
            key=lambda cell: cell[0],
        )
        for mart in ("city", "sector")
    )
    assert city == sector


def _units(world: World, month: date) -> set[tuple[str, date]]:
    """The areas that may have a figure: districts while there are any, then wards and communes."""
    tiers = {"district"} if month < REFORM else {"ward"}
    return {
        (each["code"], date.fromisoformat(each["valid_from"]))
        for each in world.areas
        if each["level"] in tiers and _is_valid(each, month, _last_day(month))
    }


def test_districts_are_what_the_source_says(world: World) -> None:
    found = {
        (row["area_code"], row["area_valid_from"], row["period_start"]): row
        for row in world.served("mart_district_indicator")
    }
    surveys, city = _surveys(world), _city(world)
    assert set(found) == {
        (code, start, month) for month in _months() for code, start in _units(world, month)
    }
    known = 0
    for (code, _, month), row in found.items():
        assert row["city_value"] == (_rate(city[month]) if month in city else None)
        if (code, month) in surveys:
            known += 1
            _equals(row, surveys[code, month])
        else:
            assert (row["value"], row["n"], row["obs_status"]) == (None, 0, "L")
    assert known == 7 * 6  # each district until the reform
    assert {row["obs_status"] for row in found.values()} >= {"U", "L"}
