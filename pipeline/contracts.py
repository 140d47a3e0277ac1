"""`citylake contract check`."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.console import counted
from pipeline.exit_codes import ExitCode
from pipeline.settings import city_folder
from quality.suites import suite
from warehouse.access import Access, access_warnings, load_access
from warehouse.city import City, load_city
from warehouse.contract.check import check_city
from warehouse.contract.document import read_document
from warehouse.contract.problem import ContractError, Problem
from warehouse.geography import load_geography
from warehouse.registry import load_registry
from warehouse.registry_model import Registry


def contract_problems(folder: Path) -> list[Problem]:
    """Everything that is wrong in what a city declares; empty when it can run."""
    problems = check_city(folder)
    if not problems:
        try:
            _access(folder)
            city = load_city(folder)
            problems = list(_repeated_expectations(city, load_registry(city)))
        except ContractError as error:
            problems = list(error.problems)
    return problems


def _access(folder: Path) -> Access:
    geography = load_geography(folder / "geography")
    return load_access(folder, {area.key for area in geography.areas})


def _repeated_expectations(city: City, registry: Registry) -> Iterator[Problem]:
    """Expectations that datasets declare although they are generated, or declared, already."""
    for publication in registry.publications.values():
        generated = suite(replace(publication, expectations=()), city.marts)
        known = [(each.mart, each.kind, each.arguments, "the contract") for each in generated]
        document = read_document(city.folder / "datasets" / f"{publication.name}.yaml")
        for index, each in enumerate(publication.expectations):
            said = [
                by
                for mart, kind, arguments, by in known
                if (mart, kind, arguments) == (each.mart, each.kind, each.arguments)
            ]
            if said:
                message = f"{each.name!r} says what {said[0]} says already: leave it out"
                place = ("quality", index, "implementation", "type")
                yield document.problem(place, "citylake.repeated_expectation", message)
            known.append((each.mart, each.kind, each.arguments, repr(each.name)))


def print_contract_check(city: str) -> ExitCode:
    """Check everything that a city declares and print each problem on a line of its own."""
    folder = city_folder(city)
    problems = contract_problems(folder)
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    if problems:
        sys.stdout.write(f"{city}: {counted(len(problems), 'problem')}\n")
        return ExitCode.ERROR
    for warning in access_warnings(folder, _access(folder)):
        sys.stdout.write(f"warning: {warning}\n")
    sys.stdout.write(f"{city}: contracts, geography, indicators, datasets and access are valid\n")
    return ExitCode.PUBLISHED
