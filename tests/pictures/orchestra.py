"""Pictures of a running Airflow over a small demo city.

A day is loaded, one of its datasets is held by the gate, and what people then see is drawn: the
list of DAGs, a graph, and what waits for an approver.
"""

import tempfile
from pathlib import Path
from urllib.parse import quote

from tests.airflow.orchestra import Json, Orchestra, change, orchestra_in
from tests.pictures.chromium import FOLDER, Browser

DAY = "2025-07-02"
HELD = "service-request-monthly"
IMPLAUSIBLE = """
  - name: nothing
    description: {vi: Không có gì, en: Nothing at all}
    type: custom
    engine: greatExpectations
    severity: hold
    implementation:
      type: expect_column_max_to_be_between
      kwargs: {column: requests_opened, max_value: 0}
"""


def _held(orchestra: Orchestra) -> Json | None:
    for run in orchestra.runs(f"publish_{HELD}", DAY):
        tasks = orchestra.tasks(f"publish_{HELD}", run["dag_run_id"])
        if tasks["approval"]["state"] == "awaiting_input":
            return run
    return None


def _a_day_with_something_held(orchestra: Orchestra) -> Json:
    """Load a day; returns the run that waits for a person."""
    # Long enough to look at it.
    change(orchestra.city / "city.yaml", "approval_hours: 0.02", "approval_hours: 24")
    dataset = orchestra.city / "datasets" / f"{HELD}.yaml"
    text = dataset.read_text(encoding="utf-8").rstrip()
    dataset.write_text(f"{text}{IMPLAUSIBLE}", encoding="utf-8")
    orchestra.unpause()
    orchestra.ingest(DAY)
    orchestra.day(DAY)
    held: Json = orchestra.until(lambda: _held(orchestra), f"{HELD} is held")
    return held


def _log_in(browser: Browser, orchestra: Orchestra, user: str) -> None:
    token = orchestra.client(user).headers["authorization"].removeprefix("Bearer ")
    browser.log_in(f"http://127.0.0.1:{orchestra.port}", token)


def draw(browser: Browser) -> None:
    """Draw every picture."""
    with tempfile.TemporaryDirectory() as folder, orchestra_in(Path(folder)) as orchestra:
        _draw(orchestra, browser)


def _draw(orchestra: Orchestra, browser: Browser) -> None:
    held = _a_day_with_something_held(orchestra)
    address = f"http://127.0.0.1:{orchestra.port}"
    (transform, *_) = orchestra.runs("transform", DAY)
    browser.prepare("localStorage.setItem('default_dag_view', JSON.stringify('graph'))")
    _log_in(browser, orchestra, "engineer")
    browser.show(f"{address}/dags", "Phản ánh, kiến nghị của người dân", "Required Actions")
    browser.picture(FOLDER / "dags.png")
    browser.show(f"{address}/dags/ingest_feedback.open311", "(Tổng đài 1022)", "account")
    browser.picture(FOLDER / "ingest.png")
    run = quote(transform["dag_run_id"], safe="")
    browser.show(f"{address}/dags/transform/runs/{run}", "promote")
    browser.picture(FOLDER / "transform.png")
    _log_in(browser, orchestra, "approver")
    browser.show(f"{address}/required_actions", "approval")
    browser.picture(FOLDER / "required_actions.png")
    run = quote(held["dag_run_id"], safe="")
    task = f"{address}/dags/publish_{HELD}/runs/{run}/tasks/approval/required_actions"
    browser.show(task, HELD, "Lý do giữ lại", "Reject")
    browser.picture(FOLDER / "approval.png")
