"""What the repository must not hold, and what it must."""

import csv
import gzip
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
import zstandard

from tests.unit.house.hygiene import (
    LARGEST_FILE,
    copy_problems,
    entrance_problems,
    index_problems,
    machine_path_problems,
    repository_files,
    size_problems,
    unfinished_problems,
)

ROOT = Path(__file__).resolve().parents[3]
Check = Callable[[Path, Iterable[Path]], list[str]]
CHECKS: tuple[Check, ...] = (
    index_problems,
    machine_path_problems,
    size_problems,
    unfinished_problems,
)


@pytest.fixture(scope="module")
def files() -> list[Path]:
    found = repository_files(ROOT)
    assert ROOT / "pyproject.toml" in found
    return found


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_repository_is_clean(check: Check, files: list[Path]) -> None:
    assert check(ROOT, files) == []


@pytest.mark.parametrize(
    ("check", "text"),
    [
        pytest.param(index_problems, "--index" + "-url https://example.org", id="option"),
        pytest.param(index_problems, "-i https://example.org/simp" + "le", id="address"),
        pytest.param(machine_path_problems, "open('/ho" + "me/somebody/x')", id="home"),
        pytest.param(size_problems, "x" * (LARGEST_FILE + 1), id="large"),
        pytest.param(unfinished_problems, "# TO" + "DO: later", id="later"),
        pytest.param(unfinished_problems, "x = 1  # FIX" + "ME", id="mend"),
    ],
)
def test_an_offending_file_is_seen(tmp_path: Path, check: Check, text: str) -> None:
    offending = tmp_path / "file.txt"
    offending.write_text(text, encoding="utf-8")
    assert len(check(tmp_path, [offending])) == 1


def test_the_folder_of_the_clone_is_a_machine_path(tmp_path: Path) -> None:
    root = tmp_path / "clone"
    root.mkdir()
    (root / "a.py").write_text(f"x = '{tmp_path}/elsewhere'", encoding="utf-8")
    assert len(machine_path_problems(root, [root / "a.py"])) == 1


def test_new_files_count_and_ignored_ones_do_not(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)  # noqa: S603, S607 (git from PATH)
    for name, text in ((".gitignore", "built\n"), ("new.py", ""), ("built", "")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = repository_files(tmp_path)
    assert [path.name for path in found] == [".gitignore", "new.py"]


@pytest.fixture(scope="module")
def manifest(shared_data: Path) -> dict[str, str]:
    with (shared_data / "MANIFEST.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert rows
    return {row["sha256_16_of_raw"]: row["path"] for row in rows}


def test_no_shared_file_is_copied(files: list[Path], manifest: Mapping[str, str]) -> None:
    assert copy_problems(ROOT, files, manifest) == []


@pytest.mark.parametrize("recompress", [False, True], ids=["plain", "other_compression"])
def test_a_copy_of_a_shared_file_is_seen(
    tmp_path: Path, shared_data: Path, manifest: Mapping[str, str], recompress: bool
) -> None:
    name = next(path for path in manifest.values() if path.endswith(".csv.gz"))
    content = gzip.decompress((shared_data / name).read_bytes())
    copy = tmp_path / "renamed.bin"
    copy.write_bytes(zstandard.compress(content) if recompress else content)
    assert len(copy_problems(tmp_path, [copy], manifest)) == 1


def test_a_visitor_finds_licence_and_commands() -> None:
    assert entrance_problems(ROOT) == []


def test_a_bare_folder_has_no_entrance(tmp_path: Path) -> None:
    assert len(entrance_problems(tmp_path)) == 3
