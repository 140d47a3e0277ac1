"""What harbour's statistics must show, from the agencies' files alone: none of the project."""

import csv
import gzip
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

SDMX = "e_socioeconomic/sdmx"
VINTAGES = "c_health/uk_covid_vintages_csv"
GENERIC = "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic}"
STRUCTURE = "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/structure}"
COMMON = "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common}"

Key = tuple[str, ...]


def _tree(path: Path) -> ElementTree.Element:
    with gzip.open(path) as stream:
        return ElementTree.parse(stream).getroot()  # noqa: S314 - files of known content


def _values(parent: ElementTree.Element | None) -> dict[str, str]:
    return {} if parent is None else {each.attrib["id"]: each.attrib["value"] for each in parent}


def generic_observations(path: Path) -> list[dict[str, str]]:
    """Series key, series attributes, period and value of every observation by series."""
    found = []
    for series in _tree(path).iter(f"{GENERIC}Series"):
        common = _values(series.find(f"{GENERIC}SeriesKey"))
        common |= _values(series.find(f"{GENERIC}Attributes"))
        for each in series.findall(f"{GENERIC}Obs"):
            period = each.find(f"{GENERIC}ObsDimension")
            value = each.find(f"{GENERIC}ObsValue")
            assert period is not None
            assert value is not None
            own = {"TIME_PERIOD": period.attrib["value"], "OBS_VALUE": value.attrib["value"]}
            found.append(common | own | _values(each.find(f"{GENERIC}Attributes")))
    return found


def group_titles(path: Path) -> dict[str, str]:
    """Title of each sibling group by its currency."""
    titles = {}
    for group in _tree(path).iter(f"{GENERIC}Group"):
        key = _values(group.find(f"{GENERIC}GroupKey"))
        titles[key["CURRENCY"]] = _values(group.find(f"{GENERIC}Attributes"))["TITLE"]
    return titles


def code_names(path: Path, codelist: str, language: str) -> dict[str, str]:
    """Names of the codes of one list."""
    language_key = "{http://www.w3.org/XML/1998/namespace}lang"
    names = {}
    for found in _tree(path).iter(f"{STRUCTURE}Codelist"):
        if found.attrib["id"] != codelist:
            continue
        for code in found.findall(f"{STRUCTURE}Code"):
            for name in code.findall(f"{COMMON}Name"):
                if name.attrib[language_key] == language:
                    names[code.attrib["id"]] = name.text or ""
    return names


def flat_json(path: Path) -> dict[Key, Decimal]:
    """Value by currency and period of the flat SDMX-JSON message."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        message: dict[str, Any] = json.load(stream, parse_float=Decimal)
    currencies, periods = (
        [value["id"] for value in each["values"]]
        for each in message["structure"]["dimensions"]["observation"]
    )
    values = {}
    for key, each in message["dataSets"][0]["observations"].items():
        currency, period = (int(index) for index in key.split(":"))
        values[currencies[currency], periods[period]] = each[0]
    return values


@dataclass(frozen=True)
class Vintage:
    """One vintage of the UK's cases: daily and cumulative text by area code and day."""

    cells: dict[tuple[str, str], tuple[str, str]]


def read_vintage(data: Path, day: str) -> Vintage:
    """The vintage of a day."""
    path = data / VINTAGES / f"coronavirus-cases-{day}.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    cells = {
        (row["Area code"], row["Specimen date"]): (
            row["Daily lab-confirmed cases"],
            row["Cumulative lab-confirmed cases"],
        )
        for row in rows
    }
    assert len(cells) == len(rows)
    return Vintage(cells)
