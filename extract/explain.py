"""The record as a source sent it, found again by raw object and row."""

from dataclasses import replace
from typing import Any

import pyarrow.compute as compute

from extract.content import Content
from extract.errors import Place
from extract.raw import RawStore
from extract.read import open_format
from extract.schema import RawSchema
from warehouse.contract.model import SourceContract
from warehouse.records import ROW_COLUMN


def raw_record(
    source: SourceContract, store: RawStore, digest: str, row: int
) -> dict[str, Any] | str | None:
    """One record of a stored raw object, by the contract that it was read under.

    Args:
        source: The stream's contract.
        store: The city's raw store.
        digest: Digest of the raw object.
        row: Number of the record, from 0.

    Returns:
        All declared raw columns by name; the record's text where it could not be split into
        columns; None where the object has no such record.

    Raises:
        FileNotFoundError: when the raw object is gone.
        TerminalError: when the object cannot be read under this contract.
    """
    place = Place(source.id)
    # Whether the object was acceptable was decided when it was read; here it is only shown.
    lenient = tuple(replace(column, required=False) for column in source.raw_columns)
    names = tuple(column.name for column in lenient)
    form = open_format(source.format, RawSchema(lenient, names, "discard"), place)
    for parsed in form.read(Content(store, store.find(digest), source.id)):
        for rejected in parsed.rejected:
            if rejected.row == row:
                return rejected.text
        found = parsed.records.filter(compute.equal(parsed.records.column(ROW_COLUMN), row))
        if found.num_rows:
            record: dict[str, Any] = found.drop_columns([ROW_COLUMN]).to_pylist()[0]
            return record
    return None
