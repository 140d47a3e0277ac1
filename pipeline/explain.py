"""`citylake explain`: where a source row went, and which records make a cell."""

import json
import sys
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipeline.context import Context, open_context
from pipeline.exit_codes import ExitCode
from pipeline.explain_cell import CELL, NotClearedError, explain_cell
from pipeline.explain_dataset import explain_dataset_cell
from pipeline.explain_record import SEPARATOR, UnknownReferenceError, explain_record
from pipeline.quarantine import WARNING as RAW_WARNING

SHOWN_LINES = 20
SHOWN_VALUES = 3


def print_explanation(
    city: str, reference: str, *, with_raw: bool = False, as_json: bool
) -> ExitCode:
    """Print what is known of a source row or a cell.

    Args:
        city: Name or folder of the city.
        reference: `<source>:<record id>`, or a cell of an indicator mart or of an open dataset.
        with_raw: Whether to print a record as it was delivered, too.
        as_json: Whether to print JSON.

    Returns:
        `NOT_CLEARED` for a cell that may not be shown, which is said on the error stream.

    Raises:
        UnknownReferenceError: when the reference names nothing.
    """
    context = open_context(city)
    try:
        found = _explained(context, reference, with_raw=with_raw)
    except NotClearedError as error:
        sys.stderr.write(f"citylake: {error}\n")
        return ExitCode.NOT_CLEARED
    if as_json:
        text = json.dumps(found, ensure_ascii=False, indent=2, default=str)
        sys.stdout.write(text + "\n")
    else:
        _print(found)
    return ExitCode.PUBLISHED


def _explained(context: Context, reference: str, *, with_raw: bool) -> dict[str, Any]:
    dataset, is_cell, _ = reference.partition(SEPARATOR)
    if is_cell and dataset in context.registry.publications:
        return explain_dataset_cell(context, reference)
    cell = CELL.fullmatch(reference)
    if cell is not None:
        return explain_cell(context, **cell.groupdict())
    source_id, _, record_id = reference.partition(":")
    if source_id not in context.city.sources or not record_id:
        known = ", ".join(context.city.sources)
        raise UnknownReferenceError(
            f"{reference!r} is no <source>:<record id> (sources: {known}) and no cell of an "
            f"indicator or a dataset"
        )
    source = context.city.sources[source_id]
    found = explain_record(context, source, record_id, with_raw=with_raw)
    if with_raw:
        sys.stderr.write(f"{RAW_WARNING}\n")
    return found


def _print(found: Mapping[str, Any], indent: str = "") -> None:
    """Print for people: what is empty is left out, and of a long list the rest is counted."""
    for name, value in found.items():
        if isinstance(value, Mapping):
            sys.stdout.write(f"{indent}{name}:\n")
            _print(value, indent + "  ")
        elif isinstance(value, list):
            _print_list(name, value, indent)
        elif value is not None:
            sys.stdout.write(f"{indent}{name}: {_text(value)}\n")


def _print_list(name: str, values: list[Any], indent: str) -> None:
    if len(values) == 1 and isinstance(values[0], Mapping):
        _print({name: values[0]}, indent)
        return
    sys.stdout.write(f"{indent}{name}: {len(values)}\n")
    for each in values[:SHOWN_LINES]:
        line = each if isinstance(each, Mapping) else {"": each}
        words = (f"{key} {_text(part)}".strip() for key, part in line.items() if part is not None)
        sys.stdout.write(f"{indent}  {', '.join(words)}\n")
    if len(values) > SHOWN_LINES:
        more = len(values) - SHOWN_LINES
        sys.stdout.write(f"{indent}  and {more} more: --json prints all of them\n")


def _text(value: Any) -> str:
    """A value for people: a decimal without the zeros at its end, the first ones of many."""
    if isinstance(value, list):
        more = f" and {len(value) - SHOWN_VALUES} more" if len(value) > SHOWN_VALUES else ""
        return " ".join(map(_text, value[:SHOWN_VALUES])) + more
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
