"""Our validator of the standard's schema says valid exactly where the library's does."""

import copy
import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator

from warehouse.contract.standard import StandardValidator

ROOT = Path(__file__).resolve().parents[3]
CONTRACT = ROOT / "warehouse" / "tables" / "service_request.yaml"
SCHEMA = json.loads(
    resources.files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")
)

Document = dict[str, Any]


def _set(*path: str | int, value: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        inside: Any = document
        for key in path[:-1]:
            inside = inside[key]
        inside[path[-1]] = value

    return change


CHANGES = {
    "as it is": _set("status", value="active"),
    "unknown key at the top": _set("colour", value="red"),
    "unknown key of a table": _set("schema", 0, "colour", value="red"),
    "unknown key of a column": _set("schema", 0, "properties", 0, "colour", value="red"),
    "option of another type": _set(
        "schema", 0, "properties", 0, "logicalTypeOptions", value={"minimum": 1}
    ),
    "option of this type": _set(
        "schema", 0, "properties", 0, "logicalTypeOptions", value={"pattern": "x"}
    ),
    "wrong type in a column": _set("schema", 0, "properties", 0, "required", value="yes"),
    "unknown logical type": _set("schema", 0, "properties", 0, "logicalType", value="colour"),
    "unknown key of a rule": _set("schema", 0, "properties", 5, "quality", 0, "colour", value=1),
    "unknown kind of rule": _set("schema", 0, "properties", 5, "quality", 0, "type", value="x"),
    "server without a type": _set("servers", value=[{"server": "files"}]),
    "server of a kind": _set(
        "servers", value=[{"server": "files", "type": "custom", "colour": "red"}]
    ),
    "no identifier": lambda document: document.pop("id"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_verdict_is_the_librarys(change: Callable[[Document], None]) -> None:
    document = copy.deepcopy(yaml.safe_load(CONTRACT.read_text("utf-8")))
    change(document)
    ours, library = StandardValidator(SCHEMA), Draft201909Validator(SCHEMA)
    assert ours.is_valid(document) == library.is_valid(document)


def test_changes_are_of_both_kinds() -> None:
    verdicts = set()
    for change in CHANGES.values():
        document = copy.deepcopy(yaml.safe_load(CONTRACT.read_text("utf-8")))
        change(document)
        verdicts.add(StandardValidator(SCHEMA).is_valid(document))
    assert verdicts == {True, False}
