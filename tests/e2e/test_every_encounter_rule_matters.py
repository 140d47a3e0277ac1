"""Take any one rule out of the contracts of encounters, and the match with the manifest breaks."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.context import open_context
from pipeline.ingest import ingest
from tests.e2e.rules import set_aside, without_rule
from tests.e2e.test_health_faults import (
    HISTORY,
    REASONS,
    TOKEN,
    lines_of,
    manifest,
    system,
)
from warehouse.city import load_city
from warehouse.contract.compiler import compile_stream
from warehouse.contract.model import SourceContract, TableContract

CITY = load_city(Path(__file__).resolve().parents[2] / "cities" / "danang")
SOURCE = CITY.sources["health.encounters"]
TABLE = CITY.tables[SOURCE.table]
ALL_REASONS = compile_stream(SOURCE, TABLE).reasons
# How a text is typed, and that a key is there, are no rules that a contract could leave out.
RULES = [
    each for each in ALL_REASONS if not each.endswith(":type") and each != "encounter_id:required"
]

Key = tuple[str | None, str | None]


@pytest.fixture(scope="module")
def records(seed: int, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """Every resource of the history that is one, every declared column as text."""
    home = tmp_path_factory.mktemp("encounters")
    with system(seed) as ready, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYLAKE_HOME", str(home))
        shown = {
            name: address.replace("{day}", HISTORY.isoformat())
            for name, address in ready["variables"].items()
        }
        tokens = dict.fromkeys(ready["token_variables"], TOKEN)
        context = open_context("danang", HISTORY)
        loaded = ingest(replace(context, environ={**os.environ, **shown, **tokens}), SOURCE.id)
    assert loaded.error is None
    found = [each for lines in lines_of(home / "danang").values() for each in lines]
    rows = [each for each in found if isinstance(each, dict) and "resourceType" in each]
    names = [column.name for column in SOURCE.raw_columns]
    columns = {name: pa.array([_text(row, name) for row in rows], pa.string()) for name in names}
    return pa.table({"_raw_row": pa.array(range(len(rows)), pa.int64()), **columns})


def _text(resource: dict[str, Any], path: str) -> str | None:
    value: Any = resource
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value if value is None or isinstance(value, str) else json.dumps(value)


@pytest.fixture(scope="module")
def planted(seed: int) -> dict[Key, str]:
    """Reason by start and time of update of every resource that must be set aside."""
    return {
        (line["start"], line["last_updated"]): REASONS[line["kind"]]
        for line in manifest(seed, HISTORY)
        if line["effect"] == "quarantine" and line["kind"] != "broken_line"
    }


def _set_aside(
    records: pa.Table, source: SourceContract, table: TableContract
) -> dict[Key, list[str]]:
    return {
        (row["period.start"], row["meta.lastUpdated"]): reasons
        for row, reasons in set_aside(records, source, table, HISTORY)
    }


def test_with_all_rules_planted_and_set_aside_are_the_same(
    records: pa.Table, planted: dict[Key, str]
) -> None:
    found = _set_aside(records, SOURCE, TABLE)
    assert found == {key: [reason] for key, reason in planted.items()}


@pytest.mark.parametrize("reason", RULES)
def test_without_one_rule_the_match_breaks(
    records: pa.Table, planted: dict[Key, str], reason: str
) -> None:
    found = _set_aside(records, *without_rule(SOURCE, TABLE, reason))
    assert found != {key: [each] for key, each in planted.items()}
    assert reason not in {each for reasons in found.values() for each in reasons}


def test_every_reason_is_planted(planted: dict[Key, str]) -> None:
    assert set(planted.values()) == set(ALL_REASONS)
