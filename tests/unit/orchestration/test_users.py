"""Who may use Airflow, and where passwords stand."""

import json
from pathlib import Path

import pytest

from pipeline.orchestration.errors import OrchestrationError
from pipeline.orchestration.users import (
    PASSWORD_VARIABLE,
    VARIABLE,
    approvers,
    users,
    write_passwords,
)


def test_there_is_one_user_of_each_role_where_none_is_named() -> None:
    found = users({})
    assert [(each.name, each.role) for each in found] == [
        (name, name) for name in ("admin", "engineer", "approver", "auditor")
    ]
    assert approvers(found) == ("approver",)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("an:approver,an:auditor", "stands there twice", id="twice"),
        pytest.param("an:king", "has no role", id="role"),
        pytest.param("an", "has no role", id="no_role"),
        pytest.param("anonymous:approver", "is no name", id="anonymous"),
        pytest.param("An Tran:approver", "is no name of a user: a name has 2 to 64 of", id="name"),
        pytest.param(":approver", "is no name", id="empty"),
        pytest.param("an:admin,binh:engineer", "nobody has the role approver", id="nobody"),
    ],
)
def test_users_that_cannot_be_are_refused(text: str, part: str) -> None:
    with pytest.raises(OrchestrationError, match=part):
        users({VARIABLE: text})


def test_passwords_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    place = tmp_path / "passwords.json"
    known = users({VARIABLE: "an.tran:approver,binh:auditor"})
    write_passwords(place, known, {})
    first = json.loads(place.read_text())
    assert set(first) == {"an.tran", "binh"}
    assert first["an.tran"] != first["binh"]
    assert min(len(each) for each in first.values()) >= 20
    assert place.stat().st_mode & 0o777 == 0o600
    write_passwords(place, known, {})
    assert json.loads(place.read_text()) == first


def test_a_given_password_replaces_one_and_a_user_that_is_none_any_more_goes(
    tmp_path: Path,
) -> None:
    place = tmp_path / "passwords.json"
    write_passwords(place, users({VARIABLE: "an.tran:approver,binh:auditor"}), {})
    given = {PASSWORD_VARIABLE + "AN_TRAN": "correct-horse-battery"}
    write_passwords(place, users({VARIABLE: "an.tran:approver"}), given)
    assert json.loads(place.read_text()) == {"an.tran": "correct-horse-battery"}
    assert [path.name for path in tmp_path.iterdir()] == ["passwords.json"]


def test_a_short_password_is_refused_and_not_shown(tmp_path: Path) -> None:
    given = {PASSWORD_VARIABLE + "APPROVER": "hunter2"}
    with pytest.raises(OrchestrationError, match="fewer than 12") as refused:
        write_passwords(tmp_path / "passwords.json", users({}), given)
    assert "hunter2" not in str(refused.value)
