"""Contract files as model objects."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from warehouse.contract.document import Document, Location, read_document
from warehouse.contract.model import (
    Classification,
    Column,
    Layout,
    Rule,
    Severity,
    TableContract,
)
from warehouse.contract.problem import Problem, raise_on
from warehouse.contract.validation import CUSTOM, collapse, own_problems, standard_problems

DERIVED = re.compile(
    r"^(localDate|localMonth|periodStart|periodEnd|periodMonth)\(([a-z][a-z0-9_]*)\)$"
)
# Derivation: type of the column that it is computed from, and its own type.
_DERIVATION_TYPES = {
    "localDate": ("TIMESTAMPTZ", "DATE"),
    "localMonth": ("TIMESTAMPTZ", "VARCHAR"),
    "periodStart": ("VARCHAR", "DATE"),
    "periodEnd": ("VARCHAR", "DATE"),
    "periodMonth": ("VARCHAR", "VARCHAR"),
}
_PROPERTIES: Location = ("schema", 0, "properties")
LOGICAL_TYPES = {
    "VARCHAR": "string",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "DECIMAL": "number",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMPTZ": "timestamp",
}
# The standard's schema takes some 50 ms a file; a process reads the same contracts many times.
_validated: dict[tuple[Path, str, str], Document] = {}


def valid_document(path: Path, schema: str) -> Document:
    """Read a contract that is valid against the standard and against our own schema.

    Args:
        path: The file.
        schema: Our schema's name, `table` or `source`.

    Returns:
        The document with `customProperties` read as objects.

    Raises:
        ContractError: with file, line and rule of everything that is wrong.
    """
    document = read_document(path)
    known = (path, document.digest, schema)
    if known not in _validated:
        raise_on(standard_problems(document))
        collapsed, problems = collapse(document)
        raise_on(problems + own_problems(collapsed, schema))
        _validated[known] = collapsed
    return _validated[known]


def languages(text: str) -> dict[str, str]:
    """The texts by language of a bilingual text `Tiếng Việt | English`."""
    vietnamese, _, english = text.partition("|")
    return {"vi": vietnamese.strip(), "en": english.strip()}


def custom(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The collapsed custom properties of a node, empty where it has none."""
    values: Mapping[str, Any] = node.get(CUSTOM, {})
    return values


def read_table(path: Path, kind: str = "table") -> TableContract:
    """Read the contract of a core table or of a mart.

    Args:
        path: The file; its stem is the name of the table.
        kind: `table`, or `mart`.

    Raises:
        ContractError: with file, line and rule of everything that is wrong.
    """
    document = valid_document(path, "table")
    table = document.data["schema"][0]
    options = custom(table)
    columns = tuple(_column(node) for node in table["properties"])
    contract = TableContract(
        name=table["name"],
        path=path,
        description=languages(table["description"]),
        columns=columns,
        key=_key(table["properties"]),
        rules=tuple(rules_of(document, _PROPERTIES)),
        version_column=options.get("versionColumn"),
        partition_column=options.get("partitionColumn"),
        layout=Layout(options.get("layout", "mutable")),
        late_days=options.get("lateDays"),
        health=options.get("health", False),
        digest=document.digest,
    )
    raise_on(list(_table_problems(document, contract, kind)))
    return contract


def _column(node: Mapping[str, Any]) -> Column:
    limits = node.get("logicalTypeOptions", {})
    options = custom(node)
    return Column(
        name=node["name"],
        description=languages(node["description"]),
        sql_type=node["physicalType"],
        required=node.get("required", False),
        unit=options.get("unit"),
        classification=Classification(node["classification"]),
        enum=tuple(options.get("enum", ())),
        minimum=limits.get("minimum"),
        maximum=limits.get("maximum"),
        pattern=limits.get("pattern"),
        derived=options.get("derived"),
    )


