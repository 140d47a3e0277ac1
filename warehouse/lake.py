"""The lake's Delta tables: the only module that imports deltalake.

Every commit is a compare-and-swap on the version that was read: whatever another writer
committed in between, in whatever partition, makes it fail, and the caller reads again. So no
writer can commit over rows that it has not seen.
"""

import errno
import json
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.schema import Field as DeltaField
from deltalake.schema import Schema as DeltaSchema
from deltalake.transaction import AddAction, RemoveAction

from warehouse.boundary import reached
from warehouse.errors import CitylakeError
from warehouse.files import scratch
from warehouse.paths import RESTRICTED_MODE, CityPaths

Kind = Literal["core", "quarantine"]

# Delta forgets old versions by itself after 30 days unless told otherwise; what a publication
# pins must outlive that. Deletion vectors would make a file list lie about its rows.
TABLE_PROPERTIES = {
    "delta.logRetentionDuration": "interval 3650 days",
    "delta.deletedFileRetentionDuration": "interval 3650 days",
    "delta.enableDeletionVectors": "false",
}
# Small on purpose: a load of any size then peaks alike, and what does not fit goes to disk.
DEFAULT_MEMORY_LIMIT = "192MB"

_LOG_FOLDER = "_delta_log"


class CommitConflictError(CitylakeError):
    """Another writer committed first: read again, decide again."""


@dataclass(frozen=True)
class DataFile:
    """One Parquet file of a table.

    Attributes:
        path: Path below the table's folder.
        size: Bytes.
        rows: Number of rows.
        partition: Partition column to its value (None for null); empty where unpartitioned.
    """

    path: str
    size: int
    rows: int
    partition: Mapping[str, str | None]


@dataclass(frozen=True)
class Commit:
    """What a commit says about itself.

    Attributes:
        transactions: Delta application transactions, id to number.
        metadata: Plain JSON values kept in the commit.
    """

    transactions: Mapping[str, int] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """One version of one Delta table, and the handle that commits on top of it."""

    kind: Kind
    table: str
    folder: Path
    delta: DeltaTable = field(repr=False, compare=False)

    @cached_property
    def version(self) -> int:
        """Number of the version."""
        return int(self.delta.version())

    @cached_property
    def partition_columns(self) -> list[str]:
        """Names of the partition columns, empty or one."""
        return list(self.delta.metadata().partition_columns)

    @cached_property
    def column_names(self) -> list[str]:
        """Names of the table's columns at this version."""
        return [each.name for each in self.delta.schema().fields]

    @cached_property
    def data_files(self) -> tuple[DataFile, ...]:
        """The live files, ordered by path."""
        actions = pa.table(self.delta.get_add_actions(flatten=False)).to_pylist()
        files = [
            DataFile(
                path=action["path"],
                size=action["size_bytes"],
                rows=action["num_records"] or 0,
                partition=dict(action.get("partition") or action.get("partition_values") or {}),
            )
            for action in actions
        ]
        return tuple(sorted(files, key=lambda each: each.path))

    def select(self, partitions: Collection[str | None] | None = None) -> list[DataFile]:
        """The live files, only those of the given partition values where some are given."""
        if partitions is None or not self.partition_columns:
            return list(self.data_files)
        column = self.partition_columns[0]
        return [each for each in self.data_files if each.partition[column] in partitions]

    def files(self, partitions: Collection[str | None] | None = None) -> list[Path]:
        """Paths of `select(partitions)`."""
        return [self.folder / each.path for each in self.select(partitions)]

    def missing_files(self) -> list[Path]:
        """Files of this version that are no longer on disk, for example after a vacuum."""
        return [path for path in self.files() if not path.exists()]

    @cached_property
    def unsupported_features(self) -> tuple[str, ...]:
        """Features under which a list of files does not give the table's rows."""
        protocol = self.delta.protocol()
        features = set(protocol.reader_features or ()) & {"deletionVectors", "columnMapping"}
        settings = self.delta.metadata().configuration
        if settings.get("delta.columnMapping.mode", "none") != "none":
            features.add("columnMapping")
        if settings.get("delta.enableDeletionVectors", "false") == "true":
            features.add("deletionVectors")
        return tuple(sorted(features))

    @cached_property
    def protocol_versions(self) -> tuple[int, int]:
        """Delta's reader and writer version that the table asks for."""
        protocol = self.delta.protocol()
        return protocol.min_reader_version, protocol.min_writer_version

    def as_of(self, source: str) -> date | None:
        """The latest processing day that the stream has loaded, or None."""
        ordinal = self.delta.transaction_version(f"{source}/as_of")
        return None if ordinal is None else date.fromordinal(ordinal)

    def sequence(self, source: str) -> int:
        """Number of the stream's last committed batch, 0 where there is none."""
        return self.delta.transaction_version(f"{source}/sequence") or 0

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """What this version's commit says about itself (`Commit.metadata` and Delta's own)."""
        return self.delta.history(1)[0]

    @cached_property
    def streams(self) -> Mapping[str, Any]:
        """As-of and sequence of every stream that has loaded into the table, by source id.

        A commit that only gave the table a new column says nothing of streams: the newest one
        that does is asked.
        """
        if "streams" in self.metadata:
            return dict(self.metadata["streams"])
        told = (each["streams"] for each in self.delta.history() if "streams" in each)
        return dict(next(told, {}))

    def first_as_of(self, source: str) -> date | None:
        """The processing day of the stream's first batch, or None where it has loaded none."""
        batches = (each.get("batch") or {} for each in self.delta.history())
        own = [each for each in batches if each.get("source") == source]
        return date.fromisoformat(own[-1]["as_of"]) if own else None

    @property
    def sources(self) -> tuple[str, ...]:
        """The streams that have loaded into the table, ordered."""
        return tuple(sorted(self.streams))

    def commits(self) -> list[Mapping[str, Any]]:
        """What every commit up to this version says about itself, the newest first."""
        return [
            {**commit, "version": self.version - place}
            for place, commit in enumerate(self.delta.history())
        ]


