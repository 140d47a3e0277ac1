"""Take any one rule out of the contracts, and the match with the manifest breaks."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.e2e.conftest import HISTORY
from tests.e2e.rules import set_aside, without_rule
from tests.e2e.test_faults import REASONS
from tests.e2e.world import PAGE_SIZE, DemoServer
from warehouse.city import load_city
from warehouse.contract.compiler import compile_stream
from warehouse.contract.model import SourceContract, TableContract

CITY = load_city(Path(__file__).resolve().parents[2] / "cities" / "danang")
SOURCE = CITY.sources["feedback.open311"]
TABLE = CITY.tables[SOURCE.table]
ALL_REASONS = compile_stream(SOURCE, TABLE).reasons
# How a text is typed, and that a key is there, are no rules that a contract could leave out.
KEY_REASONS = {f"{name}:required" for name in TABLE.key}
RULES = [
    reason for reason in ALL_REASONS if not reason.endswith(":type") and reason not in KEY_REASONS
]

Key = tuple[str | None, str | None]


@pytest.fixture(scope="module")
def records(server: DemoServer) -> pa.Table:
    """Every record of the history, as the source sends it, every declared column as text."""
    found: list[dict[str, Any]] = []
    while True:
        rows = server.page(HISTORY, len(found) // PAGE_SIZE + 1)
        found += rows
        if len(rows) < PAGE_SIZE:
            return _flat(found)


def _flat(rows: list[dict[str, Any]]) -> pa.Table:
    names = [column.name for column in SOURCE.raw_columns]
    columns = {name: pa.array([_text(row, name) for row in rows], pa.string()) for name in names}
    numbers = pa.array(range(len(rows)), pa.int64())
    return pa.table({"_raw_row": numbers, **columns})


def _text(row: dict[str, Any], path: str) -> str | None:
    value: Any = row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else json.dumps(value)


@pytest.fixture(scope="module")
def planted(server: DemoServer) -> dict[Key, str]:
    """Reason by requested and updated time of every record that must be set aside."""
    return {
        (line["requested_datetime"], line["updated_datetime"]): REASONS[line["kind"]]
        for line in server.manifest(HISTORY, HISTORY)
        if line["effect"] == "quarantine"
    }


def _set_aside(
    records: pa.Table, source: SourceContract, table: TableContract
) -> dict[Key, list[str]]:
    return {
        (row["requested_datetime"], row["updated_datetime"]): reasons
        for row, reasons in set_aside(records, source, table, HISTORY)
    }


def test_with_all_rules_planted_and_set_aside_are_the_same(
    records: pa.Table, planted: dict[Key, str]
) -> None:
    found = _set_aside(records, SOURCE, TABLE)
    assert {key: [reason] for key, reason in planted.items()} == found


@pytest.mark.parametrize("reason", RULES)
def test_without_one_rule_the_match_breaks(
    records: pa.Table, planted: dict[Key, str], reason: str
) -> None:
    found = _set_aside(records, *without_rule(SOURCE, TABLE, reason))
    assert {key: [each] for key, each in planted.items()} != found
    assert reason not in {each for reasons in found.values() for each in reasons}


def test_every_reason_is_planted(planted: dict[Key, str]) -> None:
    assert set(planted.values()) == set(ALL_REASONS)


def test_a_key_stays_required_whatever_the_contract_says(
    records: pa.Table, planted: dict[Key, str]
) -> None:
    for reason in KEY_REASONS:
        found = _set_aside(records, *without_rule(SOURCE, TABLE, reason))
        assert {key: [each] for key, each in planted.items()} == found
