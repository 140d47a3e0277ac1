"""Registry files as model objects; the documents are valid against their schemas."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from warehouse.contract.document import Document
from warehouse.contract.model import Severity
from warehouse.publication import Expectation, Part, Policy, Publication
from warehouse.registry_model import Definition, Framework, Indicator, Target
from warehouse.sql import literal, quoted


def definition(document: Document, node: Mapping[str, Any]) -> Definition:
    """One indicator's definition."""
    framework = node.get("framework")
    survey = node.get("survey", {})
    after = node["reach"]["after_periods"]
    return Definition(
        code=node["code"],
        service_group=document.data["service_group"],
        event=document.data["event"],
        name=node["name"],
        formula=node["formula"],
        anchor=node["anchor"],
        kind=node["kind"],
        measure=node["measure"],
        aggregation=node.get("aggregation", "count"),
        numerator=node["numerator"],
        denominator=node.get("denominator"),
        enters=node.get("enters"),
        leaves=node.get("leaves"),
        stock_denominator=node.get("stock_denominator"),
        scale=node["scale"],
        unit=node["unit"],
        rounding=node["rounding"],
        before_periods=node["reach"]["before_periods"],
        after_periods=None if after == "all" else after,
        framework=framework
        and Framework(framework["code"], framework["match"], framework.get("difference", {})),
        divisor=node.get("divisor", 1),
        percentile=node.get("percentile"),
        censored=node.get("censored"),
        variance=survey.get("variance"),
        sample_size=survey.get("sample_size"),
        unreliable_cv_percent=survey.get("unreliable_cv_percent"),
        better=node.get("better"),
    )


def indicator(
    definition: Definition, node: Mapping[str, Any], publication: Publication
) -> Indicator:
    """An indicator that a city answers for.

    Args:
        definition: What it is in every city.
        node: What the city says of it.
        publication: The publication that its rows belong to.

    Raises:
        ValueError: when its targets cannot be used.
    """
    amber = node.get("amber_within")
    return Indicator(
        definition,
        node["agency"],
        publication.name,
        publication.revision_window_days,
        condition(node.get("only", {})),
        targets(node.get("targets", ())),
        amber_within=None if amber is None else Decimal(str(amber)),
        is_headline=node.get("headline", False),
        is_open=node.get("display") == "open",
    )


def targets(nodes: Sequence[Mapping[str, Any]]) -> tuple[Target, ...]:
    """Targets in order of time; each holds until the next begins.

    Raises:
        ValueError: when a date is none, or two targets begin on one day.
    """
    if not nodes:
        return ()
    starts = [(date.fromisoformat(node["valid_from"]), node["value"]) for node in nodes]
    starts.sort()
    days = [day for day, _ in starts]
    if len(set(days)) < len(days):
        raise ValueError("two targets begin on one day")
    ends: list[date | None] = [*days[1:], None]
    return tuple(
        Target(Decimal(str(value)), day, end)
        for (day, value), end in zip(starts, ends, strict=True)
    )


def condition(only: Mapping[str, str | int]) -> str | None:
    """The SQL condition that every column has the given value."""
    terms = [
        f"{quoted(column)} = {literal(value) if isinstance(value, str) else value}"
        for column, value in only.items()
    ]
    return " and ".join(terms) or None


def publication(document: Document, agency: Mapping[str, str]) -> Publication:
    """A publication; its name is the file's.

    Args:
        document: Its declaration.
        agency: Name of its owner by language.

    Raises:
        ValueError: when the publication cannot be used.
    """
    data = document.data
    policy = data.get("policy", {})
    return Publication(
        name=document.path.stem,
        dataset_class=data["class"],
        title=data["title"],
        description=data["description"],
        parts=tuple(Part(part["mart"], part.get("where", {})) for part in data["parts"]),
        columns=tuple(data.get("columns", ())),
        key=tuple(data.get("key", ())),
        licence=data.get("licence"),
        owner=data["owner"],
        owner_name=agency,
        update_frequency=data.get("update_frequency", "DAILY"),
        revision_window_days=data["revision_window_days"],
        policy=_policy(policy),
        expectations=tuple(_expectation(node, data["parts"]) for node in data.get("quality", ())),
    )


def _expectation(node: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> Expectation:
    """A declared expectation; where it names no mart, all parts take rows of one."""
    implementation = node["implementation"]
    return Expectation(
        name=node["name"],
        mart=node.get("mart", parts[0]["mart"]),
        kind=implementation["type"],
        arguments=implementation["kwargs"],
        severity=Severity(node["severity"]),
    )


def _policy(node: Mapping[str, Any]) -> Policy:
    values = dict(node)
    if "magnitude_columns" in values:
        values["magnitude_columns"] = tuple(values["magnitude_columns"])
    if "freshness_severity" in values:
        values["freshness_severity"] = Severity(values["freshness_severity"])
    return Policy(**values)
