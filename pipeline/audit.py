"""What auditors read beside the figures: deliveries, quarantine and checks."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from extract.outcomes import last_outcome
from pipeline.context import Context
from publish.audit_tables import COUNTS, Broken, Delivery, audit_tables
from publish.serving import is_served
from warehouse.contract.model import SourceContract
from warehouse.duck import session
from warehouse.lake import Snapshot
from warehouse.promotion_record import latest
from warehouse.quarantined import RESOLVED, quarantined_sql
from warehouse.sql import literal

if TYPE_CHECKING:
    import pyarrow as pa


def audited(
    context: Context,
    checks: Mapping[str, Sequence[Mapping[str, Any]]],
    behind: Collection[str],
) -> "dict[str, pa.Table]":
    """The auditors' tables of the serving file.

    Args:
        context: City and day.
        checks: Results of the newest judged build by publication; those of publications that are
            not served are left out.
        behind: Sources that are late on the day that is published.

    Returns:
        As `publish.audit_tables.audit_tables`.
    """
    record = latest(context.paths)
    known = context.registry.publications
    served = {
        name: found
        for name, found in checks.items()
        if name in known and is_served(known[name], context.city.marts)
    }
    deliveries = [_delivery(context, source, behind) for source in context.city.sources.values()]
    return audit_tables(deliveries, _broken(context), served, record.number if record else None)


def _delivery(context: Context, source: SourceContract, behind: Collection[str]) -> Delivery:
    snapshot = context.lake.snapshot("core", source.table)
    as_of = snapshot.as_of(source.id) if snapshot else None
    attempt = last_outcome(context.paths.journal, source.id) or {}
    return Delivery(
        source=source.id,
        title=source.purpose,
        agency_code=source.agency,
        service_group=source.service_group,
        core_table=source.table,
        as_of=as_of,
        expected_by=_expected_by(source, as_of),
        is_late=source.id in behind,
        attempt_day=date.fromisoformat(attempt["as_of"]) if attempt else None,
        attempt_status=attempt.get("status"),
        counts={} if _is_health(context, source.table) else _last_batch(snapshot, source.id),
    )


def _expected_by(source: SourceContract, as_of: date | None) -> date | None:
    """The last day on which the delivery after that of `as_of` is in time by the SLA."""
    if as_of is None or source.freshness_hours is None:
        return None
    return as_of + timedelta(days=math.ceil(source.freshness_hours / 24))


def _is_health(context: Context, table: str) -> bool:
    return table in context.city.tables and context.city.tables[table].health


def _last_batch(snapshot: Snapshot | None, source: str) -> dict[str, int]:
    """What became of the records of the source's last batch that the table's log still tells of."""
    for commit in snapshot.commits() if snapshot else ():
        batch = commit.get("batch") or {}
        if batch.get("source") == source and "outcomes" in batch:
            counted = {
                **batch["outcomes"],
                "records": batch["records"],
                "deleted": batch["deleted"],
            }
            return {name: counted[name] for name in COUNTS if name in counted}
    return {}


def _broken(context: Context) -> Iterator[Broken]:
    """Open records of every quarantine table but those on health, by source and reason."""
    names = [name for name in context.lake.tables("quarantine") if not _is_health(context, name)]
    if not names:
        return
    with closing(session()) as connection:
        for name in names:
            table = context.city.tables.get(name)
            records = quarantined_sql(connection, context.lake, name, table)
            found = connection.execute(
                f"""
                SELECT source, reason, count(*)
                FROM (SELECT source, state, unnest(reasons) AS reason FROM ({records}))
                WHERE state IS DISTINCT FROM {literal(RESOLVED)} GROUP BY ALL ORDER BY ALL
                """  # noqa: S608 - our own text
            ).fetchall()
            yield from (Broken(*each) for each in found)
