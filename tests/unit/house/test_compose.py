"""docker-compose.yml, Dockerfile and .dockerignore keep the rules, and the rules can refuse."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipeline.orchestration.configuration import COMPONENTS
from pipeline.variables import missing_variables
from tests.composition import (
    COMPOSE,
    DOCKERFILE,
    DOCKERIGNORE,
    REPOSITORY,
    MissingVariableError,
    compose_problems,
    given_services,
    image_problems,
    required_variables,
    services,
)
from warehouse.city import load_city
from warehouse.paths import CityPaths

TEXT = COMPOSE.read_text(encoding="utf-8")
IMAGE = DOCKERFILE.read_text(encoding="utf-8")
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
GIVEN = {
    "CITYLAKE_AIRFLOW_SECRET": "s" * 40,
    "CITYLAKE_AIRFLOW_PASSWORDS": "admin:a-long-password",
    "CITYLAKE_DATABASE_PASSWORD": "database-password",
    "CITYLAKE_DEMO_TOKEN": "demo-token",
    "CITYLAKE_SUPERSET_SECRET": "k" * 42,
    "CITYLAKE_SUPERSET_PASSWORD": "another-long-password",
}


def _schema_refuses(path: Path) -> str:
    """What the compose specification's schema finds; empty where it finds nothing."""
    done = subprocess.run(  # noqa: S603 - a pinned tool
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout if done.returncode else ""


def test_the_file_is_valid_by_the_compose_specification() -> None:
    assert _schema_refuses(COMPOSE) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("healthcheck:", "healthchek:", id="unknown_key"),
        pytest.param('ports: ["127.0.0.1:8080:8080"]', "ports: 8080", id="wrong_type"),
        pytest.param("condition: service_healthy", "condition: healthy", id="unknown_condition"),
        pytest.param("\nvolumes:\n", "\nvolume:\n", id="unknown_section"),
    ],
)
def test_the_schema_refuses(old: str, new: str, tmp_path: Path) -> None:
    assert old in TEXT
    changed = tmp_path / "docker-compose.yml"
    changed.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    assert _schema_refuses(changed) != ""


def test_every_service_keeps_the_rules() -> None:
    assert compose_problems(TEXT) == []
    assert {"database", "init", "demo", "superset", "reports", *COMPONENTS} == set(services(TEXT))


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        pytest.param('user: "999:999"', "user: root", "runs as root", id="root"),
        pytest.param('user: "10001:10001"', 'user: "0:0"', "runs as root", id="zero"),
        pytest.param("user:", "x-user:", "runs as root", id="no_user"),
        pytest.param("citylake:0.1.0", "citylake:latest", "not pinned", id="latest"),
        pytest.param("citylake:0.1.0", "citylake", "not pinned", id="no_tag"),
        pytest.param("@sha256:1961f", "@sha256:", "not pinned", id="cut_digest"),
        pytest.param("bookworm@sha256:", "bookworm #", "not pinned", id="no_digest"),
        pytest.param("read_only: true", "read_only: false", "can write", id="writable"),
        pytest.param("cap_drop: [ALL]", "cap_drop: []", "capabilities", id="capabilities"),
        pytest.param("no-new-privileges:true", "no-new-privileges:false", "gain", id="privileges"),
        pytest.param('"127.0.0.1:8080:', '"8080:', "beyond loopback", id="port"),
        pytest.param('"127.0.0.1:8080:', '"0.0.0.0:8080:', "beyond loopback", id="every_port"),
        pytest.param("memory: 4g, ", "", "scheduler: no limit of memory", id="memory"),
        pytest.param('cpus: "2", ', "", "scheduler: no limit of cpus", id="cpus"),
        pytest.param(", pids: 500", "", "scheduler: no limit of pids", id="pids"),
        pytest.param(
            "test: [CMD, python", "x-test: [CMD, python", "demo: has no health", id="well"
        ),
        pytest.param('restart: "no"', "restart: always", "init: has no health", id="long"),
        pytest.param(
            "POSTGRES_PASSWORD: ${CITYLAKE_DATABASE_PASSWORD:?of Airflow's database, letters and"
            " digits}",
            "POSTGRES_PASSWORD: airflow",
            "database: POSTGRES_PASSWORD is not required",
            id="literal_password",
        ),
        pytest.param(
            "airflow:${CITYLAKE_DATABASE_PASSWORD:?of Airflow's database, letters and digits}@",
            "airflow:airflow@",
            "CITYLAKE_AIRFLOW_DATABASE is not required",
            id="literal_in_address",
        ),
        pytest.param(
            "CITYLAKE_AIRFLOW_SECRET:?signs sessions, 32 characters or more",
            "CITYLAKE_AIRFLOW_SECRET:-changeme",
            "CITYLAKE_AIRFLOW_SECRET is not required",
            id="usual_secret",
        ),
    ],
)
def test_a_broken_rule_is_seen(old: str, new: str, part: str) -> None:
    assert old in TEXT
    found = compose_problems(TEXT.replace(old, new, 1))
    assert [problem for problem in found if part in problem], found


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_nothing_starts_without_its_secrets(name: str) -> None:
    assert required_variables(TEXT) == set(GIVEN)
    given_services(TEXT, GIVEN)
    for instead in ({}, {name: ""}):
        given = {other: value for other, value in GIVEN.items() if other != name} | instead
        with pytest.raises(MissingVariableError, match=name):
            given_services(TEXT, given)


