"""The steps from core to readers: settled or built, checked, promoted, published.

The run takes them in a row in one process; `pipeline.steps` calls each alone.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from extract.outcomes import last_outcome
from pipeline.audit import audited
from pipeline.context import Context
from pipeline.judge import judge_candidate
from pipeline.last_day import late_sources, note_last_day
from pipeline.parked import Build, Judgement, discard_build, keep_judgement, park_build
from pipeline.transform import Pinned, input_digests, pin
from publish.release import Release, repair
from publish.serving import Status, replace_serving
from publish.site.page import write_site
from quality import journal
from quality.decisions import record_decisions
from warehouse.boundary import reached
from warehouse.contract.model import SourceContract
from warehouse.files import canonical_json, replace_content
from warehouse.paths import CityPaths
from warehouse.promotion import Promotion, promote
from warehouse.promotion_plan import Decision
from warehouse.promotion_record import PUBLISH, Record, evidence, latest, records
from warehouse.workspace import any_writer, leftovers


@dataclass(frozen=True)
class Inputs:
    """What a build of now would follow from.

    Attributes:
        pinned: The newest core versions.
        digests: Digests of what else goes in.
    """

    pinned: Pinned
    digests: Mapping[str, str]


def remove_leftovers(context: Context) -> None:
    """Empty the scratch folder but for parked builds, unless a process still works there.

    The caller holds the run lock.
    """
    if any_writer(context.paths):
        return
    for path in leftovers(context.paths):
        # What a dying process still writes is left to the next run.
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def read_inputs(context: Context) -> Inputs:
    """What a build of now would follow from."""
    return Inputs(pin(context), input_digests(context))


def settled(context: Context, inputs: Inputs) -> Record | None:
    """The latest record where it promoted every publication from exactly these inputs.

    Only then is building again certain to change nothing. Held or rejected candidates are
    always judged again: what rejected them may have been a failure of the run itself. Readers are
    then told of the record's own verdicts.
    """
    record = latest(context.paths)
    if record is None or not _is_settled(context, record, inputs):
        return None
    _tell(context.paths, None, record, {})
    return record


def _is_settled(context: Context, record: Record, inputs: Inputs) -> bool:
    names = set(context.registry.publications)
    return record.entries.keys() == names and all(
        entry.verdict == PUBLISH
        and entry.promoted is not None
        and dict(entry.promoted.inputs) == inputs.digests
        and all(inputs.pinned.versions.get(name) == each for name, each in entry.pins.items())
        and entry.pins == entry.promoted.pins
        for entry in record.entries.values()
    )


def build(context: Context, inputs: Inputs, work: Path) -> Build:
    """Build the candidate in a workspace and park it; see `pipeline.parked.park_build`."""
    return park_build(context, inputs.pinned, inputs.digests, work)


def check(context: Context, built: Build) -> Judgement:
    """Let every engine and the gate judge a build, and keep the judgement beside it."""
    before = latest(context.paths)
    judged = judge_candidate(context, built.pinned, built.candidate, built.inputs)
    journal.write(
        context.paths,
        built.id,
        [result for each in judged for result in each.checked.results],
    )
    judgement = Judgement(before.number if before else 0, tuple(each.decision for each in judged))
    keep_judgement(context, built, judgement)
    return judgement


def promote_build(
    context: Context, built: Build, judgement: Judgement, *, after: int | None = None
) -> Promotion:
    """Commit what the gate said of a build as one promotion record, and remove the build.

    Args:
        context: City and day.
        built: The build.
        judgement: What the gate said of it.
        after: As for `warehouse.promotion.promote`.
    """
    promotion = promote(
        context.paths, built.candidate.file, context.city.marts, judgement.decisions, after=after
    )
    found = {each.publication.name: _status(each) for each in judgement.decisions}
    _tell(context.paths, built.id, promotion.record, found)
    reached("promotion.before_unpark")
    discard_build(context.paths, built.id)
    record_decisions(context.paths)
    return promotion


def finish_promotion(context: Context, name: str) -> Record | None:
    """Make up for what is left of a promotion that was ended after its record.

    Returns:
        The record that the build led to; None where it has not led to one yet.
    """
    told = _read(context.paths)
    if told is None or told["build"] != name:
        return None
    discard_build(context.paths, name)
    record_decisions(context.paths)
    return records(context.paths)[int(told["record"]) - 1]


def publish(context: Context) -> tuple[dict[str, Release], dict[str, list[str]]]:
    """Bring everything that derives from the promotion records in line with them.

    Returns:
        The newest release by dataset, and the late sources by publication.
    """
    record = latest(context.paths)
    behind = [name for name, source in context.city.sources.items() if _is_late(context, source)]
    note_last_day(context.paths, context.as_of, behind)
    late = _late_by_publication(context, behind, record)
    return _publish(context, _told(context.paths, record), late, behind), late


def publish_decided(context: Context) -> dict[str, Release]:
    """The same after a person's decision, which is about no day: sources are as late as before.

    Returns:
        The newest release by dataset.
    """
    behind = [name for name in late_sources(context.paths) if name in context.city.sources]
    late = _late_by_publication(context, behind, latest(context.paths))
    return _publish(context, {}, late, behind)


def _publish(
    context: Context,
    fresh: Mapping[str, Status],
    late: Mapping[str, list[str]],
    behind: Sequence[str],
) -> dict[str, Release]:
    publications = tuple(context.registry.publications.values())
    record_decisions(context.paths)
    releases = repair(context.paths, publications, context.city.marts)
    named = {**context.named, **audited(context, _judged_checks(context.paths), behind)}
    replace_serving(context.paths, publications, context.city.marts, fresh, late, named)
    city = context.city
    write_site(context.paths, city.title, publications, city.marts, city.notice)
    return releases


def _late_by_publication(
    context: Context, behind: Sequence[str], record: Record | None
) -> dict[str, list[str]]:
    """The late sources of each publication of a record."""
    sources = context.city.sources
    return {
        name: [source for source in behind if sources[source].table in entry.pins]
        for name, entry in (record.entries if record else {}).items()
    }


def _is_late(context: Context, source: SourceContract) -> bool:
    """Whether a source failed on the context's day or lags behind it."""
    attempt = last_outcome(context.paths.journal, source.id) or {}
    if attempt.get("error") and attempt["as_of"] == context.as_of.isoformat():
        return True
    snapshot = context.lake.snapshot("core", source.table)
    as_of = snapshot.as_of(source.id) if snapshot else None
    return as_of is None or as_of < context.as_of


