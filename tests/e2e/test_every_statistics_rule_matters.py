"""Take any one rule out of the contracts of statistics, and the match with the manifest breaks."""

import csv
import io
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pyarrow as pa
import pytest

from tests.e2e.rules import set_aside, without_rule
from tests.e2e.test_statistics_faults import DIMENSIONS, FIRST, REASONS, SOURCE, manifest, served
from warehouse.city import load_city
from warehouse.contract.compiler import compile_stream
from warehouse.contract.model import SourceContract, TableContract

CITY = load_city(Path(__file__).resolve().parents[2] / "cities" / "danang")
CONTRACT = CITY.sources[SOURCE]
TABLE = CITY.tables[CONTRACT.table]
ALL_REASONS = compile_stream(CONTRACT, TABLE).reasons
# A code that its list does not hold never comes as far as the contract's own list: here a record
# comes with it where there is no list, as of a source whose structure names none.
BEHIND_CODE_LISTS = {
    "conf_status:enum": ("CONF_STATUS", "X"),
    "freq:enum": ("FREQ", "Y"),
    "obs_status:enum": ("OBS_STATUS", "X9"),
}
UNKNOWN_CODE = "unknown_code"
# How a text is typed, and that a key is there, are no rules that a contract could leave out.
KEY_REASONS = {f"{name}:required" for name in TABLE.key}
RULES = [
    each
    for each in ALL_REASONS
    if not each.endswith(":type") and each not in KEY_REASONS | BEHIND_CODE_LISTS.keys()
]

Key = tuple[str, ...]


@pytest.fixture(scope="module")
def lines(seed: int) -> list[dict[str, Any]]:
    """What is planted that goes to quarantine."""
    return [each for each in manifest(seed, FIRST) if each["effect"] == "quarantine"]


@pytest.fixture(scope="module")
def records(seed: int, lines: list[dict[str, Any]]) -> pa.Table:
    """Every record whose codes are known, as the source sends it, each column as text."""
    with served("--seed", str(seed), "--no-transport-faults") as variables:
        address = variables["CITYLAKE_DANANG_STATISTICS_URL"].replace("{day}", FIRST.isoformat())
        request = Request(  # noqa: S310 - loopback
            f"{address}/data/dataflow/DNSO/SOCIO_ECONOMIC/~/*",
            headers={
                "Accept": "application/vnd.sdmx.data+csv;version=2.0.0",
                "Authorization": f"Bearer {variables['CITYLAKE_DANANG_STATISTICS_TOKEN']}",
            },
        )
        with urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
            sent = list(csv.DictReader(io.StringIO(answer.read().decode())))
    unknown = {
        (*line["key"], line["updated"])
        for line in lines
        if REASONS[line["kind"]].endswith(UNKNOWN_CODE)
    }
    assert unknown
    rows = [row for row in sent if _key(row) not in unknown]
    assert len(rows) == len(sent) - len(unknown)
    columns = {
        each.name: pa.array([row.get(each.name) or None for row in rows], pa.string())
        for each in CONTRACT.raw_columns
    }
    return pa.table({"_raw_row": pa.array(range(len(rows)), pa.int64()), **columns})


def _key(row: dict[str, Any]) -> Key:
    return (*((row[name] or "") for name in DIMENSIONS), row["UPDATED"] or "")


@pytest.fixture(scope="module")
def planted(lines: list[dict[str, Any]]) -> dict[Key, list[str]]:
    """Reason by dimensions and time of update of every record that must be set aside."""
    return {
        (*line["key"], line["updated"]): [REASONS[line["kind"]]]
        for line in lines
        if not REASONS[line["kind"]].endswith(UNKNOWN_CODE)
    }


def _set_aside(
    records: pa.Table, source: SourceContract, table: TableContract
) -> dict[Key, list[str]]:
    return {_key(row): reasons for row, reasons in set_aside(records, source, table, FIRST)}


def test_with_all_rules_planted_and_set_aside_are_the_same(
    records: pa.Table, planted: dict[Key, list[str]]
) -> None:
    assert _set_aside(records, CONTRACT, TABLE) == planted


@pytest.mark.parametrize("reason", RULES)
def test_without_one_rule_the_match_breaks(
    records: pa.Table, planted: dict[Key, list[str]], reason: str
) -> None:
    found = _set_aside(records, *without_rule(CONTRACT, TABLE, reason))
    assert found != planted
    assert reason not in {each for reasons in found.values() for each in reasons}


def test_every_rule_is_planted(planted: dict[Key, list[str]]) -> None:
    found = {reason for reasons in planted.values() for reason in reasons}
    assert found - set(ALL_REASONS) == set()
    assert set(RULES) - found == set()


@pytest.mark.parametrize("reason", BEHIND_CODE_LISTS)
def test_a_rule_behind_a_code_list_refuses_a_record(
    records: pa.Table, planted: dict[Key, list[str]], reason: str
) -> None:
    assert reason in ALL_REASONS
    good = next(row for row in records.to_pylist() if _key(row) not in planted)
    column, code = BEHIND_CODE_LISTS[reason]
    broken = {**good, "_raw_row": good["_raw_row"] + 1, column: code}
    both = pa.Table.from_pylist([good, broken], schema=records.schema)
    assert _set_aside(both, CONTRACT, TABLE) == {_key(broken): [reason]}
    assert _set_aside(both, *without_rule(CONTRACT, TABLE, reason)) == {}
