"""The serving file: promoted values and fresh status, all that reports and the site read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from publish.audit_tables import audit_tables
from publish.report_views import report_views
from warehouse.boundary import reached
from warehouse.contract.model import TableContract
from warehouse.files import put_in_place, scratch
from warehouse.mart_file import attach, columns_of, rows_sql, scratch_session
from warehouse.paths import CityPaths
from warehouse.promotion_record import PUBLISH, Entry, Record, evidence, latest
from warehouse.publication import Publication
from warehouse.sql import literal, quoted, quoted_list

STATUS_TABLE = "publication_status"
NAMES = {"dim_indicator", "dim_area", "dim_agency"}

_STATUS_COLUMNS = """
    publication VARCHAR, dataset_class VARCHAR, title_vi VARCHAR, title_en VARCHAR,
    verdict VARCHAR, version VARCHAR, data_as_of DATE, delivered_as_of DATE, stale BOOLEAN,
    record INTEGER, rows BIGINT, failing_checks VARCHAR[], late_sources VARCHAR[]
"""


@dataclass(frozen=True)
class Status:
    """What this run found of a publication.

    Attributes:
        verdict: Of the gate, on this run's candidate.
        data_as_of: Of this run's candidate.
        failing_checks: Names of the checks that did not pass, warnings too.
    """

    verdict: str
    data_as_of: date
    failing_checks: tuple[str, ...] = ()


def serving_file(paths: CityPaths) -> Path:
    """Where the serving file lies."""
    return paths.serving / "marts.duckdb"


def replace_serving(
    paths: CityPaths,
    publications: Sequence[Publication],
    contracts: Mapping[str, TableContract],
    fresh: Mapping[str, Status] | None = None,
    late: Mapping[str, Sequence[str]] | None = None,
    named: Mapping[str, pa.Table] | None = None,
) -> Path:
    """Rebuild the serving file and put it in place at once.

    Every mart has its open columns only, marts on health are left out (and so are publications of
    nothing else), and a mart of which nothing is promoted is there without rows. The table
    `publication_status` has one row for each other publication: verdict on the newest candidate,
    version and data-as-of that the values have, as-of that was delivered, whether the values are
    stale (the newest candidate is not what readers see, or a source is late), number of the record
    that promoted them, checks that did not pass, sources that are late. Beside them
    stand the tables of `publish.report_views`, where the names are there.

    Args:
        paths: Folders of the city.
        publications: Of the city.
        contracts: Mart contracts by name.
        fresh: What this run found, by publication; where it says nothing, the latest promotion
            record does.
        late: Publication -> sources that it is built from and that failed or lag behind.
        named: Further tables by name: the names of codes (`publish.dimensions`), and beside them
            what auditors read (`publish.audit_tables`; without rows where it is not given).

    Returns:
        The file.
    """
    record = latest(paths)
    further = dict(named or {})
    has_names = further.keys() >= NAMES
    if has_names:
        further = {**audit_tables(), **further}
    temporary = scratch(paths.work, "serving")
    with scratch_session(paths.work) as connection:
        connection.execute(f"ATTACH {literal(str(temporary))} AS serving")
        if record is not None and record.mart_file is not None:
            attach(connection, paths.marts / record.mart_file, "promoted")
        for _, contract in sorted(contracts.items()):
            if not contract.health:
                _create(connection, contract)
                _fill(connection, contract, record)
        served = [each for each in publications if is_served(each, contracts)]
        _write_status(connection, paths, served, record, fresh or {}, late or {})
        for name, table in further.items():
            connection.register("named", table)
            connection.execute(
                f"CREATE TABLE serving.main.{quoted(name)} AS SELECT * FROM named"  # noqa: S608 - quoted
            )
            connection.unregister("named")
        if has_names:
            connection.execute("USE serving")
            write_reports(connection, contracts)
            connection.execute("USE memory")
        connection.execute("DETACH serving")
    target = serving_file(paths)
    target.parent.mkdir(parents=True, exist_ok=True)
    reached("serving.before_replace")
    put_in_place(temporary, target)
    reached("serving.after_replace")
    return target


def write_reports(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, TableContract]
) -> None:
    """Write the tables of `publish.report_views` anew from the others of the current database.

    Tables, not views: a chart must not word all of history anew to show one month.
    """
    for view in report_views(contracts).values():
        connection.execute(f"CREATE OR REPLACE TABLE {quoted(view.name)} AS {view.sql}")


def is_served(publication: Publication, contracts: Mapping[str, TableContract]) -> bool:
    """Whether anything of a publication is in the serving file: not where all tells of health."""
    return not all(contracts[mart].health for mart in publication.marts)


def _create(connection: duckdb.DuckDBPyConnection, contract: TableContract) -> None:
    columns = ", ".join(
        f"{quoted(column.name)} {column.sql_type}" for column in contract.open_columns
    )
    connection.execute(f"CREATE TABLE serving.main.{quoted(contract.name)} ({columns})")


def _fill(
    connection: duckdb.DuckDBPyConnection, contract: TableContract, record: Record | None
) -> None:
    """Copy the promoted rows of every publication that the record names."""
    present = columns_of(connection, "promoted", contract.name) if record else {}
    names = [column.name for column in contract.open_columns if column.name in present]
    for _, entry in sorted(record.entries.items()) if record and names else ():
        if entry.promoted is None:
            continue
        rows = rows_sql("promoted", contract.name, entry.promoted.parts)
        connection.execute(
            f"INSERT INTO serving.main.{quoted(contract.name)} ({quoted_list(names)}) "  # noqa: S608 - names are quoted
            f"SELECT {quoted_list(names)} FROM ({rows})"
        )


def _write_status(
    connection: duckdb.DuckDBPyConnection,
    paths: CityPaths,
    publications: Sequence[Publication],
    record: Record | None,
    fresh: Mapping[str, Status],
    late: Mapping[str, Sequence[str]],
) -> None:
    connection.execute(f"CREATE TABLE serving.main.{STATUS_TABLE} ({_STATUS_COLUMNS})")
    for publication in sorted(publications, key=lambda each: each.name):
        entry = record.entries.get(publication.name) if record else None
        status = fresh.get(publication.name) or _recorded(paths, entry)
        promoted = entry.promoted if entry else None
        late_sources = sorted(late.get(publication.name, ()))
        is_shown = status is not None and status.verdict == PUBLISH and promoted is not None
        connection.execute(
            f"INSERT INTO serving.main.{STATUS_TABLE} VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608 - a fixed name
            [
                publication.name,
                publication.dataset_class,
                publication.title.get("vi"),
                publication.title.get("en"),
                status.verdict if status else None,
                promoted.version if promoted else None,
                promoted.data_as_of if promoted else None,
                status.data_as_of if status else None,
                not is_shown or bool(late_sources),
                promoted.record if promoted else None,
                promoted.rows if promoted else 0,
                list(status.failing_checks) if status else [],
                late_sources,
            ],
        )


def _recorded(paths: CityPaths, entry: Entry | None) -> Status | None:
    """The status that a promotion record gives."""
    if entry is None:
        return None
    checks = evidence(paths, entry.checks)
    failing = tuple(str(check["check"]) for check in checks if check["status"] != "passed")
    return Status(entry.verdict, entry.data_as_of, failing)
