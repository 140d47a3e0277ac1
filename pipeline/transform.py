"""One step: from pinned core versions to a candidate mart file and what dbt said of it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.context import Context
from pipeline.settings import REPOSITORY
from warehouse.dbt_build import DbtRun, build
from warehouse.dbt_inputs import BuildInputs
from warehouse.event_model import EVENT_COLUMNS
from warehouse.files import canonical_json, digest, file_digest
from warehouse.geography_read import TILE_FILE
from warehouse.lake import Snapshot
from warehouse.mart_lineage import event_tables
from warehouse.registry_tables import write_parquet
from warehouse.views import relation_sql
from warehouse.workspace import DBT_CACHE

CODE_FOLDERS = ("dbt", "warehouse", "quality")
CODE_SUFFIXES = {".py", ".sql", ".yaml", ".yml", ".json"}


@dataclass(frozen=True)
class Pinned:
    """The core tables at the versions that a build reads.

    Attributes:
        snapshots: Core table to its version, or None while the table does not exist.
    """

    snapshots: Mapping[str, Snapshot | None]

    def as_of(self, tables: Iterable[str]) -> date | None:
        """Greatest as-of of the batches that these tables hold, or None."""
        days = [
            day
            for name in tables
            if (snapshot := self.snapshots[name]) is not None
            for source in snapshot.sources
            if (day := snapshot.as_of(source)) is not None
        ]
        return max(days, default=None)

    @property
    def versions(self) -> dict[str, int]:
        """Core table to Delta version, of tables that exist."""
        return {name: each.version for name, each in self.snapshots.items() if each is not None}


@dataclass(frozen=True)
class Candidate:
    """What a build left behind.

    Attributes:
        expected_file: Where the candidate mart file lies if the build got that far.
        run: dbt's artifacts.
    """

    expected_file: Path
    run: DbtRun

    @property
    def file(self) -> Path | None:
        """The candidate mart file, or None where the build did not get that far."""
        return self.expected_file if self.expected_file.exists() else None


def pin(context: Context) -> Pinned:
    """The newest version of every core table, read once for the whole build."""
    snapshots = {name: context.lake.snapshot("core", name) for name in sorted(context.city.tables)}
    return Pinned(snapshots)


def input_digests(context: Context) -> dict[str, str]:
    """Digests of everything beside the data that a candidate follows from."""
    # The schematic of areas is how they are drawn, not what is computed.
    geography = sorted(
        path for path in (context.city.folder / "geography").glob("*.csv") if path.name != TILE_FILE
    )
    return {
        "contracts": digest(canonical_json(contract_digests(context))),
        "registry": context.registry.digest,
        "geography": digest(canonical_json({path.name: file_digest(path) for path in geography})),
        "code": code_digest(REPOSITORY),
        "lock": file_digest(REPOSITORY / "requirements" / "runtime.txt"),
    }


def contract_digests(context: Context) -> dict[str, str]:
    """Digest of every contract of the city by `table/`, `source/` or `mart/` and its name."""
    city = context.city
    return {
        **{f"table/{name}": each.digest for name, each in city.tables.items()},
        **{f"source/{name}": each.digest for name, each in city.sources.items()},
        **{f"mart/{name}": each.digest for name, each in city.marts.items()},
    }


def code_digest(repository: Path) -> str:
    """Digest of the code and contracts that decide what marts and verdicts hold."""
    digests = hashlib.sha256()
    for folder in CODE_FOLDERS:
        for path in sorted((repository / folder).rglob("*")):
            parts = path.relative_to(repository).parts
            if path.suffix in CODE_SUFFIXES and "target" not in parts and path.is_file():
                digests.update(f"{'/'.join(parts)}:{file_digest(path)}\n".encode())
    return digests.hexdigest()


def build_inputs(context: Context, pinned: Pinned, work: Path) -> BuildInputs:
    """The inputs of a build; small reference tables are written below `work`."""
    references = {
        **context.geography.write_parquet(work / "reference"),
        **write_parquet(context.registry, context.city.sources, work / "reference"),
    }
    views = {
        f"core.{name}": relation_sql(snapshot, context.city.tables[name])
        for name, snapshot in pinned.snapshots.items()
    }
    return BuildInputs(
        views=views,
        tables=references,
        data_as_of={
            event: pinned.as_of(event_tables(event)) or context.as_of for event in EVENT_COLUMNS
        },
        timezone=context.city.timezone,
        candidate=work / "candidate.duckdb",
        cache=context.paths.work / DBT_CACHE,
    )


def build_candidate(context: Context, pinned: Pinned, work: Path) -> Candidate:
    """Build and test the marts from the pinned versions in one dbt process."""
    inputs = build_inputs(context, pinned, work)
    run = build(inputs, work / "target", work / "dbt")
    return Candidate(inputs.candidate, run)
