"""FHIR resources in files: paths into arrays, Bundles, and what a contract leaves out."""

import json
from typing import Any

import pytest

from extract.errors import TerminalError
from extract.formats import json_fast, json_mixed
from warehouse.contract.model import RawColumn

CODE = "type.0.coding.0.code"
SECOND = "type.0.coding.1.code"
GIVEN = "name.0.given.1"
COLUMNS = [RawColumn(name, required=False) for name in ("id", CODE, SECOND, GIVEN)]

RECORDS: list[dict[str, Any]] = [
    {"id": "a", "type": [{"coding": [{"code": "1"}, {"code": "2"}], "text": "t"}]},
    {"id": "b", "type": [], "name": [{"given": ["An", "Bình"]}]},
    {"id": "c", "type": [{"coding": []}], "name": None},
    {"id": "d"},
    {"id": "e", "type": [{"coding": [{"code": "5"}]}, {"coding": [{"code": "6"}]}]},
]
EXPECTED = [
    {"id": "a", CODE: "1", SECOND: "2", GIVEN: None},
    {"id": "b", CODE: None, SECOND: None, GIVEN: "Bình"},
    {"id": "c", CODE: None, SECOND: None, GIVEN: None},
    {"id": "d", CODE: None, SECOND: None, GIVEN: None},
    {"id": "e", CODE: "5", SECOND: None, GIVEN: None},
]


def lines(records: list[Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


def rows(opened: Any) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if name != "_raw_row"} for row in opened.rows()
    ]


@pytest.mark.parametrize("path", ["fast", "mixed", "slow"])
def test_elements_of_arrays(open_bytes: Any, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise json_fast.NotFastError

    if path != "fast":
        monkeypatch.setattr(json_fast.FastParser, "lines", refuse)
    if path == "slow":
        monkeypatch.setattr(json_mixed, "loads", refuse)
    opened = open_bytes(lines(RECORDS), {"kind": "ndjson"}, COLUMNS, drift="evolve").read()
    assert rows(opened) == EXPECTED
    assert opened.reader.summary.undeclared == {"type[].text"}


def test_elements_of_arrays_in_a_page(open_bytes: Any) -> None:
    page = json.dumps({"entry": RECORDS}).encode()
    form = {"kind": "json", "records": "entry"}
    assert rows(open_bytes(page, form, COLUMNS, drift="evolve").read()) == EXPECTED


def test_a_record_with_an_object_in_place_of_an_array_stays(open_bytes: Any) -> None:
    records = [*RECORDS, {"id": "f", "type": {"coding": [{"code": "7"}]}}]
    opened = open_bytes(lines(records), {"kind": "ndjson"}, COLUMNS, drift="evolve").read()
    assert rows(opened) == [*EXPECTED, {"id": "f", CODE: None, SECOND: None, GIVEN: None}]


def test_a_path_is_an_array_or_an_object(open_bytes: Any) -> None:
    columns = ["id", "type.0.code", "type.code"]
    with pytest.raises(TerminalError, match="type both as an object and as an array"):
        open_bytes(b"{}\n", {"kind": "ndjson"}, columns)


ENTRIES = [
    {"resource": {"resourceType": "Encounter", "id": "a"}},
    {"resource": {"resourceType": "Patient", "id": "b", "name": "An"}},
    {"resource": {"id": "c"}},
    {"resource": {"resourceType": "Encounter", "id": "d"}},
]


@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_what_a_contract_leaves_out_is_counted(open_bytes: Any, kind: str) -> None:
    form: dict[str, Any] = {"kind": kind, "only": {"resource.resourceType": "Encounter"}}
    content = lines(ENTRIES)
    if kind == "json":
        form["records"] = "entry"
        content = json.dumps({"resourceType": "Bundle", "entry": ENTRIES}).encode()
    columns = [
        RawColumn("resource.resourceType", required=False),
        RawColumn("resource.id", required=False),
    ]
    opened = open_bytes(content, form, columns, wanted=["resource.id"], drift="discard").read()
    assert [(row["resource.id"], row["_raw_row"]) for row in opened.rows()] == [
        ("a", 0),
        ("c", 2),  # what does not say its type is a rule's matter
        ("d", 3),
    ]
    assert opened.reader.summary.ignored == {"not_selected": 1}
    assert opened.batches[0].records.column_names == ["resource.id", "_raw_row"]


def test_only_names_what_is_declared(open_bytes: Any) -> None:
    form = {"kind": "ndjson", "only": {"resourceType": "Encounter"}}
    with pytest.raises(TerminalError, match="resourceType"):
        open_bytes(b"{}\n", form, ["id"])


def test_a_bundle_in_a_line_is_taken_apart(open_bytes: Any) -> None:
    bundle = {
        "resourceType": "Bundle",
        "meta": {"lastUpdated": "2025-07-01T00:00:00Z"},
        "entry": [
            {"resource": {"resourceType": "Encounter", "id": "x"}},
            {"request": {"method": "DELETE", "url": "Encounter/y"}},
            {"request": {"method": "DELETE", "url": "https://one.example/fhir/Encounter/z"}},
            {"request": {"method": "DELETE"}},
        ],
    }
    content = lines([{"resourceType": "Encounter", "id": "w"}, bundle])
    names = ("resourceType", "id", "meta.lastUpdated", "request.method")
    columns = [RawColumn(name, required=False) for name in names]
    opened = open_bytes(content, {"kind": "fhir"}, columns, drift="discard").read()
    assert [tuple(row.values()) for row in opened.rows()] == [
        ("Encounter", "w", None, None, 0),
        ("Encounter", "x", None, None, 1),
        ("Encounter", "y", "2025-07-01T00:00:00Z", "DELETE", 2),
        ("Encounter", "z", "2025-07-01T00:00:00Z", "DELETE", 3),
        (None, None, "2025-07-01T00:00:00Z", "DELETE", 4),
    ]
