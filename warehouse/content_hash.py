# ruff: noqa: S608 - names and values come quoted from warehouse.sql
"""One hash for each thing that a city's lake holds, free of clock, version and path.

Two lakes that hold the same have the same hashes, whatever way they came to hold it; one cell,
one row or one status more or less changes a hash.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb

from warehouse.city import City
from warehouse.core_rows import core_columns
from warehouse.duck import read_only, session
from warehouse.files import canonical_json, digest, file_digest
from warehouse.lake import DEFAULT_MEMORY_LIMIT, Lake
from warehouse.paths import CityPaths
from warehouse.promotion_record import latest
from warehouse.quarantine import QUARANTINE_COLUMNS
from warehouse.sql import literal, quoted, quoted_list
from warehouse.views import quarantine_sql, relation_sql

# How and when a row was delivered is no content: the same rows loaded in another order, or
# once more, are the same.
_DELIVERY = frozenset({"_row_hash", "_as_of", "_raw_digest", "_raw_name", "_raw_row"})
# Tables of the serving file that say how data was delivered and checked are no content either, and
# those of the reports say again what the marts and the status beside them say.
_NO_CONTENT = ("audit_", "report_")
_LOW_64_BITS = (1 << 64) - 1

Hash = tuple[str, str]


def city_hash(paths: CityPaths, city: City) -> dict[str, str]:
    """The hashes of everything that the city's lake holds.

    Returns:
        SHA-256 hex digest by name, ordered: `core/<table>`, `quarantine/<table>`,
        `publication/<name>` (promoted content), `status/<name>` (newest verdict),
        `serving/<table>`, `release/<dataset>/<version>` and `latest/<dataset>`. What does not
        exist has no name here.
    """
    return dict(
        sorted(
            [
                *_tables(paths, city),
                *_publications(paths),
                *_serving(paths),
                *_releases(paths),
            ]
        )
    )


def rows_hash(connection: duckdb.DuckDBPyConnection, select: str, columns: Iterable[str]) -> str:
    """SHA-256 hex digest over the rows of a SELECT, whatever their order.

    The digests of the rows are added up as integers (a sum of UHUGEINT would be a DOUBLE and
    move with the threads), so that a row that stands twice counts twice.
    """
    query = f"""
        SELECT count(*), coalesce(sum((row_digest >> 64)::HUGEINT), 0)::VARCHAR,
            coalesce(sum((row_digest & {_LOW_64_BITS})::HUGEINT), 0)::VARCHAR
        FROM (
            SELECT md5_number(to_json(r)::VARCHAR) AS row_digest
            FROM (SELECT {quoted_list(columns)} FROM ({select})) r
        )
        """
    return digest(canonical_json(list(connection.execute(query).fetchall()[0])))


def _tables(paths: CityPaths, city: City) -> Iterator[Hash]:
    lake = Lake(paths)
    with closing(session(DEFAULT_MEMORY_LIMIT, paths.work / "spill")) as connection:
        for name in lake.tables("core"):
            if name not in city.tables:
                continue
            table = city.tables[name]
            select = relation_sql(lake.snapshot("core", name), table, live=False)
            columns = [each for each in core_columns(table) if each not in _DELIVERY]
            yield f"core/{name}", rows_hash(connection, select, columns)
        for name in lake.tables("quarantine"):
            select = quarantine_sql(lake.snapshot("quarantine", name))
            columns = [each for each in QUARANTINE_COLUMNS if each not in _DELIVERY]
            yield f"quarantine/{name}", rows_hash(connection, select, columns)


def _publications(paths: CityPaths) -> Iterator[Hash]:
    record = latest(paths)
    if record is None:
        return
    for name, entry in record.entries.items():
        promoted = entry.promoted
        if promoted is not None:
            content = [promoted.content_hash, promoted.published_hash]
            yield f"publication/{name}", digest(canonical_json(content))
        waiting = entry.candidate.content_hash if entry.candidate else None
        status = [entry.verdict, list(entry.reasons), entry.data_as_of.isoformat(), waiting]
        yield f"status/{name}", digest(canonical_json(status))


def _serving(paths: CityPaths) -> Iterator[Hash]:
    file = paths.serving / "marts.duckdb"
    if not file.exists():
        return
    with closing(read_only(file)) as connection:
        listed = connection.execute(
            "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
            f"WHERE database_name = {literal(file.stem)} GROUP BY table_name"
        ).fetchall()
        for table, columns in listed:
            if table.startswith(_NO_CONTENT):
                continue
            select = f"SELECT * FROM {quoted(table)}"
            yield f"serving/{table}", rows_hash(connection, select, columns)


def _releases(paths: CityPaths) -> Iterator[Hash]:
    for dataset in sorted(each for each in paths.releases.glob("*") if each.is_dir()):
        for version in sorted(each for each in dataset.iterdir() if each.is_dir()):
            yield f"release/{dataset.name}/{version.name}", _folder_hash(version)
        pointer = dataset / "latest.json"
        if pointer.exists():
            content = canonical_json(json.loads(pointer.read_bytes()))
            yield f"latest/{dataset.name}", digest(content)


def _folder_hash(folder: Path) -> str:
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    return digest(
        canonical_json([[each.relative_to(folder).as_posix(), file_digest(each)] for each in files])
    )
