"""A build that decisions overtake is checked again, though not for ever."""

import pytest

from pipeline import steps
from pipeline.orchestration.judged import promote_judged
from warehouse.promotion_record import OvertakenError, PromotionError


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was called; `promote` fails as often as the list's first item says."""
    called: list[str] = []

    def check(city: str, build: str | None) -> dict[str, str | None]:
        called.append(f"check {city} {build}")
        return {"build": build}

    monkeypatch.setattr(steps, "check", check)
    return called


def _promotes_after(monkeypatch: pytest.MonkeyPatch, calls: list[str], failures: int) -> None:
    def promote(city: str, build: str | None) -> dict[str, int]:
        calls.append(f"promote {city} {build}")
        if sum(each.startswith("promote") for each in calls) <= failures:
            raise OvertakenError("check again")
        return {"record": 7}

    monkeypatch.setattr(steps, "promote", promote)


@pytest.mark.parametrize("failures", [0, 1, 5])
def test_it_is_checked_before_each_attempt_but_the_first(
    monkeypatch: pytest.MonkeyPatch, calls: list[str], failures: int
) -> None:
    _promotes_after(monkeypatch, calls, failures)
    assert promote_judged("danang", "b") == {"record": 7}
    assert calls == ["promote danang b", *["check danang b", "promote danang b"] * failures]


def test_it_gives_up_where_every_check_is_overtaken(
    monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    _promotes_after(monkeypatch, calls, 1000)
    with pytest.raises(OvertakenError):
        promote_judged("danang", "b")
    assert len(calls) == 11


def test_what_another_check_would_not_mend_is_raised_at_once(
    monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    def promote(city: str, build: str | None) -> dict[str, int]:
        raise PromotionError(f"{city} {build}: a mart file is gone")

    monkeypatch.setattr(steps, "promote", promote)
    with pytest.raises(PromotionError, match="is gone"):
        promote_judged("danang", "b")
    assert calls == []