class Lake:
    """The core and quarantine tables of one city.

    Attributes:
        paths: Where the city's data lives.
        memory_limit: What one DuckDB session of a load may hold in memory.
    """

    def __init__(self, paths: CityPaths, memory_limit: str = DEFAULT_MEMORY_LIMIT) -> None:
        self.paths = paths
        self.memory_limit = memory_limit

    def folder(self, kind: Kind, table: str) -> Path:
        """The folder of a table, whether it exists or not."""
        return (self.paths.core if kind == "core" else self.paths.quarantine) / table

    def snapshot(self, kind: Kind, table: str, version: int | None = None) -> Snapshot | None:
        """A version of a table (the newest unless named), or None where there is no table.

        Raises:
            DeltaError: when the table has no such version.
        """
        folder = self.folder(kind, table)
        if not (folder / _LOG_FOLDER).is_dir():
            return None
        try:
            delta = DeltaTable(folder, version=version)
        except TableNotFoundError:
            return None
        return Snapshot(kind, table, folder, delta)

    def kept(self, kind: Kind, table: str, version: int) -> Snapshot | None:
        """A version of a table where its log still has it, or None."""
        try:
            return self.snapshot(kind, table, version)
        except DeltaError:
            return None

    def tables(self, kind: Kind) -> list[str]:
        """Names of the tables that exist, ordered."""
        root = self.paths.core if kind == "core" else self.paths.quarantine
        return sorted(each.parent.name for each in root.glob(f"*/{_LOG_FOLDER}"))

    def ensure(
        self, kind: Kind, table: str, schema: pa.Schema, partition_column: str | None
    ) -> Snapshot:
        """The newest version of a table, created empty or given its new columns if need be.

        Raises:
            CommitConflictError: when another writer changed the columns at the same time.
        """
        snapshot = self.snapshot(kind, table) or self._create(kind, table, schema, partition_column)
        fields = DeltaSchema.from_arrow(schema).fields
        missing: list[DeltaField] = [
            each for each in fields if each.name not in snapshot.column_names
        ]
        if not missing:
            return snapshot
        try:
            snapshot.delta.alter.add_columns(missing)
        except CommitFailedError as error:
            raise CommitConflictError(f"{kind} table {table}: {error}") from error
        return self._known(kind, table)

    def _create(
        self, kind: Kind, table: str, schema: pa.Schema, partition_column: str | None
    ) -> Snapshot:
        folder = self.folder(kind, table)
        folder.mkdir(parents=True, exist_ok=True)
        folder.parent.chmod(RESTRICTED_MODE)
        beside = scratch(self.paths.work, table)
        beside.mkdir(mode=RESTRICTED_MODE)
        try:
            DeltaTable.create(
                beside,
                schema,
                mode="error",
                partition_by=[partition_column] if partition_column else None,
                configuration=TABLE_PROPERTIES,
            )
            # Two writers that both create in place may leave a second version that says the same:
            # the log moves in whole, and only where there is none.
            (beside / _LOG_FOLDER).rename(folder / _LOG_FOLDER)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return self._known(kind, table)

    def _known(self, kind: Kind, table: str) -> Snapshot:
        snapshot = self.snapshot(kind, table)
        if snapshot is None:
            raise CitylakeError(f"{kind} table {table} could not be created")
        return snapshot

    def append(self, snapshot: Snapshot, added: Sequence[DataFile], commit: Commit) -> Snapshot:
        """Commit new files on top of `snapshot`; see `replace`."""
        return self.replace(snapshot, added, (), commit)

    def advance(self, snapshot: Snapshot, commit: Commit) -> Snapshot:
        """Commit transactions and metadata alone on top of `snapshot`; see `replace`."""
        return self.replace(snapshot, (), (), commit)

    def replace(
        self,
        snapshot: Snapshot,
        added: Sequence[DataFile],
        removed: Sequence[DataFile],
        commit: Commit,
        *,
        data_change: bool = True,
    ) -> Snapshot:
        """Commit new files in place of old ones, all at once, on top of what was read.

        Args:
            snapshot: The version that the new files were computed from.
            added: Files that are already in the table's folder.
            removed: Files of `snapshot` that the new ones replace.
            commit: What the commit says about itself.
            data_change: Whether rows change; they do not where files are only put together.

        Returns:
            The new version.

        Raises:
            CommitConflictError: when the table is no longer at `snapshot`; nothing was
                committed.
        """
        # No time stands here: 0 says "at any time"; the lake's own vacuum goes by versions.
        actions = [
            AddAction(
                path=each.path,
                size=each.size,
                partition_values=each.partition,
                modification_time=0,
                data_change=data_change,
                stats=json.dumps({"numRecords": each.rows}),
            )
            for each in added
        ] + [
            RemoveAction(each.path, data_change, 0, each.size, dict(each.partition))
            for each in removed
        ]
        reached(f"{snapshot.kind}.before_commit")
        try:
            snapshot.delta.create_write_transaction(
                actions,
                "append",
                snapshot.delta.schema(),
                snapshot.partition_columns,
                commit_properties=CommitProperties(
                    custom_metadata=dict(commit.metadata),
                    # Delta's own retries would rebase on versions that nobody has read.
                    max_commit_retries=0,
                    app_transactions=[
                        Transaction(name, number) for name, number in commit.transactions.items()
                    ],
                ),
                post_commithook_properties=PostCommitHookProperties(cleanup_expired_logs=False),
            )
        except CommitFailedError as error:
            raise CommitConflictError(
                f"{snapshot.kind} table {snapshot.table} moved past version {snapshot.version}"
            ) from error
        reached(f"{snapshot.kind}.after_commit")
        return self._known(snapshot.kind, snapshot.table)
