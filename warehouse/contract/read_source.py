"""Source contract files as model objects."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from warehouse.contract.document import Document, Location
from warehouse.contract.model import (
    Classification,
    Mapped,
    RawColumn,
    SourceContract,
    Unpivot,
)
from warehouse.contract.orchestration import orchestration_of, orchestration_problems, sla_hours
from warehouse.contract.problem import Problem, raise_on
from warehouse.contract.read import (
    custom,
    languages,
    pattern_problems,
    repeated_names,
    repeated_rules,
    rules_of,
    valid_document,
)
from warehouse.contract.transport_problems import transport_problems
from warehouse.contract.validation import CUSTOM
from warehouse.contract.zones import zone_names

RAW_PROPERTIES: Location = ("schema", 0, "properties")
MAPPED_PROPERTIES: Location = ("schema", 1, "properties")
_DOCUMENT: Location = (CUSTOM,)
_SECONDS_PER_DAY = 86_400


def read_source(path: Path, identifier: str) -> SourceContract:
    """Read the contract of one stream.

    Args:
        path: The file.
        identifier: `<group>.<source>`, from the file's place under `sources/`.

    Raises:
        ContractError: with file, line and rule of everything that is wrong in the file itself;
            what it has to do with its table is `warehouse.contract.merge`'s matter.
    """
    document = valid_document(path, "source")
    raise_on(list(_source_problems(document, identifier)))
    data = document.data
    options = custom(data)
    server = custom(data["servers"][0])
    raw, table = data["schema"]
    return SourceContract(
        id=identifier,
        path=path,
        table=table["name"],
        agency=options["agency"],
        service_group=options["serviceGroup"],
        timezone=options["timezone"],
        raw_columns=tuple(_raw_column(node) for node in raw["properties"]),
        mapping=tuple(
            _mapped(node, document.line((*MAPPED_PROPERTIES, index, "transformLogic")))
            for index, node in enumerate(table["properties"])
        ),
        rules=tuple(rules_of(document, MAPPED_PROPERTIES)),
        transport=_options(server["transport"]),
        format=_options(server["format"]),
        protocol=_options(server.get("protocol", {})),
        unpivot=_unpivot(options.get("unpivot")),
        sentinels=tuple(options.get("sentinels", ())),
        drift=options["drift"],
        deletes=options.get("deletes", "none"),
        tombstone=options.get("tombstone"),
        max_delete_share=float(options.get("maxDeleteShare", 0.1)),
        cursor=options.get("cursor", "none"),
        overlap_seconds=round(options.get("overlapDays", 0) * _SECONDS_PER_DAY),
        freshness_hours=sla_hours(data.get("slaProperties", []), "freshness"),
        licence=options.get("licence"),
        raw_retention_days=options.get("rawRetentionDays"),
        orchestration=orchestration_of(data),
        purpose=languages(data["description"]["purpose"]),
        agency_line=document.line((*_DOCUMENT, "agency")),
        table_line=document.line(("schema", 1, "name")),
        tombstone_line=document.line((*_DOCUMENT, "tombstone")),
        pool_line=document.line((*_DOCUMENT, "pool")),
        digest=document.digest,
    )


def _options(node: Mapping[str, Any]) -> dict[str, Any]:
    """Options by name, `kind` first."""
    kind = {"kind": node["kind"]} if "kind" in node else {}
    return kind | dict(node)


def _raw_column(node: Mapping[str, Any]) -> RawColumn:
    return RawColumn(
        name=node["name"],
        logical_type=node.get("logicalType", "string"),
        required=node.get("required", True),
    )


def _mapped(node: Mapping[str, Any], line: int) -> Mapped:
    options = custom(node)
    limits = node.get("logicalTypeOptions", {})
    level = node.get("classification")
    return Mapped(
        column=node["name"],
        expression=node["transformLogic"],
        formats=tuple(options.get("formats", ())),
        timezone=options.get("timezone"),
        ambiguous=options.get("ambiguous", "quarantine"),
        sentinels=tuple(options.get("sentinels", ())),
        true_values=tuple(options.get("trueValues", ("true",))),
        false_values=tuple(options.get("falseValues", ("false",))),
        null_when_present=options.get("nullWhenPresent", False),
        required=node.get("required"),
        enum=tuple(options.get("enum", ())),
        minimum=limits.get("minimum"),
        maximum=limits.get("maximum"),
        pattern=limits.get("pattern"),
        classification=None if level is None else Classification(level),
        logical_type=node["logicalType"],
        line=line,
    )


def _unpivot(node: Mapping[str, Any] | None) -> Unpivot | None:
    if node is None:
        return None
    return Unpivot(dict(node["columns"]), node["nameColumn"], node["valueColumn"])


def _source_problems(document: Document, identifier: str) -> Iterator[Problem]:
    data = document.data
    if data["id"] != identifier:
        message = f"the id of the source in this place is {identifier!r}"
        yield document.problem(("id",), "citylake.name", message)
    raw, table = data["schema"]
    for location, node, rule in (
        (RAW_PROPERTIES, raw, "citylake.duplicate_column"),
        (MAPPED_PROPERTIES, table, "citylake.duplicate_column"),
    ):
        names = [each["name"] for each in node["properties"]]
        yield from repeated_names(document, location, names, rule)
    yield from repeated_rules(document, MAPPED_PROPERTIES)
    yield from _zone_problems(document)
    yield from _delete_problems(document)
    yield from _unpivot_problems(document)
    yield from transport_problems(document)
    yield from orchestration_problems(document)
    for index, node in enumerate(table["properties"]):
        pattern = node.get("logicalTypeOptions", {}).get("pattern")
        if pattern is not None:
            yield from pattern_problems(document, (*MAPPED_PROPERTIES, index), pattern)


def _zone_problems(document: Document) -> Iterator[Problem]:
    places: list[tuple[Location, str]] = [
        ((*_DOCUMENT, "timezone"), custom(document.data)["timezone"])
    ]
    for index, node in enumerate(document.data["schema"][1]["properties"]):
        if "timezone" in custom(node):
            place = (*MAPPED_PROPERTIES, index, CUSTOM, "timezone")
            places.append((place, custom(node)["timezone"]))
    for place, zone in places:
        if zone not in zone_names():
            yield document.problem(place, "citylake.timezone", "is no IANA time zone")


def _delete_problems(document: Document) -> Iterator[Problem]:
    options = custom(document.data)
    by_tombstone = options.get("deletes") == "tombstone"
    if by_tombstone and "tombstone" not in options:
        message = "deletes by tombstone need the expression `tombstone`"
        yield document.problem((*_DOCUMENT, "deletes"), "citylake.tombstone", message)
    if "tombstone" in options and not by_tombstone:
        message = "a tombstone expression needs deletes: tombstone"
        yield document.problem((*_DOCUMENT, "tombstone"), "citylake.tombstone", message)
    if options.get("deletes") == "absence" and options.get("cursor") == "window":
        message = "absence is read from full snapshots; a window request gives none"
        yield document.problem((*_DOCUMENT, "deletes"), "citylake.deletes", message)


def _unpivot_problems(document: Document) -> Iterator[Problem]:
    step = custom(document.data).get("unpivot")
    if step is None:
        return
    place = (*_DOCUMENT, "unpivot")
    declared = {node["name"] for node in document.data["schema"][0]["properties"]}
    for name in step["columns"]:
        if name not in declared:
            message = f"the raw schema has no column {name!r}"
            yield document.problem((*place, "columns", name), "citylake.raw_column", message)
    for option in ("nameColumn", "valueColumn"):
        if step[option].lower() in {name.lower() for name in declared}:
            message = "the raw schema has a column of this name already"
            yield document.problem((*place, option), "citylake.raw_column", message)
