import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from extract.errors import SourceError, TerminalError
from extract.window import Window, iso_utc
from warehouse.contract.model import RawColumn

CSV = {"kind": "csv"}
PARQUET = {"kind": "parquet"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("b_2.csv", "b_1.csv", "c.csv"):
        (folder / name).write_text(f"a\n{name}\n")
    return folder


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("data/c.csv", ["c.csv"]),
        ("data/b_*.csv", ["b_1.csv", "b_2.csv"]),
        (["data/c.csv", "data/*.csv"], ["c.csv", "b_1.csv", "b_2.csv"]),
    ],
    ids=["path", "glob", "list"],
)
@pytest.mark.parametrize("where", ["root", "variable", "variable empty"])
def test_files_are_found(
    open_source: Any, folder: Path, path: Any, names: list[str], where: str
) -> None:
    transport = {"kind": "file", "path": path, "root_env": "DATA_ROOT"}
    environ = {
        "root": {},
        "variable": {"DATA_ROOT": str(folder.parent)},
        "variable empty": {"DATA_ROOT": ""},
    }[where]
    if where == "variable":
        transport["root"] = "nowhere"
    opened = open_source(["a"], transport=transport, format=CSV, environ=environ).read()
    assert opened.column("a") == names
    assert opened.reader.summary.names == names
    assert [batch.raw_name for batch in opened.batches] == names


@pytest.mark.parametrize(
    ("path", "rule"),
    [("data/none.csv", "missing_file"), (["data/c.csv", "data/x_*.csv"], "missing_file"),
     ("data", "unreadable_file")],
    ids=["file", "one pattern", "folder"],
)  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_missing_files_are_named(open_source: Any, path: Any, rule: str) -> None:
    opened = open_source(["a"], transport={"kind": "file", "path": path}, format=CSV)
    with pytest.raises(TerminalError, match=r"source feedback\.test, file ") as caught:
        opened.read()
    assert caught.value.rule == rule


