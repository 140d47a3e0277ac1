"""One step: every publication's candidate before the gate."""

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline.context import Context
from pipeline.transform import Candidate, Pinned, contract_digests
from quality.checking import Built, Checked, check
from quality.core_checks import CoreScope
from quality.journal import plain
from warehouse.contract.model import TableContract
from warehouse.duck import session
from warehouse.event_model import HEALTH_MARTS, INDICATOR_MARTS
from warehouse.lake import Snapshot
from warehouse.mart_lineage import event_tables
from warehouse.promotion_plan import Decision
from warehouse.promotion_record import current
from warehouse.publication import Publication
from warehouse.registry_model import Registry
from warehouse.views import quarantine_sql


@dataclass(frozen=True)
class Judged:
    """A publication's judgement and the decision that promotion is given."""

    checked: Checked
    decision: Decision


def judge_candidate(
    context: Context, pinned: Pinned, candidate: Candidate, inputs: Mapping[str, str]
) -> list[Judged]:
    """Check the candidate of every publication and decide on it.

    Args:
        context: City and day.
        pinned: Core versions that the candidate was built from.
        candidate: The mart file and dbt's artifacts.
        inputs: Digests of what else it was built from.

    Returns:
        One judgement a publication. Where the build left no file or no artifacts, every one
        rejects.
    """
    publications = tuple(context.registry.publications.values())
    lineage = own_tables(candidate.run.manifest, context.registry)
    days = {name: pinned.as_of(tables) or context.as_of for name, tables in lineage.items()}
    built = Built(
        candidate.expected_file, candidate.run.run_results, candidate.run.manifest, context.as_of
    )
    # What is refused on people's health is refused by all that a mart is built from.
    health = {
        name: tuple(sorted(table for table in tables if context.city.tables[table].health))
        for name, tables in core_tables(candidate.run.manifest, publications).items()
    }
    core = CoreScope(
        {name: _contracts(context, tables) for name, tables in lineage.items()},
        tuple(context.city.sources.values()),
        pinned.snapshots,
        context.as_of,
        {name: _promoted(context, name, tables) for name, tables in lineage.items()},
    )
    checked = check(
        context.paths,
        built,
        publications,
        context.city.marts,
        days,
        health_tables=health,
        core=core,
    )
    return [
        Judged(each, _decision(context, pinned, inputs, each, lineage[each.publication.name], days))
        for each in checked
    ]


def _promoted(context: Context, publication: str, tables: Iterable[str]) -> dict[str, Snapshot]:
    """The versions that what readers see was built from, of tables that still have them.

    One that is gone is nothing to compare with: all of its table counts as changed.
    """
    shown = current(context.paths, publication)
    pins = shown.content.pins if shown else {}
    found = {
        name: context.lake.kept("core", name, pins[name]) for name in pins.keys() & set(tables)
    }
    return {name: each for name, each in sorted(found.items()) if each is not None}


def _contracts(context: Context, tables: frozenset[str]) -> list[TableContract]:
    return [context.city.tables[name] for name in sorted(tables)]


def own_tables(manifest: Path, registry: Registry) -> dict[str, frozenset[str]]:
    """The core tables that each publication's own rows are built from.

    The marts of indicators hold the rows of every service group. Where a publication takes the
    rows of one group alone, its tables are those of the group's events by the registry; of every
    other mart it answers for all that dbt's manifest names.
    """
    everything = core_tables(manifest, registry.publications.values())
    return {
        name: _of_own_events(registry, name) & tables or tables
        for name, tables in everything.items()
    }


def _of_own_events(registry: Registry, name: str) -> frozenset[str]:
    """Core tables of the events of a publication's indicators; none where it shows more."""
    shared = INDICATOR_MARTS | HEALTH_MARTS
    if not all(
        part.mart in shared and set(part.where) == {"service_group"}
        for part in registry.publications[name].parts
    ):
        return frozenset()
    own = (each.definition for each in registry.indicators.values() if each.publication == name)
    return frozenset(table for definition in own for table in event_tables(definition.event))


def core_tables(manifest: Path, publications: Iterable[Publication]) -> dict[str, frozenset[str]]:
    """The core tables that each publication's marts are built from, by dbt's manifest.

    Returns:
        Table names by publication; none where dbt left no manifest (such a candidate is rejected
        anyway).
    """
    if not manifest.exists():
        return {each.name: frozenset() for each in publications}
    known: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    return {each.name: _core_tables(known, each) for each in publications}


def _core_tables(manifest: Mapping[str, Any], publication: Publication) -> frozenset[str]:
    parents: Mapping[str, list[str]] = manifest["parent_map"]
    waiting = [name for name in parents if name.split(".")[-1] in publication.marts]
    seen: set[str] = set()
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += parents.get(node, [])
    sources = (manifest["sources"][node] for node in seen if node.startswith("source."))
    return frozenset(each["name"] for each in sources if each["schema"] == "core")


def _decision(
    context: Context,
    pinned: Pinned,
    inputs: Mapping[str, str],
    checked: Checked,
    tables: frozenset[str],
    days: Mapping[str, date],
) -> Decision:
    name = checked.publication.name
    return Decision(
        publication=checked.publication,
        verdict=str(checked.verdict),
        data_as_of=days[name],
        reasons=checked.reasons,
        pins={table: version for table, version in pinned.versions.items() if table in tables},
        inputs=inputs,
        checks=[plain(each) for each in checked.results],
        provenance=_provenance(context, pinned, tables, inputs),
    )


def _provenance(
    context: Context, pinned: Pinned, tables: frozenset[str], inputs: Mapping[str, str]
) -> dict[str, Any]:
    """What a release pins: sources, batches with raw digests, contracts, code."""
    batches = [
        {name: batch[name] for name in ("source", "as_of", "sequence", "raw", "objects")}
        for table in sorted(tables)
        if (snapshot := pinned.snapshots[table]) is not None
        for commit in snapshot.commits()
        if (batch := commit.get("batch"))
    ]
    streams = sorted({batch["source"] for batch in batches})
    return {
        "batches": sorted(batches, key=lambda each: (each["source"], each["sequence"])),
        "sources": [{"title": stream} for stream in streams],
        "contracts": contract_digests(context),
        "quarantined_records": _quarantined(context, tables),
        "inputs": dict(inputs),
        "citylake": metadata.version("citylake"),
    }


def _quarantined(context: Context, tables: frozenset[str]) -> dict[str, int]:
    """How many records of each source lie in quarantine beside these core tables."""
    found: dict[str, int] = {}
    with closing(session()) as connection:
        for table in sorted(tables):
            select = quarantine_sql(context.lake.snapshot("quarantine", table))
            rows = connection.execute(
                f"SELECT _source, count(*) FROM ({select}) GROUP BY _source ORDER BY _source"  # noqa: S608 - our own text
            ).fetchall()
            found.update(rows)
    return found
