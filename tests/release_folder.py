"""What every release folder must stand: other people's tools accept it, and its sums cover it."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

FRICTIONLESS = Path(sys.executable).with_name("frictionless")
# Beside the rows in Parquet and CSV.
BESIDE = {
    "datapackage.json",
    "quality-report.json",
    "quality-report.md",
    "provenance.json",
    "changes.parquet",
}


def release_folders(root: Path, dataset: str) -> list[Path]:
    """The versions of a dataset below a city's folder, oldest first."""
    return sorted(path for path in (root / "releases" / dataset).iterdir() if path.is_dir())


def frictionless(folder: Path) -> subprocess.CompletedProcess[str]:
    """What the tool that readers of a Data Package use says of a release."""
    return subprocess.run(  # noqa: S603 - the tool that readers of a Data Package use
        [FRICTIONLESS, "validate", "--json", "datapackage.json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def assert_frictionless_accepts(folder: Path) -> None:
    """The package is valid, and the rows were looked at in both formats."""
    name = folder.parent.name
    done = frictionless(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["valid"] is True
    assert report["stats"]["tasks"] >= 2, "nothing was looked at"
    assert {f"{name}.csv", f"{name}.parquet"} <= {each["place"] for each in report["tasks"]}


def assert_sums_cover(folder: Path) -> None:
    """SHA256SUMS lists every file of a release once, by its true digest."""
    name = folder.parent.name
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    listed = {name: sha256 for sha256, name in (line.split("  ", 1) for line in lines)}
    files = (path for path in folder.rglob("*") if path.is_file())
    present = {str(path.relative_to(folder)) for path in files} - {"SHA256SUMS"}
    assert len(lines) == len(listed)
    assert set(listed) == present
    assert present >= {f"{name}.csv", f"{name}.parquet", *BESIDE}
    for name, sha256 in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256, name


def assert_the_pointer_names(folder: Path) -> None:
    """`latest.json` names this version, by the digest of its SHA256SUMS."""
    pointer = json.loads((folder.parent / "latest.json").read_text())
    sums = hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    assert pointer == {"version": folder.name, "sha256": sums}
