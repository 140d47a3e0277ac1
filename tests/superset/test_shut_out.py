"""A role without areas sees nothing, and who is named no more is let in no more."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reports.superset.client import Client
from reports.superset.errors import LoginError, ReportsError
from tests.superset.may_see import DISTRICT_VIEW
from tests.superset.stage import REPOSITORY, Stage

NOWHERE = "khong_dia_ban"
ROLE = f"""\
  - code: {NOWHERE}
    kind: area_leader
    title: {{vi: Không có địa bàn, en: No area}}
"""


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """Da Nang with one role more, which names no area."""
    folder = tmp_path / "danang"
    shutil.copytree(REPOSITORY / "cities" / "danang", folder)
    place = folder / "access.yaml"
    text = place.read_text(encoding="utf-8")
    assert text.count("\nrecipients:\n") == 1
    place.write_text(text.replace("recipients:\n", f"{ROLE}recipients:\n"), encoding="utf-8")
    return folder


@contextmanager
def _password(stage: Stage) -> Iterator[None]:
    """The new user has a password, as the next start would give it one."""
    place = stage.home / "superset" / "passwords.json"
    before = place.read_text(encoding="utf-8")
    place.write_text(json.dumps({**json.loads(before), NOWHERE: "of-nobody-12"}), encoding="utf-8")
    try:
        yield
    finally:
        place.write_text(before, encoding="utf-8")


def test_a_role_without_areas_sees_nothing_and_is_shut_out_when_it_is_gone(
    stage: Stage, city: Path
) -> None:
    try:
        with _password(stage):
            said = stage.citylake("reports", "apply", "--city", str(city))
            assert f"role {NOWHERE} of kind area_leader sees nothing: it has no areas" in said
            client = stage.client(NOWHERE)
            password = stage.passwords[NOWHERE]
            _assert_nothing_is_seen(stage)
        plan = stage.citylake("reports", "plan", "--city", "danang", code=3)
        assert f"shut user {NOWHERE} out, who has: citylake: reader, danang: {NOWHERE}\n" in plan
    finally:
        stage.citylake("reports", "apply", "--city", "danang")
        stage.citylake("reports", "prune", "--city", "danang")
    assert stage.citylake("reports", "plan", "--city", "danang") == "nothing to change\n"
    with pytest.raises(LoginError):
        Client(stage.address, NOWHERE, password)
    # A session that was open has ended, too.
    with pytest.raises(ReportsError):
        client.ask("GET", "/api/v1/dashboard/")


def _assert_nothing_is_seen(stage: Stage) -> None:
    client, web = stage.client(NOWHERE), stage.browser(NOWHERE)
    assert {each["slug"] for each in client.all("dashboard")} == {
        "danang-district-vi",
        "danang-district-en",
    }
    for view in (DISTRICT_VIEW, "report_attention"):
        assert stage.rows(NOWHERE, view, "area_code") == []
        where = {"datasource_type": "table", "datasource_id": stage.dataset(view)}
        rows = web.post("/datasource/samples", params=where, json={"filters": []}).json()["result"]
        assert (rows["data"], rows["total_count"]) == ([], 0)
    answers = []
    for chart, number in stage.charts().items():
        if chart.endswith("-en"):
            continue
        answer = web.get(f"/api/v1/chart/{number}/data/")
        assert answer.status_code in (200, 404), chart
        if answer.status_code == 200:
            (result,) = answer.json()["result"]
            assert result["data"] == [], chart
            answers.append(chart)
    assert {"danang/district-detail-vi", "danang/attention-vi"} <= {*answers}
