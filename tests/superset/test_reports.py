"""Plan, apply and prune on a real Superset: idempotent, drift shows, only what is ours goes."""

import stat
from dataclasses import replace

import pytest

from reports.superset.assets import CHARTS, Asset
from reports.superset.client import Client
from reports.superset.errors import LoginError, ReportsError
from tests.superset.stage import Stage, free_port

PLAN = ("reports", "plan", "--city", "danang")
APPLY = ("reports", "apply", "--city", "danang")
PRUNE = ("reports", "prune", "--city", "danang")
CHART = "danang/city-headline-vi"


def _asset(stage: Stage, key: str) -> Asset:
    """A chart of the server under another key: what a chart that we have no more looks like."""
    uuid = Asset(CHARTS, CHART, {}).uuid
    content = dict(stage.client("admin").exported()[CHARTS, uuid])
    content.pop("version")
    return Asset(CHARTS, key, {**content, "slice_name": key, "certification_details": key})


def test_a_second_apply_has_nothing_to_do(stage: Stage) -> None:
    assert stage.citylake(*PLAN) == "nothing to change\n"
    assert stage.citylake(*APPLY) == "0 objects written, verified\n"
    assert stage.citylake(*PLAN) == "nothing to change\n"


def test_a_chart_that_is_no_more_is_pruned_and_others_stay(stage: Stage) -> None:
    admin = stage.client("admin")
    gone = _asset(stage, "danang/gone-vi")
    # The mark of ours and a uuid that does not follow from it: copied by hand.
    copied = replace(_asset(stage, "copied"), key="somebody")
    copied = replace(copied, content={**copied.content, "certification_details": CHART})
    admin.import_assets([gone, copied])
    before = len(admin.all("chart"))

    plan = stage.citylake(*PLAN, code=3)
    assert plan == "remove charts: danang/gone-vi\n"
    assert stage.citylake(*PRUNE).endswith("1 removed\n")

    after = admin.exported()
    assert (CHARTS, gone.uuid) not in after
    assert (CHARTS, copied.uuid) in after
    assert len(admin.all("chart")) == before - 1
    assert stage.citylake(*PLAN) == "nothing to change\n"
    (number,) = [e["id"] for e in admin.all("chart") if e["uuid"] == copied.uuid]
    admin.ask("DELETE", f"/api/v1/chart/{number}")


def test_an_edit_by_hand_shows_and_is_undone(stage: Stage) -> None:
    admin = stage.client("admin")
    number = stage.charts()[CHART]
    admin.ask("PUT", f"/api/v1/chart/{number}", json={"slice_name": "Bằng tay"})
    plan = stage.citylake(*PLAN, code=3)
    assert plan.splitlines() == [
        "update charts/danang.city-headline-vi.yaml",
        '    slice_name: there "Bằng tay", here "Chỉ số chính"',
    ]
    assert "update charts/danang.city-headline-vi.yaml" in stage.citylake(*APPLY)
    assert stage.citylake(*PLAN) == "nothing to change\n"


def test_a_rule_changed_by_hand_shows_and_is_undone(stage: Stage) -> None:
    admin = stage.client("admin")
    (rule,) = [each for each in admin.all("rowlevelsecurity") if "trung_tam_1022" in each["name"]]
    admin.ask("PUT", f"/api/v1/rowlevelsecurity/{rule['id']}", json={"clause": "1 = 1"})
    assert "update rule danang: trung_tam_1022 1: service_group IN (1)" in stage.citylake(
        *PLAN, code=3
    )
    stage.citylake(*APPLY)
    assert stage.citylake(*PLAN) == "nothing to change\n"


@pytest.mark.parametrize("group", ["citylake", ""])
def test_a_rule_laid_on_a_dataset_by_hand_shows_and_is_undone(stage: Stage, group: str) -> None:
    admin = stage.client("admin")
    role = {each["name"]: each["id"] for each in admin.all("security/roles")}
    rule = {
        "name": "opened by hand",
        "filter_type": "Regular",
        "clause": "1 = 1",
        "group_key": group,
        "roles": [role["danang: lanh_dao_phuong_hai_chau"]],
        "tables": [stage.dataset("report_district_indicator")],
    }
    admin.ask("POST", "/api/v1/rowlevelsecurity/", json=rule)
    plan = stage.citylake(*PLAN, code=3)
    assert "remove rule opened by hand: 1 = 1 on report_district_indicator for danang: " in plan
    stage.citylake(*APPLY)
    assert stage.citylake(*PLAN) == "nothing to change\n"


def test_a_dashboard_shown_to_somebody_else_by_hand_shows_and_is_undone(stage: Stage) -> None:
    admin = stage.client("admin")
    (board,) = [e for e in admin.all("dashboard") if e["slug"] == "danang-quality-vi"]
    admin.ask("PUT", f"/api/v1/dashboard/{board['id']}", json={"roles": []})
    assert "show dashboard danang/quality-vi to " in stage.citylake(*PLAN, code=3)
    stage.citylake(*APPLY)
    assert stage.citylake(*PLAN) == "nothing to change\n"


@pytest.mark.parametrize("broken", ["Bearer x", ""])
def test_a_session_that_ended_in_the_middle_is_no_success(stage: Stage, broken: str) -> None:
    client = Client(stage.address, "admin", stage.passwords["admin"])
    asset = _asset(stage, "danang/never-vi")
    client._http.headers["Authorization"] = broken
    client._http.cookies.clear()
    with pytest.raises(ReportsError, match="was not taken"):
        client.import_assets([asset])
    client.close()
    assert (CHARTS, asset.uuid) not in stage.client("admin").exported()


def test_a_faulty_file_is_named(stage: Stage) -> None:
    sound = _asset(stage, "danang/faulty-vi")
    faulty = replace(sound, content={**sound.content, "cache_timeout": "soon"})
    with pytest.raises(ReportsError, match=r"charts/danang\.faulty-vi\.yaml.*cache_timeout"):
        stage.client("admin").import_assets([faulty])


def test_a_server_that_is_down_is_told_in_one_line(stage: Stage) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    said = stage.citylake(*PLAN, "--address", address, code=1)
    assert said == (
        f"citylake: Superset at {address} does not answer (ConnectError): "
        "`citylake superset up` starts one here, --address names another\n"
    )


def test_a_wrong_password_is_told(stage: Stage) -> None:
    with pytest.raises(LoginError, match="does not let user admin in"):
        Client(stage.address, "admin", "x")


def test_secrets_are_for_their_owner_alone(stage: Stage) -> None:
    for name in ("passwords.json", "secret_key", "server.json"):
        mode = stat.S_IMODE((stage.home / "superset" / name).stat().st_mode)
        assert mode == 0o600, name


def test_a_second_call_finds_the_server_and_says_where_it_is(stage: Stage) -> None:
    said = stage.citylake("superset", "up", "--city", "danang")
    assert f"Superset runs already at {stage.address}\n" in said
    assert f"Superset: {stage.address}\nusers: admin, " in said
    assert "0 objects written, verified\n" in said
