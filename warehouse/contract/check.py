"""Everything that can be said of a city's contracts before any data is there."""

from collections.abc import Iterator
from pathlib import Path

from warehouse.city import City, load_city
from warehouse.contract.compiler import compile_in
from warehouse.contract.model import TableContract
from warehouse.contract.problem import ContractError, Problem
from warehouse.contract.projection import AS_OF
from warehouse.contract.sandbox import ExpressionError, Sandbox


def check_city(folder: Path) -> list[Problem]:
    """Check every contract of a city.

    Files are read and validated; each stream's expressions are parsed, walked and bound against
    an empty table of its raw schema, each table's and mart's rules against its own columns.

    Args:
        folder: The city's folder.

    Returns:
        What is wrong, sorted by file and line; empty when the city can run.
    """
    try:
        city = load_city(folder)
    except ContractError as error:
        return list(error.problems)
    with Sandbox() as sandbox:
        return sorted(set(_binding_problems(sandbox, city)))


def _binding_problems(sandbox: Sandbox, city: City) -> Iterator[Problem]:
    for contract in (*city.tables.values(), *city.marts.values()):
        yield from _rule_problems(sandbox, contract)
    for source in city.sources.values():
        try:
            compile_in(sandbox, source, city.tables[source.table])
        except ContractError as error:
            yield from error.problems


def _rule_problems(sandbox: Sandbox, contract: TableContract) -> Iterator[Problem]:
    columns = {column.name: column.sql_type for column in contract.columns} | {AS_OF: "DATE"}
    for rule in contract.rules:
        try:
            sql_type = sandbox.check(rule.expression, columns).sql_type
            message = "" if sql_type == "BOOLEAN" else f"yields {sql_type}, not BOOLEAN"
        except ExpressionError as error:
            message = str(error)
        if message:
            subject = f"rule {rule.name} {message}"
            yield Problem(contract.path, rule.line, "citylake.expression", subject)
