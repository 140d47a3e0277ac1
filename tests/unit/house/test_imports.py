"""The arrows of the house: who may import whom, and each heavy library's one door."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.house.import_rules import (
    ARROWS,
    arrow_problems,
    door_problems,
    folder_problems,
    relative_problems,
)

ROOT = Path(__file__).resolve().parents[3]
Check = Callable[[Path], list[str]]
CHECKS: tuple[Check, ...] = (arrow_problems, door_problems, folder_problems, relative_problems)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_house_keeps_the_rule(check: Check) -> None:
    assert check(ROOT) == []


def test_the_table_names_every_installed_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    installed = {name.partition(".")[0] for name in project["tool"]["setuptools"]["packages"]}
    assert installed == set(ARROWS)
    assert all((ROOT / name).is_dir() for name in installed)


@pytest.mark.parametrize(
    ("check", "path", "text"),
    [
        pytest.param(arrow_problems, "warehouse/a.py", "import extract.read", id="up"),
        pytest.param(arrow_problems, "extract/a.py", "from quality import gate", id="sideways"),
        pytest.param(arrow_problems, "extract/a/b.py", "def f():\n import publish", id="inside"),
        pytest.param(arrow_problems, "demo/a.py", "from warehouse.paths import x", id="demo"),
        pytest.param(arrow_problems, "pipeline/a.py", "import bench", id="bench"),
        pytest.param(arrow_problems, "publish/a.py", "import tests.x", id="tests"),
        pytest.param(arrow_problems, "dags/a.py", "import warehouse", id="dags"),
        pytest.param(
            arrow_problems, "quality/a.py", "import_module('publish.release')", id="dynamic"
        ),
        pytest.param(door_problems, "warehouse/a.py", "import deltalake", id="deltalake"),
        pytest.param(
            door_problems, "warehouse/a.py", "from deltalake.writer import x", id="deltalake_below"
        ),
        pytest.param(
            door_problems, "quality/a.py", "import duckdb\nduckdb.connect()", id="connect"
        ),
        pytest.param(
            door_problems, "quality/a.py", "import duckdb as d\nd.connect()", id="connect_alias"
        ),
        pytest.param(
            door_problems, "quality/a.py", "from duckdb import connect as c", id="connect_name"
        ),
        pytest.param(door_problems, "demo/a.py", "import duckdb\nduckdb.connect()", id="demo_duck"),
        pytest.param(door_problems, "pipeline/a.py", "from dbt.cli.main import x", id="dbt"),
        pytest.param(door_problems, "quality/a.py", "import great_expectations as gx", id="gx"),
        pytest.param(door_problems, "pipeline/a.py", "from airflow.sdk import dag", id="airflow"),
        pytest.param(
            door_problems, "extract/a.py", "from adbc_driver_postgresql import dbapi", id="adbc"
        ),
        pytest.param(
            door_problems, "pipeline/run.py", "import demo.feedback.server", id="demo_door"
        ),
        pytest.param(relative_problems, "warehouse/a.py", "from . import b", id="relative"),
        pytest.param(relative_problems, "warehouse/a.py", "from .b import c", id="relative_name"),
        pytest.param(folder_problems, "dbt_helper.py", "", id="top_level_dbt_module"),
        pytest.param(folder_problems, "dags/dbt_build.py", "", id="dag_named_dbt"),
        pytest.param(folder_problems, "dbt/__init__.py", "", id="dbt_package"),
        pytest.param(folder_problems, "cities/danang/fix.py", "", id="city_with_code"),
    ],
)
def test_a_breach_is_seen(tmp_path: Path, check: Check, path: str, text: str) -> None:
    place = tmp_path / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
    problems = check(tmp_path)
    assert len(problems) == 1
    assert problems[0].startswith(path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("warehouse/lake.py", "from deltalake import DeltaTable", id="deltalake"),
        pytest.param("warehouse/duck.py", "import duckdb\nduckdb.connect()", id="connect"),
        pytest.param(
            "quality/a.py", "import duckdb\nx = duckdb.Error", id="duckdb_without_connect"
        ),
        pytest.param("warehouse/dbt_plugin.py", "from dbt.adapters import x", id="dbt"),
        pytest.param("publish/a.py", "from quality import gate\nimport warehouse.lake", id="down"),
        pytest.param("bench/limit/a.py", "import deltalake, duckdb\nduckdb.connect()", id="bench"),
        pytest.param("demo/a.py", "from demo.city import x", id="own_package"),
    ],
)
def test_what_the_rules_allow_passes(tmp_path: Path, path: str, text: str) -> None:
    place = tmp_path / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
    assert [problem for check in CHECKS for problem in check(tmp_path)] == []


def _dbt_version_file(folder: Path) -> Path:
    """Where `import dbt.version` comes from, with the folder first on the path."""
    program = "import sys; sys.path[0] = ''; import dbt.version; print(dbt.version.__file__)"
    done = subprocess.run(  # noqa: S603 (our own interpreter and program)
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    return Path(done.stdout.strip())


def test_the_real_dbt_imports_from_the_repository_root() -> None:
    assert (ROOT / "dbt").is_dir()
    assert ROOT / "dbt" not in _dbt_version_file(ROOT).parents


def test_a_dbt_package_in_the_root_would_hide_the_real_one(tmp_path: Path) -> None:
    (tmp_path / "dbt").mkdir()
    for name in ("__init__.py", "version.py"):
        (tmp_path / "dbt" / name).write_text("", encoding="utf-8")
    assert _dbt_version_file(tmp_path).resolve() == (tmp_path / "dbt" / "version.py").resolve()
