"""A city as its folder declares it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from warehouse.contract.document import Document, Location, read_document
from warehouse.contract.folder import ContractFolder
from warehouse.contract.merge import merge_problems
from warehouse.contract.model import SourceContract, TableContract
from warehouse.contract.orchestration import schedule_error
from warehouse.contract.problem import ContractError, Problem, raise_on
from warehouse.contract.read_source import read_source
from warehouse.contract.validation import own_problems
from warehouse.contract.zones import zone_names

PACKAGE = Path(__file__).resolve().parent
TABLES = PACKAGE / "tables"
MARTS = PACKAGE / "marts"

Read = TypeVar("Read")


@dataclass(frozen=True)
class Agency:
    """A body that answers for services and indicators.

    Attributes:
        level: `city`, `agency`, `district` or `ward`.
        service_groups: Numbers of the service groups (1 to 11) that it answers for.
        area_code: Area of a district's or ward's body, or None.
        valid_from, valid_to: First day, and the first day after the last; None is open.
        contact_role: Role to turn to, by language; never a person.
    """

    code: str
    name: Mapping[str, str]
    level: str
    service_groups: tuple[int, ...]
    contact_role: Mapping[str, str]
    area_code: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class City:
    """A city: its settings, its agencies and every contract that holds in it.

    Attributes:
        name: The city's code, as in `citylake run --city`.
        title: Its name by language.
        timezone: IANA zone of its clock.
        default_date: Processing day of a run that names none.
        tables, marts: Contracts by name, read when they are asked for; all cities share them.
        sources: Contracts by id (`<group>.<source>`).
        history_from, history_to: Days that a first run loads in bulk, both inclusive, or None.
        raw_days, quarantine_days: How long raw objects and quarantined records are kept, or None.
        vacuum_days: Age in days after which superseded files are removed.
        deadline: Cron expression in the city's zone: when marts are built at the latest, whatever
            source is missing.
        approval_hours: How long a held candidate waits for a person under a scheduler.
        notice: What readers are told above every figure, by language, or None.
        broken: Sources that are left out, each with what is wrong in its contract.
    """

    name: str
    title: Mapping[str, str]
    timezone: str
    default_date: date
    folder: Path
    tables: Mapping[str, TableContract] = field(repr=False)
    sources: Mapping[str, SourceContract] = field(repr=False)
    agencies: Mapping[str, Agency] = field(repr=False)
    marts: Mapping[str, TableContract] = field(repr=False)
    history_from: date | None = None
    history_to: date | None = None
    raw_days: int | None = None
    quarantine_days: int | None = None
    vacuum_days: int = 30
    deadline: str = "0 6 * * *"
    approval_hours: float = 24
    notice: Mapping[str, str] | None = None
    broken: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict, repr=False)

    @property
    def is_demo(self) -> bool:
        """Whether `demo/` generates its sources: it names the history that they start with."""
        return self.history_from is not None and self.history_to is not None


class _Collector:
    """Reads files one after the other and keeps the problems of those that cannot be read."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def read(self, reader: Callable[[], Read]) -> Read | None:
        """What the reader gives, or None when its file has problems."""
        try:
            return reader()
        except ContractError as error:
            self.problems += error.problems
            return None

    def read_all(
        self, contracts: Mapping[str, TableContract], names: Iterable[str]
    ) -> dict[str, TableContract]:
        """Those of the contracts that can be read."""
        read = {name: self.read(partial(contracts.__getitem__, name)) for name in sorted(names)}
        return {name: contract for name, contract in read.items() if contract is not None}


def load_city(folder: Path, *, lazily: bool = False, without_broken: bool = False) -> City:
    """Read a city's folder and the contracts that all cities share.

    Args:
        folder: Folder with `city.yaml`, `agencies.yaml` and `sources/<group>/<source>.yaml`;
            other folders in it are other readers' matter.
        lazily: Whether tables that no source feeds, and marts, are read when they are asked
            for; what is wrong in one of them is then raised there.
        without_broken: Whether sources whose contract is wrong are left out and named in
            `broken`, so that the others go on.

    Raises:
        ContractError: with file, line and rule of everything that is wrong in any file read.
    """
    collector = _Collector()
    tables, marts = ContractFolder(TABLES, "table"), ContractFolder(MARTS, "mart")
    sources = _sources(collector, folder)
    agencies = collector.read(partial(read_agencies, folder / "agencies.yaml"))
    settings = collector.read(partial(read_settings, folder / "city.yaml"))
    wanted = {each.table for each in sources.values()} & tables.keys() if lazily else tables
    readable = collector.read_all(tables, wanted)
    collector.read_all(marts, () if lazily else marts)
    collector.problems += reference_problems(sources.values(), readable, agencies)
    broken = _broken(collector.problems, folder) if without_broken else {}
    raise_on([each for each in collector.problems if _source_of(each, folder) not in broken])
    if settings is None or agencies is None:
        raise ContractError([Problem(folder, 1, "file.read", "the city cannot be read")])
    return City(
        **settings,
        folder=folder,
        tables=tables,
        sources={name: each for name, each in sources.items() if name not in broken},
        agencies=agencies,
        marts=marts,
        broken=broken,
    )


