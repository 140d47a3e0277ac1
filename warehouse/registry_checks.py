"""What a registry may say: expressions that bind, columns that exist and are open."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from warehouse.contract.document import Document, Location
from warehouse.contract.model import Classification, SourceContract, TableContract
from warehouse.contract.problem import Problem
from warehouse.contract.sandbox import ExpressionError, Sandbox
from warehouse.event_model import ANCHORS, EVENT_COLUMNS, HEALTH_EVENTS, PERIOD_END
from warehouse.expectation_checks import expectation_problems
from warehouse.publication_checks import disclosure_problems
from warehouse.registry_model import Definition

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
_AMOUNTS = (*_WHOLE, "HUGEINT", "DECIMAL")


class CityParts(Protocol):
    """What the registry needs to know of a city."""

    @property
    def folder(self) -> Path:
        """The city's folder."""

    @property
    def notice(self) -> Mapping[str, str] | None:
        """What readers are told above every figure, by language."""

    @property
    def agencies(self) -> Mapping[str, Any]:
        """Agencies by code."""

    @property
    def marts(self) -> Mapping[str, TableContract]:
        """Mart contracts by name."""

    @property
    def tables(self) -> Mapping[str, TableContract]:
        """Contracts of core tables by name."""

    @property
    def sources(self) -> Mapping[str, SourceContract]:
        """Source contracts by id."""


def definition_problems(
    document: Document, index: int, definition: Definition, sandbox: Sandbox
) -> Iterator[Problem]:
    """What is wrong with one definition beyond its schema."""
    place: Location = ("indicators", index)
    if definition.kind != "stock" and definition.anchor not in ANCHORS[definition.event]:
        message = f"{definition.event} has no anchor {definition.anchor!r}"
        yield document.problem((*place, "anchor"), "citylake.anchor", message)
    if (definition.measure == "rate") != (definition.event in HEALTH_EVENTS):
        message = "rates are those of events on health, which have no other measure"
        yield document.problem((*place, "measure"), "citylake.measure", message)
    by_day = EVENT_COLUMNS[definition.event]
    at_end = {**by_day, **PERIOD_END}
    wanted = {
        "numerator": _amount_types(definition),
        "denominator": _amount_types(definition),
        "stock_denominator": ("BOOLEAN",),
        "enters": ("DATE",),
        "leaves": ("DATE",),
        "censored": _WHOLE,
        "variance": _AMOUNTS,
        "sample_size": _AMOUNTS,
    }
    for key, types in wanted.items():
        text = getattr(definition, key)
        if text is None:
            continue
        is_flow = definition.kind == "flow" or (
            definition.kind == "flow_and_stock" and key in ("numerator", "denominator")
        )
        try:
            found = sandbox.check(text, by_day if is_flow else at_end).sql_type
        except ExpressionError as error:
            at = _place_of(place, key)
            yield document.problem(at, "citylake.expression", f"{key} {error}")
            continue
        if found.partition("(")[0] not in types:
            message = f"{key} is {found}, not {' or '.join(types)}"
            yield document.problem(_place_of(place, key), "citylake.expression_type", message)


def _place_of(place: Location, key: str) -> Location:
    """Where an expression of a definition stands."""
    return (*place, "survey", key) if key in ("variance", "sample_size") else (*place, key)


def _amount_types(definition: Definition) -> tuple[str, ...]:
    if definition.measure == "quantile":
        return _WHOLE
    if definition.measure == "distinct":
        return ("VARCHAR",)
    if definition.measure == "maximum" or definition.aggregation == "sum":
        return _AMOUNTS
    return ("BOOLEAN",)


