import gzip
import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extract.raw import RawStore
from warehouse.paths import CityPaths

TEXT = b"a,b\n" * 5000


def stored_files(paths: CityPaths) -> list[Path]:
    return [path for path in (paths.raw / "objects").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (TEXT, ".zst"),
        (b"", ".zst"),
        (b"x", ".zst"),
        (gzip.compress(TEXT), ".bin"),
        (b"PK\x03\x04 rest", ".bin"),
        (b"PAR1 rest", ".bin"),
        (b"ARROW1 rest", ".bin"),
    ],
    ids=["text", "empty", "one byte", "gzip", "zip", "parquet", "arrow"],
)
@pytest.mark.parametrize("form", ["bytes", "stream", "path", "chunks"])
def test_bytes_come_back_as_they_came(
    store: RawStore, tmp_path: Path, content: bytes, suffix: str, form: str
) -> None:
    file = tmp_path / "input"
    file.write_bytes(content)
    given_as: dict[str, Any] = {
        "bytes": content,
        "stream": io.BytesIO(content),
        "path": file,
        "chunks": (content[index : index + 1] for index in range(min(len(content), 3)))
        if len(content) < 4
        else iter([content[:1], content[1:2], b"", content[2:]]),
    }
    raw = store.put(given_as[form], "input")
    assert raw.digest == hashlib.sha256(content).hexdigest()
    assert raw.size == len(content)
    assert raw.path.suffix == suffix
    assert store.open(raw.digest).read() == content
    assert store.find(raw.digest) == raw
    if suffix == ".bin":
        assert raw.path.read_bytes() == content


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.lists(st.binary(max_size=50), max_size=6))
def test_chunks_make_no_difference(store: RawStore, chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    assert store.put(iter(chunks), "a").digest == store.put(whole, "b").digest
    assert store.open(hashlib.sha256(whole).hexdigest()).read() == whole


def test_the_same_bytes_are_stored_once_under_all_their_names(
    store: RawStore, paths: CityPaths
) -> None:
    for name in ("first.csv", "second.csv", "first.csv", "a\nb"):
        raw = store.put(TEXT, name)
    assert len(stored_files(paths)) == 1
    assert store.names(raw.digest) == ("first.csv", "second.csv", "a b")
    assert store.names("0" * 64) == ()


def test_folders_are_closed_to_others(store: RawStore, paths: CityPaths) -> None:
    old = os.umask(0)
    try:
        store.put(TEXT, "input")
    finally:
        os.umask(old)
    folders = [paths.raw, *(each for each in paths.raw.rglob("*") if each.is_dir())]
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
    files = [each for each in paths.raw.rglob("*") if each.is_file()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_content_that_fails_on_the_way_leaves_nothing(store: RawStore, paths: CityPaths) -> None:
    def cut() -> Iterator[bytes]:
        yield TEXT
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store.put(cut(), "input")
    assert stored_files(paths) == []
    assert list(store.scratch.iterdir()) == []


@pytest.mark.parametrize(("keep", "kept"), [(0, None), (len(TEXT) - 1, None), (len(TEXT), TEXT)])
def test_small_content_may_be_kept(store: RawStore, keep: int, kept: bytes | None) -> None:
    assert store.put(TEXT, "input", keep_bytes=keep).content == kept


def test_an_unknown_digest(store: RawStore) -> None:
    with pytest.raises(FileNotFoundError):
        store.open("0" * 64)
    with pytest.raises(FileNotFoundError):
        store.find("0" * 64)


@pytest.mark.parametrize(("boundary", "objects"), [("raw.before_store", 0), ("raw.after_store", 1)])
def test_ended_at_a_boundary_the_object_is_whole_or_absent(
    tmp_path: Path, boundary: str, objects: int
) -> None:
    script = (
        "from pathlib import Path\n"
        "from extract.raw import RawStore\n"
        "from warehouse.paths import CityPaths\n"
        f"RawStore(CityPaths(Path({str(tmp_path)!r}), 'city')).put(b'a,b\\n' * 5000, 'input')\n"
    )
    ended = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", script],
        env={**os.environ, "CITYLAKE_KILL_AT": boundary},
        check=False,
    )
    assert ended.returncode == -9
    paths = CityPaths(tmp_path, "city")
    assert len(stored_files(paths)) == objects
    store = RawStore(paths)
    raw = store.put(TEXT, "input")
    assert store.open(raw.digest).read() == TEXT
    assert len(stored_files(paths)) == 1
