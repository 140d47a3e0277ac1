"""What a run goes by: events, verdicts, answers."""

from typing import Any

import pytest

from pipeline.orchestration.accounts import AccountError, account_for
from pipeline.orchestration.triggers import (
    TriggerError,
    branch_of,
    newest,
    person_of,
    refused_by,
    versions_read,
    was_promoted,
)

BATCH: dict[str, Any] = {
    "source": "feedback.open311",
    "table": "service_request",
    "day": "2025-07-02",
    "version": 7,
    "sequence": 3,
    "records": 10,
    "counts": {"new": 6, "changed": 1, "quarantined": 3},
    "notes": [],
}


def test_a_build_read_what_the_events_told_of_or_newer() -> None:
    events = [{"table": "a", "version": 3}, {"table": "a", "version": 4}, {"missing": []}]
    assert versions_read({"a": 4, "b": 1}, events) == {"a": 4}
    assert versions_read({"a": 5}, events) == {"a": 4}


@pytest.mark.parametrize("built", [{"a": 3}, {"b": 9}, {}], ids=["older", "other", "none"])
def test_a_build_that_read_less_is_refused(built: dict[str, int]) -> None:
    with pytest.raises(TriggerError, match="core table a"):
        versions_read(built, [{"table": "a", "version": 4}])


def test_the_newest_record_counts() -> None:
    assert newest([{"record": 2}, {"record": 11}, {"record": 3}]) == {"record": 11}
    with pytest.raises(TriggerError):
        newest([])


@pytest.mark.parametrize(
    ("events", "is_built"),
    [
        pytest.param([], False, id="none"),
        pytest.param([None, {}, {"record": 3}], False, id="without_day"),
        pytest.param([{"day": "2025-07-01", "record": 3}], False, id="day_before"),
        pytest.param([{"day": "2025-07-02"}, {"day": "2025-07-01"}], True, id="among_others"),
    ],
)
def test_a_day_was_built_that_a_record_tells_of(
    events: list[dict[str, Any] | None], *, is_built: bool
) -> None:
    assert was_promoted(events, "2025-07-02") is is_built


@pytest.mark.parametrize(
    ("verdict", "task"),
    [("publish", "release"), ("hold", "approval"), ("reject", "rejected"), ("", "rejected")],
)
def test_a_verdict_leads_to_its_task(verdict: str, task: str) -> None:
    assert branch_of({"verdict": verdict}) == task


def _answer(name: str | None, option: str = "Approve") -> dict[str, Any]:
    user = {"id": name, "name": name} if name else None
    return {"chosen_options": [option], "responded_by_user": user}


def test_a_named_approver_is_heard() -> None:
    assert person_of(_answer("an"), ("an", "binh")) == "an"
    assert refused_by(_answer("an", "Reject")) == "an"
    assert refused_by(_answer(None, "Reject")) is None


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(None, id="marked_by_hand"),
        pytest.param({}, id="empty"),
        pytest.param(_answer(None), id="silence"),
        pytest.param(_answer("Anonymous"), id="anonymous"),
        pytest.param(_answer("engineer"), id="no_approver"),
        pytest.param(_answer("an", "Reject"), id="refusal"),
    ],
)
def test_nobody_else_approves(answer: dict[str, Any] | None) -> None:
    with pytest.raises(TriggerError):
        person_of(answer, ("an", "binh"))


def test_a_batch_that_adds_up_is_told() -> None:
    assert account_for(BATCH) == {
        "source": "feedback.open311",
        "table": "service_request",
        "day": "2025-07-02",
        "sequence": 3,
        "version": 7,
        "records": 10,
        "quarantined": 3,
    }


@pytest.mark.parametrize("records", [9, 11])
def test_a_batch_that_does_not_add_up_is_refused(records: int) -> None:
    with pytest.raises(AccountError, match=f"{records} records were read, 10 have"):
        account_for({**BATCH, "records": records})