def _key(nodes: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    members = [node for node in nodes if node.get("primaryKey")]
    members.sort(key=lambda node: node.get("primaryKeyPosition", 1))
    return tuple(node["name"] for node in members)


def rules_of(document: Document, location: Location) -> Iterator[Rule]:
    """The named rules under a list of properties; each belongs to the property above it."""
    for place, column, rule in _rule_nodes(document, location):
        yield Rule(
            name=rule["name"],
            column=column,
            expression=rule["implementation"],
            severity=Severity(rule["severity"]),
            description=rule["description"],
            line=document.line((*place, "implementation")),
        )


def _rule_nodes(
    document: Document, location: Location
) -> Iterator[tuple[Location, str, Mapping[str, Any]]]:
    """Each rule under a list of properties: its place, its property's name, its node."""
    nodes: Any = document.data
    for step in location:
        nodes = nodes[step]
    for index, node in enumerate(nodes):
        for number, rule in enumerate(node.get("quality", ())):
            yield (*location, index, "quality", number), node["name"], rule


def repeated_rules(document: Document, location: Location) -> Iterator[Problem]:
    """A problem for each rule whose name another one under the properties has already."""
    seen: set[str] = set()
    for place, _, rule in _rule_nodes(document, location):
        if rule["name"] in seen:
            message = f"{rule['name']!r} stands here twice"
            yield document.problem((*place, "name"), "citylake.duplicate_rule", message)
        seen.add(rule["name"])


def repeated_names(
    document: Document, location: Location, names: Iterable[str], rule: str
) -> Iterator[Problem]:
    """A problem for each name of a list that stands in it twice, whatever the case of letters."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name.lower() in seen:
            place = (*location, index, "name")
            yield document.problem(place, rule, f"{name!r} stands here twice")
        seen.add(name.lower())


def _table_problems(document: Document, table: TableContract, kind: str) -> Iterator[Problem]:
    names = [column.name for column in table.columns]
    types = {(column.name, column.sql_type) for column in table.columns}
    if custom(document.data)["contractKind"] != kind:
        message = f"a contract in this folder is a {kind}"
        yield document.problem((CUSTOM, "contractKind"), "citylake.kind", message)
    if not table.name == document.data["id"] == table.path.stem:
        message = "the table's name, the document's id and the file's name must be one"
        yield document.problem(("schema", 0, "name"), "citylake.name", message)
    yield from repeated_names(document, _PROPERTIES, names, "citylake.duplicate_column")
    yield from repeated_rules(document, _PROPERTIES)
    if not table.key:
        message = "no property has primaryKey: true"
        yield document.problem(_PROPERTIES, "citylake.key", message)
    for option, sql_type in (("versionColumn", "TIMESTAMPTZ"), ("partitionColumn", "VARCHAR")):
        name = custom(document.data["schema"][0]).get(option)
        if name is not None and (name, sql_type) not in types:
            message = f"the table has no {sql_type} column {name!r}"
            yield document.problem(("schema", 0, CUSTOM, option), "citylake.column", message)
    if table.layout is Layout.APPEND and table.late_days is None:
        message = "an append table says by lateDays how late a row may come"
        yield document.problem(("schema", 0, CUSTOM), "citylake.late_days", message)
    for index, column in enumerate(table.columns):
        yield from _column_problems(document, (*_PROPERTIES, index), column, table)


def _column_problems(
    document: Document, place: Location, column: Column, table: TableContract
) -> Iterator[Problem]:
    kind = column.sql_type.partition("(")[0]
    logical = document.data["schema"][0]["properties"][place[-1]]["logicalType"]
    if LOGICAL_TYPES[kind] != logical:
        message = f"logicalType of {column.sql_type} is {LOGICAL_TYPES[kind]}"
        yield document.problem((*place, "logicalType"), "citylake.logical_type", message)
    if column.enum and kind != "VARCHAR":
        yield document.problem((*place, CUSTOM, "enum"), "citylake.enum", "only text has an enum")
    if column.pattern is not None:
        yield from pattern_problems(document, place, column.pattern)
    if column.derived is not None:
        yield from _derived_problems(document, (*place, CUSTOM, "derived"), column, table)


def pattern_problems(document: Document, place: Location, pattern: str) -> Iterator[Problem]:
    """A problem when a pattern under `logicalTypeOptions` is no regular expression."""
    wrong = pattern_error(pattern)
    if wrong:
        where = (*place, "logicalTypeOptions", "pattern")
        yield document.problem(where, "citylake.pattern", wrong)


def pattern_error(pattern: str) -> str | None:
    """Why a pattern is no regular expression, or None where it is one."""
    try:
        re.compile(pattern)
    except re.error as error:
        return f"is no regular expression: {error.msg}"
    return None


def _derived_problems(
    document: Document, place: Location, column: Column, table: TableContract
) -> Iterator[Problem]:
    match = DERIVED.match(column.derived or "")
    source = next((c for c in table.columns if match and c.name == match[2]), None)
    read_from, gives = _DERIVATION_TYPES[match[1]] if match else ("TIMESTAMPTZ", "")
    if match is None or source is None or source.sql_type != read_from or source.derived:
        message = f"a derived column names a {read_from} column of this table"
        yield document.problem(place, "citylake.derived", message)
    elif column.sql_type != gives:
        message = f"{match[1]} gives a {gives}"
        yield document.problem(place, "citylake.derived", message)
    if column.required or column.name in table.key:
        message = "a derived column is neither required nor in the key: its source column is"
        yield document.problem(place, "citylake.derived", message)
