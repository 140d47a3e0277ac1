"""The command line starts light and says the version that pyproject.toml declares."""

import os
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HELP_SECONDS = 0.5  # of processor time: what else the machine does must not count
TRIES = 3
HEAVY = {"dbt", "deltalake", "duckdb", "great_expectations", "polars", "pyarrow"}


def _output(folder: Path, *arguments: str) -> str:
    """What our interpreter prints when started in the folder, which is first on its path."""
    done = subprocess.run(  # noqa: S603 (our own interpreter and arguments)
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def _heavy_modules(folder: Path, module: str) -> set[str]:
    """The heavy libraries that are loaded after importing the module."""
    program = f"import sys, {module}; print(*sys.modules)"
    return HEAVY & set(_output(folder, "-c", program).split())


def _declared_version(folder: Path) -> str:
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def test_importing_the_command_line_pulls_in_nothing_heavy() -> None:
    assert _heavy_modules(ROOT, "pipeline.cli") == set()


def test_a_heavy_import_is_seen(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import duckdb\n", encoding="utf-8")
    assert _heavy_modules(tmp_path, "slow") == {"duckdb"}


def test_the_command_line_prints_the_declared_version() -> None:
    printed = _output(ROOT, "-m", "pipeline.cli", "--version")
    assert printed.split()[-1] == _declared_version(ROOT)


def test_another_declared_version_is_seen(tmp_path: Path) -> None:
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    changed = declared.replace(f'version = "{_declared_version(ROOT)}"', 'version = "0.0.99"', 1)
    (tmp_path / "pyproject.toml").write_text(changed, encoding="utf-8")
    printed = _output(ROOT, "-m", "pipeline.cli", "--version")
    assert printed.split()[-1] != _declared_version(tmp_path)


def _processor_seconds(folder: Path, *arguments: str, tries: int = 1) -> float:
    """The least processor time of some tries of our interpreter, its own processes included."""
    taken = []
    for _ in range(tries):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        _output(folder, *arguments)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(taken)


def test_help_comes_at_once() -> None:
    assert "Usage" in _output(ROOT, "-m", "pipeline.cli", "--help")
    assert _processor_seconds(ROOT, "-m", "pipeline.cli", "--help", tries=TRIES) < HELP_SECONDS


def test_help_that_imports_too_much_is_seen(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import time\nwhile time.process_time() < 0.6:\n    pass\n", encoding="utf-8"
    )
    assert _processor_seconds(tmp_path, "-m", "slow") > HELP_SECONDS
