"""Checks of what the repository holds, over the files that git knows or would take."""

import gzip
import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import zstandard

LARGEST_FILE = 1024 * 1024  # bytes
# Written in pieces, so that this file does not hold what it looks for.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
INDEX_ADDRESS = re.compile(
    "|".join(("index" + "-url", r"\[\[" + r"index\]\]", r"/simp" + r"le/?\b", "find" + "-links"))
)
HOME_FOLDER = re.compile(r"(?<![\w./<>}])/(?:home|Users|root)/[\w.-]+")
COMMANDS = ("make run", "make test")


def repository_files(root: Path) -> list[Path]:
    """Files that are tracked, or new and not ignored, and that stand in the working tree.

    Raises:
        subprocess.CalledProcessError: when the root is no git repository.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 (git from PATH, as for a developer)
        cwd=root,
        capture_output=True,
        check=True,
    ).stdout
    paths = (root / os.fsdecode(name) for name in sorted(set(listed.split(b"\0"))) if name)
    return [path for path in paths if path.is_file()]


def _lines(root: Path, files: Iterable[Path], find: Callable[[str], bool], what: str) -> list[str]:
    return [
        f"{path.relative_to(root).as_posix()}:{number}: {what}"
        for path in files
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), 1
        )
        if find(line)
    ]


def unfinished_problems(root: Path, files: Iterable[Path]) -> list[str]:
    """Lines that say they are not finished."""
    return _lines(root, files, lambda line: bool(UNFINISHED.search(line)), "unfinished place")


def index_problems(root: Path, files: Iterable[Path]) -> list[str]:
    """Lines that name a package index: where packages come from is the installer's matter."""
    return _lines(root, files, lambda line: bool(INDEX_ADDRESS.search(line)), "index address")


def machine_path_problems(root: Path, files: Iterable[Path]) -> list[str]:
    """Lines that name a home folder, or the folder in which this clone lies."""
    beside = f"{root.parent}/"
    is_telling = beside != "//" and root.parent != Path(tempfile.gettempdir())
    return _lines(
        root,
        files,
        lambda line: bool(HOME_FOLDER.search(line)) or (is_telling and beside in line),
        "machine path",
    )


def size_problems(root: Path, files: Iterable[Path]) -> list[str]:
    """Files over 1 MiB."""
    return [
        f"{path.relative_to(root).as_posix()}: {path.stat().st_size} bytes"
        for path in files
        if path.stat().st_size > LARGEST_FILE
    ]


def _plain(content: bytes) -> bytes:
    """The content without its compression, or as it is where that cannot be undone."""
    try:
        if content.startswith(b"\x1f\x8b"):
            return gzip.decompress(content)
        if content.startswith(b"\x28\xb5\x2f\xfd"):
            return zstandard.ZstdDecompressor().decompressobj().decompress(content)
    except (OSError, EOFError, zstandard.ZstdError):
        return content
    return content


def copy_problems(root: Path, files: Iterable[Path], shared: Mapping[str, str]) -> list[str]:
    """Copies of shared input, compressed or not.

    Args:
        root: Repository root.
        files: Files to look at.
        shared: First 16 hex digits of the SHA-256 of the plain bytes -> name of the file.
    """
    digests = ((path, hashlib.sha256(_plain(path.read_bytes())).hexdigest()[:16]) for path in files)
    return [
        f"{path.relative_to(root).as_posix()}: copy of {shared[digest]}"
        for path, digest in digests
        if digest in shared
    ]


def entrance_problems(root: Path) -> list[str]:
    """What a visitor needs and does not find: the licence, and the commands in the README."""
    licence, readme = root / "LICENSE", root / "README.md"
    problems = []
    if not licence.is_file() or "Apache License" not in licence.read_text(encoding="utf-8"):
        problems.append("LICENSE: no Apache licence")
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    problems.extend(f"README.md: {name} missing" for name in COMMANDS if name not in text)
    return problems