def test_a_service_is_given_no_secret_that_is_anothers() -> None:
    holders: dict[str, set[str]] = {name: set() for name in GIVEN}
    for service, told in given_services(TEXT, GIVEN).items():
        for name, secret in GIVEN.items():
            if any(secret in value for value in told.get("environment", {}).values()):
                holders[name].add(service)
    airflow = {"init", *COMPONENTS}
    assert holders == {
        "CITYLAKE_AIRFLOW_SECRET": airflow,
        "CITYLAKE_AIRFLOW_PASSWORDS": {"api-server"},
        "CITYLAKE_DATABASE_PASSWORD": {"database", *airflow},
        "CITYLAKE_DEMO_TOKEN": {"demo", "scheduler"},
        "CITYLAKE_SUPERSET_SECRET": {"superset"},
        "CITYLAKE_SUPERSET_PASSWORD": {"superset"},
    }


def _mounts_of_the_lake(text: str) -> dict[str, set[str]]:
    """Of every service, what of the lake it is given, `rw` or `ro` before the folder."""
    found: dict[str, set[str]] = {}
    for service, told in services(text).items():
        for mount in told.get("volumes", ()):
            if isinstance(mount, str):
                source, _, mode = (*mount.split(":"), "rw")[:3]
                part = "."
            else:
                source, mode = mount["source"], "ro" if mount.get("read_only") else "rw"
                part = mount.get("volume", {}).get("subpath", ".")
            if source == "lake":
                found.setdefault(service, set()).add(f"{mode} {part}")
    return found


def test_superset_is_given_the_serving_folder_alone() -> None:
    whole = dict.fromkeys(("init", *COMPONENTS), {"rw ."})
    assert _mounts_of_the_lake(TEXT) == {**whole, "superset": {"ro danang/serving"}}
    told = services(TEXT)["superset"]
    (mount,) = (each for each in told["volumes"] if isinstance(each, dict))
    home = Path(told["environment"]["CITYLAKE_HOME"])
    assert Path(mount["target"]) == CityPaths(home, "danang").serving
    assert told["depends_on"] == {"init": {"condition": "service_completed_successfully"}}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("reports:/reports", "lake:/lake", id="whole"),
        pytest.param("        read_only: true\n", "", id="writable"),
        pytest.param("danang/serving}", "danang}", id="more"),
    ],
)
def test_a_wider_mount_is_seen(old: str, new: str) -> None:
    assert old in TEXT
    assert _mounts_of_the_lake(TEXT.replace(old, new, 1)) != _mounts_of_the_lake(TEXT)


def test_the_scheduler_is_told_what_the_contracts_ask_for() -> None:
    sources = load_city(REPOSITORY / "cities" / "danang").sources.values()
    told = given_services(TEXT, GIVEN)["scheduler"]["environment"]
    assert missing_variables(sources, told) == {}
    without = {name: value for name, value in told.items() if "FHIR" not in name}
    assert len(missing_variables(sources, without)) == 2


def test_the_image_is_the_projects_version() -> None:
    version = PROJECT["project"]["version"]
    built = {each["image"] for each in services(TEXT).values() if "build" in each}
    assert built == {f"citylake:{version}"}


def test_the_image_keeps_the_rules() -> None:
    assert image_problems(IMAGE) == []
    user = re.findall(r"^USER (.*)$", IMAGE, re.MULTILINE)[-1]
    assert {each["user"] for each in services(TEXT).values() if "build" in each} == {user}
    assert {each for each in re.findall(r"install\.sh (\w+)", IMAGE)} == {
        "runtime",
        "gx",
        "airflow",
        "superset",
    }


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        pytest.param("@sha256:", "@sha:", "not pinned", id="digest"),
        pytest.param("USER 10001", "USER 0", "runs as root", id="root"),
        pytest.param("USER 10001:10001\n", "", "runs as root", id="no_user"),
        pytest.param("HOME=/tmp", "CITYLAKE_SECRET=1", "stay in the image", id="secret"),
        pytest.param("COPY . .", "ADD https://example.org/a.tar .", "not in the folder", id="add"),
    ],
)
def test_a_broken_rule_of_the_image_is_seen(old: str, new: str, part: str) -> None:
    assert old in IMAGE
    found = image_problems(IMAGE.replace(old, new, 1))
    assert [problem for problem in found if part in problem], found


def test_the_image_is_given_every_package_and_no_lake() -> None:
    lines = DOCKERIGNORE.read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    given = {line[1:].rstrip("/") for line in rules if line.startswith("!")}
    packages = set(PROJECT["tool"]["setuptools"]["packages"])
    files = {"LICENSE", "README.md", "pyproject.toml"}
    assert given == packages | files | {"cities", "dbt", "requirements"}
    assert all((REPOSITORY / name).exists() for name in given)
