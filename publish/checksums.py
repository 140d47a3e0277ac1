"""SHA256SUMS: what a release holds, so that a reader can tell a changed one."""

from pathlib import Path

from publish.errors import ReleaseError
from warehouse.files import file_digest

SUMS = "SHA256SUMS"


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS over every other file of the folder, in the form of `sha256sum`."""
    lines = [f"{file_digest(folder / name)}  {name}\n" for name in _files(folder)]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def verify_release(folder: Path) -> None:
    """Check that a release holds exactly the files it was written with.

    Raises:
        ReleaseError: at the first file that is changed, missing, unknown or no plain file.
    """
    if not (folder / SUMS).is_file():
        raise ReleaseError(f"release {folder.name} has no {SUMS}")
    listed = listed_sums(folder)
    present = set(_files(folder))
    for name in sorted(listed.keys() | present):
        path = folder / name
        if name not in listed:
            raise ReleaseError(f"release {folder.name}: {name} is not listed in {SUMS}")
        if name not in present:
            raise ReleaseError(f"release {folder.name}: {name} is missing")
        if path.is_symlink() or not path.is_file():
            raise ReleaseError(f"release {folder.name}: {name} is no plain file")
        if file_digest(path) != listed[name]:
            raise ReleaseError(f"release {folder.name}: {name} was changed")


def _files(folder: Path) -> list[str]:
    """Names below the folder, relative to it, but SHA256SUMS; sub-folders are left out."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    names = (path.relative_to(folder).as_posix() for path in found)
    return sorted(name for name in names if name != SUMS)


def listed_sums(folder: Path) -> dict[str, str]:
    """SHA-256 in hex by file name, as SHA256SUMS lists them.

    Raises:
        ReleaseError: at a line that is no checksum.
    """
    listed = {}
    for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
        sha256, separator, name = line.partition("  ")
        if not separator or len(sha256) != 64:
            raise ReleaseError(f"release {folder.name}: {SUMS} has a line that is no checksum")
        listed[name] = sha256
    return listed
