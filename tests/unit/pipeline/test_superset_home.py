"""Users, passwords and key of Superset: named, private, never in its environment."""

import stat
from pathlib import Path

import pytest

from pipeline.orchestration.errors import OrchestrationError
from pipeline.superset import home as homes
from pipeline.superset.errors import SupersetError
from pipeline.superset.home import SupersetHome, interpreter, prepare
from pipeline.superset.users import users
from warehouse.access import Access, Role, RoleKind

ACCESS = Access({"leader": Role("leader", RoleKind.CITY_LEADER, {"vi": "", "en": ""})}, {})
ADMIN_AND_LEADER = [("admin", "admin"), ("leader", "leader")]


def _names(environ: dict[str, str]) -> list[tuple[str, str]]:
    return [(each.name, each.role) for each in users(ACCESS, environ)]


def test_there_is_one_user_of_each_role_where_none_are_named() -> None:
    assert _names({}) == ADMIN_AND_LEADER
    assert _names({"CITYLAKE_SUPERSET_USERS": "an:leader, binh:leader"}) == [
        ("admin", "admin"),
        ("an", "leader"),
        ("binh", "leader"),
    ]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("an:king", "has no role of the city's", id="role"),
        pytest.param("an", "has no role of the city's", id="no-role"),
        pytest.param("An:leader", "is no name of a user: a name has 2 to 64 of", id="name"),
        pytest.param("x:leader", "begins with a letter", id="short"),
        pytest.param("an:leader,an:leader", "stands there twice", id="twice"),
        pytest.param("admin:leader", "stands there twice", id="administrator"),
    ],
)
def test_a_wrong_user_is_refused(text: str, part: str) -> None:
    with pytest.raises(SupersetError, match=part):
        users(ACCESS, {"CITYLAKE_SUPERSET_USERS": text})


def test_key_and_passwords_are_private_stay_and_are_not_in_the_environment(tmp_path: Path) -> None:
    home = SupersetHome(tmp_path / "superset")
    known = users(ACCESS, {})
    given = {"CITYLAKE_SUPERSET_PASSWORD_LEADER": "a-long-password", "SUPERSET_CONFIG": "x"}
    told = prepare(home, known, {**given, "PATH": "/bin"})
    key = home.key.read_text(encoding="ascii")
    assert len(key) >= 42
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(e.stat().st_mode) for e in (home.key, home.passwords)} == {0o600}
    assert "a-long-password" in home.passwords.read_text(encoding="utf-8")
    assert not {key, "a-long-password"} & set(told.values())
    assert told["PATH"] == "/bin"
    assert "SUPERSET_CONFIG" not in told
    prepare(home, known, {})
    assert home.key.read_text(encoding="ascii") == key
    assert "a-long-password" in home.passwords.read_text(encoding="utf-8")


def test_short_secrets_are_refused_and_not_repeated(tmp_path: Path) -> None:
    home, known = SupersetHome(tmp_path / "superset"), users(ACCESS, {})
    with pytest.raises(SupersetError, match="fewer than 42") as refused:
        prepare(home, known, {"CITYLAKE_SUPERSET_SECRET": "hunter2"})
    assert "hunter2" not in str(refused.value)
    with pytest.raises(OrchestrationError, match="fewer than 12") as short:
        prepare(home, known, {"CITYLAKE_SUPERSET_PASSWORD_ADMIN": "hunter2"})
    assert "hunter2" not in str(short.value)


def test_an_environment_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(homes.PYTHON_VARIABLE, str(tmp_path / "python"))
    with pytest.raises(SupersetError, match=r"requirements/install\.sh superset"):
        interpreter()
