"""Objects that were stored before are read as they were read then."""

from pathlib import Path
from typing import Any

import pytest

from extract.protocols.stored import StoredProtocol
from extract.raw import RawReference, RawStore
from extract.transport.stored import StoredTransport
from warehouse.paths import CityPaths


@pytest.fixture
def store(tmp_path: Path) -> RawStore:
    return RawStore(CityPaths(tmp_path, "city"))


def test_order_names_and_pages_are_those_of_the_reading(store: RawStore) -> None:
    raw = store.put(b"same bytes", "first name")
    again = [
        RawReference(raw.digest, "b page 2", raw.size, 2),
        RawReference(raw.digest, "a page 1", raw.size, 1),
    ]
    recalled = [store.recall(each) for each in again]
    assert [(each.name, each.size, each.page) for each in recalled] == [
        ("b page 2", 10, 2),
        ("a page 1", 10, 1),
    ]
    assert store.recall(RawReference(raw.digest)) == store.find(raw.digest) == raw


def test_an_object_without_a_byte_is_not_parsed_again(store: RawStore) -> None:
    stored = [store.put(content, name) for name, content in {"x": b"", "y": b"1"}.items()]
    objects = tuple(RawReference(each.digest, each.name, each.size) for each in stored)
    parsed: list[str] = []

    def parse(raw: Any) -> Any:
        parsed.append(raw.name)
        return iter(())

    def sink(*_: Any) -> Any:
        raise AssertionError("nothing is stored again")

    protocol = StoredProtocol(StoredTransport(store, objects), sink)
    assert [raw.name for raw, records in protocol.deliveries(parse) for _ in [list(records)]] == [
        "x",
        "y",
    ]
    assert parsed == ["y"]
