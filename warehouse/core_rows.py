# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""The rows that a batch puts into core files, as SELECT text over the session's tables."""

from collections.abc import Mapping

import pyarrow as pa

from warehouse.contract.model import TableContract
from warehouse.data_files import Rows
from warehouse.difference import Difference
from warehouse.lake import Snapshot
from warehouse.row_hash import row_hash
from warehouse.sql import (
    date_literal,
    empty_select,
    enumeration,
    literal,
    month_of,
    quoted,
    quoted_list,
    same,
    stored_rows,
)
from warehouse.staging import OBJECT_BITS, ROW_MASK, Staged

SYSTEM_COLUMNS = {
    "_source": "VARCHAR",
    "_row_hash": "BIGINT",
    "_as_of": "DATE",
    "_is_deleted": "BOOLEAN",
    "_raw_digest": "VARCHAR",
    "_raw_row": "BIGINT",
}


def core_columns(table: TableContract) -> dict[str, str]:
    """Name to DuckDB type of every column of a core table, in order."""
    return {each.name: each.sql_type for each in table.columns} | SYSTEM_COLUMNS


def arrow_schema(staged: Staged, columns: Mapping[str, str]) -> pa.Schema:
    """The Arrow schema of columns given by DuckDB type."""
    return staged.connection.sql(empty_select(columns)).to_arrow_table().schema


def rows_to_write(staged: Staged, snapshot: Snapshot, difference: Difference) -> list[Rows]:
    """All rows that the new files of this batch hold.

    These are the batch's new and changed rows, and of every rewritten partition the rows that
    stay and the rows that become tombstones by absence.
    """
    table = staged.compiled.table
    rows = [Rows(_incoming(staged, difference), table.partition_date)]
    if difference.rewritten:
        # Files that are older than the date column have a month all the same.
        stored = stored_rows(core_columns(table), snapshot.files(difference.rewritten))
        rows.append(Rows(_kept(table, stored, staged.compiled.source.id)))
        if difference.deleted:
            rows.append(Rows(_absent(staged, stored)))
    return rows


def partitions_to_write(
    staged: Staged, snapshot: Snapshot, difference: Difference
) -> dict[str | None, int]:
    """The partition values of `rows_to_write`, each with about how many rows it has."""
    column = staged.compiled.table.partition_column
    if column is None:
        return {}
    date_column = staged.compiled.table.partition_date
    # Days are few: the month of each is worked out once, not on every row.
    by = quoted(date_column or column)
    counted = staged.connection.execute(
        f"""
        SELECT {month_of(by) if date_column else by}, sum(number)::BIGINT
        FROM (SELECT {by}, count(*) AS number FROM staged WHERE _is_good GROUP BY ALL)
        GROUP BY ALL
        """
    ).fetchall()
    rows: dict[str | None, int] = dict(counted)
    for each in snapshot.select(difference.rewritten):
        value = each.partition[column]
        rows[value] = rows.get(value, 0) + each.rows
    return rows


def _incoming(staged: Staged, difference: Difference) -> str:
    table = staged.compiled.table
    source = literal(staged.compiled.source.id)
    out = difference.outcomes
    beaten = "ANTI JOIN lost ON lost._rowid = s.rowid"
    stays = "ANTI JOIN (SELECT _rowid FROM met WHERE outcome <> 'changed') m ON m._rowid = s.rowid"
    return f"""
        SELECT {quoted_list((each.name for each in table.columns), "s.")},
            {source}::{enumeration([staged.compiled.source.id])} AS _source, s._row_hash,
            {date_literal(staged.as_of)} AS _as_of, s._is_deleted,
            o.digest AS _raw_digest, (s._record & {ROW_MASK})::BIGINT AS _raw_row
        FROM staged s JOIN object o ON o.id = (s._record >> {OBJECT_BITS})
        {beaten if out["duplicate"] + out["superseded"] else ""}
        {stays if out["unchanged"] + out["superseded"] else ""}
        WHERE s._is_good
        """


def _kept(table: TableContract, stored: str, source: str) -> str:
    replaced = f"SELECT {quoted_list(table.key)}, {literal(source)} AS _source FROM"
    keys = ("_source", *table.key)
    return f"""
        SELECT l.* FROM {stored} l
        ANTI JOIN ({replaced} met WHERE outcome = 'changed' UNION ALL {replaced} absent) r
            ON {same("r", "l", keys)}
        """


def _absent(staged: Staged, stored: str) -> str:
    table = staged.compiled.table
    changed = {
        "_is_deleted": "true",
        "_as_of": date_literal(staged.as_of),
        "_row_hash": row_hash(table.stated_columns, "true"),
    }
    replaced = ", ".join(f"{value} AS {name}" for name, value in changed.items())
    return f"""
        SELECT l.* REPLACE ({replaced}) FROM {stored} l
        SEMI JOIN absent a ON {same("a", "l", table.key)}
        WHERE l._source = {literal(staged.compiled.source.id)}
        """
