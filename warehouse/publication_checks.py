"""What may not be published before disclosure control exists.

Refused are datasets that reach a table on people's health, that show a column which is not open in
core, whose rows are single records, and that group by a personal column. Health indicators may be
an internal publication of marts that say so: these are left out of the serving file and of every
release.
"""

import re
from collections.abc import Iterator, Mapping

from warehouse.contract.document import Document, Location
from warehouse.contract.model import Classification, TableContract
from warehouse.contract.problem import Problem
from warehouse.mart_lineage import Lineage, mart_lineage
from warehouse.publication import OPEN

_GROUPS = re.compile(r"\bgroup\s+by\b", re.IGNORECASE)


def disclosure_problems(
    document: Document, marts: Mapping[str, TableContract], tables: Mapping[str, TableContract]
) -> Iterator[Problem]:
    """Why a dataset is refused.

    Args:
        document: The dataset's declaration, valid against its schema.
        marts: Mart contracts by name.
        tables: Contracts of core tables by name.
    """
    for index, part in enumerate(document.data["parts"]):
        mart = marts.get(part["mart"])
        if mart is None:
            continue
        place: Location = ("parts", index, "mart")
        lineage = mart_lineage(mart.name)
        known = [tables[name] for name in sorted(lineage.tables & tables.keys())]
        problems = (
            *_health_problems(document, mart, known),
            *_closed_problems(document, mart, known),
            *_record_problems(document, known),
            *_group_problems(document, index, mart, known, lineage),
        )
        for rule, message in problems:
            yield document.problem(place, rule, message)


def _health_problems(
    document: Document, mart: TableContract, tables: list[TableContract]
) -> Iterator[tuple[str, str]]:
    reached = [table.name for table in tables if table.health]
    is_open = document.data["class"] == OPEN
    if is_open and (reached or mart.health):
        through = f" through {', '.join(reached)}" if reached else ""
        yield "citylake.health", f"{mart.name} tells of people's health{through}"
    elif reached and not mart.health:
        message = f"{mart.name} is served and reaches {', '.join(reached)}, on people's health"
        yield "citylake.health", message


def _closed_problems(
    document: Document, mart: TableContract, tables: list[TableContract]
) -> Iterator[tuple[str, str]]:
    """Columns that a mart calls open and that core does not."""
    shown = document.data.get("columns") or [
        column.name for column in mart.columns if column.classification is Classification.OPEN
    ]
    for table in tables:
        closed = {
            column.name: column.classification
            for column in table.columns
            if column.classification is not Classification.OPEN
        }
        for name in shown:
            if name in closed:
                message = f"column {name!r} of {mart.name} is {closed[name]} in {table.name}"
                yield "citylake.not_open", message


def _record_problems(document: Document, tables: list[TableContract]) -> Iterator[tuple[str, str]]:
    """Datasets whose key is that of a core table's records; tables of places have no months."""
    key = set(document.data.get("key", ()))
    for table in tables:
        if key and table.partition_column is not None and set(table.key) <= key:
            yield "citylake.row_level", f"a row is one record of {table.name}"


def _group_problems(
    document: Document,
    index: int,
    mart: TableContract,
    tables: list[TableContract],
    lineage: Lineage,
) -> Iterator[tuple[str, str]]:
    """Personal columns by which rows are told apart, here or on the way from core."""
    personal = {
        column.name
        for contract in (mart, *tables)
        for column in contract.columns
        if column.classification is Classification.PERSONAL
    }
    told_apart = {*document.data["parts"][index].get("where", {}), *document.data.get("key", ())}
    told_apart |= set(mart.key)
    for name in sorted(personal & told_apart):
        message = f"{mart.name} tells rows apart by {name!r}, a personal column"
        yield "citylake.personal_group", message
    for model, text in sorted(lineage.models.items()):
        words = set(re.findall(r"\w+", text)) if _GROUPS.search(text) else set()
        for name in sorted(personal & words):
            yield "citylake.personal_group", f"{model} groups and names {name!r}, a personal column"
