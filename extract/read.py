"""Open a source's stream: transport, protocol and format put together from its contract.

Options in the contract; `kind` first, unknown options are refused. Where no default is given
the option has none.

    transport.kind: file
        path               path or glob, or a list of them, each matching at least one file
                           `{as_of}` stands for a date in the name: the newest of such files that
                           is not after the processing day is read, as a vintage of the whole
        root               folder that `path` starts from, relative to the city folder (`.`)
        root_env           environment variable that, when set, replaces `root`
        member             glob: the files are zip archives, each matching member is an object
    transport.kind: http
        url, url_env       address, and the environment variable that, when set, replaces it
        token_env          environment variable that holds the token
        token_header       `Authorization`
        token_scheme       `Bearer`; empty sends the bare token
        headers            fixed further headers ({}), never a secret
        parameters         fixed query parameters ({})
        connect_timeout_seconds (10), read_timeout_seconds (60)
        attempts           requests for one object in all (5)
        backoff_seconds    wait before the second request, doubled each time (0.5)
        backoff_max_seconds (30)
        retry_after_max_seconds  a longer `Retry-After` ends the attempts at once (120)
        requests_per_second  most requests that one reading starts in a second, retries, followed
                           redirects and all pages in flight counted together (no bound)
        proxy_env          environment variable that holds a proxy's address
        member             as above
    transport.kind: postgres   delivers Arrow files: taken with format `arrow`; with `text_column`
                           lines: taken with format `ndjson`
        uri_env            environment variable that holds the address (`postgresql://...`, a host
                           or, by `?host=`, the folder of a Unix socket)
        schema (public)  table   the table or view; its columns are the contract's raw columns
        key                raw column, or a list of them, that identifies a row: the order of
                           reading, and where a broken read is taken up
        cursor_column      raw column declared `timestamp` that holds the time of the latest
                           update; needs protocol `updated_range`. Without it the table is read
                           whole
        text_column        column of text or JSON whose values are the records, one object each;
                           then `key` and `cursor_column` are columns of the table, and the raw
                           columns are keys inside the text
        object_rows        rows of one raw object (50000)
        connect_timeout_seconds (10), statement_timeout_seconds (3600)
        attempts           sessions in all without a further row (5)
        backoff_seconds (0.5), backoff_max_seconds (30)   as above
    format.kind: csv
        delimiter (,)  quote (")  doubled_quote (true)  escape ()
        encoding           `utf-8`, any Python codec, or `auto` (by byte-order mark, else UTF-8)
        skip_lines         lines before the header (0)
        header_rows        1; 0 takes the raw schema's names; more are joined, upper rows filled
                           to the right
        header_separator   between joined names (one blank)
        decimal (.)  thousands ()  for raw columns declared number or integer
    format.kind: ndjson
        encoding (utf-8)
        only               raw column -> text: records that say otherwise are left out ({})
    format.kind: json
        encoding (utf-8)
        records            dotted path of the array (the top level)
        max_page_megabytes (256)
        only               as above
    format.kind: fhir      ndjson of FHIR resources; Bundles are taken apart. Options of ndjson
    format.kind: parquet   no options
    format.kind: arrow     no options; Arrow files (IPC)
    format.kind: sdmx-csv  SDMX-CSV 2.0 and 1.0
        delimiter (,)
    format.kind: sdmx-ml   SDMX-ML 2.1 generic and structure-specific, 3.0 structure-specific
    format.kind: sdmx-json  SDMX-JSON 1.0 and 2.0; 64 MiB at most
    all three
        dimensions         the dimensions of the key without time, in the structure's order; raw
                           columns are called as the components. Also there: `STRUCTURE_ID`,
                           `ACTION` (A, D, I, M, R), and `<component>.<language>`, the name of a
                           code. A structure message in SDMX-ML that comes before the data is held
                           against the contract, and its code lists against the data
    protocol.kind: single  no options; taken where the contract gives no protocol
    protocol.kind: open311
        path (requests.json)  page_size (1000)  first_page (1)  max_pages (100000)  in_flight (2)
        page_parameter (page)  page_size_parameter (page_size)  extensions (true)
        updated_after_parameter (updated_after)  updated_before_parameter (updated_before)
    protocol.kind: sdmx    SDMX REST; takes the data structure, then the data
        agency  flow       of the data flow
        version            of the standard: `3.0` or `2.1` (3.0)
        flow_version       (the latest)
        datastructure, datastructure_version   (the flow's name, the latest)
        key                which series, in the words of the version (all)
        updated_after      ask for what was updated after what is known, with cursor: window (false)
    protocol.kind: fhir_bulk   FHIR bulk export; needs transport http
        types              resource types to export, a list
        path ($export)     below the transport's address; also `Patient/$export`, ...
        poll_seconds (1)   wait between questions where the server names none
        poll_max_seconds (3600)  longest wait for one export in all
        in_flight (2)      files that are fetched at a time
    protocol.kind: updated_range   no options; rows updated in [known minus overlap, end of day)

In text formats an empty CSV field, an absent key and JSON null are null; booleans are `true`
and `false`. Header names that repeat become `name`, `name#2`, ...; a declared name that repeats
is refused unless every repetition is declared.

Raw columns of JSON are named by their path: `period.start`, and `type.0.coding.0.code` where a
number is the place of an element in an array.

Parquet and Arrow keep their types: raw columns declared `integer`, `boolean`, `date` or `timestamp`
(an instant) must hold them; every other one is text to the expressions.

Of PostgreSQL, `string` takes texts, enumerations, UUID, JSON, addresses and local times (as text,
which the contract reads with `formats` and its zone). `number` takes any number, as its exact text:
NaN, infinity and what is out of range are set aside row by row. `integer`, `boolean`, `date` and
`timestamp` (with time zone) take these alone. Money is best kept as `integer` minor units. A date
or instant that is infinite or beyond the year 9999 comes as the end of that calendar and is set
aside too.

Undeclared columns of CSV, Parquet and Arrow are found in the header (of PostgreSQL in
`information_schema.columns`), those of JSON in every record.
A required column must stand in the header; in JSON, in some record of the first stretch.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, cast

from extract.content import Content
from extract.errors import Place
from extract.formats.base import Format, Parsed
from extract.formats.sdmx_columns import SDMX_KINDS
from extract.options import read_options
from extract.protocols.base import Protocol
from extract.protocols.single import SingleProtocol
from extract.protocols.stored import StoredProtocol
from extract.raw import RawObject, RawReference, RawStore
from extract.schema import RawSchema
from extract.transport.base import Sink, Transport
from extract.transport.file import FileOptions, FileTransport
from extract.transport.stored import StoredTransport
from extract.window import Window
from warehouse.contract.model import SourceContract
from warehouse.records import RecordBatch

# What a kind alone needs is imported when a contract asks for it: a process reads few kinds, and
# some libraries take half a second.

# Objects up to this size are parsed from memory after they were stored.
KEPT_BYTES = 8 << 20


@dataclass(frozen=True)
class NoOptions:
    """A kind that has no options."""


@dataclass
class StreamSummary:
    """What one reading of a stream saw; complete once the stream has ended.

    Attributes:
        delivered: The raw objects in the stream's order, by the names they have at the source.
        records: Records, rejected ones included.
        rejected: Records that could not be split into columns.
        undeclared: Columns in the data that the contract does not declare.
        encodings: Encoding of each text object by its name.
        ignored: Raw units left out, by reason.
    """

    delivered: list[RawReference] = field(default_factory=list)
    records: int = 0
    rejected: int = 0
    undeclared: set[str] = field(default_factory=set)
    encodings: dict[str, str] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)

    @property
    def objects(self) -> int:
        """Number of raw objects."""
        return len(self.delivered)

    @property
    def digests(self) -> list[str]:
        """Digests of the raw objects in the stream's order."""
        return [each.digest for each in self.delivered]

    @property
    def names(self) -> list[str]:
        """Their names at the source, in the same order."""
        return [each.name or each.digest for each in self.delivered]

    @property
    def bytes(self) -> int:
        """Bytes of all raw objects as they came."""
        return sum(each.size or 0 for each in self.delivered)


