"""What is not cleared for display has a name and a word on dashboards, and nothing else."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.context import open_context
from pipeline.superset.reports import _reports
from reports.superset.assets import CHARTS, DASHBOARDS, DATASETS, Asset

WORDS = {"vi": "Chưa được phép hiển thị", "en": "Not yet cleared for display"}
NAMES = {"vi": "Số lượt khám bệnh trên 1.000 dân", "en": "Visits per 1,000 people"}


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sequence[Asset]:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    return _reports(open_context("danang")).assets


def _texts(board: Asset) -> list[str]:
    """The texts that a dashboard has beside its charts."""
    cells = [each for each in board.content["position"].values() if isinstance(each, dict)]
    return [each["meta"]["code"] for each in cells if each["type"] == "MARKDOWN"]


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", ["city", "district", "group-10"])
def test_the_place_of_a_figure_of_health_says_that_it_is_not_cleared(
    assets: Sequence[Asset], name: str, language: str
) -> None:
    key = f"danang/{name}-{language}"
    (board,) = [each for each in assets if (each.kind, each.key) == (DASHBOARDS, key)]
    (told,) = [text for text in _texts(board) if NAMES[language] in text]
    assert WORDS[language] in told


@pytest.mark.parametrize("language", ["vi", "en"])
def test_another_group_does_not_speak_of_it(assets: Sequence[Asset], language: str) -> None:
    key = f"danang/group-1-{language}"
    (board,) = [each for each in assets if (each.kind, each.key) == (DASHBOARDS, key)]
    assert not any(NAMES[language] in text for text in _texts(board))


def test_no_dataset_and_no_chart_is_about_it(assets: Sequence[Asset]) -> None:
    for each in assets:
        if each.kind in (DATASETS, CHARTS):
            told = json.dumps(each.content, ensure_ascii=False, default=str)
            for form in ("HE1", *NAMES.values(), "mart_health", "withheld"):
                assert form not in told, each.path