def _judged_file(paths: CityPaths) -> Path:
    """What the newest build came to, for those who publish it: derived, replaced whole."""
    return paths.journal / "judged.json"


def _status(decision: Decision) -> dict[str, Any]:
    failing = [str(each["check"]) for each in decision.checks if each["status"] != "passed"]
    return {
        "verdict": decision.verdict,
        "data_as_of": decision.data_as_of.isoformat(),
        "failing": failing,
    }


def _tell(
    paths: CityPaths, name: str | None, record: Record, found: Mapping[str, Mapping[str, Any]]
) -> None:
    content = {"build": name, "record": record.number, "publications": dict(found)}
    replace_content(_judged_file(paths), canonical_json(content), paths.work)


def _told(paths: CityPaths, record: Record | None) -> dict[str, Status]:
    """What the newest build found, unless a decision was taken since."""
    told = _read(paths)
    if told is None or record is None or told["record"] != record.number:
        return {}
    return {
        name: Status(
            each["verdict"], date.fromisoformat(each["data_as_of"]), tuple(each["failing"])
        )
        for name, each in told["publications"].items()
    }


def _judged_checks(paths: CityPaths) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The check results of the newest judged build by publication.

    They stand in the journal; where a record alone tells of that build, in its evidence.
    """
    record, told = latest(paths), _read(paths)
    if record is None:
        return {}
    if told is not None and told["record"] == record.number and told["build"] is not None:
        found = journal.read(paths, told["build"])
        if found is not None:
            return found
    return {name: evidence(paths, entry.checks) for name, entry in record.entries.items()}


def _read(paths: CityPaths) -> dict[str, Any] | None:
    path = _judged_file(paths)
    return dict(json.loads(path.read_bytes())) if path.is_file() else None