class StreamReader(Iterator[RecordBatch]):
    """Record batches of a stream, read as they are asked for; it can be read once.

    Attributes:
        summary: What was seen so far.
    """

    def __init__(
        self,
        protocol: Protocol,
        transport: Transport,
        form: Format,
        schema: RawSchema,
        open_content: Callable[[RawObject], Content],
    ) -> None:
        self.summary = StreamSummary()
        self._protocol = protocol
        self._transport = transport
        self._format = form
        self._schema = schema
        self._open_content = open_content
        self._batches = self._read()

    def __next__(self) -> RecordBatch:
        return next(self._batches)

    def close(self) -> None:
        """Stop reading and let go of connections; nothing more is yielded."""
        self._batches.close()
        self._transport.close()

    def _read(self) -> Generator[RecordBatch, None, None]:
        try:
            for raw, stretches in self._protocol.deliveries(self._parse):
                known = RawReference(raw.digest, raw.name, raw.size, raw.page)
                self.summary.delivered.append(known)
                for parsed in stretches:
                    self._check_first(parsed, raw)
                    self._count(parsed, raw)
                    if parsed.count or parsed.is_metadata:
                        yield RecordBatch(
                            parsed.records, raw.digest, raw.name, parsed.rejected, parsed.ignored
                        )
        finally:
            self._transport.close()

    def _parse(self, raw: RawObject) -> Iterator[Parsed]:
        return self._format.read(self._open_content(raw))

    def _check_first(self, parsed: Parsed, raw: RawObject) -> None:
        """Refuse a stream whose first records lack a required column altogether."""
        if self.summary.records == 0 and parsed.records.num_rows:
            place = self._open_content(raw).place
            self._schema.check_present(parsed.absent, parsed.undeclared, place)

    def _count(self, parsed: Parsed, raw: RawObject) -> None:
        summary = self.summary
        summary.records += parsed.count
        summary.rejected += len(parsed.rejected)
        summary.undeclared |= parsed.undeclared
        if parsed.encoding is not None:
            summary.encodings[raw.name] = parsed.encoding
        for reason, count in parsed.ignored.items():
            summary.ignored[reason] = summary.ignored.get(reason, 0) + count


