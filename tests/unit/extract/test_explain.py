from pathlib import Path
from typing import Any

import pytest

from extract.explain import raw_record
from extract.raw import RawStore
from warehouse.contract.model import RawColumn, SourceContract

CSV = b"a,b\n1,x\n2,y,z\n3,\n"
NDJSON = b'{"a": "1", "b": "x"}\nbroken\n{"a": 3}\n'


@pytest.mark.parametrize(
    ("kind", "content", "broken"), [("csv", CSV, "2,y,z"), ("ndjson", NDJSON, "broken")]
)
def test_a_record_is_found_again(store: RawStore, kind: str, content: bytes, broken: str) -> None:
    columns = (RawColumn("a"), RawColumn("b"))
    source = SourceContract(
        "a.b", Path("x"), "t", "a", 1, "UTC", columns, (), format={"kind": kind}
    )
    digest = store.put(content, "input").digest
    found: list[Any] = [raw_record(source, store, digest, row) for row in range(4)]
    assert found == [{"a": "1", "b": "x"}, broken, {"a": "3", "b": None}, None]
