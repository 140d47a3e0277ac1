"""What a mart build reads, and how a DuckDB session is given it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol

from warehouse.sql import date_literal, literal

CATALOG = "lake"
_MANIFEST = "inputs.json"


class Connection(Protocol):
    """A DuckDB connection or cursor, as far as it is needed here."""

    def execute(self, query: str) -> object:
        """Run one or more statements."""


@dataclass(frozen=True)
class BuildInputs:
    """The pinned inputs of one mart build.

    Attributes:
        views: Relation (`core.service_request`) to the SELECT text that reads its pinned version.
        tables: Relation (`ref.area`) to the Parquet file that holds it.
        data_as_of: Event model -> day up to which its data speaks.
        timezone: IANA zone of the city.
        candidate: The DuckDB file that the build leaves behind.
        cache: Folder that keeps dbt's parsed project between runs.
        memory_limit: DuckDB's memory limit, for example `2GB`; None keeps DuckDB's own choice.
    """

    views: Mapping[str, str]
    tables: Mapping[str, Path]
    data_as_of: Mapping[str, date]
    timezone: str
    candidate: Path
    cache: Path
    memory_limit: str | None = field(default="2GB")

    def write(self, folder: Path) -> Path:
        """Write the inputs for another process; the path of the file."""
        path = folder / _MANIFEST
        content = {
            "views": dict(self.views),
            "tables": {name: str(table) for name, table in self.tables.items()},
            "data_as_of": {name: day.isoformat() for name, day in self.data_as_of.items()},
            "timezone": self.timezone,
            "candidate": str(self.candidate),
            "cache": str(self.cache),
            "memory_limit": self.memory_limit,
        }
        path.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")
        return path


def read_inputs(path: Path) -> BuildInputs:
    """The inputs that `BuildInputs.write` wrote."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return BuildInputs(
        views=content["views"],
        tables={name: Path(table) for name, table in content["tables"].items()},
        data_as_of={name: date.fromisoformat(day) for name, day in content["data_as_of"].items()},
        timezone=content["timezone"],
        candidate=Path(content["candidate"]),
        cache=Path(content["cache"]),
        memory_limit=content["memory_limit"],
    )


def attach_inputs(connection: Connection, build: BuildInputs) -> None:
    """Attach the in-memory catalog `lake` with every input as a view.

    Views kept in a mart file name only this catalog, never a path: attach the inputs again, in any
    process, and they answer from whatever versions those inputs pin.

    Raises:
        duckdb.Error: when an input cannot be read, or the session is read-only: attach the mart
            file read-only to a session in memory instead.
    """
    connection.execute(f"ATTACH ':memory:' AS {CATALOG}")
    relations = dict(build.views)
    for name, path in build.tables.items():
        relations[name] = f"SELECT * FROM read_parquet({literal(str(path))})"  # noqa: S608 - the path is quoted
    relations["ref.build"] = f"SELECT {literal(build.timezone)} AS timezone"
    days = [
        f"({literal(event)}, {date_literal(day)})"
        for event, day in sorted(build.data_as_of.items())
    ]
    relations["ref.event"] = f"SELECT * FROM (VALUES {', '.join(days)}) AS known(event, data_as_of)"  # noqa: S608 - quoted
    for schema in sorted({name.partition(".")[0] for name in relations}):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {CATALOG}.{schema}")
    for name, sql in sorted(relations.items()):
        connection.execute(f"CREATE VIEW {CATALOG}.{name} AS {sql}")
