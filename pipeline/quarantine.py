"""`citylake quarantine`: the records that broke a rule, listed, shown and handed out."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from pipeline.console import counted
from pipeline.context import Context, open_context
from pipeline.exit_codes import ExitCode
from pipeline.settings import REPOSITORY
from warehouse.contract.model import Classification
from warehouse.duck import session
from warehouse.errors import CitylakeError
from warehouse.files import put_in_place, scratch
from warehouse.quarantined import COLUMNS, quarantined_sql
from warehouse.sql import literal, literal_list, quoted, quoted_list
from warehouse.workspace import workspace

HASH = re.compile(r"[0-9a-f]{32}")
PLACE = re.compile(r"(?P<source>[^:]+):(?P<name>.+):(?P<row>\d+)", re.DOTALL)
FORMATS = {
    ".parquet": "FORMAT parquet",
    ".csv": "FORMAT csv, HEADER true",
}
FILE_MODE = 0o600
WARNING = "the raw record may hold personal data: keep it as restricted as the lake's raw folder"


class QuarantineError(CitylakeError):
    """What was asked for is not in quarantine, or must not be written there."""


def print_list(city: str, source: str | None, reason: str | None, *, as_json: bool) -> ExitCode:
    """Print how many records lie in quarantine, by table, source and broken rule.

    Args:
        city: Name or folder of the city.
        source: Only this source, where given.
        reason: Only this reason code, where given.
        as_json: Whether to print JSON.

    Raises:
        QuarantineError: when the city has no such source.
    """
    context = open_context(city)
    with _records(context, source, reason) as connection:
        found = (
            connection.sql(
                """
                SELECT "table", source, reason, count(*) AS records,
                    count(*) FILTER (WHERE state = 'open') AS open,
                    count(*) FILTER (WHERE state = 'resolved') AS resolved,
                    min(as_of) AS first_day, max(as_of) AS last_day
                FROM (SELECT *, unnest(reasons) AS reason FROM record)
                GROUP BY ALL ORDER BY "table", source, records DESC, reason
                """
            )
            .filter(f"reason = {literal(reason)}" if reason else "true")
            .to_arrow_table()
            .to_pylist()
        )
    if as_json:
        sys.stdout.write(_json(found))
        return ExitCode.PUBLISHED
    for each in found:
        state = f"{each['open']} open, {each['resolved']} resolved"
        days = f"{each['first_day']} to {each['last_day']}"
        place = f"{each['table']}  {each['source']}  {each['reason']}"
        sys.stdout.write(f"{place}  {counted(each['records'], 'record')} ({state}), {days}\n")
    if not found:
        sys.stdout.write("no record in quarantine\n")
    return ExitCode.PUBLISHED


def print_record(city: str, reference: str, *, with_raw: bool, as_json: bool) -> ExitCode:
    """Print one quarantined record: why it is there and where it came from.

    Args:
        city: Name or folder of the city.
        reference: A record hash, or `<source>:<raw name>:<row>`.
        with_raw: Whether to print the record as it was delivered, too.
        as_json: Whether to print JSON.

    Raises:
        QuarantineError: when no record, or more than one, answers to the reference.
    """
    context = open_context(city)
    with _records(context, None, None) as connection:
        found = connection.sql(f"SELECT * FROM record WHERE {_condition(reference)}")  # noqa: S608 - quoted
        rows = found.order("source, as_of, record_hash").to_arrow_table().to_pylist()
    if not rows:
        raise QuarantineError(f"no quarantined record {reference}")
    if len(rows) > 1:
        places = (f"{each['source']} {each['record_hash']} of {each['as_of']}" for each in rows)
        raise QuarantineError(f"{reference} names {len(rows)} records: {'; '.join(places)}")
    shown = _shown(rows[0], with_raw=with_raw)
    if with_raw:
        sys.stderr.write(f"{WARNING}\n")
    if as_json:
        sys.stdout.write(_json(shown))
        return ExitCode.PUBLISHED
    for name, value in shown.items():
        text = "; ".join(value) if isinstance(value, list) else value
        sys.stdout.write(f"{name}: {text}\n")
    return ExitCode.PUBLISHED


def export(
    city: str, output: Path, source: str | None, reason: str | None, *, with_raw: bool
) -> ExitCode:
    """Write the quarantined records to a file that only its owner may read.

    Args:
        city: Name or folder of the city.
        output: A `.parquet` or `.csv` file outside the lake and the repository.
        source: Only this source, where given.
        reason: Only records that broke this rule, where given.
        with_raw: Whether the records as they were delivered stand in it.

    Raises:
        QuarantineError: when the file's place or ending is refused, or there is no such source.
    """
    context = open_context(city)
    target = output.resolve()
    _check_target(context, target)
    names = [each for each in COLUMNS if with_raw or each != "raw_record"]
    columns = quoted_list(names)
    if target.suffix == ".csv":
        columns = columns.replace('"reasons"', "array_to_string(reasons, '; ') AS reasons")
    order = '"table", source, as_of, raw_name, raw_row, record_hash'
    with _records(context, source, reason) as connection, workspace(context.paths) as work:
        written = work / target.name
        rows = connection.execute(
            f"COPY (SELECT {columns} FROM record ORDER BY {order}) "  # noqa: S608 - own names
            f"TO {literal(str(written))} ({FORMATS[target.suffix]})"
        ).fetchall()
        _put_restricted(written, target)
    if with_raw:
        sys.stderr.write(f"{WARNING}\n")
    sys.stdout.write(f"{counted(rows[0][0], 'record')} in {output}\n")
    return ExitCode.PUBLISHED


@contextmanager
def _records(
    context: Context, source: str | None, reason: str | None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session with view `record`: the quarantined records that pass the filters."""
    if source is not None and source not in context.city.sources:
        known = ", ".join(context.city.sources)
        raise QuarantineError(f"{context.city.name} has no source {source} ({known})")
    with closing(session()) as connection:
        parts = [
            quarantined_sql(connection, context.lake, name, context.city.tables.get(name))
            for name in context.lake.tables("quarantine")
        ]
        typed = ", ".join(f"NULL AS {quoted(each)}" for each in COLUMNS)
        nothing = f"SELECT * REPLACE (NULL::VARCHAR[] AS reasons) FROM (SELECT {typed}) WHERE false"  # noqa: S608 - own names
        wanted = [f"source = {literal(source)}"] if source else []
        wanted += [f"list_contains(reasons, {literal(reason)})"] if reason else []
        connection.execute(
            f"CREATE VIEW record AS SELECT * REPLACE ({_key_sql(context)} AS key) "  # noqa: S608 - quoted
            f"FROM ({' UNION ALL '.join(parts) or nothing}) WHERE {' AND '.join(wanted) or 'true'}"
        )
        yield connection


