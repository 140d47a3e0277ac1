"""What changed between two releases, cell by cell."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from publish.release_data import write_changes
from warehouse.contract.model import Column
from warehouse.duck import session

COLUMNS = [
    Column(name="area", description={}, sql_type="VARCHAR"),
    Column(name="count", description={}, sql_type="BIGINT"),
    Column(name="note", description={}, sql_type="VARCHAR"),
]
KEY = ["area"]


def changes(folder: Path, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> set[Any]:
    schema = pa.schema([("area", pa.string()), ("count", pa.int64()), ("note", pa.string())])
    for name, rows in (("old", old), ("new", new)):
        pq.write_table(pa.Table.from_pylist(rows, schema), folder / name)
    with session(threads=1) as connection:
        write_changes(
            connection, folder / "new", folder / "old", COLUMNS, KEY, folder / "changes.parquet"
        )
    rows = pq.read_table(folder / "changes.parquet").to_pylist()
    return {(row["key"], row["op"], row["column"], row["old"], row["new"]) for row in rows}


def row(area: str, count: int | None, note: str | None) -> dict[str, Any]:
    return {"area": area, "count": count, "note": note}


def test_a_cell_that_goes_to_null_or_comes_from_it_is_a_change(tmp_path: Path) -> None:
    old = [row("a", 1, "x"), row("b", None, None), row("c", 3, None), row("d", 4, "")]
    new = [row("a", None, "x"), row("b", 2, None), row("c", 3, ""), row("d", 4, None)]
    assert changes(tmp_path, old, new) == {
        ('{"area":"a"}', "update", "count", "1", None),
        ('{"area":"b"}', "update", "count", None, "2"),
        ('{"area":"c"}', "update", "note", None, ""),
        ('{"area":"d"}', "update", "note", "", None),
    }


def test_rows_that_come_and_go_tell_every_cell(tmp_path: Path) -> None:
    assert changes(tmp_path, [row("a", 1, None)], [row("b", 2, "y")]) == {
        ('{"area":"a"}', "delete", "count", "1", None),
        ('{"area":"a"}', "delete", "note", None, None),
        ('{"area":"b"}', "insert", "count", None, "2"),
        ('{"area":"b"}', "insert", "note", None, "y"),
    }


def test_equal_releases_have_no_changes(tmp_path: Path) -> None:
    rows = [row("a", None, None), row("b", 2, "")]
    assert changes(tmp_path, rows, rows) == set()
