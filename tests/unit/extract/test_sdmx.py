"""SDMX formats: what they read, and what they refuse with one clear error."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from extract.errors import TerminalError
from tests.unit.extract.conftest import Open, Opened
from tests.unit.extract.sdmx_messages import generic, specific, structure
from warehouse.contract.model import RawColumn

DIMENSIONS = ["FREQ", "REF_AREA"]
COLUMNS: list[str | RawColumn] = [
    RawColumn("STRUCTURE_ID", required=False),
    RawColumn("ACTION", required=False),
    *DIMENSIONS,
    "TIME_PERIOD",
    "OBS_VALUE",
    RawColumn("UNIT", required=False),
    RawColumn("OBS_STATUS", required=False),
]
ML = {"kind": "sdmx-ml", "dimensions": DIMENSIONS}
CSV = {"kind": "sdmx-csv", "dimensions": DIMENSIONS}
JSON = {"kind": "sdmx-json", "dimensions": DIMENSIONS}
CSV_2 = b"STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,TIME_PERIOD,OBS_VALUE,UNIT,OBS_STATUS\n"
ROW_2 = b"dataflow,X:LFS(1.0),I,M,490,2025-01,12.5,PS,A\n"


@pytest.fixture
def open_files(open_source: Open, tmp_path: Path) -> Open:
    """Opens a stream over objects in their order."""

    def open_(objects: list[bytes], form: dict[str, Any], **rest: Any) -> Opened:
        names = []
        for number, content in enumerate(objects):
            (tmp_path / f"{number}.dat").write_bytes(content)
            names.append(f"{number}.dat")
        columns = rest.pop("columns", COLUMNS)
        transport = {"kind": "file", "path": names}
        return open_source(columns, transport=transport, format=form, **rest)

    return open_


def _plain(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = [each.name if isinstance(each, RawColumn) else each for each in COLUMNS]
    return [tuple(row[name] for name in names) for row in rows]


FULL = ("X:LFS(1.0)", "R", "M", "490", "2025-01", "12.5", "PS", "A")


def test_generic_series(open_bytes: Open) -> None:
    rows = open_bytes(generic(), ML, COLUMNS).read().rows()
    assert _plain(rows) == [
        FULL,
        ("X:LFS(1.0)", "R", "M", "490", "2025-02", None, "PS", None),
    ]
    assert [row["_raw_row"] for row in rows] == [0, 1]


def test_specific_with_groups_and_attributes_of_the_set(open_bytes: Open) -> None:
    body = (
        '<Group REF_AREA="490" UNIT="PS"/><Group REF_AREA="491" UNIT="HH"/>'
        '<Series FREQ="M" REF_AREA="490"><Obs TIME_PERIOD="2025-01" OBS_VALUE="1"/></Series>'
        '<Series FREQ="M" REF_AREA="491"><Obs TIME_PERIOD="2025-01" OBS_VALUE="2"/></Series>'
    )
    columns = [*COLUMNS, "SOURCE"]
    rows = open_bytes(specific(body), ML, columns).read().rows()
    assert [(row["OBS_VALUE"], row["UNIT"], row["SOURCE"]) for row in rows] == [
        ("1", "PS", "census"),
        ("2", "HH", "census"),
    ]


def test_specific_flat(open_bytes: Open) -> None:
    body = (
        '<Obs FREQ="M" REF_AREA="490" TIME_PERIOD="2025-01" OBS_VALUE="12.5" UNIT="PS" '
        'OBS_STATUS="A"/>'
    )
    assert _plain(open_bytes(specific(body), ML, [*COLUMNS, "SOURCE"]).read().rows()) == [FULL]


def test_delete_is_told_by_its_action(open_bytes: Open) -> None:
    rows = open_bytes(generic(action="Delete"), ML, COLUMNS).read().rows()
    assert {row["ACTION"] for row in rows} == {"D"}


def test_csv_of_both_versions(open_bytes: Open) -> None:
    second = open_bytes(CSV_2 + ROW_2, CSV, COLUMNS).read().rows()
    first = open_bytes(
        b"DATAFLOW,FREQ,REF_AREA,TIME_PERIOD,OBS_VALUE,UNIT,OBS_STATUS\n"
        b"X:LFS(1.0),M,490,2025-01,12.5,PS,A\n",
        CSV,
        COLUMNS,
    )
    assert _plain(second) == [("X:LFS(1.0)", "I", *FULL[2:])]
    assert _plain(first.read().rows()) == [("X:LFS(1.0)", None, *FULL[2:])]


def _json_message() -> dict[str, Any]:
    return {
        "data": {
            "structures": [
                {
                    "links": [{"urn": "urn:sdmx:o.i.d.Dataflow=X:LFS(1.0)"}],
                    "dimensions": {
                        "dataSet": [{"id": "FREQ", "values": [{"id": "M"}]}],
                        "series": [{"id": "REF_AREA", "values": [{"id": "490"}, {"id": "491"}]}],
                        "observation": [
                            {"id": "TIME_PERIOD", "values": [{"value": "2025-01"}]},
                        ],
                    },
                    "attributes": {
                        "series": [{"id": "UNIT", "values": [{"id": "PS"}]}],
                        "observation": [{"id": "OBS_STATUS", "values": [{"id": "A"}]}],
                    },
                }
            ],
            "dataSets": [
                {
                    "action": "Replace",
                    "structure": 0,
                    "series": {"0": {"attributes": [0], "observations": {"0": ["12.50", 0]}}},
                }
            ],
        }
    }


def test_json_by_series_keeps_the_text_of_numbers(open_bytes: Open) -> None:
    rows = open_bytes(json.dumps(_json_message()).encode(), JSON, COLUMNS).read().rows()
    assert _plain(rows) == [("X:LFS(1.0)", "R", "M", "490", "2025-01", "12.50", "PS", "A")]


@pytest.mark.parametrize("form", [ML, CSV], ids=["ml", "csv"])
def test_unknown_codes_are_set_aside(open_files: Open, form: dict[str, Any]) -> None:
    data = {
        "sdmx-ml": generic().replace(b'value="490"', b'value="999"'),
        "sdmx-csv": CSV_2 + ROW_2 + ROW_2.replace(b"490", b"999") + ROW_2,
    }[form["kind"]]
    opened = open_files([structure(), data], form).read()
    rejected = opened.rejected()
    assert {reason for _, _, reason in rejected} == {"REF_AREA:unknown_code"}
    if form is CSV:
        assert [row for row, _, _ in rejected] == [1]
        assert [row["_raw_row"] for row in opened.rows()] == [0, 2]
        assert json.loads(rejected[0][1])["REF_AREA"] == "999"
    assert opened.reader.summary.objects == 2
    assert [batch.records.num_rows for batch in opened.batches][0] == 0


def test_every_unknown_code_of_a_record_is_told(open_files: Open) -> None:
    twice = structure().replace(
        b'<str:Dimension id="FREQ" position="1">',
        b'<str:Dimension id="FREQ" position="1"><str:LocalRepresentation><str:Enumeration>'
        b'<Ref agencyID="X" id="CL_AREA"/></str:Enumeration></str:LocalRepresentation>',
    )
    opened = open_files([twice, CSV_2 + ROW_2.replace(b"490", b"999")], CSV).read()
    (found,) = [each for batch in opened.batches for each in batch.rejected]
    assert (found.reason, *found.further) == ("FREQ:unknown_code", "REF_AREA:unknown_code")


def test_names_of_codes_stand_beside_them(open_files: Open) -> None:
    columns = [*COLUMNS, RawColumn("REF_AREA.vi", required=False)]
    opened = open_files([structure(), CSV_2 + ROW_2], CSV, columns=columns).read()
    assert opened.column("REF_AREA.vi") == ["Liên Chiểu"]
    alone = open_files([CSV_2 + ROW_2], CSV, columns=columns).read()
    assert alone.column("REF_AREA.vi") == [None]


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (structure(("FREQ", "REF_AREA", "SEX")), "new dimensions 'SEX'"),
        (structure(("FREQ",)), "dimensions that are gone: 'REF_AREA'"),
        (structure(("FREQ", "AREA")), "'AREA'; dimensions that are gone: 'REF_AREA'"),
        (structure(("REF_AREA", "FREQ")), "now stand in the order 'REF_AREA', 'FREQ'"),
        (structure(("FREQ",), ("REF_AREA",)), "'REF_AREA' is now of kind attribute"),
    ],
    ids=["added", "removed", "renamed", "moved", "other-role"],
)  # fmt: skip
def test_a_changed_structure_is_one_error(open_files: Open, message: bytes, says: str) -> None:
    with pytest.raises(TerminalError) as caught:
        open_files([message, CSV_2 + ROW_2], CSV, drift="discard").read()
    assert str(caught.value).startswith("source feedback.test, file 0.dat: X:LFS(1.0): ")
    assert says in str(caught.value)
    assert caught.value.rule == "dsd_changed"


def test_a_further_attribute_follows_the_drift_mode(open_files: Open) -> None:
    further = structure(attributes=("UNIT", "OBS_STATUS", "COMMENT"))
    opened = open_files([further, CSV_2 + ROW_2], CSV, drift="discard").read()
    assert opened.reader.summary.undeclared == {"COMMENT"}
    with pytest.raises(TerminalError, match=r"undeclared columns: 'COMMENT'"):
        open_files([further, CSV_2 + ROW_2], CSV, drift="freeze").read()


def test_a_declared_component_that_is_gone_is_an_error(open_files: Open) -> None:
    columns = [*COLUMNS, "SOURCE"]
    with pytest.raises(TerminalError, match=r"components that are gone: 'SOURCE' \[dsd_changed\]"):
        open_files([structure(), CSV_2 + ROW_2], CSV, columns=columns).read()


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    b"<GenericData>&b;</GenericData>"
)
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><GenericData/>'
BAD = [
    (ML, b"", "empty", "no data"),
    (ML, BOMB, "xml", "a document type with its entities is not read"),
    (ML, OUTSIDE, "xml", "a document type with its entities is not read"),
    (ML, generic()[:-40], "xml", "unclosed token"),
    (ML, generic().replace(b"</gen:Series>", b"</gen:Serie>"), "xml", "mismatched tag"),
    (ML, b"<a>" * 100 + b"</a>" * 100, "sdmx_ml", "a is no SDMX data message"),
    (ML, generic("<gen:x>" * 99 + "</gen:x>" * 99), "xml", "elements lie more than 64 deep"),
    (ML, generic().replace(b'id="REF_AREA"', b'id="AREA"'), "dsd_changed", "dimensions 'AREA'"),
    (ML, generic(action="Explode"), "sdmx_ml", "unknown action"),
    (ML, specific("<Comp/>"), "sdmx_ml", "values of several parts"),
    (ML, b"\x1f\x8b\x08\x00cut", "damaged", "cut or damaged"),
    (CSV, b"", "empty", "no data"),
    (CSV, b"FREQ,REF_AREA\nM,490\n", "sdmx_csv", "neither DATAFLOW nor STRUCTURE"),
    (CSV, b"STRUCTURE,FREQ\ndataflow,M\n", "sdmx_csv", "neither DATAFLOW nor STRUCTURE"),
    (CSV, CSV_2.replace(b",FREQ", b",FREQ: Frequency") + ROW_2, "sdmx_csv", "carry labels"),
    (CSV, CSV_2.replace(b"REF_AREA", b"AREA") + ROW_2, "missing_column", "'REF_AREA'"),
    (CSV, CSV_2.replace(b"FREQ,REF", b"SEX,FREQ,REF"), "undeclared_column", "'SEX'"),
    (CSV, CSV_2 + b"\xff\xfe\n", "encoding", "is not utf-8"),
    (JSON, b"{", "json", "invalid JSON at line 1"),
    (JSON, b"[]", "sdmx_json", "is no object"),
    (JSON, b'{"errors": []}', "sdmx_json", "holds no data sets"),
    (JSON, b'{"dataSets": [{}]}', "sdmx_json", "not built as SDMX-JSON says"),
    (JSON, json.dumps(_json_message()).replace('"0": ["1', '"7": ["1').encode(), "sdmx_json", ""),
    (JSON, json.dumps(_json_message()).replace('"0": ["1', '"-1": ["1').encode(), "sdmx_json", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "content", "rule", "says"),
    BAD,
    ids=[f"{form['kind']}-{rule}-{number}" for number, (form, _, rule, _) in enumerate(BAD)],
)
def test_bad_input_is_one_clear_error(
    open_bytes: Open, form: dict[str, Any], content: bytes, rule: str, says: str
) -> None:
    with pytest.raises(TerminalError) as caught:
        open_bytes(content, form, COLUMNS).read()
    assert caught.value.rule == rule
    assert says in str(caught.value)
    assert str(caught.value).startswith("source feedback.test, file input.dat")
    assert "\n" not in str(caught.value)


def test_a_message_of_several_structures_is_refused(open_files: Open) -> None:
    one = structure()
    start, end = one.index(b"<str:DataStructure "), one.index(b"</str:DataStructures>")
    with pytest.raises(TerminalError, match=r"holds 2 data structures, not 1 \[dsd\]"):
        open_files([one[:end] + one[start:end] + one[end:], CSV_2], CSV).read()


def test_dimensions_must_be_declared(open_bytes: Open) -> None:
    with pytest.raises(TerminalError, match=r"no raw columns: 'SEX' \[contract\]"):
        open_bytes(CSV_2, {"kind": "sdmx-csv", "dimensions": ["FREQ", "SEX"]}, COLUMNS)
    with pytest.raises(TerminalError, match=r"lacks option dimensions"):
        open_bytes(CSV_2, {"kind": "sdmx-csv"}, COLUMNS)


def test_memory_is_bounded_by_a_stretch(open_bytes: Open) -> None:
    observation = '<Obs FREQ="M" REF_AREA="490" TIME_PERIOD="2025-01" OBS_VALUE="1"/>'

    def peak(count: int) -> int:
        opened = open_bytes(specific(observation * count), ML, [*COLUMNS, "SOURCE"])
        tracemalloc.start()
        try:
            rows = sum(batch.records.num_rows for batch in opened.reader)
            assert rows == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small, large = peak(60_000), peak(180_000)
    # The object's own bytes are kept up to 8 MiB; beyond them nothing grows.
    assert large < small + 6 * (1 << 20)


def test_one_endless_text_is_refused(open_bytes: Open) -> None:
    with pytest.raises(TerminalError, match=r"longer than 4 MiB"):
        open_bytes(generic("x" * (9 << 20)), ML, COLUMNS).read()
    with pytest.raises(TerminalError, match=r"longer than 4 MiB"):
        open_bytes(specific(f'<Obs A="{"x" * (9 << 20)}"/>'), ML, COLUMNS).read()
