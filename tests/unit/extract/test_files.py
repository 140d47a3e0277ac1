import gzip
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
ARROW = {"kind": "arrow"}


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


def arrow_bytes(values: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, values.schema, **options) as writer:
        writer.write_table(values, max_chunksize=30_000)
    return bytes(sink.getvalue().to_pybytes())


ENTRIES = pa.table(
    {
        "id": pa.array(range(100_000), pa.int64()),
        "at": pa.array([datetime(2025, 7, 1, tzinfo=UTC)] * 100_000),
        "name": pa.array(["Đà Nẵng"] * 100_000),
    }
)


@pytest.mark.parametrize("wrapping", ["plain", "compressed", "gzip"])
def test_arrow_keeps_its_types(open_bytes: Any, wrapping: str) -> None:
    options = pa.ipc.IpcWriteOptions(compression="zstd" if wrapping == "compressed" else None)
    content = arrow_bytes(ENTRIES, options=options)
    content = gzip.compress(content, 1) if wrapping == "gzip" else content
    columns = [RawColumn("id", "integer"), "name", RawColumn("none", required=False)]
    opened = open_bytes(content, ARROW, columns, drift="evolve").read()
    assert [batch.records.num_rows for batch in opened.batches] == [30_000] * 3 + [10_000]
    assert opened.batches[0].records.schema.types == [
        pa.int64(), pa.string(), pa.string(), pa.int64(),
    ]  # fmt: skip
    rows = opened.rows()
    assert [row["_raw_row"] for row in rows] == [row["id"] for row in rows] == list(range(100_000))
    assert rows[-1]["name"] == "Đà Nẵng"
    assert opened.reader.summary.undeclared == {"at"}


@pytest.mark.parametrize(
    ("name", "logical_type", "fits"),
    [("id", "timestamp", False), ("id", "boolean", False), ("at", "integer", False),
     ("at", "timestamp", True), ("id", "integer", True), ("id", "number", True)],
)  # fmt: skip
@pytest.mark.parametrize("form", [ARROW, PARQUET], ids=["arrow", "parquet"])
def test_a_typed_format_holds_what_is_declared(
    open_bytes: Any, tmp_path: Path, form: dict[str, str], name: str, logical_type: str, fits: bool
) -> None:
    if form == PARQUET:
        pq.write_table(ENTRIES, tmp_path / "x.parquet")
        content = (tmp_path / "x.parquet").read_bytes()
    else:
        content = arrow_bytes(ENTRIES)
    opened = open_bytes(content, form, [RawColumn(name, logical_type)], drift="discard")
    if fits:
        assert len(opened.read().rows()) == 100_000
    else:
        with pytest.raises(TerminalError, match=rf"declared as {logical_type}, .*\[type\]"):
            opened.read()


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "magic only"])
def test_unreadable_arrow(open_bytes: Any, damage: str) -> None:
    whole = arrow_bytes(ENTRIES)
    content = {"cut": whole[:-100], "text": b"a,b\n", "empty": b"", "magic only": b"ARROW1"}[damage]
    with pytest.raises(TerminalError, match=r"file input\.dat: .*\[(arrow|empty)\]"):
        open_bytes(content, ARROW, ["id"], drift="discard").read()


def test_arrow_with_other_columns(open_bytes: Any) -> None:
    with pytest.raises(TerminalError, match=r"missing columns: 'ident'; undeclared columns: "):
        open_bytes(arrow_bytes(ENTRIES), ARROW, ["ident"], drift="discard").read()
    with pytest.raises(TerminalError, match=r"undeclared columns: 'at' \[undeclared_column\]"):
        open_bytes(arrow_bytes(ENTRIES), ARROW, ["id", "name"]).read()


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
