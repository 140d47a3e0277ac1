# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""The records that broke a rule, one Delta table a core table."""

from warehouse.core_rows import arrow_schema
from warehouse.data_files import Rows, discard, write_files
from warehouse.lake import Commit, CommitConflictError, Lake, Snapshot
from warehouse.sql import date_literal, literal, quoted_list, read_files
from warehouse.staging import OBJECT_BITS, ROW_MASK, Staged

# A table with this many files is rewritten into one when it is next added to.
MOST_FILES = 32

QUARANTINE_COLUMNS = {
    "_source": "VARCHAR",
    "_record_hash": "VARCHAR",
    "raw_record": "VARCHAR",
    "key_text": "VARCHAR",
    "reasons": "VARCHAR[]",
    "version_at": "TIMESTAMPTZ",
    "_raw_digest": "VARCHAR",
    "_raw_name": "VARCHAR",
    "_raw_row": "BIGINT",
    "_as_of": "DATE",
}


def add_to_quarantine(lake: Lake, staged: Staged) -> Snapshot | None:
    """Commit the batch's bad records that quarantine does not hold yet.

    A record is the same when its stream and its raw text are the same, whenever and in
    whatever object it was delivered.

    Returns:
        The new version, or the present one (None: no table) when there is nothing to add.

    Raises:
        CommitConflictError: when another writer committed first.
    """
    table = staged.compiled.table.name
    snapshot = lake.snapshot("quarantine", table)
    if not staged.quarantined or not _create_unknown(staged, snapshot):
        return snapshot
    base = snapshot or lake.ensure(
        "quarantine", table, arrow_schema(staged, QUARANTINE_COLUMNS), None
    )
    if snapshot is None and base.data_files:
        raise CommitConflictError(f"quarantine table {table} was filled by another writer")
    crowded = base.select() if len(base.data_files) >= MOST_FILES else []
    select = f"SELECT {quoted_list(QUARANTINE_COLUMNS)} FROM unknown"
    if crowded:
        select += (
            f" UNION ALL BY NAME SELECT {quoted_list(QUARANTINE_COLUMNS)}"
            f" FROM {read_files(base.files())}"
        )
    added = write_files(staged.connection, [Rows(select)], base.folder, None, {})
    batch = {"source": staged.compiled.source.id, "as_of": staged.as_of.isoformat()}
    try:
        return lake.replace(base, added, crowded, Commit(metadata={"batch": batch}))
    except CommitConflictError:
        discard(base.folder, added)
        raise


def _create_unknown(staged: Staged, snapshot: Snapshot | None) -> int:
    """Create table `unknown`, the rows to add; returns their number."""
    source = literal(staged.compiled.source.id)
    known = ""
    if snapshot is not None and snapshot.data_files:
        known = (
            f"WHERE _record_hash NOT IN (SELECT _record_hash FROM {read_files(snapshot.files())}"
            f" WHERE _source = {source})"
        )
    rows = staged.connection.execute(
        f"""
        CREATE OR REPLACE TABLE unknown AS
        SELECT {source} AS _source, _record_hash, raw_record, key_text, reasons, version_at,
            o.digest AS _raw_digest, o.name AS _raw_name,
            (_record & {ROW_MASK})::BIGINT AS _raw_row, {date_literal(staged.as_of)} AS _as_of
        FROM bad b JOIN object o ON o.id = (b._record >> {OBJECT_BITS})
        {known}
        QUALIFY row_number() OVER (PARTITION BY _record_hash ORDER BY _record) = 1
        """
    ).fetchall()
    return int(rows[0][0])
