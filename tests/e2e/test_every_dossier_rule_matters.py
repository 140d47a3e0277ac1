"""Take any one rule out of the contracts of dossiers, and the match with the manifest breaks."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.e2e.one_stop import OneStop, one_stop
from tests.e2e.rules import set_aside, without_rule
from tests.e2e.test_dossier_faults import REASONS
from warehouse.city import load_city
from warehouse.contract.compiler import compile_stream
from warehouse.contract.model import SourceContract, TableContract

DAY = date(2025, 7, 1)
CITY = load_city(Path(__file__).resolve().parents[2] / "cities" / "danang")
SOURCE = CITY.sources["administration.one_stop_shop"]
TABLE = CITY.tables[SOURCE.table]
ALL_REASONS = compile_stream(SOURCE, TABLE).reasons
# How a text is typed, and that a key is there, are no rules that a contract could leave out.
RULES = [
    each for each in ALL_REASONS if not each.endswith(":type") and each != "dossier_id:required"
]
# What the columns of this database cannot hold.
IMPOSSIBLE = {
    f"{name}:type"
    for name in (
        *("dossier_id", "procedure_code", "procedure_level", "agency_responsible"),
        *("channel", "status", "area_code", "is_digitised_result"),
    )
}
ENDS = {"infinity": datetime(9999, 12, 31, tzinfo=UTC), "-infinity": datetime(1, 1, 2, tzinfo=UTC)}
TYPES = {
    "string": pa.string(),
    "number": pa.string(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", "UTC"),
}

Key = tuple[str | None, str | None]


@pytest.fixture(scope="module")
def source(seed: int) -> Iterator[OneStop]:
    with one_stop(OneStop(seed, 0.02, 117)) as running:
        yield running


def _instant(text: str | None) -> datetime | None:
    return ENDS.get(text) or datetime.fromisoformat(text) if text else None


@pytest.fixture(scope="module")
def records(source: OneStop) -> pa.Table:
    """Every row that the source shows, with the types that it sends."""
    rows = [each["row"] for each in source.ask(DAY, "SELECT to_jsonb(d) AS row FROM dossier d")]
    fees = [each["fee"] for each in source.ask(DAY, "SELECT fee::text AS fee FROM dossier d")]
    columns: dict[str, Any] = {"_raw_row": pa.array(range(len(rows)), pa.int64())}
    for column in SOURCE.raw_columns:
        values = fees if column.name == "fee" else [row[column.name] for row in rows]
        if column.logical_type == "timestamp":
            values = [_instant(text) for text in values]
        columns[column.name] = pa.array(values, TYPES[column.logical_type])
    return pa.table(columns)


@pytest.fixture(scope="module")
def planted(source: OneStop) -> dict[Key, set[str]]:
    """Reasons by time of receipt and update of every row that must be set aside."""
    return {
        (line["received_at"], line["updated_at"]): REASONS[line["kind"]]
        for line in source.manifest(DAY, DAY)
        if line["effect"] == "quarantine"
    }


def _written(moment: datetime | None) -> str | None:
    named = {value: text for text, value in ENDS.items()}
    return None if moment is None else named.get(moment) or moment.isoformat()


def _set_aside(records: pa.Table, source: SourceContract, table: TableContract) -> dict[Key, Any]:
    return {
        (_written(row["received_at"]), _written(row["updated_at"])): set(reasons)
        for row, reasons in set_aside(records, source, table, DAY)
    }


def test_with_all_rules_planted_and_set_aside_are_the_same(
    records: pa.Table, planted: dict[Key, set[str]]
) -> None:
    assert _set_aside(records, SOURCE, TABLE) == planted


@pytest.mark.parametrize("reason", RULES)
def test_without_one_rule_the_match_breaks(
    records: pa.Table, planted: dict[Key, set[str]], reason: str
) -> None:
    found = _set_aside(records, *without_rule(SOURCE, TABLE, reason))
    assert found != planted
    assert reason not in {each for reasons in found.values() for each in reasons}


def test_every_reason_is_planted(planted: dict[Key, set[str]]) -> None:
    found = {reason for reasons in planted.values() for reason in reasons}
    assert found - set(ALL_REASONS) == set()
    assert set(ALL_REASONS) - found - IMPOSSIBLE == set()
