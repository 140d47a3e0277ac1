"""Great Expectations has an environment of its own, and ours has nothing of what it brings.

Where pandas can be imported, `pyarrow.array` imports it, and polars and DuckDB look for it: every
process would pay for what only one uses.
"""

import importlib.util
import json
import subprocess
from pathlib import Path

import pytest

from quality.gx_environment import interpreter

ROOT = Path(__file__).resolve().parents[3]
THEIRS = ("great_expectations", "numpy", "pandas", "scipy")
NEEDED = {
    "quality.frames",
    "quality.gx",
    "warehouse.contract.model",
    "warehouse.duck",
    "warehouse.errors",
    "warehouse.files",
    "warehouse.fork_server",
    "warehouse.mart_file",
    "warehouse.publication",
    "warehouse.sql",
}
IMPORTED = """
import json, sys
import quality.gx
files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
print(json.dumps(files))
"""


@pytest.mark.parametrize("name", THEIRS)
def test_what_great_expectations_brings_cannot_be_imported_here(name: str) -> None:
    assert importlib.util.find_spec(name) is None


def test_the_validating_module_runs_there_and_takes_little_of_ours() -> None:
    done = subprocess.run(  # noqa: S603 - the project's own environment and module
        [interpreter(), "-P", "-c", IMPORTED],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    files: dict[str, str] = json.loads(done.stdout)
    assert set(THEIRS) <= set(files)
    prefix = str(interpreter().parents[1])
    assert all(files[name].startswith(prefix) for name in (*THEIRS, "duckdb"))
    ours = {name for name in files if name.partition(".")[0] in ("quality", "warehouse")}
    assert ours == {"quality", "warehouse", "warehouse.contract", *NEEDED}
