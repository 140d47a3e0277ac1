"""`explain` leads from a number to its records, and from a record to where it went."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.e2e.conftest import HISTORY
from tests.e2e.processes import call
from tests.e2e.world import Lake


def _explain(lake: Lake, reference: str) -> dict[str, Any]:
    output = lake.call("explain", "--city", lake.city, reference, "--json")
    found: dict[str, Any] = json.loads(output)
    return found


@pytest.mark.parametrize(
    "reference",
    [
        "FB1/490/2025-04",
        "FB1b/492/2025-05",
        "FB2/48@2025-01-01/2025-06",
        "FB5/497/2025-05",
        "FB1/trung_tam_1022/2025-05",
    ],
)
def test_the_records_of_a_cell_give_its_value(base: Lake, reference: str) -> None:
    found = _explain(base, reference)
    cell, events = found["cell"], found["events"]
    numerator = sum(Decimal(each["weight"]) * Decimal(each["numerator"]) for each in events)
    assert numerator == Decimal(cell["numerator"])
    assert len(events) == cell["n"]
    if cell["denominator"] is not None:
        total = sum(Decimal(each["weight"]) * Decimal(each["denominator"]) for each in events)
        assert total == Decimal(cell["denominator"])


def test_a_quarantined_record_says_why(base: Lake) -> None:
    planted = [
        line
        for line in base.server.manifest(HISTORY, HISTORY)
        if line["kind"] == "closed_before_requested"
    ]
    found = _explain(base, f"feedback.open311:{planted[0]['service_request_id']}")
    assert found["core"] == []
    assert [each["reasons"] for each in found["quarantine"]] == [
        ["closed_at:closed_not_before_requested"]
    ]


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("feedback.open311:DN-000000-00000", "has no record DN-000000-00000"),
        ("feedback.nothing:1", "sources: feedback.open311"),
        ("XX1/490/2025-04", "has no indicator XX1"),
        ("FB1/999/2025-04", "no value of FB1 for 999"),
        ("FB1/48@2025-13-01/2025-04", "2025-13-01 is no day"),
        (
            "service-request-monthly/2025-04/490/nothing/requests_opened",
            "service-request-monthly has no row 2025-04/490/nothing",
        ),
    ],
    ids=["record", "source", "indicator", "area", "day", "row"],
)
def test_what_is_not_there_is_said(base: Lake, reference: str, told: str) -> None:
    variables = base.environment(None, {})
    done = call("explain", "--city", base.city, reference, variables=variables)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
