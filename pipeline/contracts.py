"""`citylake contract check`."""

import sys
from pathlib import Path

from pipeline.console import counted
from pipeline.exit_codes import ExitCode
from pipeline.settings import city_folder
from warehouse.city import load_city
from warehouse.contract.check import check_city
from warehouse.contract.problem import ContractError, Problem
from warehouse.geography import load_geography
from warehouse.registry import load_registry


def contract_problems(folder: Path) -> list[Problem]:
    """Everything that is wrong in what a city declares; empty when it can run."""
    problems = check_city(folder)
    if not problems:
        try:
            load_geography(folder / "geography")
            load_registry(load_city(folder))
        except ContractError as error:
            problems = list(error.problems)
    return problems


def print_contract_check(city: str) -> ExitCode:
    """Check everything that a city declares and print each problem on a line of its own."""
    problems = contract_problems(city_folder(city))
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    if problems:
        sys.stdout.write(f"{city}: {counted(len(problems), 'problem')}\n")
        return ExitCode.ERROR
    sys.stdout.write(f"{city}: contracts, geography, indicators and datasets are valid\n")
    return ExitCode.PUBLISHED
