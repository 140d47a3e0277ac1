"""A whole run: every source of a day, then build, gate, promotion, release and serving."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.approve import approve_command
from pipeline.console import Console
from pipeline.context import Context, open_context
from pipeline.exit_codes import ExitCode
from pipeline.ingest import Ingested, ingest
from pipeline.judge import Judged, judge_candidate
from pipeline.lock import run_lock
from pipeline.maintain import Maintained, maintain
from pipeline.transform import Pinned, build_candidate, input_digests, pin
from pipeline.variables import how_to_set, missing_variables
from publish.release import Release, repair
from publish.serving import Status, is_served, replace_serving, serving_file
from quality import gx_checks, journal
from quality.decisions import record_decisions
from warehouse.contract.model import SourceContract
from warehouse.files import scratch
from warehouse.promotion import promote
from warehouse.promotion_record import PUBLISH, REJECT, Entry, Record, latest
from warehouse.workspace import any_writer, leftovers

SOURCES_AT_ONCE = 2


@dataclass(frozen=True)
class PublicationLine:
    """What the closing table says of a publication.

    Attributes:
        version: What readers see now, or None before the first promotion.
        place: Folder of the newest release, or the serving file for an internal publication, or
            the folder of the mart files where it is not served; below the city's folder.
        is_new: Whether this run changed what readers see.
        reasons: Why the verdict is not `publish`, and warnings.
        late_sources: Sources of it that failed in this run or lag behind its day.
        approval: The command that publishes the candidate that waits, or None.
    """

    name: str
    verdict: str
    version: str | None
    place: str
    is_new: bool
    reasons: tuple[str, ...]
    late_sources: tuple[str, ...]
    approval: str | None = None


@dataclass(frozen=True)
class RunReport:
    """What a run came to; `root` is the city's folder in the lake."""

    as_of: date
    root: Path
    sources: tuple[Ingested, ...]
    publications: tuple[PublicationLine, ...]
    maintained: Maintained

    @property
    def exit_code(self) -> ExitCode:
        """The gravest of the outcomes: error, rejected, held, published."""
        if any(each.error for each in self.sources):
            return ExitCode.ERROR
        verdicts = {each.verdict for each in self.publications}
        if REJECT in verdicts:
            return ExitCode.REJECTED
        return ExitCode.PUBLISHED if verdicts <= {PUBLISH} else ExitCode.HELD


def run_city(city: str, as_of: date | None = None, *, quiet: bool = False) -> ExitCode:
    """Run one processing day of a city and print the closing tables.

    Args:
        city: Name or folder of the city.
        as_of: Processing day; the default day of `city.yaml` where None.
        quiet: Whether to print the closing tables only.
    """
    context = open_context(city, as_of)
    console = Console(quiet=quiet)
    with run_lock(context.paths.lock, console.waiting):
        report = run_day(context, console)
    console.report(report)
    _tell_missing(context, report, console)
    return report.exit_code


def _tell_missing(context: Context, report: RunReport, console: Console) -> None:
    """Say how to set the variables for want of which sources could not be asked."""
    failed = [context.city.sources[each.source] for each in report.sources if each.error]
    missing = missing_variables(failed, context.environ)
    if missing:
        console.tell(f"not set: {', '.join(missing)}; {how_to_set(context.city)}")


def run_day(context: Context, console: Console) -> RunReport:
    """Run every step of one day; the caller holds the run lock.

    Returns:
        What every source and publication came to. A source that fails leaves its good data of
        before, and the build goes on with what is there.
    """
    context.read_all()
    _remove_leftovers(context)
    sources = _ingest_all(context, console)
    pinned, inputs = pin(context), input_digests(context)
    before = latest(context.paths)
    judged: list[Judged]
    if before is not None and _is_settled(context, before, pinned, inputs):
        with console.step("nothing changed since the last promotion"):
            record, judged = before, []
    else:
        with console.step("build, check and promote"):
            record, judged = _build(context, pinned, inputs)
    with console.step("release and serve"):
        late = _late(context, record, sources)
        releases = _publish(context, judged, late)
    with console.step("remove what is past its retention"):
        maintained = maintain(context, record)
    lines = _lines(context, record, before, releases, late)
    return RunReport(context.as_of, context.paths.root, tuple(sources), lines, maintained)


