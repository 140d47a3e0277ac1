"""SDMX data in any of its formats, held to the data structure that comes with it.

A structure message among the objects of a stream holds no records: it is checked against the
contract, and its code lists hold for the objects after it, up to the next structure message.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as compute

from extract.content import Content
from extract.errors import Place
from extract.formats.base import TEXT_LIMIT, Format, Parsed, with_rows
from extract.formats.csv import CsvOptions
from extract.formats.sdmx_columns import MESSAGE_COLUMNS
from extract.formats.sdmx_csv import SdmxCsvFormat
from extract.formats.sdmx_json import SdmxJsonFormat
from extract.formats.sdmx_ml import SdmxMlFormat
from extract.formats.sdmx_structure import Structure, is_structure, read_structure
from extract.schema import RawSchema, listed
from warehouse.records import ROW_COLUMN, RejectedRecord

UNKNOWN_CODE = "unknown_code"
LABEL = "."


@dataclass(frozen=True)
class SdmxOptions:
    """What holds for all three formats; see `extract.read`."""

    dimensions: tuple[str, ...] | None = None
    delimiter: str = ","


class SdmxFormat:
    """Reads structure messages and the data that follows them."""

    def __init__(self, kind: str, options: SdmxOptions, schema: RawSchema, place: Place) -> None:
        if not options.dimensions or isinstance(options.dimensions, str):
            raise place.terminal("contract", f"format {kind} lacks option dimensions, a list")
        self._dimensions = tuple(options.dimensions)
        undeclared = [name for name in self._dimensions if name not in schema.names]
        if undeclared:
            message = f"dimensions that are no raw columns: {listed(undeclared)}"
            raise place.terminal("contract", message)
        self._schema = schema
        # Labels are looked up; dimensions are read whether an expression asks for them or not.
        labels = {name for name in schema.wanted if LABEL in name}
        needed = {*self._dimensions, *(name.partition(LABEL)[0] for name in labels)}
        self._inner_schema = RawSchema(
            tuple(each for each in schema.declared if LABEL not in each.name),
            tuple(
                each.name
                for each in schema.declared
                if each.name in needed or (each.name in schema.wanted and each.name not in labels)
            ),
            schema.drift,
        )
        self._structure: Structure | None = None
        self._inner = self._open(kind, options, place)

    def read(self, content: Content) -> Iterator[Parsed]:
        """The observations in bounded stretches; of a structure message one without records.

        Raises:
            TerminalError: rule `dsd_changed`, `dsd`, `missing_column` or `undeclared_column` of a
                structure message; what the format itself raises of data.
        """
        if is_structure(content):
            structure = read_structure(content)
            undeclared = self._checked(structure, content.place)
            self._structure = structure
            nothing = pa.table({name: pa.array([], pa.string()) for name in self._schema.wanted})
            table = with_rows(nothing, pa.array([], pa.int64()))
            yield Parsed(table, undeclared=undeclared, is_metadata=True)
            return
        for parsed in self._inner.read(content):
            yield self._judged(parsed)

    def _open(self, kind: str, options: SdmxOptions, place: Place) -> Format:
        if kind == "sdmx-csv":
            dialect = CsvOptions(delimiter=options.delimiter)
            return SdmxCsvFormat(dialect, self._inner_schema, place)
        if kind == "sdmx-ml":
            return SdmxMlFormat(self._dimensions, self._inner_schema)
        return SdmxJsonFormat(self._inner_schema)

    def _checked(self, structure: Structure, place: Place) -> frozenset[str]:
        """Compare a structure with the contract; the components that nobody declared."""
        if structure.dimensions != self._dimensions:
            message = _difference(structure, self._dimensions)
            raise place.terminal("dsd_changed", f"{structure.id}: {message}")
        names = [each.name for each in self._inner_schema.declared]
        declared = [name for name in names if name not in MESSAGE_COLUMNS]
        required = [name for name in self._inner_schema.required if name not in MESSAGE_COLUMNS]
        gone = [name for name in required if name not in structure.ids]
        if gone:
            message = f"{structure.id}: components that are gone: {listed(gone)}"
            raise place.terminal("dsd_changed", message)
        return self._schema.check_undeclared(structure.ids - set(declared), place)

    def _judged(self, parsed: Parsed) -> Parsed:
        """The stretch with its labels, and without the records that hold an unknown code."""
        records = parsed.records
        rejected = self._rejected(records)
        if rejected:
            bad = pa.array([each.row for each in rejected], pa.int64())
            known = compute.invert(compute.is_in(records.column(ROW_COLUMN), bad))
            records = records.filter(known)
        names = self._schema.wanted
        arrays = [
            records.column(name) if name in records.column_names else self._labels(records, name)
            for name in names
        ]
        table = with_rows(pa.table(arrays, names=list(names)), records.column(ROW_COLUMN))
        both = sorted([*parsed.rejected, *rejected], key=lambda each: each.row)
        return replace(parsed, records=table, rejected=both)

    def _rejected(self, records: pa.Table) -> list[RejectedRecord]:
        """The records that hold a code which its list does not know."""
        reasons: dict[int, list[str]] = {}
        for name in records.column_names:
            codes = self._structure.codes_of(name) if self._structure else None
            if codes is None:
                continue
            column = records.column(name)
            known = compute.is_in(column, pa.array(list(codes), pa.string()))
            unknown = compute.and_(compute.invert(known), compute.is_valid(column))
            for place in compute.indices_nonzero(unknown).to_pylist():
                reasons.setdefault(place, []).append(f"{name}:{UNKNOWN_CODE}")
        found = []
        for place, why in sorted(reasons.items()):
            record = records.slice(place, 1).to_pylist()[0]
            row = record.pop(ROW_COLUMN)
            text = json.dumps(record, ensure_ascii=False)[:TEXT_LIMIT]
            found.append(RejectedRecord(row, text, why[0], tuple(why[1:])))
        return found

    def _labels(self, records: pa.Table, name: str) -> pa.ChunkedArray:
        """The names of a component's codes in one language; null where no list tells them."""
        component, _, language = name.partition(LABEL)
        codes = self._structure.codes_of(component) if self._structure else None
        if not codes or component not in records.column_names:
            return pa.chunked_array([pa.nulls(records.num_rows, pa.string())])
        names = pa.array([each.get(language) for each in codes.values()], pa.string())
        at = compute.index_in(records.column(component), pa.array(list(codes), pa.string()))
        return compute.take(names, at)


def _difference(structure: Structure, declared: tuple[str, ...]) -> str:
    """What became of the dimensions, so that a renamed one is seen as one."""
    found = structure.dimensions
    kinds = {each.id: each.kind for each in structure.components}
    added = [name for name in found if name not in declared]
    removed = [name for name in declared if name not in found]
    moved = [f"{name!r} is now of kind {kinds[name]}" for name in removed if name in kinds]
    gone = [name for name in removed if name not in kinds]
    parts = [f"new dimensions {listed(added)}"] if added else []
    parts += [f"dimensions that are gone: {listed(gone)}"] if gone else []
    parts += moved
    return "; ".join(parts) or f"the dimensions now stand in the order {listed(found)}"