def _source_of(problem: Problem, folder: Path) -> str | None:
    """Id of the source whose contract a problem is about, or None."""
    place = problem.path.parent
    is_source = place.parent == folder / "sources"
    return f"{place.name}.{problem.path.stem}" if is_source else None


def _broken(problems: Iterable[Problem], folder: Path) -> dict[str, tuple[Problem, ...]]:
    found: dict[str, tuple[Problem, ...]] = {}
    for problem in problems:
        source = _source_of(problem, folder)
        if source is not None:
            found[source] = (*found.get(source, ()), problem)
    return found


def source_files(folder: Path) -> dict[str, Path]:
    """The contract files of a city's sources by id."""
    return {
        f"{path.parent.name}.{path.stem}": path
        for path in sorted((folder / "sources").glob("*/*.yaml"))
    }


def _sources(collector: _Collector, folder: Path) -> dict[str, SourceContract]:
    found: dict[str, SourceContract] = {}
    for identifier, path in source_files(folder).items():
        contract = collector.read(partial(read_source, path, identifier))
        if contract is not None:
            found[identifier] = contract
    return found


def reference_problems(
    sources: Iterable[SourceContract],
    tables: Mapping[str, TableContract],
    agencies: Mapping[str, Agency] | None,
) -> Iterator[Problem]:
    """What sources name that is not there, and where they do not fit tables or each other."""
    slots: dict[str, int] = {}
    for source in sources:
        table = tables.get(source.table)
        if table is None:
            message = f"there is no table {source.table!r}"
            yield Problem(source.path, source.table_line, "citylake.unknown_table", message)
        else:
            yield from merge_problems(source, table)
        if agencies is not None and source.agency not in agencies:
            message = f"agencies.yaml has no agency {source.agency!r}"
            yield Problem(source.path, source.agency_line, "citylake.unknown_agency", message)
        asked = source.orchestration
        if asked.pool and slots.setdefault(asked.pool, asked.pool_slots) != asked.pool_slots:
            message = f"pool {asked.pool!r} has {slots[asked.pool]} slots in another contract"
            yield Problem(source.path, source.pool_line, "citylake.pool", message)


def _valid(path: Path, schema: str) -> Document:
    document = read_document(path)
    raise_on(own_problems(document, schema))
    return document


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def read_settings(path: Path) -> dict[str, Any]:
    """The fields of `City` that `city.yaml` gives.

    Raises:
        ContractError: with file, line and rule of everything that is wrong.
    """
    document = _valid(path, "city")
    data = document.data
    history = data.get("history", {})
    retention = data.get("retention", {})
    if data["timezone"] not in zone_names():
        message = "is no IANA time zone"
        raise ContractError([document.problem(("timezone",), "citylake.timezone", message)])
    settings = {
        "name": data["city"],
        "title": data["name"],
        "notice": data.get("notice"),
        "timezone": data["timezone"],
        "default_date": date.fromisoformat(data["default_date"]),
        "history_from": _day(history.get("from")),
        "history_to": _day(history.get("to")),
        "raw_days": retention.get("raw_days"),
        "quarantine_days": retention.get("quarantine_days"),
        "vacuum_days": data.get("vacuum_days", 30),
        **data.get("orchestration", {}),
    }
    deadline = settings.get("deadline", City.deadline)
    wrong = schedule_error(deadline, data["timezone"])
    if wrong:
        place: Location = ("orchestration", "deadline")
        raise ContractError([document.problem(place, "citylake.schedule", wrong)])
    if history and history["to"] < history["from"]:
        message = "the history ends before it begins"
        raise ContractError([document.problem(("history", "to"), "citylake.history", message)])
    return settings


def read_agencies(path: Path) -> dict[str, Agency]:
    """The bodies of a city by code.

    Raises:
        ContractError: with file, line and rule of everything that is wrong.
    """
    document = _valid(path, "agencies")
    found: dict[str, Agency] = {}
    problems = []
    for index, node in enumerate(document.data["agencies"]):
        place: Location = ("agencies", index, "code")
        if node["code"] in found:
            message = f"agency {node['code']!r} stands here twice"
            problems.append(document.problem(place, "citylake.duplicate_agency", message))
        found[node["code"]] = Agency(
            code=node["code"],
            name=node["name"],
            level=node["level"],
            service_groups=tuple(node["service_groups"]),
            contact_role=node["contact_role"],
            area_code=node.get("area_code"),
            valid_from=_day(node.get("valid_from")),
            valid_to=_day(node.get("valid_to")),
        )
    raise_on(problems)
    return found
