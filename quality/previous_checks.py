"""Checks of a candidate against the last promoted version of the same publication."""

from dataclasses import dataclass
from typing import Any

import duckdb

from quality.row_checks import SAMPLE, key_hash
from warehouse.contract.model import TableContract
from warehouse.mart_file import columns_of, rows_sql
from warehouse.publication import Publication
from warehouse.sql import quoted


@dataclass(frozen=True)
class Finding:
    """What a comparison found.

    Attributes:
        passed: Whether it stays within the threshold.
        observed, expected: Plain JSON.
        failing: Rows that are gone, where rows are counted.
        keys: Hashes of a few of them.
        message: One line for people.
    """

    passed: bool
    observed: Any = None
    expected: Any = None
    failing: int | None = None
    keys: tuple[str, ...] = ()
    message: str = ""


NO_PREVIOUS = Finding(passed=True, message="nothing was promoted before")


def coverage(
    connection: duckdb.DuckDBPyConnection,
    publication: Publication,
    contract: TableContract,
    candidate: str,
    previous: str | None,
) -> Finding:
    """Whether the keys of the last promoted version are still there.

    Args:
        connection: Session with both mart files attached.
        publication: Names the rows and the largest share that may be lost.
        contract: Of the mart.
        candidate: Name under which the candidate file is attached.
        previous: Name under which the promoted file is attached; without one the check passes.
    """
    if previous is None:
        return NO_PREVIOUS
    shape = _other_shape(connection, contract, previous, contract.key)
    if shape:
        return shape
    before, lost, keys = _lost_keys(connection, publication, contract, candidate, previous)
    share = round(lost / before, 6) if before else 0.0
    allowed = publication.policy.max_lost_share
    return Finding(
        passed=allowed is None or lost <= allowed * before,
        observed=share,
        expected={"max_lost_share": allowed},
        failing=lost,
        keys=keys,
        message=f"{lost} of {before} keys are gone",
    )


def magnitude(
    connection: duckdb.DuckDBPyConnection,
    publication: Publication,
    contract: TableContract,
    column: str,
    candidate: str,
    previous: str | None,
) -> Finding:
    """Whether the total of a column over the keys that both versions have stayed near.

    Args:
        connection: Session with both mart files attached.
        publication: Names the rows and the largest relative change.
        contract: Of the mart.
        column: A numeric column of it.
        candidate: Name under which the candidate file is attached.
        previous: Name under which the promoted file is attached; without one the check passes.
    """
    if previous is None:
        return NO_PREVIOUS
    shape = _other_shape(connection, contract, previous, (*contract.key, column))
    if shape:
        return shape
    same = " AND ".join(
        f"p.{quoted(name)} IS NOT DISTINCT FROM c.{quoted(name)}" for name in contract.key
    )
    total = quoted(column)
    totals = connection.execute(
        f"SELECT CAST(sum(p.{total}) AS DOUBLE), CAST(sum(c.{total}) AS DOUBLE) "  # noqa: S608 - names are quoted
        f"FROM ({rows_sql(previous, contract.name, publication.parts)}) p "
        f"JOIN ({rows_sql(candidate, contract.name, publication.parts)}) c ON {same}"
    ).fetchall()[0]
    before, now = totals[0] or 0.0, totals[1] or 0.0
    allowed = publication.policy.max_magnitude_change
    return Finding(
        passed=allowed is None or abs(now - before) <= allowed * abs(before),
        observed=round(abs(now - before) / abs(before), 6) if before else None,
        expected={"max_magnitude_change": allowed},
        message=f"total went from {before:.6g} to {now:.6g} over the keys of both",
    )


def _lost_keys(
    connection: duckdb.DuckDBPyConnection,
    publication: Publication,
    contract: TableContract,
    candidate: str,
    previous: str,
) -> tuple[int, int, tuple[str, ...]]:
    """How many keys there were, how many are gone, and hashes of a few of those."""
    keys = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in contract.key)
    before, now = (
        rows_sql(catalog, contract.name, publication.parts) for catalog in (previous, candidate)
    )
    row = connection.execute(
        f"WITH before AS (SELECT DISTINCT {keys} FROM ({before})), "  # noqa: S608 - names are quoted
        f"lost AS (SELECT * FROM before EXCEPT SELECT {keys} FROM ({now})) "
        "SELECT (SELECT count(*) FROM before), count(*), "
        f"min({key_hash(contract.key)}, {SAMPLE}) FROM lost"
    ).fetchall()[0]
    return row[0], row[1], tuple(row[2] or ())


def _other_shape(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    previous: str,
    needed: tuple[str, ...],
) -> Finding | None:
    """A failed finding where the promoted version lacks a column, None where it has them all.

    A mart that is new in the publication has nothing to be compared with and passes.
    """
    present = columns_of(connection, previous, contract.name)
    if not present:
        return NO_PREVIOUS
    missing = [name for name in needed if name not in present]
    if not missing:
        return None
    return Finding(passed=False, message=f"the promoted version has no {', '.join(missing)}")