def registration_problems(
    document: Document,
    index: int,
    node: Mapping[str, Any],
    definitions: Mapping[str, Definition],
    agencies: Mapping[str, Any],
) -> Iterator[Problem]:
    """What is wrong with one indicator that a city answers for."""
    place: Location = ("indicators", index)
    definition = definitions.get(node["code"])
    if definition is None:
        yield document.problem((*place, "code"), "citylake.unknown_indicator", "is not defined")
        return
    if node["agency"] not in agencies:
        message = "is not in agencies.yaml"
        yield document.problem((*place, "agency"), "citylake.unknown_agency", message)
    if "targets" in node and definition.better is None:
        message = "has a target, but its definition does not say which way is better"
        yield document.problem((*place, "targets"), "citylake.target", message)
    if node.get("display") == "open" and definition.event in HEALTH_EVENTS:
        message = "figures on health are not cleared for display"
        yield document.problem((*place, "display"), "citylake.health", message)
    for column, value in node.get("only", {}).items():
        declared = EVENT_COLUMNS[definition.event].get(column)
        if declared is None:
            message = f"{definition.event} has no column {column!r}"
            yield document.problem((*place, "only", column), "citylake.unknown_column", message)
        elif (declared == "VARCHAR") != isinstance(value, str) or declared not in (
            "VARCHAR",
            "INTEGER",
        ):
            message = f"column {column!r} is {declared}"
            yield document.problem((*place, "only", column), "citylake.wrong_type", message)


def publication_problems(document: Document, city: CityParts) -> Iterator[Problem]:
    """What is wrong with a publication beyond its schema."""
    data = document.data
    if data["owner"] not in city.agencies:
        yield document.problem(("owner",), "citylake.unknown_agency", "is not in agencies.yaml")
    published = {name: i for i, name in enumerate(data.get("columns", ()))}
    for index, part in enumerate(data["parts"]):
        place: Location = ("parts", index)
        mart = city.marts.get(part["mart"])
        if mart is None:
            message = _no_mart(part["mart"], city)
            yield document.problem((*place, "mart"), "citylake.unknown_mart", message)
            continue
        known = {column.name: column for column in mart.columns}
        for name in part.get("where", {}):
            if name not in known:
                message = f"{mart.name} has no column {name!r}"
                yield document.problem((*place, "where"), "citylake.unknown_column", message)
        for name, position in published.items():
            if name not in known:
                message = f"{mart.name} has no column {name!r}"
                yield document.problem(("columns", position), "citylake.unknown_column", message)
            elif known[name].classification is not Classification.OPEN:
                message = f"column {name!r} is not classified open"
                yield document.problem(("columns", position), "citylake.not_open", message)
    yield from _key_problems(document, city, published)
    yield from disclosure_problems(document, city.marts, city.tables)
    yield from expectation_problems(document, city.marts)


def _no_mart(name: str, city: CityParts) -> str:
    """Why a name is no mart, with the marts that there are."""
    known = ", ".join(sorted(city.marts))
    if name in city.tables:
        return f"{name} is a core table, whose rows are never published; name a mart: {known}"
    return f"{name!r} is not a mart; there are {known}"


def _key_problems(
    document: Document, city: CityParts, published: Mapping[str, int]
) -> Iterator[Problem]:
    """The release's key and compared columns must be published, the key must hold the mart's."""
    data = document.data
    lists: dict[Location, list[str]] = {("key",): data.get("key", [])}
    if data["class"] == "open":
        compared = data.get("policy", {}).get("magnitude_columns", [])
        lists[("policy", "magnitude_columns")] = compared
    for place, names in lists.items():
        for position, name in enumerate(names):
            if name not in published:
                message = f"column {name!r} is not published"
                yield document.problem((*place, position), "citylake.unknown_column", message)
    mart = city.marts.get(data["parts"][0]["mart"])
    fixed = {name for part in data["parts"] for name in part.get("where", {})}
    if data["class"] == "open" and mart and not set(mart.key) - fixed <= set(data["key"]):
        message = f"must hold the key of {mart.name}: {', '.join(mart.key)}"
        yield document.problem(("key",), "citylake.key", message)
