"""Reading what a city measures and publishes.

Definitions of indicators (`warehouse/indicators/<group>.yaml`) are the same everywhere; a city says
which of them it answers for (`indicators/<group>.yaml`) and what it publishes (`datasets/*.yaml`).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from warehouse.contract.document import Document, read_document
from warehouse.contract.problem import ContractError, Problem, raise_on
from warehouse.contract.sandbox import Sandbox
from warehouse.contract.validation import own_problems
from warehouse.event_model import indicator_marts
from warehouse.publication import Publication, overlaps
from warehouse.registry_checks import (
    CityParts,
    definition_problems,
    publication_problems,
    registration_problems,
)
from warehouse.registry_model import Definition, Indicator, Registry
from warehouse.registry_read import definition, indicator, publication

DEFINITIONS = Path(__file__).resolve().parent / "indicators"


def load_registry(city: CityParts, definitions: Path = DEFINITIONS) -> Registry:
    """Read and check a city's indicators and publications.

    Args:
        city: The city as `warehouse.city.load_city` gives it.
        definitions: Folder of the definitions.

    Returns:
        The registry; empty where the city has neither folder.

    Raises:
        ContractError: everything that is wrong, each with file, line and rule. What builds on a
            broken file is not looked at.
    """
    defined = _read(definitions, "indicators")
    known = _definitions(defined)
    datasets = _read(city.folder / "datasets", "dataset")
    publications = _publications(datasets, city)
    registered = _read(city.folder / "indicators", "city_indicators")
    indicators = _indicators(registered, known, publications, city)
    digest = hashlib.sha256()
    for document in (*defined, *datasets, *registered):
        digest.update(f"{document.path.name}:{document.digest}\n".encode())
    return Registry(
        dict(sorted(indicators.items())),
        dict(sorted(publications.items())),
        digest.hexdigest(),
        city.notice,
    )


def _read(folder: Path, schema: str) -> list[Document]:
    """Every YAML file of a folder in order of name, valid against the schema."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            document = read_document(path)
        except ContractError as error:
            problems += error.problems
            continue
        problems += own_problems(document, schema)
        documents.append(document)
    raise_on(problems)
    return documents


def _definitions(documents: Iterable[Document]) -> dict[str, Definition]:
    found: dict[str, Definition] = {}
    problems: list[Problem] = []
    with Sandbox() as sandbox:
        for document in documents:
            for index, node in enumerate(document.data["indicators"]):
                if node["code"] in found:
                    place = ("indicators", index, "code")
                    problems.append(_twice(document, place))
                found[node["code"]] = definition(document, node)
                problems += definition_problems(document, index, found[node["code"]], sandbox)
    raise_on(problems)
    return found


def _publications(documents: Sequence[Document], city: CityParts) -> dict[str, Publication]:
    found: dict[str, Publication] = {}
    problems: list[Problem] = []
    for document in documents:
        problems += publication_problems(document, city)
        owner = city.agencies.get(document.data["owner"])
        try:
            found[document.path.stem] = publication(document, owner.name if owner else {})
        except ValueError as error:
            problems.append(document.problem((), "citylake.publication", str(error)))
    raise_on(problems)
    paths = {document.path.stem: document for document in documents}
    for message in overlaps(found.values()):
        place = paths[message.partition(" ")[0]]
        problems.append(place.problem(("parts",), "citylake.overlap", message))
    raise_on(problems)
    return found


def _indicators(
    documents: Iterable[Document],
    definitions: Mapping[str, Definition],
    publications: Mapping[str, Publication],
    city: CityParts,
) -> dict[str, Indicator]:
    found: dict[str, Indicator] = {}
    problems: list[Problem] = []
    for document in documents:
        for index, node in enumerate(document.data["indicators"]):
            place = ("indicators", index, "code")
            if node["code"] in found:
                problems.append(_twice(document, place))
            wrong = list(registration_problems(document, index, node, definitions, city.agencies))
            problems += wrong
            if wrong:
                continue
            known = definitions[node["code"]]
            homes = [one for one in publications.values() if _holds(one, known)]
            if len(homes) != 1:
                message = f"{len(homes)} publications hold the rows of its service group, not 1"
                problems.append(document.problem(place, "citylake.no_publication", message))
                continue
            try:
                found[node["code"]] = indicator(known, node, homes[0])
            except ValueError as error:
                at = ("indicators", index, "targets")
                problems.append(document.problem(at, "citylake.target", str(error)))
    raise_on(problems)
    return found


def _holds(publication: Publication, definition: Definition) -> bool:
    """Whether a publication takes the rows of a definition's group of every mart it is in."""
    where = {"service_group": definition.service_group}
    marts = {part.mart for part in publication.parts if part.where == where}
    return marts >= indicator_marts(definition.event)


def _twice(document: Document, place: tuple[str | int, ...]) -> Problem:
    return document.problem(place, "citylake.duplicate_indicator", "stands here twice")
