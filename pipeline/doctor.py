"""`citylake doctor`: whether a city can run here, one finding a check."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from pipeline.contracts import contract_problems
from pipeline.doctor_environment import (
    check_disk,
    check_gx_packages,
    check_packages,
    check_python,
)
from pipeline.doctor_lake import (
    check_evidence,
    check_lock,
    check_permissions,
    check_scratch,
    check_tables,
)
from pipeline.exit_codes import ExitCode
from pipeline.finding import Finding, Health, guarded, judged
from pipeline.settings import REPOSITORY, city_folder, city_paths
from pipeline.variables import check_variables
from warehouse.city import load_city
from warehouse.contract.document import read_document
from warehouse.contract.problem import ContractError

LOCK = REPOSITORY / "requirements" / "runtime.txt"
GX_LOCK = REPOSITORY / "requirements" / "gx.txt"


def print_checkup(city: str, *, as_json: bool) -> ExitCode:
    """Check everything that a run of a city needs and print a table of findings.

    Returns:
        `ERROR` when a check failed; warnings alone leave it at `PUBLISHED`.

    Raises:
        UnknownCityError: when there is no such city.
    """
    findings = list(checkup(city_folder(city), os.environ))
    failed = any(each.health is Health.FAIL for each in findings)
    if as_json:
        plain = [
            {"check": each.check, "status": each.health, "details": each.details}
            for each in findings
        ]
        sys.stdout.write(json.dumps(plain, ensure_ascii=False, indent=2) + "\n")
    else:
        _print(findings)
    return ExitCode.ERROR if failed else ExitCode.PUBLISHED


def checkup(folder: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Every check in order; the lake is only looked at, and may be absent.

    Args:
        folder: The city's folder.
        environ: Where the variables that contracts name are looked up.
    """
    paths = city_paths(_name(folder))
    checks: dict[str, Callable[[], Finding]] = {
        "python": lambda: check_python(metadata.metadata("citylake")["Requires-Python"]),
        "packages": lambda: check_packages(LOCK),
        "gx packages": lambda: check_gx_packages(GX_LOCK),
        "contracts": lambda: _check_contracts(folder),
        "variables": lambda: check_variables(load_city(folder), environ),
        "disk": lambda: check_disk(paths),
        "permissions": lambda: check_permissions(paths),
        "run lock": lambda: check_lock(paths),
        "scratch": lambda: check_scratch(paths),
        "tables": lambda: check_tables(paths),
        "ledger and releases": lambda: check_evidence(paths),
    }
    for name, check in checks.items():
        yield guarded(name, check)


def _check_contracts(folder: Path) -> Finding:
    problems = [str(problem) for problem in contract_problems(folder)]
    return judged("contracts", problems, "valid, with geography, indicators and datasets")


def _name(folder: Path) -> str:
    """The city's name, by which its lake is found; its folder's where it declares none."""
    try:
        data = read_document(folder / "city.yaml").data
    except ContractError:
        return folder.name
    name = data.get("city") if isinstance(data, dict) else None
    return name if isinstance(name, str) and name.isidentifier() else folder.name


def _print(findings: list[Finding]) -> None:
    width = max(len(each.check) for each in findings)
    for each in findings:
        first, *more = each.details
        sys.stdout.write(f"{each.health:<4}  {each.check:<{width}}  {first}\n")
        for line in more:
            sys.stdout.write(f"{'':<4}  {'':<{width}}  {line}\n")
