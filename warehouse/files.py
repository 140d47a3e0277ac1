"""Files that are either not there or whole, whatever ends the process."""

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any


def canonical_json(value: Any) -> bytes:
    """One spelling of a JSON value: sorted keys, UTF-8, no spare spaces, one final newline.

    Raises:
        ValueError: on a number that JSON does not know (`nan`, `inf`).
        TypeError: on a value that is no plain JSON value.
    """
    text = json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return text.encode() + b"\n"


def digest(content: bytes) -> str:
    """SHA-256 of the bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of the file's bytes, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def scratch(work: Path, name: str) -> Path:
    """A name in the scratch folder that no other process uses; only the folder is created."""
    work.mkdir(parents=True, exist_ok=True)
    return work / f"{name}.{os.getpid()}.{secrets.token_hex(4)}"


def sync(path: Path) -> None:
    """Make a file's content, or a folder's list of names, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def create_exclusively(path: Path, content: bytes, work: Path) -> bool:
    """Create a file that must not be there yet, whole or not at all.

    Args:
        path: The file, on the same file system as `work`.
        content: Its bytes.
        work: Scratch folder.

    Returns:
        True when this call created it, False when it was there already (and is untouched).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = scratch(work, path.name)
    temporary.write_bytes(content)
    sync(temporary)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    sync(path.parent)
    return True


def put_in_place(temporary: Path, path: Path) -> None:
    """Move a finished file over the one that readers see; they see the old or the new one."""
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)


def replace_content(path: Path, content: bytes, work: Path) -> None:
    """Give a file new content at once; readers see the old or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = scratch(work, path.name)
    temporary.write_bytes(content)
    put_in_place(temporary, path)
