# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""SELECT text over the files of one pinned version of a table."""

from collections.abc import Collection, Mapping

from warehouse.contract.model import TableContract
from warehouse.core_rows import core_columns
from warehouse.errors import CitylakeError
from warehouse.lake import Snapshot
from warehouse.quarantine import QUARANTINE_COLUMNS
from warehouse.sql import empty_select, quoted_list, stored_rows


class UnreadableTableError(CitylakeError):
    """A table uses a Delta feature under which its files do not give its rows."""


def relation_sql(
    snapshot: Snapshot | None,
    table: TableContract,
    *,
    live: bool = True,
    partitions: Collection[str | None] | None = None,
) -> str:
    """SELECT of a core table's columns (business, then system) at a pinned version.

    Args:
        snapshot: The version, or None where the table does not exist yet.
        table: The table's contract, which names and types the columns.
        live: Whether tombstones are left out.
        partitions: Values of the partition column whose rows are read; None reads them all.

    Returns:
        SELECT text that any DuckDB session can run; without rows where there is no table. A
        column that the contract got after the files were written is null.

    Raises:
        UnreadableTableError: when the table uses deletion vectors or column mapping.
    """
    condition = "NOT _is_deleted" if live else "true"
    return _select(snapshot, core_columns(table), condition, partitions)


def quarantine_sql(snapshot: Snapshot | None) -> str:
    """SELECT of a quarantine table's columns at a pinned version; see `relation_sql`."""
    return _select(snapshot, QUARANTINE_COLUMNS, "true")


def _select(
    snapshot: Snapshot | None,
    columns: Mapping[str, str],
    condition: str,
    partitions: Collection[str | None] | None = None,
) -> str:
    if snapshot is None or not snapshot.select(partitions):
        return empty_select(columns)
    if snapshot.unsupported_features:
        features = ", ".join(snapshot.unsupported_features)
        raise UnreadableTableError(f"{snapshot.kind} table {snapshot.table} uses {features}")
    stored = stored_rows(columns, snapshot.files(partitions))
    return f"SELECT {quoted_list(columns)} FROM {stored} WHERE {condition}"
