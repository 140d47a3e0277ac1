"""What `explain` refuses to say of a dataset's cell, and how a cell is named."""

from pathlib import Path

import pytest

from pipeline.context import Context, open_context
from pipeline.exit_codes import ExitCode
from pipeline.explain import print_explanation
from pipeline.explain_dataset import explain_dataset_cell
from pipeline.explain_record import UnknownReferenceError

HARBOUR = Path(__file__).resolve().parents[2] / "cities" / "harbour"
DAILY = "air-quality-daily/Gucheng/PM2.5/2014-01-01"
MONTHLY = "service-request-monthly/2015-05/W01/Pothole"


@pytest.fixture
def harbour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """Harbour on an empty lake."""
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    return open_context(str(HARBOUR))


@pytest.mark.parametrize(
    ("city", "reference", "told"),
    [
        (
            "danang",
            "indicators-health/490/2025-05/value",
            "mart_health_indicator tells of people's health",
        ),
        (str(HARBOUR), f"{DAILY}/value_sum", "air-quality-daily does not publish it"),
    ],
    ids=["health", "column"],
)
def test_what_is_not_published_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    city: str,
    reference: str,
    told: str,
) -> None:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    assert print_explanation(city, reference, as_json=False) is ExitCode.NOT_CLEARED == 5
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "is not cleared for display" in printed.err
    assert told in printed.err


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        (
            "service-request-monthly/2015-05/requests_closed",
            r"<requested_month>/<area_code>/<service_code>/<column>",
        ),
        (f"{DAILY}/median_value", "has no column median_value"),
        (f"{MONTHLY}/Other/requests_opened", "nothing of service-request-monthly"),
        ("indicators-feedback/W01/2015-05/value", "is no open dataset: name a cell of its"),
    ],
    ids=["short", "column", "slash-in-the-last", "indicators"],
)
def test_a_cell_that_is_named_wrongly_is_told_how(
    harbour: Context, reference: str, told: str
) -> None:
    with pytest.raises(UnknownReferenceError, match=told):
        explain_dataset_cell(harbour, reference)