def _key_sql(context: Context) -> str:
    """The key as text, null for the sources whose key is personal."""
    personal = []
    for source in context.city.sources.values():
        table = context.compiled(source.id).table
        kinds = {table.column(name).classification for name in table.key}
        if Classification.PERSONAL in kinds:
            personal.append(source.id)
    return f"CASE WHEN NOT list_contains({literal_list(personal)}::VARCHAR[], source) THEN key END"


def _condition(reference: str) -> str:
    if HASH.fullmatch(reference):
        return f"record_hash = {literal(reference)}"
    place = PLACE.fullmatch(reference)
    if place is None:
        message = f"{reference!r} is neither a record hash nor <source>:<raw name>:<row>"
        raise QuarantineError(message)
    return (
        f"source = {literal(place['source'])} AND raw_name = {literal(place['name'])} "
        f"AND raw_row = {int(place['row'])}"
    )


def _shown(row: dict[str, Any], *, with_raw: bool) -> dict[str, Any]:
    """The fields to print: no state where it cannot be told, no raw record unless asked for."""
    hidden = {name for name in ("state", "key") if row[name] is None}
    hidden |= set() if with_raw else {"raw_record"}
    return {name: value for name, value in row.items() if name not in hidden}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n"


def _check_target(context: Context, target: Path) -> None:
    """Refuse a file where somebody else may come to read it, or of an unknown format."""
    if target.suffix not in FORMATS:
        raise QuarantineError(f"{target.name} ends neither in .parquet nor in .csv")
    for place, folder in (("lake", context.paths.home), ("repository", REPOSITORY)):
        if target.is_relative_to(folder.resolve()):
            message = "quarantined records are not written into a folder that is shared"
            raise QuarantineError(f"{target.name} would lie in the {place}: {message}")
    if not target.parent.is_dir():
        raise QuarantineError(f"there is no folder {target.parent}")


def _put_restricted(written: Path, target: Path) -> None:
    """Put a copy in place that was never readable for others; `target` is replaced whole."""
    beside = scratch(target.parent, f".{target.name}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as copy, written.open("rb") as original:
            shutil.copyfileobj(original, copy)
        put_in_place(beside, target)
    finally:
        beside.unlink(missing_ok=True)