def open_stream(
    source: SourceContract,
    raw_columns: tuple[str, ...],
    raw_store: RawStore,
    window: Window,
    environ: Mapping[str, str],
    city_folder: Path,
) -> StreamReader:
    """The record batches that a source sends for a window.

    Args:
        source: The stream's contract.
        raw_columns: The raw columns that are needed (`CompiledStream.raw_columns`).
        raw_store: Where raw objects are stored before they are read.
        window: What the run asks for; used by protocols that take one.
        environ: Where the variables that the contract names are looked up.
        city_folder: Folder that relative paths start from.

    Returns:
        An iterator that reads as it goes; its `summary` is complete when it has ended.

    Raises:
        TerminalError: rule `contract` or `token` at once; anything else while reading.
    """
    schema = _schema(source, raw_columns)
    transport = open_transport(
        source.transport, schema, environ, city_folder, Place(source.id), window.as_of
    )
    sink = partial(_store, raw_store)
    protocol = open_protocol(source, transport, sink, window)
    return _reader(source, schema, raw_store, protocol, transport)


def reopen_stream(
    source: SourceContract,
    raw_columns: tuple[str, ...],
    raw_store: RawStore,
    objects: Iterable[RawReference],
) -> StreamReader:
    """The record batches of raw objects that are stored already, by today's contract.

    Args:
        source: The stream's contract.
        raw_columns: The raw columns that are needed (`CompiledStream.raw_columns`).
        raw_store: Where the objects are.
        objects: The objects in the order of reading.

    Raises:
        TerminalError: rule `contract` at once, any other while reading an object that today's
            contract does not take.
        FileNotFoundError: while reading, when an object is gone.
    """
    transport = StoredTransport(raw_store, tuple(objects))
    protocol = StoredProtocol(transport, partial(_store, raw_store))
    return _reader(source, _schema(source, raw_columns), raw_store, protocol, transport)


def _schema(source: SourceContract, raw_columns: tuple[str, ...]) -> RawSchema:
    schema = RawSchema(source.raw_columns, raw_columns, source.drift)
    undeclared = sorted(set(raw_columns) - set(schema.names))
    if undeclared:
        message = f"raw columns that are not declared: {', '.join(undeclared)}"
        raise Place(source.id).terminal("contract", message)
    return schema


def _reader(
    source: SourceContract,
    schema: RawSchema,
    raw_store: RawStore,
    protocol: Protocol,
    transport: Transport,
) -> StreamReader:
    form = open_format(source.format, schema, Place(source.id))
    return StreamReader(
        protocol, transport, form, schema, lambda raw: Content(raw_store, raw, source.id)
    )


