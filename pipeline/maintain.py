"""One step: what is old goes, by the city's retention and the processing day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from extract.extraction import extraction_lists, forget_extractions
from extract.outcomes import gather_outcomes
from extract.raw import RawStore
from pipeline.context import Context
from pipeline.parked import parked_versions
from quality.journal import gather as gather_checks
from warehouse.compaction import compact as compact_table
from warehouse.lake import Kind
from warehouse.promotion_record import Record
from warehouse.record_compaction import compact_records
from warehouse.retention import forget_marts, forget_quarantine, forget_raw, vacuum
from warehouse.workspace import any_writer

KINDS: tuple[Kind, ...] = ("core", "quarantine")


@dataclass(frozen=True)
class Compacted:
    """What was put together.

    Attributes:
        files: How many data files fewer the newest versions of all tables have.
        outcomes: Outcomes of old attempts that no longer have a file each.
        checks: Check results of old runs that no longer have one.
        records: Files of the records of attempts that are read from one file by now.
    """

    files: int
    outcomes: int
    checks: int
    records: int


def compact(context: Context) -> Compacted:
    """Put many small files of tables and journal together; what they say stays.

    The caller holds the city's lock.
    """
    lake, paths = context.lake, context.paths
    gathered = [
        gather_outcomes(paths.journal, source, paths.work) for source in context.city.sources
    ]
    fewer = [
        compact_table(lake, kind, table, as_of=context.as_of)
        for kind in KINDS
        for table in lake.tables(kind)
    ]
    return Compacted(sum(fewer), sum(gathered), gather_checks(paths), compact_records(lake))


@dataclass(frozen=True)
class Maintained:
    """What the lake takes up after maintenance, in bytes.

    Attributes:
        on_disk: Data files of all core and quarantine tables.
        live: Data files of their newest versions.
        raw_removed: Raw objects that were past their retention.
        marts_removed: Promoted mart files that were past theirs.
    """

    on_disk: int
    live: int
    raw_removed: int
    marts_removed: int


def maintain(context: Context, record: Record | None) -> Maintained:
    """Remove superseded files, old quarantined records, raw objects and promoted mart files.

    The caller has written every release that is due. Versions that a publication's last promotion,
    an open hold or a parked build was built from stay.

    Args:
        context: City and day.
        record: The promotion record in force, or None before the first.
    """
    city, lake = context.city, context.lake
    if city.quarantine_days is not None:
        for table in lake.tables("quarantine"):
            forget_quarantine(lake, table, as_of=context.as_of, days=city.quarantine_days)
    pins = _pins(record, parked_versions(context.paths))
    uses = [
        vacuum(
            lake,
            kind,
            table,
            pinned=pins.get(table, set()) if kind == "core" else (),
            as_of=context.as_of,
            days=city.vacuum_days,
        )
        for kind in KINDS
        for table in lake.tables(kind)
    ]
    raw = _forget_raw(context)
    marts = forget_marts(context.paths, as_of=context.as_of, days=city.vacuum_days)
    on_disk, live = sum(each.on_disk for each in uses), sum(each.live for each in uses)
    return Maintained(on_disk, live, raw, marts)


def _pins(
    record: Record | None, parked: Iterable[Mapping[str, int | None]]
) -> Mapping[str, set[int]]:
    """Core versions that must stay, by table."""
    pins: dict[str, set[int]] = {}
    for versions in parked:
        for table, version in versions.items():
            if version is not None:
                pins.setdefault(table, set()).add(version)
    for entry in record.entries.values() if record else ():
        for content in (entry.promoted, entry.candidate):
            for table, version in content.pins.items() if content else ():
                pins.setdefault(table, set()).add(version)
    return pins


def _forget_raw(context: Context) -> int:
    """Remove raw objects past their retention, and then the extractions that name them.

    Returns:
        Bytes removed; none while a source is being read, whose objects no list names yet.
    """
    if any_writer(context.paths):
        return 0
    journal = context.paths.journal

    def days(source_id: str) -> int | None:
        return _raw_days(context, source_id)

    stored = RawStore(context.paths).stored()
    lists = extraction_lists(journal)
    removed = forget_raw(journal, stored, as_of=context.as_of, days=days, extracted=lists)
    forget_extractions(journal, as_of=context.as_of, days=days)
    return removed


def _raw_days(context: Context, source_id: str) -> int | None:
    """How long a stream's raw objects are kept: its own rule, else the city's."""
    source = context.city.sources.get(source_id)
    own = source.raw_retention_days if source else None
    return own if own is not None else context.city.raw_days