def test_zip_members(open_source: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("y/2.csv", "y/1.csv", "notes.txt"):
            archive.writestr(name, f"a\n{name}\n")
    transport = {"kind": "file", "path": "all.zip", "member": "*.csv"}
    opened = open_source(["a"], transport=transport, format=CSV).read()
    assert opened.column("a") == ["y/1.csv", "y/2.csv"]
    assert opened.reader.summary.names == ["all.zip/y/1.csv", "all.zip/y/2.csv"]


@pytest.mark.parametrize("damage", ["no member", "cut", "no zip"])
def test_unusable_archives(open_source: Any, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1.csv", "a\n1\n")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-10])
    if damage == "no zip":
        path.write_bytes(b"a\n1\n")
    member = "*.txt" if damage == "no member" else "*.csv"
    transport = {"kind": "file", "path": "all.zip", "member": member}
    with pytest.raises(TerminalError, match=r"file all\.zip: .*\[zip\]"):
        open_source(["a"], transport=transport, format=CSV).read()


def parquet_bytes(tmp_path: Path) -> bytes:
    table = pa.table(
        {
            "id": pa.array(range(100_000), pa.int64()),
            "value": pa.array([Decimal("1.50")] * 100_000, pa.decimal128(9, 2)),
            "at": pa.array([datetime(2025, 7, 1, tzinfo=UTC)] * 100_000),
            "area": pa.array([{"ward": "20197", "other": 1}] * 100_000),
        }
    )
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=30_000)
    return (tmp_path / "x.parquet").read_bytes()


def test_parquet_keeps_its_types(open_bytes: Any, tmp_path: Path) -> None:
    columns = ["id", "value", "at", "area.ward", RawColumn("absent", required=False)]
    content = parquet_bytes(tmp_path)
    opened = open_bytes(content, PARQUET, columns, drift="evolve").read()
    assert len(opened.batches) > 1
    records = opened.batches[0].records
    assert records.schema.types[:4] == [
        pa.int64(), pa.decimal128(9, 2), pa.timestamp("us", "UTC"), pa.string(),
    ]  # fmt: skip
    rows = opened.rows()
    assert [row["_raw_row"] for row in rows] == [row["id"] for row in rows] == list(range(100_000))
    assert rows[-1]["area.ward"] == "20197"
    assert rows[-1]["absent"] is None
    assert opened.reader.summary.undeclared == {"area.other"}


@pytest.mark.parametrize(
    ("name", "logical_type", "holds"),
    [("id", "timestamp", "int64"), ("at", "date", r"timestamp\[us, tz=UTC\]")],
)
def test_parquet_that_holds_another_type_than_declared(
    open_bytes: Any, tmp_path: Path, name: str, logical_type: str, holds: str
) -> None:
    content = parquet_bytes(tmp_path)
    message = rf"column {name}: .*declared as {logical_type}, but the file holds {holds} \[type\]"
    with pytest.raises(TerminalError, match=message):
        open_bytes(content, PARQUET, [RawColumn(name, logical_type)], drift="discard").read()
    naive = tmp_path / "naive.parquet"
    pq.write_table(pa.table({"at": pa.array([0], pa.timestamp("us"))}), naive)
    with pytest.raises(TerminalError, match="declared as timestamp, but the file holds timestamp"):
        open_bytes(naive.read_bytes(), PARQUET, [RawColumn("at", "timestamp")]).read()


@pytest.mark.parametrize("damage", ["cut", "text", "empty"])
def test_unreadable_parquet(open_bytes: Any, tmp_path: Path, damage: str) -> None:
    content = {"cut": parquet_bytes(tmp_path)[:-100], "text": b"a,b\n", "empty": b""}[damage]
    with pytest.raises(TerminalError, match=r"file input\.dat: .*\[(parquet|empty)\]"):
        open_bytes(content, PARQUET, ["id"], drift="discard").read()


def test_parquet_without_a_required_column(open_bytes: Any, tmp_path: Path) -> None:
    with pytest.raises(TerminalError, match=r"missing columns: 'ident'; undeclared columns: "):
        open_bytes(parquet_bytes(tmp_path), PARQUET, ["ident"], drift="discard").read()


@pytest.mark.parametrize(
    "contract",
    [
        {"transport": {"kind": "pigeon"}, "format": CSV},
        {"transport": {"kind": "file"}, "format": CSV},
        {"transport": {"kind": "file", "path": "x"}, "format": {"kind": "xml"}},
        {"transport": {"kind": "file", "path": "x"}, "format": {"kind": "parquet", "x": 1}},
        {"transport": {"kind": "file", "path": "x"}, "format": CSV, "protocol": {"kind": "x"}},
        {"transport": {"kind": "file", "path": 3}, "format": CSV},
        {"transport": {"kind": "file", "path": "x"}, "format": CSV, "wanted": ["z"]},
    ],
    ids=["transport", "no path", "format", "option", "protocol", "type", "undeclared wanted"],
)
def test_a_contract_that_cannot_be_followed(open_source: Any, contract: dict[str, Any]) -> None:
    with pytest.raises(TerminalError, match=r"source feedback\.test: .*\[contract\]"):
        open_source(["a"], **contract)


def test_a_stream_that_is_closed_stops(open_source: Any, folder: Path) -> None:
    transport = {"kind": "file", "path": "data/*.csv"}
    opened = open_source(["a"], transport=transport, format=CSV)
    next(opened.reader)
    opened.reader.close()
    assert opened.read().batches == []


def test_a_window_needs_zones() -> None:
    naive = datetime(2025, 7, 1)  # noqa: DTZ001 - what must be refused
    with pytest.raises(ValueError, match="time zone"):
        Window(date(2025, 7, 1), None, naive)
    assert iso_utc(datetime(2025, 7, 1, 1, 2, 3, 999, tzinfo=UTC)) == "2025-07-01T01:02:03Z"


def test_an_error_is_one_line() -> None:
    error = SourceError("a.b", "rule", "two\nlines", file="f\nx", page=2, row=3, column="c")
    assert str(error) == "source a.b, file f x, page 2, row 3, column c: two lines [rule]"
