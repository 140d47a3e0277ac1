"""Contracts from which a rule was taken out, and what they set aside."""

from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa

from warehouse.contract.compiler import compile_stream
from warehouse.contract.model import SourceContract, TableContract
from warehouse.duck import session


def without_rule(
    source: SourceContract, table: TableContract, reason: str
) -> tuple[SourceContract, TableContract]:
    """Both contracts without one rule, wherever it stands."""
    name, _, rule = reason.partition(":")
    gone: dict[str, Any] = {
        "required": {"required": False},
        "enum": {"enum": ()},
        "pattern": {"pattern": None},
        "range": {"minimum": None, "maximum": None},
    }.get(rule, {})
    mapping = tuple(
        replace(each, **gone) if each.column == name else each for each in source.mapping
    )
    columns = tuple(replace(each, **gone) if each.name == name else each for each in table.columns)
    kept = tuple(each for each in source.rules if each.name != rule)
    kept_of_table = tuple(each for each in table.rules if each.name != rule)
    return (
        replace(source, mapping=mapping, rules=kept),
        replace(table, columns=columns, rules=kept_of_table),
    )


def set_aside(
    records: pa.Table, source: SourceContract, table: TableContract, day: date
) -> list[tuple[dict[str, Any], list[str]]]:
    """The records that break a rule on a processing day, each with its reasons."""
    compiled = compile_stream(source, table)
    with session() as connection:
        connection.register("records", records)
        found = connection.execute(
            f"SELECT _raw_row, _reasons FROM ({compiled.split_sql('records', day)})"  # noqa: S608 - own text
            " WHERE len(_reasons) > 0"
        ).fetchall()
    places = {row: place for place, row in enumerate(records["_raw_row"].to_pylist())}
    return [(records.slice(places[row], 1).to_pylist()[0], reasons) for row, reasons in found]
