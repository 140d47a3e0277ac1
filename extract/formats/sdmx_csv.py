"""SDMX-CSV: version 2.0 (SDMX 3.0) and 1.0 (SDMX 2.1).

Source: SDMX-CSV field guides 1.0 and 2.0. The first columns say which version it is: `DATAFLOW`,
or `STRUCTURE`, `STRUCTURE_ID` and mostly `ACTION`. The rest are components by their ids.
"""

from dataclasses import replace

from extract.content import TextStream
from extract.errors import Place
from extract.formats.csv import CsvFormat, CsvOptions
from extract.formats.sdmx_columns import MESSAGE_COLUMNS, STRUCTURE_ID
from extract.schema import RawSchema


class SdmxCsvFormat(CsvFormat):
    """Reads CSV objects whose header is that of SDMX-CSV, with codes and without labels."""

    def __init__(self, options: CsvOptions, schema: RawSchema, place: Place) -> None:
        lenient = tuple(
            replace(column, required=False) if column.name in MESSAGE_COLUMNS else column
            for column in schema.declared
        )
        super().__init__(options, RawSchema(lenient, schema.wanted, schema.drift), place)

    def header(self, stream: TextStream, place: Place) -> list[str]:
        """Read past the header.

        Raises:
            TerminalError: rule `empty`, `csv`, `repeated_column`, or `sdmx_csv` where the header
                is not that of SDMX-CSV.
        """
        names = super().header(stream, place)
        first = names[0].partition("[")[0] if names else ""
        is_second = first == "STRUCTURE" and names[1:2] == [STRUCTURE_ID]
        if first != "DATAFLOW" and not is_second:
            message = "the header starts with neither DATAFLOW nor STRUCTURE and STRUCTURE_ID"
            raise place.terminal("sdmx_csv", message)
        if any(": " in name for name in names):
            raise place.terminal("sdmx_csv", "the columns carry labels: ask for codes alone")
        return [first, *names[1:]]

    def columns(self, header: list[str]) -> dict[str, str]:
        """As for any CSV; the structure of version 1.0 stands in `DATAFLOW`."""
        found = super().columns(header)
        if STRUCTURE_ID not in header and STRUCTURE_ID in self._schema.wanted:
            found[STRUCTURE_ID] = "0"
        return found

    def check(self, header: list[str], place: Place) -> frozenset[str]:
        """As for any CSV, of the components."""
        declared = set(self._schema.names)
        components = [name for name in header if name not in MESSAGE_COLUMNS or name in declared]
        return super().check(components, place)