def open_transport(
    options: Mapping[str, Any],
    schema: RawSchema,
    environ: Mapping[str, str],
    city_folder: Path,
    place: Place,
    as_of: date,
) -> Transport:
    """The transport of a contract's options.

    Raises:
        TerminalError: rule `contract`, `token` or `url`.
    """
    kind = options.get("kind")
    if kind == "file":
        settings = read_options(FileOptions, options, "transport", place)
        return FileTransport(settings, environ, city_folder, place, as_of)
    if kind == "http":
        from extract.transport.http import HttpOptions, HttpTransport

        return HttpTransport(read_options(HttpOptions, options, "transport", place), environ, place)
    if kind == "postgres":
        from extract.transport.postgres import PostgresOptions, PostgresTransport

        database = read_options(PostgresOptions, options, "transport", place)
        return PostgresTransport(database, schema, environ, place)
    raise place.terminal("contract", f"there is no transport {kind}")


def open_format(options: Mapping[str, Any], schema: RawSchema, place: Place) -> Format:
    """The format of a contract's options.

    Raises:
        TerminalError: rule `contract`.
    """
    kind = options.get("kind")
    if kind == "csv":
        from extract.formats.csv import CsvFormat, CsvOptions

        return CsvFormat(read_options(CsvOptions, options, "format", place), schema, place)
    if kind == "ndjson":
        from extract.formats.json import NdjsonFormat, NdjsonOptions

        return NdjsonFormat(read_options(NdjsonOptions, options, "format", place), schema, place)
    if kind == "fhir":
        from extract.formats.fhir import FhirFormat
        from extract.formats.json import NdjsonOptions

        return FhirFormat(read_options(NdjsonOptions, options, "format", place), schema, place)
    if kind == "json":
        from extract.formats.json import JsonFormat, JsonOptions

        return JsonFormat(read_options(JsonOptions, options, "format", place), schema, place)
    if kind == "parquet":
        from extract.formats.parquet import ParquetFormat

        read_options(NoOptions, options, "format", place)
        return ParquetFormat(schema)
    if kind == "arrow":
        from extract.formats.arrow import ArrowFormat

        read_options(NoOptions, options, "format", place)
        return ArrowFormat(schema)
    if kind in SDMX_KINDS:
        from extract.formats.sdmx import SdmxFormat, SdmxOptions

        sdmx = read_options(SdmxOptions, options, "format", place)
        return SdmxFormat(kind, sdmx, schema, place)
    raise place.terminal("contract", f"there is no format {kind}")


def open_protocol(
    source: SourceContract, transport: Transport, sink: Sink, window: Window
) -> Protocol:
    """The protocol of a contract; `single` where it gives none.

    Raises:
        TerminalError: rule `contract`.
    """
    place = Place(source.id)
    kind = source.protocol.get("kind", "single")
    if kind == "single":
        read_options(NoOptions, source.protocol, "protocol", place)
        return SingleProtocol(transport, sink)
    if kind == "open311":
        from extract.protocols.open311 import Open311Options, Open311Protocol

        options = read_options(Open311Options, source.protocol, "protocol", place)
        return Open311Protocol(options, transport, sink, window, source.overlap_seconds, place)
    if kind == "sdmx":
        from extract.protocols.sdmx import SdmxRestOptions, SdmxRestProtocol

        asked = read_options(SdmxRestOptions, source.protocol, "protocol", place)
        return SdmxRestProtocol(asked, transport, sink, window, source, place)
    if kind == "fhir_bulk":
        from extract.protocols.fhir_bulk import ExportServer, FhirBulkOptions, FhirBulkProtocol

        bulk = read_options(FhirBulkOptions, source.protocol, "protocol", place)
        if source.transport.get("kind") != "http":
            raise place.terminal("contract", "protocol fhir_bulk needs transport http")
        server = cast(ExportServer, transport)
        return FhirBulkProtocol(bulk, server, sink, window, source.overlap_seconds, place)
    if kind == "updated_range":
        from extract.protocols.updated_range import UpdatedRangeProtocol

        read_options(NoOptions, source.protocol, "protocol", place)
        return UpdatedRangeProtocol(transport, sink, window, source, place)
    raise place.terminal("contract", f"there is no protocol {kind}")


def _store(store: RawStore, content: Any, name: str, page: int | None = None) -> RawObject:
    return store.put(content, name, page=page, keep_bytes=KEPT_BYTES)
