# ruff: noqa: S608 - names of our own
"""The tables of the one-stop shop, and how they are filled.

The table holds every version of a dossier with the time in which it stood. Readers see the view
`dossier`: the versions that stood at the end of the day `demo.as_of` of their session.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from urllib.parse import quote

import polars as pl
import pyarrow as pa
from adbc_driver_postgresql.dbapi import Connection, connect

from demo import days
from demo.dossiers.cluster import READER
from demo.dossiers.generator import generate
from demo.dossiers.planted import plant, rows_of
from demo.dossiers.procedures import PROCEDURES
from demo.dossiers.version import COLUMNS, INSTANTS, RECORDED, versions
from demo.window import Window

DAY_SETTING = "demo.as_of"
_PART = 60_000  # dossiers that are written at once
_TABLE = ", ".join(
    [f"{name} timestamptz" for name in RECORDED]
    + [f"{name} {kind}" for name, kind in COLUMNS.items()]
)
_PROCEDURE = """
CREATE TABLE procedure (
    code text PRIMARY KEY, name text NOT NULL, sector text NOT NULL, agency text NOT NULL,
    online_level text, deadline_working_days bigint NOT NULL, fee bigint NOT NULL
)
"""
_INDEXES = (
    'CREATE INDEX ON dossier_version (dossier_id COLLATE "C")',
    "CREATE INDEX ON dossier_version (updated_at)",
    "ANALYZE dossier_version",
)


def address(place: str, password: str) -> str:
    """The address of the readers' account; `{day}` in it stands for the as-of day.

    Args:
        place: Where the server answers, as parameters of an address.
        password: Of the readers' account.
    """
    options = quote(f"-c {DAY_SETTING}=", safe="") + "{day}"
    return f"postgresql://{READER}:{quote(password, safe='')}@/postgres?{place}&options={options}"


def content(
    window: Window, *, faults: bool, rate: float
) -> tuple[pa.RecordBatchReader, list[dict[str, str | None]]]:
    """What the source has.

    Returns:
        The versions of ordinary dossiers, made while they are read and read once; the rows of
        planted ones as text.
    """
    frame = generate(window)
    planted = plant(window, frame, rate) if faults else []
    carrying = pl.Series([each.row for each in planted], dtype=pl.UInt32)
    ordinary = frame.filter(~frame["row"].is_in(carrying.implode()))
    parts = (_typed(part, window) for part in ordinary.iter_slices(_PART))
    schema = _typed(ordinary.head(0), window).schema
    batches = (batch for part in _one_ahead(parts) for batch in part.to_batches())
    return pa.RecordBatchReader.from_batches(schema, batches), rows_of(planted)


def _typed(frame: pl.DataFrame, window: Window) -> pa.Table:
    instants = (*RECORDED, *INSTANTS)
    typed = versions(frame, window).with_columns(
        *(
            pl.from_epoch(pl.col(name) * 1_000_000, time_unit="us").dt.replace_time_zone("UTC")
            for name in instants
        ),
        pl.col("fee").cast(pl.Decimal(18, 0)),
    )
    return typed.to_arrow(compat_level=pl.CompatLevel.oldest())


def _one_ahead(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The tables, the next one made while the server takes the one before."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, tables, None)
        while (table := coming.result()) is not None:
            coming = pool.submit(next, tables, None)
            yield table


def fill(
    place: str, password: str, window: Window,
    ordinary: pa.RecordBatchReader, planted: list[dict[str, str | None]],
) -> None:  # fmt: skip
    """Make the tables, fill them, and let the readers' account see the view.

    Args:
        place: Where the server answers its owner, as parameters of an address.
        password: Of the readers' account.
        window: The days that readers may ask for.
        ordinary: Versions of the ordinary dossiers, typed.
        planted: Rows of the planted ones, as text.
    """
    with connect(f"postgresql://postgres@/postgres?{place}") as connection:
        _run(connection, f"CREATE UNLOGGED TABLE dossier_version ({_TABLE})", _PROCEDURE)
        with connection.cursor() as cursor:
            cursor.adbc_ingest("dossier_version", ordinary, mode="append")
            cursor.adbc_ingest("procedure", _procedures(), mode="append")
            if planted:
                text = pa.schema([(name, pa.string()) for name in (*RECORDED, *COLUMNS)])
                rows = pa.Table.from_pylist(planted, schema=text)
                cursor.adbc_ingest("planted", rows, mode="create", temporary=True)
                _run(connection, _take_planted(), "DROP TABLE pg_temp.planted")
        _run(connection, *_INDEXES, *_view(window), *_account(password))
        connection.commit()


def _run(connection: Connection, *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _procedures() -> pa.Table:
    rows = [
        {
            "code": item.code,
            "name": item.name,
            "sector": item.sector,
            "agency": item.agency,
            "online_level": item.level,
            "deadline_working_days": item.deadline,
            "fee": item.fee,
        }
        for item in PROCEDURES
    ]
    return pa.Table.from_pylist(rows)


def _take_planted() -> str:
    types = dict.fromkeys(RECORDED, "timestamptz") | COLUMNS
    cast = ", ".join(f"{name}::{kind.split()[0]}" for name, kind in types.items())
    return f"INSERT INTO dossier_version SELECT {cast} FROM pg_temp.planted"


def _view(window: Window) -> tuple[str, ...]:
    """The function that says until when the session knows, and the view that asks it."""
    shown = ", ".join(COLUMNS)
    return (
        f"""
        CREATE FUNCTION known_until() RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
        DECLARE day date := current_setting('{DAY_SETTING}')::date;
        BEGIN
            IF day NOT BETWEEN '{window.first}' AND '{window.last}' THEN
                RAISE EXCEPTION 'no data as of %', day;
            END IF;
            RETURN to_timestamp({days.ends_at(date(1970, 1, 1))})
                + (day - date '1970-01-01') * interval '24 hours';
        END $$
        """,
        # the function in a query of its own is called once, not for each row
        f"""
        CREATE VIEW dossier AS SELECT {shown} FROM dossier_version
        WHERE recorded_from < (SELECT known_until()) AND recorded_to >= (SELECT known_until())
        """,
    )


def _account(password: str) -> tuple[str, ...]:
    quoted = password.replace("'", "''")
    return (
        f"CREATE ROLE {READER} LOGIN PASSWORD '{quoted}'",
        f"ALTER ROLE {READER} SET default_transaction_read_only = on",
        f"GRANT SELECT ON dossier, procedure TO {READER}",
    )
