import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from warehouse.files import canonical_json, create_exclusively, replace_content


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "000001.json"
    assert create_exclusively(path, b"first", tmp_path / "work")
    assert not create_exclusively(path, b"second", tmp_path / "work")
    assert path.read_bytes() == b"first"
    assert list((tmp_path / "work").iterdir()) == []


def test_of_many_at_once_one_creates(tmp_path: Path) -> None:
    barrier = threading.Barrier(4)

    def create(number: int, writer: int) -> bool:
        barrier.wait(10)
        path = tmp_path / f"{number:06d}.json"
        return create_exclusively(path, str(writer).encode(), tmp_path / "work")

    with ThreadPoolExecutor(4) as pool:
        for number in range(25):
            tries = [pool.submit(create, number, writer) for writer in range(4)]
            made = [each.result(10) for each in tries]
            assert made.count(True) == 1
            assert (tmp_path / f"{number:06d}.json").read_bytes() == str(made.index(True)).encode()


def test_replacing_gives_the_new_content(tmp_path: Path) -> None:
    for content in (b"old", b"new"):
        replace_content(tmp_path / "latest.json", content, tmp_path / "work")
    assert (tmp_path / "latest.json").read_bytes() == b"new"


def test_canonical_json_has_one_spelling() -> None:
    assert canonical_json({"b": "ộ", "a": [1, None]}) == '{"a":[1,null],"b":"ộ"}\n'.encode()
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json({"a": float("nan")})
