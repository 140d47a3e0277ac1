"""A whole run: every source of a day, then build, gate, promotion, release and serving."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.approve import approve_command
from pipeline.candidate import (
    Inputs,
    build,
    check,
    promote_build,
    publish,
    read_inputs,
    remove_leftovers,
    settled,
)
from pipeline.console import Console
from pipeline.context import Context, open_context
from pipeline.exit_codes import ExitCode
from pipeline.ingest import Ingested, ingest
from pipeline.lock import run_lock
from pipeline.maintain import Maintained, maintain
from pipeline.variables import how_to_set, missing_variables
from publish.release import Release
from publish.serving import is_served, serving_file
from publish.site.page import site_index
from quality import gx_checks
from warehouse.errors import CitylakeError
from warehouse.promotion_record import PUBLISH, REJECT, Entry, Record, latest
from warehouse.workspace import workspace

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
    """What a run came to.

    Attributes:
        root: The city's folder in the lake.
        site: The page to open first.
    """

    as_of: date
    root: Path
    site: Path
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

    Raises:
        CitylakeError: when no source can be asked for want of variables.
    """
    context = open_context(city, as_of)
    _refuse_without_variables(context)
    console = Console(quiet=quiet)
    with run_lock(context.paths.lock, console.waiting):
        report = run_day(context, console)
    console.report(report)
    _tell_missing(context, report, console)
    return report.exit_code


def _refuse_without_variables(context: Context) -> None:
    """Refuse a run that can ask no source: readers would be told that all of them are late.

    Raises:
        CitylakeError: naming the variables.
    """
    sources = context.city.sources.values()
    missing = missing_variables(sources, context.environ)
    if sources and all(missing_variables([each], context.environ) for each in sources):
        raise CitylakeError(
            f"{context.city.name}: no source can be asked; not set: {', '.join(missing)}; "
            f"{how_to_set(context.city)}"
        )


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
    remove_leftovers(context)
    sources = _ingest_all(context, console)
    inputs = read_inputs(context)
    before = latest(context.paths)
    record = settled(context, inputs)
    if record is not None:
        with console.step("nothing changed since the last promotion"):
            pass
    else:
        with console.step("build, check and promote"):
            record = _promoted(context, inputs)
    with console.step("release and serve"):
        releases, late = publish(context)
    with console.step("remove what is past its retention"):
        maintained = maintain(context, record)
    lines = _lines(context, record, before, releases, late)
    return RunReport(
        context.as_of,
        context.paths.root,
        site_index(context.paths),
        tuple(sources),
        lines,
        maintained,
    )


def _ingest_all(context: Context, console: Console) -> list[Ingested]:
    """Every source, a few at a time: one waits for its server while another is loaded."""

    def one(source_id: str) -> Ingested:
        with console.step(f"extract and load {source_id}"):
            return ingest(context, source_id)

    with ThreadPoolExecutor(SOURCES_AT_ONCE) as pool:
        return list(pool.map(one, context.city.sources))


def _promoted(context: Context, inputs: Inputs) -> Record:
    """Build, check and promote in one process; while the workspace is held the build is safe."""
    with workspace(context.paths) as work:
        # Imported while dbt builds: one after the other, they take longer than the build itself.
        gx_checks.warm(context.paths.work)
        built = build(context, inputs, work)
        return promote_build(context, built, check(context, built)).record


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
