"""An Airflow that is told by environment variables where everything is, and refuses to guess."""

import json
from pathlib import Path

import pytest

from pipeline.orchestration.component import become
from pipeline.orchestration.configuration import Home, environment
from pipeline.orchestration.deployment import (
    api_address,
    give_passwords,
    seat_of,
    without_secrets,
)
from pipeline.orchestration.errors import OrchestrationError
from pipeline.orchestration.health import print_health
from pipeline.orchestration.users import users

SECRET = "not-a-secret-but-as-long-as-one-is"  # noqa: S105 - of tests
DATABASE = "postgresql://airflow:hidden-word@database:5432/airflow"
GIVEN = {
    "CITYLAKE_AIRFLOW_SECRET": SECRET,
    "CITYLAKE_AIRFLOW_DATABASE": DATABASE,
    "CITYLAKE_AIRFLOW_ADDRESS": "http://api-server:8765",
    "CITYLAKE_AIRFLOW_LISTEN": "10.1.2.3",
    "CITYLAKE_AIRFLOW_PUBLIC_ADDRESS": "https://airflow.example.org/",
    "CITYLAKE_AIRFLOW_USERS": "an.tran:approver,binh:auditor",
    "CITYLAKE_AIRFLOW_PASSWORDS": "an.tran:first:password binh:second-password",
}


def _told(home: Path, given: dict[str, str]) -> dict[str, str]:
    seat = seat_of(Home(home), given)
    return environment(seat, "danang", users(given), without_secrets(given))


def test_every_place_is_what_the_environment_says(tmp_path: Path) -> None:
    told = _told(tmp_path, GIVEN)
    assert told["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == DATABASE
    assert "/dags/" not in told["AIRFLOW__CORE__PLUGINS_FOLDER"]
    assert told["AIRFLOW__API__HOST"] == "10.1.2.3"
    assert told["AIRFLOW__API__PORT"] == "8765"
    assert told["AIRFLOW__API__BASE_URL"] == "https://airflow.example.org"
    assert told["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://api-server:8765/execution/"
    assert told["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"


def test_loopback_is_where_nothing_is_said(tmp_path: Path) -> None:
    needed = ("CITYLAKE_AIRFLOW_SECRET", "CITYLAKE_AIRFLOW_DATABASE")
    told = _told(tmp_path, {name: GIVEN[name] for name in needed})
    assert told["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert told["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:8080"


def test_keys_come_from_the_secret_and_each_is_another(tmp_path: Path) -> None:
    names = ("CORE__FERNET_KEY", "API__SECRET_KEY", "API_AUTH__JWT_SECRET")

    def keys(secret: str) -> list[str]:
        told = _told(tmp_path, {**GIVEN, "CITYLAKE_AIRFLOW_SECRET": secret})
        return [told[f"AIRFLOW__{name}"] for name in names]

    assert keys(SECRET) == keys(SECRET)
    assert len({*keys(SECRET), *keys(SECRET + "x")}) == 6
    assert SECRET not in "".join(keys(SECRET))
    assert len(keys(SECRET)[0]) == 44


def test_components_do_not_keep_what_only_their_start_needs(tmp_path: Path) -> None:
    told = _told(tmp_path, GIVEN)
    kept = {name: value for name, value in told.items() if name.startswith("CITYLAKE")}
    assert not [name for name, value in kept.items() if SECRET in value or "password" in value]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("CITYLAKE_AIRFLOW_SECRET", "", id="no_secret"),
        pytest.param("CITYLAKE_AIRFLOW_SECRET", "hidden-word", id="short_secret"),
        pytest.param("CITYLAKE_AIRFLOW_DATABASE", "", id="no_database"),
        pytest.param("CITYLAKE_AIRFLOW_DATABASE", "sqlite:///hidden-word", id="other_database"),
        pytest.param("CITYLAKE_AIRFLOW_ADDRESS", "hidden-word:8080", id="address"),
        pytest.param("CITYLAKE_AIRFLOW_ADDRESS", "http://host/hidden-word", id="path"),
    ],
)
def test_what_cannot_be_used_is_refused_and_not_repeated(
    name: str, value: str, tmp_path: Path
) -> None:
    with pytest.raises(OrchestrationError, match=name) as raised:
        seat_of(Home(tmp_path), {**GIVEN, name: value})
    assert "hidden-word" not in str(raised.value)


def test_every_user_has_the_password_that_was_given(tmp_path: Path) -> None:
    give_passwords(seat_of(Home(tmp_path), GIVEN), users(GIVEN), GIVEN)
    place = tmp_path / "passwords.json"
    assert json.loads(place.read_text()) == {
        "an.tran": "first:password",
        "binh": "second-password",
    }
    assert place.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("passwords", "part"),
    [
        pytest.param("", "no password for an.tran, binh", id="none"),
        pytest.param("an.tran:first-password", "no password for binh", id="lacking"),
        pytest.param("an.tran:first-password binh:short", "fewer than 12", id="short"),
        pytest.param("an.tran:first-password nobody:pass-word-of", "item 2 names", id="nobody"),
        pytest.param("an.tran:first-password binh", "item 2 names no user", id="no_name"),
    ],
)
def test_passwords_that_are_not_everybodys_are_refused(
    passwords: str, part: str, tmp_path: Path
) -> None:
    seat = seat_of(Home(tmp_path), GIVEN)
    with pytest.raises(OrchestrationError, match=part) as raised:
        give_passwords(seat, users(GIVEN), {**GIVEN, "CITYLAKE_AIRFLOW_PASSWORDS": passwords})
    assert "first-password" not in str(raised.value)
    assert not (tmp_path / "passwords.json").exists()


def test_an_address_without_a_port_has_the_usual_one() -> None:
    for address, port in (("http://airflow", 80), ("https://airflow", 443)):
        given = {**GIVEN, "CITYLAKE_AIRFLOW_ADDRESS": address}
        assert seat_of(Home(Path()), given).port == port
    assert api_address({}) == "http://127.0.0.1:8080"


def test_what_is_no_component_is_refused() -> None:
    with pytest.raises(OrchestrationError, match="there are api-server, scheduler"):
        become("webserver", "danang")
    with pytest.raises(OrchestrationError, match="there are api-server, scheduler"):
        print_health("webserver")
