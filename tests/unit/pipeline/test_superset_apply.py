"""`citylake reports apply`: checks first, rules before users, and looks at what it has written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.context import read_context
from pipeline.orchestration.errors import OrchestrationError
from pipeline.superset import reports
from pipeline.superset.errors import SupersetError
from pipeline.superset.reports import apply_assets, plan, report_problems
from reports.superset.assets import CHARTS
from reports.superset.contents import Reports
from reports.superset.errors import ReportsError
from tests.unit.pipeline.fake_superset import CHANGE, MAKE, REMOVE, FakeSuperset

ADDRESS = "http://superset"
WARD = "danang: lanh_dao_phuong_hai_chau"
READER = "citylake: reader"
RULES, USERS = "rowlevelsecurity", "security/users"
KINDS = ("databases", "datasets", "charts", "dashboards")


@pytest.fixture
def superset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSuperset:
    """An empty Superset, and the passwords that its users are to have."""
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    names = ["admin", "an", "binh", *read_context("danang").access.roles]
    (tmp_path / "superset").mkdir()
    place = tmp_path / "superset" / "passwords.json"
    place.write_text(json.dumps(dict.fromkeys(names, "a long password")), encoding="utf-8")
    made = FakeSuperset()
    monkeypatch.setattr(reports, "Client", made.client)
    # A serving file is made for it each time; here one test alone is about what it says.
    monkeypatch.setattr(reports, "report_problems", lambda context, assets: [])
    return made


def _places(superset: FakeSuperset, *what: str) -> list[int]:
    return [number for number, (_, of, _) in enumerate(superset.told) if of in what]


def test_objects_come_first_and_every_rule_before_every_user(superset: FakeSuperset) -> None:
    assert apply_assets("danang", ADDRESS) == 0
    objects, roles, rules, grants, boards, users = (
        _places(superset, *what)
        for what in (KINDS, ["security/roles"], [RULES], ["grant"], ["dashboard"], [USERS])
    )
    assert all((objects, roles, rules, grants, boards, users))
    assert max(objects) < min(roles)
    assert max(roles) < min(rules)
    assert max(rules) < min(grants)
    assert max(grants) < min(users)
    assert max(boards) < min(users)
    assert len(superset.told) == max(users) + 1


def test_what_was_applied_is_there_and_needs_nothing_more(
    superset: FakeSuperset, capsys: pytest.CaptureFixture[str]
) -> None:
    apply_assets("danang", ADDRESS)
    assert superset.roles_of("lanh_dao_phuong_hai_chau") == {READER, WARD}
    told = [*superset.told]
    capsys.readouterr()
    assert apply_assets("danang", ADDRESS) == 0
    assert capsys.readouterr().out == "0 objects written, verified\n"
    assert superset.told == told


def test_an_object_that_the_server_took_and_does_not_have_is_told(
    superset: FakeSuperset, capsys: pytest.CaptureFixture[str]
) -> None:
    superset.loses = frozenset({"danang/attention-vi"})
    still = r"^after the push Superset still differs: charts/danang\.attention-vi\.yaml$"
    with pytest.raises(ReportsError, match=still):
        apply_assets("danang", ADDRESS)
    assert "verified" not in capsys.readouterr().out


def test_a_user_who_was_put_into_no_role_is_told(superset: FakeSuperset) -> None:
    superset.keeps = lambda row: {**row, "roles": []}
    still = "still differs: put user lanh_dao_thanh_pho into danang: lanh_dao_thanh_pho; put user"
    with pytest.raises(ReportsError, match=still):
        apply_assets("danang", ADDRESS)


def test_what_check_refuses_is_brought_to_no_server(
    superset: FakeSuperset, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = reports._reports(read_context("danang"))
    monkeypatch.setattr(reports, "_reports", lambda context: _broken(sound))
    monkeypatch.setattr(reports, "report_problems", report_problems)
    with pytest.raises(
        ReportsError, match="attention-vi.yaml: report_attention has no column gone"
    ):
        apply_assets("danang", ADDRESS)
    assert (superset.sessions, superset.told) == (0, [])


def _broken(sound: Reports) -> Reports:
    """Reports of which a chart names a column that the marts have dropped."""
    assets = [
        replace(each, content={**each.content, "params": {**each.content["params"], **GONE}})
        if (each.kind, each.key) == (CHARTS, "danang/attention-vi")
        else each
        for each in sound.assets
    ]
    return replace(sound, assets=assets)


GONE = {"all_columns": ["gone"]}


def _with_users(monkeypatch: pytest.MonkeyPatch, *named: str) -> None:
    monkeypatch.setenv("CITYLAKE_SUPERSET_USERS", ",".join(named))


def test_a_user_who_is_named_no_more_is_shut_out(
    superset: FakeSuperset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _with_users(monkeypatch, "an:kiem_toan", "binh:lanh_dao_phuong_hai_chau")
    apply_assets("danang", ADDRESS)
    _with_users(monkeypatch, "an:kiem_toan")
    capsys.readouterr()

    assert plan("danang", ADDRESS) == 3
    assert capsys.readouterr().out == f"shut user binh out, who has: {READER}, {WARD}\n"
    superset.told.clear()
    assert apply_assets("danang", ADDRESS) == 0
    assert superset.told == [(CHANGE, USERS, "binh")]
    assert superset.roles_of("binh") == {READER}
    assert superset.user("binh")["active"] is False
    assert superset.user("an")["active"] is True
    assert plan("danang", ADDRESS) == 0

    _with_users(monkeypatch, "an:kiem_toan", "binh:trung_tam_1022")
    apply_assets("danang", ADDRESS)
    assert superset.roles_of("binh") == {READER, "danang: trung_tam_1022"}
    assert superset.user("binh")["active"] is True


@pytest.mark.parametrize(
    ("name", "role", "maker"),
    [
        pytest.param("chi", WARD, "Nguyễn", id="made-by-hand"),
        pytest.param("chi", "Admin", "danang", id="administrator"),
        pytest.param("chi", WARD, "harbour", id="of-another-city"),
    ],
)
def test_a_user_of_somebody_else_stays(
    superset: FakeSuperset,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    role: str,
    maker: str,
) -> None:
    _with_users(monkeypatch, "an:kiem_toan")
    apply_assets("danang", ADDRESS)
    superset.add_user(name, role, maker)
    assert plan("danang", ADDRESS) == 0
    apply_assets("danang", ADDRESS)
    assert superset.roles_of(name) == {role}
    assert superset.user(name)["active"] is True
    assert [each for each in superset.told if each[0] == REMOVE] == []
    assert (MAKE, USERS, "an") in superset.told


def _kept_passwords(tmp_path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((tmp_path / "superset" / "passwords.json").read_text())
    return found


@pytest.mark.parametrize("given", [None, "a password that was given"], ids=["made", "given"])
def test_a_new_user_of_a_superset_that_runs_here_gets_a_password(
    superset: FakeSuperset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str | None
) -> None:
    _with_users(monkeypatch, "an:kiem_toan")
    apply_assets("danang", ADDRESS)
    before = _kept_passwords(tmp_path)
    if given:
        monkeypatch.setenv("CITYLAKE_SUPERSET_PASSWORD_THU_HA", given)
    _with_users(monkeypatch, "an:kiem_toan", "thu-ha:lanh_dao_thanh_pho")
    assert apply_assets("danang", ADDRESS) == 0

    password = superset.user("thu-ha")["password"]
    assert (password == given) if given else (len(password) > 12)
    assert _kept_passwords(tmp_path) == {**before, "thu-ha": password}


def test_a_superset_elsewhere_is_told_nothing_before_every_new_user_has_a_password(
    superset: FakeSuperset,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "superset" / "passwords.json").unlink()
    monkeypatch.setenv("CITYLAKE_SUPERSET_PASSWORD_ADMIN", "password of admin")
    _with_users(monkeypatch, "thu-ha:lanh_dao_thanh_pho")
    missing = "user thu-ha has no password: CITYLAKE_SUPERSET_PASSWORD_THU_HA gives one"
    assert plan("danang", ADDRESS) == 3
    assert f"warning: {missing}\n" in capsys.readouterr().out
    with pytest.raises(SupersetError, match=missing):
        apply_assets("danang", ADDRESS)
    assert superset.told == []

    monkeypatch.setenv("CITYLAKE_SUPERSET_PASSWORD_THU_HA", "too short")
    with pytest.raises(OrchestrationError, match="_THU_HA has fewer than 12 characters"):
        apply_assets("danang", ADDRESS)
    given = "password of thu-ha"
    monkeypatch.setenv("CITYLAKE_SUPERSET_PASSWORD_THU_HA", given)
    assert apply_assets("danang", ADDRESS) == 0
    assert superset.user("thu-ha")["password"] == given
    assert not (tmp_path / "superset" / "passwords.json").exists()


def test_users_are_shut_out_before_anything_else_is_given(
    superset: FakeSuperset, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_users(monkeypatch, "an:kiem_toan", "binh:lanh_dao_phuong_hai_chau")
    apply_assets("danang", ADDRESS)
    _with_users(monkeypatch, "an:lanh_dao_thanh_pho", "chi:kiem_toan")
    superset.told.clear()
    apply_assets("danang", ADDRESS)
    assert superset.told[0] == (CHANGE, USERS, "binh")
    assert {each for _, _, each in superset.told[1:]} == {"an", "chi"}