def _ingest_all(context: Context, console: Console) -> list[Ingested]:
    """Every source, a few at a time: one waits for its server while another is loaded."""

    def one(source_id: str) -> Ingested:
        with console.step(f"extract and load {source_id}"):
            return ingest(context, source_id)

    with ThreadPoolExecutor(SOURCES_AT_ONCE) as pool:
        return list(pool.map(one, context.city.sources))


def _remove_leftovers(context: Context) -> None:
    """Empty the scratch folder, unless a process still works there."""
    if any_writer(context.paths):
        return
    for path in leftovers(context.paths):
        # What a dying process still writes is left to the next run.
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_settled(context: Context, record: Record, pinned: Pinned, inputs: dict[str, str]) -> bool:
    """Whether the latest record promoted every publication from exactly these inputs.

    Only then is building again certain to change nothing. Held or rejected candidates are
    always judged again: what rejected them may have been a failure of the run itself.
    """
    names = set(context.registry.publications)
    return record.entries.keys() == names and all(
        entry.verdict == PUBLISH
        and entry.promoted is not None
        and dict(entry.promoted.inputs) == inputs
        and all(pinned.versions.get(name) == version for name, version in entry.pins.items())
        and entry.pins == entry.promoted.pins
        for entry in record.entries.values()
    )


def _build(context: Context, pinned: Pinned, inputs: dict[str, str]) -> tuple[Record, list[Judged]]:
    work = scratch(context.paths.work, "build")
    work.mkdir()
    # Imported while dbt builds: one after the other, they take longer than the build itself.
    gx_checks.warm(context.paths.work)
    candidate = build_candidate(context, pinned, work)
    judged = judge_candidate(context, pinned, candidate, inputs)
    journal.write(
        context.paths,
        work.name,
        [result for each in judged for result in each.checked.results],
    )
    promotion = promote(
        context.paths,
        candidate.file,
        context.city.marts,
        [each.decision for each in judged],
    )
    shutil.rmtree(work)
    return promotion.record, judged


def _publish(
    context: Context, judged: list[Judged], late: dict[str, list[str]]
) -> dict[str, Release]:
    """Bring everything that derives from the promotion records in line with them."""
    publications = tuple(context.registry.publications.values())
    record_decisions(context.paths)
    releases = repair(context.paths, publications, context.city.marts)
    fresh = {
        each.checked.publication.name: Status(
            str(each.checked.verdict), each.decision.data_as_of, each.checked.failing
        )
        for each in judged
    }
    replace_serving(context.paths, publications, context.city.marts, fresh, late, context.named)
    return releases


def _late(context: Context, record: Record, sources: list[Ingested]) -> dict[str, list[str]]:
    """The sources of each publication that failed in this run or lag behind its day."""
    failed = {each.source for each in sources if each.error}
    behind = [
        source
        for source in context.city.sources.values()
        if source.id in failed or _lags(context, source)
    ]
    return {
        name: [source.id for source in behind if source.table in entry.pins]
        for name, entry in record.entries.items()
    }


def _lags(context: Context, source: SourceContract) -> bool:
    snapshot = context.lake.snapshot("core", source.table)
    as_of = snapshot.as_of(source.id) if snapshot else None
    return as_of is None or as_of < context.as_of


def _lines(
    context: Context,
    record: Record,
    before: Record | None,
    releases: dict[str, Release],
    late: dict[str, list[str]],
) -> tuple[PublicationLine, ...]:
    return tuple(
        _line(
            context, name, entry, before.entries.get(name) if before else None, releases, late[name]
        )
        for name, entry in record.entries.items()
    )


def _line(
    context: Context,
    name: str,
    entry: Entry,
    before: Entry | None,
    releases: dict[str, Release],
    late: list[str],
) -> PublicationLine:
    seen = before.promoted if before else None
    if name in releases:
        place = releases[name].folder
    elif is_served(context.registry.publications[name], context.city.marts):
        place = serving_file(context.paths)
    else:
        place = context.paths.marts
    return PublicationLine(
        name=name,
        verdict=entry.verdict,
        version=entry.promoted.version if entry.promoted else None,
        place=str(place.relative_to(context.paths.root)),
        is_new=entry.promoted is not None and not entry.promoted.equals(seen),
        reasons=entry.reasons,
        late_sources=tuple(late),
        approval=approve_command(context.city, name, entry.candidate.content_hash)
        if entry.candidate
        else None,
    )
