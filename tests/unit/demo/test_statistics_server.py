"""The statistics office as a client sees it, after the specifications of SDMX alone."""

import csv
import http.client
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import pytest

TOKEN = "not a secret"  # noqa: S105 - of a server that lives for one test
MESSAGE_21 = "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message}"
STRUCTURE_21 = "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/structure}"
STRUCTURE_30 = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/structure}"
GENERIC = "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic}"
CSV_2 = "application/vnd.sdmx.data+csv;version=2.0.0"


@contextmanager
def _served(*options: str) -> Iterator[str]:
    command = [sys.executable, "-m", "demo", "serve", "--systems", "statistics"]
    process = subprocess.Popen(  # noqa: S603 - our own module
        [*command, "--days", "120", "--no-transport-faults", *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DEMO_TOKEN": TOKEN},
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["token_variables"] == ["CITYLAKE_DANANG_STATISTICS_TOKEN"]
        yield ready["variables"]["CITYLAKE_DANANG_STATISTICS_URL"].split("//")[1].split("/")[0]
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    with _served() as found:
        yield found


def _get(
    place: str, path: str, accept: str = "*/*", day: str = "2025-07-02", token: str = TOKEN
) -> tuple[int, str, bytes]:
    client = http.client.HTTPConnection(place, timeout=20)
    try:
        headers = {"Authorization": f"Bearer {token}", "Accept": accept}
        client.request("GET", f"/as-of/{day}/sdmx/{path}", headers=headers)
        answer = client.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read()
    finally:
        client.close()


def rows(place: str, path: str, day: str = "2025-07-02") -> list[dict[str, str]]:
    status, kind, body = _get(place, path, CSV_2, day)
    assert (status, kind) == (200, "application/vnd.sdmx.data+csv")
    return list(csv.DictReader(io.StringIO(body.decode())))


FLOW = "v2/data/dataflow/DNSO/SOCIO_ECONOMIC/~"


def test_csv_2_starts_as_the_field_guide_says(place: str) -> None:
    _, _, body = _get(place, f"{FLOW}/*", CSV_2)
    header = body.decode().splitlines()[0].split(",")
    assert header[:3] == ["STRUCTURE", "STRUCTURE_ID", "ACTION"]
    first = next(csv.DictReader(io.StringIO(body.decode())))
    assert (first["STRUCTURE"], first["STRUCTURE_ID"], first["ACTION"]) == (
        "dataflow",
        "DNSO:SOCIO_ECONOMIC(1.0.0)",
        "I",
    )


def test_every_format_says_the_same(place: str) -> None:
    def key(record: dict[str, str]) -> tuple[str, ...]:
        names = ("FREQ", "REF_AREA", "INDICATOR", "SEX", "AGE", "TIME_PERIOD", "OBS_VALUE")
        return tuple(record.get(name, "") for name in names)

    expected = sorted(key(row) for row in rows(place, f"{FLOW}/M.*.UNE.*.*"))
    assert expected
    for path, accept in (
        (f"{FLOW}/M.*.UNE.*.*", "application/vnd.sdmx.data+xml;version=3.0.0"),
        (
            "v1/data/DNSO,SOCIO_ECONOMIC,1.0/M..UNE..",
            "application/vnd.sdmx.structurespecificdata+xml;version=2.1",
        ),
    ):
        root = ElementTree.fromstring(_get(place, path, accept)[2])  # noqa: S314 - our own server
        assert sorted(key(dict(each.attrib)) for each in root.iter("Obs")) == expected
    root = ElementTree.fromstring(  # noqa: S314 - our own server
        _get(
            place,
            "v1/data/SOCIO_ECONOMIC/M..UNE..",
            "application/vnd.sdmx.genericdata+xml;version=2.1",
        )[2]
    )
    assert root.tag == f"{MESSAGE_21}GenericData"
    found = []
    for series in root.iter(f"{GENERIC}Series"):
        pairs = series.iterfind(f"{GENERIC}SeriesKey/{GENERIC}Value")
        values = {each.attrib["id"]: each.attrib["value"] for each in pairs}
        for each in series.findall(f"{GENERIC}Obs"):
            period, value = each.find(f"{GENERIC}ObsDimension"), each.find(f"{GENERIC}ObsValue")
            assert period is not None
            assert value is not None
            own = {"TIME_PERIOD": period.attrib["value"], "OBS_VALUE": value.attrib["value"]}
            found.append(key(values | own))
    assert sorted(found) == expected


@pytest.mark.parametrize(
    ("path", "space"),
    [
        ("v1/datastructure/DNSO/SOCIO_ECONOMIC/latest?references=children", STRUCTURE_21),
        ("v2/structure/datastructure/DNSO/SOCIO_ECONOMIC/~?references=children", STRUCTURE_30),
    ],
)
def test_the_structure_has_its_code_lists(place: str, path: str, space: str) -> None:
    root = ElementTree.fromstring(_get(place, path)[2])  # noqa: S314 - our own server
    dimensions = [each.attrib["id"] for each in root.iter(f"{space}Dimension")]
    assert dimensions == ["FREQ", "REF_AREA", "INDICATOR", "SEX", "AGE"]
    lists = {each.attrib["id"] for each in root.iter(f"{space}Codelist")}
    assert {"CL_FREQ", "CL_AREA", "CL_INDICATOR", "CL_OBS_STATUS"} <= lists
    names = [each for each in root.iter() if each.tag.endswith("}Name")]
    languages = {each.attrib["{http://www.w3.org/XML/1998/namespace}lang"] for each in names}
    assert languages == {"vi", "en"}


@pytest.mark.parametrize("resource", ["dataflow", "codelist", "conceptscheme"])
def test_other_structures_answer(place: str, resource: str) -> None:
    assert _get(place, f"v1/{resource}/DNSO/all/latest")[0] == 200
    assert _get(place, f"v2/structure/{resource}/DNSO/*/~")[0] == 200


def test_values_are_provisional_and_then_revised(place: str) -> None:
    path = f"{FLOW}/M.48.UNE._T.*"
    before = {row["TIME_PERIOD"]: row for row in rows(place, path)}
    after = {row["TIME_PERIOD"]: row for row in rows(place, path, "2025-07-03")}
    assert before["2025-04"]["OBS_STATUS"] == "P"
    assert after["2025-04"]["OBS_STATUS"] == "A"
    assert before["2025-04"]["OBS_VALUE"] != after["2025-04"]["OBS_VALUE"]
    assert after.keys() - before.keys() == {"2025-05"}
    assert float(after["2025-05"]["STD_ERROR"]) > 0


def test_a_total_is_the_sum_of_its_parts(place: str) -> None:
    found = rows(place, f"{FLOW}/M.*.LF.*.*")
    values = {(r["REF_AREA"], r["SEX"], r["TIME_PERIOD"]): int(r["OBS_VALUE"]) for r in found}
    for (area, sex, period), value in values.items():
        if sex == "_T":
            assert value == values[area, "M", period] + values[area, "F", period]
        if area == "48":
            parts = [v for (a, s, p), v in values.items() if a != "48" and (s, p) == (sex, period)]
            assert value == sum(parts)


def test_updated_after_tells_what_was_withdrawn(place: str) -> None:
    path = f"{FLOW}/*?updatedAfter=2025-06-01T00:00:00Z"
    updated = rows(place, path)
    assert {row["ACTION"] for row in updated} == {"I", "D"}
    gone = [row for row in updated if row["ACTION"] == "D"]
    names = ("FREQ", "REF_AREA", "INDICATOR", "SEX", "AGE", "TIME_PERIOD")
    standing = {tuple(row[name] for name in names) for row in rows(place, f"{FLOW}/*")}
    assert all(tuple(row[name] for name in names) not in standing for row in gone)
    assert all(row["OBS_VALUE"] == "" for row in gone)


@pytest.mark.parametrize(
    ("path", "rest", "status"),
    [
        (f"{FLOW}/*", {"token": "wrong"}, 401),
        (f"{FLOW}/*", {"day": "2031-01-01"}, 404),
        (f"{FLOW}/*", {"accept": "application/json"}, 406),
        (f"{FLOW}/*?updatedAfter=yesterday", {}, 400),
        (f"{FLOW}/*?updatedAfter=2025-07-02T20:00:00Z", {}, 404),
        ("v2/data/dataflow/DNSO/OTHER/~/*", {}, 404),
        ("v1/data/OTHER/all", {}, 404),
        ("v3/data", {}, 404),
    ],
)
def test_refusals(place: str, path: str, rest: dict[str, Any], status: int) -> None:
    assert _get(place, path, **rest)[0] == status


def test_breakages_begin_on_their_day() -> None:
    breaks = [
        "dimension_renamed:2025-07-02",
        "attribute_added:2025-07-03",
        "no_structure:2025-07-04",
        "always_error:2025-07-05",
    ]
    path = "v2/structure/datastructure/DNSO/SOCIO_ECONOMIC/~"
    with _served(*(f"--break=statistics:{each}" for each in breaks)) as place:
        bodies = {day: _get(place, path, day=f"2025-07-0{day}")[2].decode() for day in (1, 2, 3)}
        assert "AGE_GROUP" not in bodies[1]
        assert 'id="AGE_GROUP"' in bodies[2]
        assert 'id="COMMENT_OBS"' in bodies[3]
        assert _get(place, path, day="2025-07-04")[0] == 404
        assert _get(place, path, day="2025-07-05")[0] == 500
        assert "AGE_GROUP" in rows(place, f"{FLOW}/*", "2025-07-02")[0]


@pytest.mark.parametrize("turned", [False, True])
def test_several_dimensions_may_change_at_once(turned: bool) -> None:
    breaks = ["dimension_added:2025-07-02", "dimension_renamed:2025-07-02"]
    breaks = breaks[::-1] if turned else breaks
    with _served(*(f"--break=statistics:{each}" for each in breaks)) as place:
        body = _get(place, "v2/structure/datastructure/DNSO/SOCIO_ECONOMIC/~")[2]
        root = ElementTree.fromstring(body)  # noqa: S314 - our own server
        dimensions = [each.attrib["id"] for each in root.iter(f"{STRUCTURE_30}Dimension")]
        assert dimensions == ["FREQ", "REF_AREA", "INDICATOR", "SEX", "AGE_GROUP", "EDUCATION"]
        for row in rows(place, f"{FLOW}/*"):
            assert "AGE" not in row
            assert row["AGE_GROUP"]
            assert row["EDUCATION"] == "_T"
