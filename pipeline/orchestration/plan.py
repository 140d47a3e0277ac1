"""What there is to schedule in a city: read from its contracts, without a heavy import.

DAGs are made from this alone. It is read every time that Airflow parses them, so it must be quick,
and one contract that cannot be read must not hide the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.orchestration.groups import groups_of
from pipeline.settings import city_folder
from warehouse.access import ACCESS_FILE
from warehouse.city import City, load_city, source_files
from warehouse.contract.document import read_document
from warehouse.contract.model import Orchestration, SourceContract
from warehouse.contract.problem import ContractError, Problem, raise_on
from warehouse.contract.validation import own_problems

Texts = Mapping[str, str]
# What stands for the recipients of a file that does not even tell who they are.
WHOLE = "access"


@dataclass(frozen=True)
class SourcePlan:
    """A source as it is scheduled.

    Attributes:
        id: `<group>.<source>`.
        purpose: What it delivers, by language.
        agency: Name of the body that answers for it, by language.
        agency_code: Its code.
        service_group: 1 to 11.
    """

    id: str
    purpose: Texts
    table: str
    agency: Texts
    agency_code: str
    service_group: int
    timezone: str
    orchestration: Orchestration

    @property
    def group(self) -> str:
        """Name of the service group: the folder of the contract."""
        return self.id.partition(".")[0]

    @property
    def pool(self) -> str:
        """The pool whose slots its tasks take."""
        return self.orchestration.pool or self.id


@dataclass(frozen=True)
class PublicationPlan:
    """A publication as it is scheduled.

    Attributes:
        groups: Names of the service groups that its marts are built from.
    """

    name: str
    groups: tuple[str, ...]
    dataset_class: str
    title: Texts
    description: Texts
    owner: Texts
    owner_code: str


@dataclass(frozen=True)
class BrokenPlan:
    """A contract that cannot be used, and what can be read of it all the same.

    Attributes:
        message: What is wrong, one line a problem: file, line, rule.
        groups: Names of the service groups.
        body: Who answers for it, by language; the city where no agency can be read.
        body_code: Code of that agency, or None.
    """

    message: str
    groups: tuple[str, ...]
    body: Texts
    body_code: str | None


@dataclass(frozen=True)
class RecipientPlan:
    """Who is sent the brief.

    Attributes:
        title: Of the role whose rights the recipient has, by language.
    """

    code: str
    title: Texts
    language: str


@dataclass(frozen=True)
class CityPlan:
    """What there is to schedule in a city.

    Attributes:
        broken_sources, broken_publications: Contracts that cannot be used, by the id of the source
            or the name of the publication that it would have been.
        broken_recipients: What is wrong in `access.yaml`, by the code of every recipient in it.
        is_demo: Whether the sources know some days of the past only.
    """

    name: str
    title: Texts
    timezone: str
    default_day: date
    is_demo: bool
    deadline: str
    approval_hours: float
    sources: tuple[SourcePlan, ...]
    publications: tuple[PublicationPlan, ...]
    recipients: tuple[RecipientPlan, ...]
    broken_sources: Mapping[str, BrokenPlan]
    broken_publications: Mapping[str, BrokenPlan]
    broken_recipients: Mapping[str, str]

    @property
    def pools(self) -> dict[str, int]:
        """Slots by name of pool."""
        return {each.pool: each.orchestration.pool_slots for each in self.sources}


def read_plan(city: str) -> CityPlan:
    """Read what there is to schedule.

    Args:
        city: Name or folder of the city.

    Raises:
        UnknownCityError: when there is no such city.
        ContractError: when what all its sources share is wrong: `city.yaml`, `agencies.yaml` or
            the contract of a table that a source feeds.
    """
    loaded = load_city(city_folder(city), lazily=True, without_broken=True)
    publications: list[PublicationPlan] = []
    broken: dict[str, BrokenPlan] = {}
    for path in sorted((loaded.folder / "datasets").glob("*.yaml")):
        try:
            publications.append(_publication(path, loaded))
        except ContractError as error:
            broken[path.stem] = _broken_publication(path, error, loaded)
    recipients, broken_recipients = _recipients(loaded)
    return CityPlan(
        name=loaded.name,
        title=loaded.title,
        timezone=loaded.timezone,
        default_day=loaded.default_date,
        is_demo=loaded.is_demo,
        deadline=loaded.deadline,
        approval_hours=loaded.approval_hours,
        sources=tuple(
            _source(loaded.sources[name], loaded)
            for name in source_files(loaded.folder)
            if name in loaded.sources
        ),
        publications=tuple(publications),
        recipients=recipients,
        broken_sources=_broken_sources(loaded),
        broken_publications=broken,
        broken_recipients=broken_recipients,
    )


def _recipients(city: City) -> tuple[tuple[RecipientPlan, ...], Mapping[str, str]]:
    """Who is sent the brief, and what keeps whom from being sent it.

    Whether the areas are there is checked where the brief is made: the geography is heavy to read.
    """
    path = city.folder / ACCESS_FILE
    if not path.exists():
        return (), {}
    codes = [WHOLE]
    try:
        document = read_document(path)
        codes = _codes(document.data) or codes
        raise_on(own_problems(document, "access"))
        titles = {role["code"]: role["title"] for role in document.data["roles"]}
        nodes = document.data.get("recipients", ())
        unknown = [index for index, node in enumerate(nodes) if node["role"] not in titles]
        raise_on(
            [
                document.problem(("recipients", each, "role"), "citylake.access", "is no role here")
                for each in unknown
            ]
        )
    except ContractError as error:
        return (), dict.fromkeys(codes, _told(error.problems, city))
    return tuple(
        RecipientPlan(node["code"], titles[node["role"]], node["language"]) for node in nodes
    ), {}


def _codes(data: Any) -> list[str]:
    """The codes of recipients that can be read of a document that may be wrong."""
    nodes = data.get("recipients") if isinstance(data, Mapping) else None
    found = nodes if isinstance(nodes, list) else []
    return [node["code"] for node in found if isinstance(node, Mapping) and _is_name(node)]


def _is_name(node: Mapping[str, Any]) -> bool:
    code = node.get("code")
    return isinstance(code, str) and code.isidentifier()


def _told(problems: tuple[Problem, ...] | list[Problem], city: City) -> str:
    """One line a problem; the files by their place in the city's folder."""
    return "\n".join(str(each).replace(f"{city.folder}/", "") for each in problems)


