# ruff: noqa: S608 - the tests' own texts
"""A small stream for the lake's tests: contracts written by hand, typing done by plain casts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from warehouse.contract.model import Column, SourceContract, TableContract
from warehouse.duck import session
from warehouse.lake import Kind, Lake
from warehouse.load import LoadResult, load_stream
from warehouse.paths import CityPaths
from warehouse.records import RecordBatch
from warehouse.views import quarantine_sql, relation_sql

RAW_COLUMNS = ("id", "status", "opened", "updated", "deleted")

DAY_1, DAY_2, DAY_3, DAY_4 = (date(2025, 3, day) for day in (8, 9, 10, 11))


def request_table(
    version_column: str | None = "updated_at", partition_column: str | None = "opened_month"
) -> TableContract:
    columns = (
        Column("request_id", {}, "VARCHAR", required=True),
        Column("status", {}, "VARCHAR"),
        Column("opened_at", {}, "TIMESTAMPTZ"),
        Column("updated_at", {}, "TIMESTAMPTZ"),
        Column("opened_month", {}, "VARCHAR", derived="localMonth(opened_at)"),
    )
    return TableContract(
        "request",
        Path("request.yaml"),
        {},
        columns,
        key=("request_id",),
        version_column=version_column,
        partition_column=partition_column,
    )


def request_source(name: str = "feedback.requests", **options: Any) -> SourceContract:
    source = SourceContract(
        id=name,
        path=Path("requests.yaml"),
        table="request",
        agency="centre",
        service_group=1,
        timezone="UTC",
        raw_columns=(),
        mapping=(),
        max_delete_share=0.5,
    )
    return replace(source, **options)


@dataclass(frozen=True)
class PlainStream:
    """Stands for a compiled stream: a bad status or a missing id breaks a rule."""

    source: SourceContract
    table: TableContract
    raw_columns: tuple[str, ...] = RAW_COLUMNS

    def split_sql(self, relation: str, as_of: date) -> str:
        return f"""
            SELECT id AS request_id, nullif(status, 'broken') AS status,
                opened::TIMESTAMPTZ AS opened_at, updated::TIMESTAMPTZ AS updated_at,
                strftime(opened::TIMESTAMPTZ, '%Y-%m') AS opened_month,
                coalesce(deleted = 'yes', false) AS _is_deleted, _raw_row,
                list_filter([
                    CASE WHEN status = 'broken' THEN 'status:enum' END,
                    CASE WHEN id IS NULL THEN 'request_id:required' END
                ], lambda reason: reason IS NOT NULL) AS _reasons,
                CASE WHEN status = 'broken' OR id IS NULL THEN to_json({{id: id,
                    status: status, opened: opened, updated: updated, deleted: deleted}})::VARCHAR
                END AS _raw_record
            FROM {relation}
            """


Record = tuple[str | None, str | None, str | None, str | None, str | None]


def record(
    key: str | None,
    status: str | None = "open",
    *,
    opened: str = "2025-03-01",
    updated: str | None = "2025-03-01",
    deleted: str | None = None,
) -> Record:
    return (key, status, opened, updated, deleted)


def batch(records: Sequence[Record], digest: str = "aa", **options: Any) -> RecordBatch:
    columns = zip(*records, strict=True) if records else [()] * len(RAW_COLUMNS)
    arrays = [pa.array(list(values), pa.string()) for values in columns]
    rows = pa.array(range(len(records)), pa.int64())
    table = pa.table([*arrays, rows], names=[*RAW_COLUMNS, "_raw_row"])
    return RecordBatch(table, digest, "requests.csv", **options)


def new_lake(folder: Path) -> Lake:
    paths = CityPaths(folder, "town")
    paths.create()
    return Lake(paths)


def load(
    lake: Lake,
    records: Sequence[Record] | Sequence[RecordBatch],
    as_of: date,
    *,
    stream: PlainStream | None = None,
    full_snapshot: bool = False,
) -> LoadResult:
    stream = stream or PlainStream(request_source(), request_table())
    batches = [each for each in records if isinstance(each, RecordBatch)]
    if not batches:
        batches = [batch([each for each in records if not isinstance(each, RecordBatch)])]
    return load_stream(
        lake, stream, batches, as_of, full_snapshot=full_snapshot, journal=lake.paths.journal
    )


def rows(
    lake: Lake, columns: str, *, kind: Kind = "core", live: bool = True, table: str = "request"
) -> list[tuple[Any, ...]]:
    """Rows of the newest version, ordered."""
    snapshot = lake.snapshot(kind, table)
    if kind == "core":
        select = relation_sql(snapshot, request_table(), live=live)
    else:
        select = quarantine_sql(snapshot)
    with session() as connection:
        return connection.execute(f"SELECT {columns} FROM ({select}) ORDER BY ALL").fetchall()
