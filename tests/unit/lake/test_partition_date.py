# ruff: noqa: S608 - the tests' own texts
"""A partition that repeats the month of a date column: worked out, not kept on every record."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from tests.unit.lake.streams import (
    DAY_1,
    DAY_2,
    PlainStream,
    load,
    new_lake,
    record,
    request_source,
    request_table,
)
from warehouse.contract.model import Column, TableContract
from warehouse.data_files import LostRowsError, Rows, write_files
from warehouse.lake import Lake

DATE = Column("opened_date", {}, "DATE", derived="localDate(opened_at)")
EDGES = {
    "first": "2024-02-01",
    "leap": "2024-02-29",
    "march": "2024-03-01",
    "end": "2024-12-31",
    "new year": "2025-01-01",
    "last": "2025-01-31",
}


def dated_table() -> TableContract:
    plain = request_table()
    return replace(plain, columns=(*plain.columns[:4], DATE, *plain.columns[4:]))


class DatedStream(PlainStream):
    def split_sql(self, relation: str, as_of: date) -> str:
        inner = super().split_sql(relation, as_of)
        return f"SELECT *, CAST(opened_at AS DATE) AS opened_date FROM ({inner})"


STREAM = DatedStream(request_source(), dated_table())


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return new_lake(tmp_path)


def stored(lake: Lake) -> dict[str, tuple[str | None, date | None]]:
    """Partition and date of every live row by its key, read from the files themselves."""
    return dict(stored_rows(lake))


def stored_rows(lake: Lake) -> list[tuple[str, tuple[str | None, date | None]]]:
    snapshot = lake.snapshot("core", "request")
    assert snapshot is not None
    found: list[tuple[str, tuple[str | None, date | None]]] = []
    for each in snapshot.data_files:
        rows = parquet.ParquetFile(snapshot.folder / each.path).read()
        assert rows.num_rows == each.rows
        found += [
            (row["request_id"], (each.partition["opened_month"], row.get("opened_date")))
            for row in rows.to_pylist()
            if not row["_is_deleted"]
        ]
    return found


@pytest.mark.parametrize("alone", [1, 4_000], ids=["a file a month", "months together"])
def test_every_row_lies_in_the_partition_of_its_month(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, alone: int
) -> None:
    monkeypatch.setattr("warehouse.data_files._ALONE_ROWS", alone)
    records = [record(key, opened=day) for key, day in EDGES.items()]
    undated = ("undated", "open", None, "2025-03-01", None)
    load(lake, [*records, undated], DAY_1, stream=STREAM)

    dated = {key: (day[:7], date.fromisoformat(day)) for key, day in EDGES.items()}
    assert stored(lake) == {**dated, "undated": (None, None)}


def test_a_row_whose_date_moves_leaves_its_old_month(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.data_files._ALONE_ROWS", 1)
    load(lake, [record(key, opened=day) for key, day in EDGES.items()], DAY_1, stream=STREAM)
    moved = record("leap", opened="2025-01-15", updated="2025-03-09")
    result = load(lake, [moved], DAY_2, stream=STREAM)

    assert result.counts["changed"] == 1
    expected = {**EDGES, "leap": "2025-01-15"}
    assert {key: day for key, (_, day) in stored(lake).items()} == {
        key: date.fromisoformat(day) for key, day in expected.items()
    }
    assert all(str(day)[:7] == month for month, day in stored(lake).values())


def test_the_same_records_are_the_same_rows_again(lake: Lake) -> None:
    records = [record(key, opened=day) for key, day in EDGES.items()]
    load(lake, records, DAY_1, stream=STREAM)
    again = load(lake, records, DAY_2, stream=STREAM)
    assert again.counts["unchanged"] == len(EDGES)


class EasternStream(PlainStream):
    """Its clock is fourteen hours ahead of UTC."""

    def split_sql(self, relation: str, as_of: date) -> str:
        inner = super().split_sql(relation, as_of)
        here = "CAST(opened_at + INTERVAL 14 HOUR AS DATE)"
        month = f"left(CAST({here} AS VARCHAR), 7)"
        return f"SELECT * REPLACE ({month} AS opened_month), {here} AS opened_date FROM ({inner})"


@pytest.mark.parametrize("there", ["2025-02-28 10:00+00", "2025-02-28 23:59:59+00"])
@pytest.mark.parametrize("back", [False, True], ids=["to the east", "back to the west"])
def test_a_row_whose_key_tells_its_month_is_found_after_the_zone_changed(
    lake: Lake, there: str, *, back: bool
) -> None:
    table = replace(dated_table(), key=("request_id", "opened_at"))
    source = request_source()
    west, east = DatedStream(source, table), EasternStream(source, table)
    before, after = (east, west) if back else (west, east)
    load(lake, [record("a", opened=there)], DAY_1, stream=before)
    result = load(lake, [record("a", opened=there)], DAY_2, stream=after)
    assert result.counts["changed"] == 1
    where = ("2025-02", date(2025, 2, 28)) if back else ("2025-03", date(2025, 3, 1))
    assert [each for _, each in stored_rows(lake)] == [where]


@pytest.mark.parametrize("first", [[], [record("old")]], ids=["empty table", "rows there"])
def test_rows_that_do_not_add_up_are_not_committed(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, first: list[Any]
) -> None:
    if first:
        load(lake, first, DAY_1, stream=STREAM)
    before = lake.snapshot("core", "request")
    on_disk = set((lake.paths.root / "core").rglob("*.parquet"))

    monkeypatch.setattr(
        "warehouse.load.write_files",
        lambda con, rows, *rest: write_files(con, [Rows(f"{rows[0].select} LIMIT 1")], *rest),
    )
    records = [record("old", "closed", updated="2025-03-09"), record("a"), record("b")]
    with pytest.raises(LostRowsError, match=r"core table request: .*1 written, 3 expected"):
        load(lake, records, DAY_2, stream=STREAM)

    after = lake.snapshot("core", "request")
    assert (after and after.files()) == (before.files() if before else [])
    assert set((lake.paths.root / "core").rglob("*.parquet")) == on_disk


def column(name: str, derived: str) -> Column:
    return Column(name, {}, "DATE", derived=derived)


@pytest.mark.parametrize(
    ("month", "dates", "found"),
    [
        ("localMonth(opened_at)", {"a": "localDate(opened_at)"}, "a"),
        ("localMonth(opened_at)", {"a": "localDate(updated_at)"}, None),
        ("localMonth(opened_at)", {"a": "localDate(updated_at)", "b": "localDate(opened_at)"}, "b"),
        ("periodMonth(status)", {"a": "periodEnd(status)", "b": "periodStart(status)"}, "b"),
        ("periodMonth(status)", {"a": "periodEnd(status)"}, None),
        (None, {"a": "localDate(opened_at)"}, None),
    ],
)
def test_the_date_of_a_partition_is_derived_as_its_month_is(
    month: str | None, dates: dict[str, str], found: str | None
) -> None:
    plain = request_table()
    columns = (
        *plain.columns[:4],
        *(column(name, derived) for name, derived in dates.items()),
        replace(plain.columns[4], derived=month),
    )
    table = replace(plain, columns=columns)
    assert table.partition_date == found
    stated = [each.name for each in table.stated_columns]
    assert ("opened_month" in stated) == (found is None)


def test_rows_older_than_the_date_column_stay_in_their_month(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.data_files._ALONE_ROWS", 1)
    records = [record(key, opened=day) for key, day in EDGES.items()]
    load(lake, records, DAY_1)
    changed = [
        record("leap", "closed", opened="2024-02-29", updated="2025-03-09"),
        record("end", opened="2025-01-02", updated="2025-03-09"),
    ]
    load(lake, changed, DAY_2, stream=STREAM)

    months = {key: month for key, (month, _) in stored(lake).items()}
    assert months == {key: day[:7] for key, day in {**EDGES, "end": "2025-01-02"}.items()}


def test_rows_older_than_a_column_are_deleted_by_absence(lake: Lake) -> None:
    source = request_source(deletes="absence", max_delete_share=0.5)
    records = [record(key, opened=day) for key, day in EDGES.items()]
    load(lake, records, DAY_1, stream=PlainStream(source, request_table()), full_snapshot=True)
    stream = DatedStream(source, dated_table())
    result = load(lake, records[1:], DAY_2, stream=stream, full_snapshot=True)

    assert (result.deleted, result.held_back) == (1, None)
    assert set(stored(lake)) == set(EDGES) - {"first"}


def test_a_version_that_the_contract_names_later_decides_from_then_on(lake: Lake) -> None:
    plain = request_table(version_column=None)
    columns = tuple(each for each in plain.columns if each.name != "updated_at")
    load(
        lake,
        [record("a")],
        DAY_1,
        stream=PlainStream(request_source(), replace(plain, columns=columns)),
    )
    result = load(lake, [record("a", "closed", updated="2025-03-09")], DAY_2)

    assert result.counts["changed"] == 1