def _source(contract: SourceContract, city: City) -> SourcePlan:
    return SourcePlan(
        id=contract.id,
        purpose=contract.purpose,
        table=contract.table,
        agency=city.agencies[contract.agency].name,
        agency_code=contract.agency,
        service_group=contract.service_group,
        timezone=contract.timezone,
        orchestration=contract.orchestration,
    )


def _publication(path: Path, city: City) -> PublicationPlan:
    document = read_document(path)
    raise_on(own_problems(document, "dataset"))
    data: Mapping[str, Any] = document.data
    owner = city.agencies.get(data["owner"])
    if owner is None:
        message = f"agencies.yaml has no agency {data['owner']!r}"
        raise_on([document.problem(("owner",), "citylake.unknown_agency", message)])
    return PublicationPlan(
        name=path.stem,
        groups=groups_of(data["parts"]),
        dataset_class=data["class"],
        title=data["title"],
        description=data["description"],
        owner=owner.name if owner else {},
        owner_code=data["owner"],
    )


def _broken_sources(city: City) -> dict[str, BrokenPlan]:
    files = source_files(city.folder)
    found = {}
    for name, problems in city.broken.items():
        properties = _readable(files[name]).get("customProperties")
        codes = [
            node.get("value")
            for node in (properties if isinstance(properties, list) else [])
            if isinstance(node, Mapping) and node.get("property") == "agency"
        ]
        # The folder says the group, whatever the file says.
        groups = (name.partition(".")[0],)
        found[name] = _broken(_told(problems, city), groups, codes[0] if codes else None, city)
    return found


def _broken_publication(path: Path, error: ContractError, city: City) -> BrokenPlan:
    data = _readable(path)
    parts = data.get("parts")
    groups = groups_of(parts if isinstance(parts, list) else [])
    return _broken(_told(error.problems, city), groups, data.get("owner"), city)


def _broken(message: str, groups: tuple[str, ...], code: Any, city: City) -> BrokenPlan:
    body = city.agencies.get(code) if isinstance(code, str) else None
    if body is None:
        return BrokenPlan(message, groups, city.title, None)
    return BrokenPlan(message, groups, body.name, body.code)


def _readable(path: Path) -> Mapping[str, Any]:
    """What a file says that may be wrong; nothing where it is no YAML."""
    try:
        data = read_document(path).data
    except ContractError:
        return {}
    return data if isinstance(data, Mapping) else {}
