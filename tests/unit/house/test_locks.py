"""The locks and pyproject.toml say the same; both are written by `make lock`."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)


def _pins(text: str) -> set[tuple[str, str]]:
    """(normalised name, version) of every pin; a package may have one per Python version."""
    return {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in PIN.findall(text)}


def _lock(name: str) -> str:
    return (ROOT / "requirements" / name).read_text(encoding="utf-8")


def _direct(lock: str) -> list[str]:
    """The direct requirements that the lock must hold."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras: dict[str, list[str]] = project["project"]["optional-dependencies"]
    # `make run` starts the demo city, whose systems are an extra
    runtime: list[str] = project["project"]["dependencies"] + extras["demo"]
    installer, client = (
        [line for line in _lock(name).splitlines() if not line.startswith("#")]
        for name in ("setup.in", "sdmx-client.in")
    )
    groups: dict[str, list[str]] = project["dependency-groups"]
    direct: dict[str, list[str]] = {
        "runtime.txt": runtime,
        "dev.txt": runtime + extras["dev"],
        # Without a version: what ours pins, see below.
        "airflow.txt": runtime + groups["airflow"],
        "gx.txt": [line for line in groups["gx"] if not line.isidentifier()],
        "superset.txt": groups["superset"],
        "setup.txt": project["build-system"]["requires"] + installer,
        "sdmx-client.txt": client,
    }
    return direct[lock]


def _drift(direct: Iterable[str], lock: str) -> list[str]:
    """Direct requirements that are not pinned exactly, or that the lock does not hold so."""
    held = _pins(lock)
    return [line for line in direct if not (_pins(line) and _pins(line) <= held)]


def _without_hash(lock: str) -> list[str]:
    """Pins that are not followed by a hash."""
    return [
        entry.split()[0]
        for entry in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
        if PIN.match(entry) and "--hash=sha256:" not in entry
    ]


LOCKS = (
    "runtime.txt",
    "dev.txt",
    "gx.txt",
    "airflow.txt",
    "superset.txt",
    "setup.txt",
    "sdmx-client.txt",
)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_direct_pin_stands_in_the_lock(lock: str) -> None:
    direct = _direct(lock)
    assert direct
    assert _drift(direct, _lock(lock)) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash_and_the_header_names_the_plain_command(lock: str) -> None:
    text = _lock(lock)
    assert _without_hash(text) == []
    assert text.splitlines()[1] == "#    make lock"


def test_both_environments_hold_the_same_versions() -> None:
    assert _pins(_lock("runtime.txt")) <= _pins(_lock("dev.txt"))


def _disagreeing(one: str, other: str) -> set[str]:
    """Packages that both locks hold in different versions, of those that fit one Python."""
    held, others = _pins(one), _pins(other)
    shared = {name for name, _ in held} & {name for name, _ in others}
    return {name for name, version in held if name in shared and (name, version) not in others}


def test_what_the_environment_of_great_expectations_shares_has_the_same_version() -> None:
    assert _disagreeing(_lock("gx.txt"), _lock("dev.txt")) == set()
    shared = {name for name, _ in _pins(_lock("gx.txt")) & _pins(_lock("runtime.txt"))}
    assert {"duckdb", "pyarrow"} <= shared


def test_the_environment_of_airflow_holds_the_runtime_in_the_same_versions() -> None:
    assert _pins(_lock("runtime.txt")) <= _pins(_lock("airflow.txt"))
    assert _disagreeing(_lock("airflow.txt"), _lock("dev.txt")) == set()


def test_airflow_stands_in_its_own_lock_only() -> None:
    assert "apache-airflow" in {name for name, _ in _pins(_lock("airflow.txt"))}
    for lock in ("runtime.txt", "dev.txt", "gx.txt"):
        assert not any(name.startswith("apache-airflow") for name, _ in _pins(_lock(lock)))


def test_superset_stands_in_its_own_lock_only_and_reads_with_our_duckdb() -> None:
    assert "apache-superset" in {name for name, _ in _pins(_lock("superset.txt"))}
    for lock in ("runtime.txt", "dev.txt", "gx.txt", "airflow.txt"):
        assert "apache-superset" not in {name for name, _ in _pins(_lock(lock))}
    both = _pins(_lock("superset.txt")) & _pins(_lock("runtime.txt"))
    assert "duckdb" in {name for name, _ in both}


def test_what_great_expectations_brings_stands_in_its_own_lock_only() -> None:
    brought = {"great-expectations", "numpy", "pandas", "scipy"}
    assert brought <= {name for name, _ in _pins(_lock("gx.txt"))}
    for lock in ("runtime.txt", "dev.txt"):
        assert brought & {name for name, _ in _pins(_lock(lock))} == set()


def test_another_version_of_what_is_shared_is_seen() -> None:
    assert _disagreeing("a==1 \\\nb==2 \\\nc==1 \\\n", "a==1 \\\nb==1 \\\n") == {"b"}


@pytest.mark.parametrize(
    "direct",
    [
        pytest.param("rich==15.0.1", id="other_version"),
        pytest.param("absent==1.0", id="not_locked"),
        pytest.param("rich>=15", id="not_exact"),
        pytest.param("rich", id="no_version"),
    ],
)
def test_drift_is_seen(direct: str) -> None:
    lock = "rich==15.0.0 \\\n    --hash=sha256:00\n"
    assert _drift(["Rich==15.0.0", direct], lock) == [direct]


def test_a_pin_without_a_hash_is_seen() -> None:
    lock = "rich==15.0.0 \\\n    --hash=sha256:00\ntyper==0.29.2\n"
    assert _without_hash(lock) == ["typer==0.29.2"]
