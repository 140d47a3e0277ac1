"""FHIR bulk export: ask for it, wait until it is ready, then read its files.

Source: HL7 FHIR Bulk Data Access 2.0.0 (https://hl7.org/fhir/uv/bulkdata/STU2/export.html).
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from extract.errors import GoneError, Place, SourceError, TerminalError
from extract.formats.base import Parsed
from extract.protocols.base import Delivery, Parse
from extract.protocols.fhir_manifest import (
    Export,
    ExportFile,
    outcome_errors,
    outcome_text,
    read_manifest,
)
from extract.raw import RawObject
from extract.transport.base import Answer, Request, Sink
from extract.window import Window, iso_utc

ACCEPTED = 202
READY = 200
GONE = (404, 410)
KICK_OFF = {"accept": "application/fhir+json", "prefer": "respond-async"}
STATUS = {"accept": "application/json"}
FILE = {"accept": "application/fhir+ndjson"}
# An export that expires while it is read is asked for once more.
EXPORTS = 2


class ExportServer(Protocol):
    """What the protocol needs of a transport beyond delivering objects."""

    sleep: Callable[[float], None]

    def ask(
        self,
        method: str,
        address: Request | str,
        headers: Mapping[str, str],
        place: Place,
        explain: Callable[[Answer], str],
    ) -> Answer:
        """What the server says beside its data."""

    def download(
        self, address: str, headers: Mapping[str, str], place: Place, sink: Sink, *, token: bool
    ) -> RawObject:
        """The object at an absolute address."""

    def absolute(self, address: str) -> str:
        """An address that the server gave, made absolute."""


@dataclass(frozen=True)
class FhirBulkOptions:
    """How an export is asked for; see `extract.read` for the meaning of each option."""

    types: tuple[str, ...]
    path: str = "$export"
    poll_seconds: float = 1.0
    poll_max_seconds: float = 3600.0
    in_flight: int = 2


class FhirBulkProtocol:
    """Reads what an export gives, once all of it is stored."""

    def __init__(
        self,
        options: FhirBulkOptions,
        server: ExportServer,
        sink: Sink,
        window: Window,
        overlap_seconds: int,
        place: Place,
    ) -> None:
        if not options.types or options.in_flight < 1 or options.poll_seconds <= 0:
            message = "types names a resource, in_flight is at least 1, poll_seconds above 0"
            raise place.terminal("contract", message)
        self._options = options
        self._server = server
        self._sink = sink
        self._place = Place(place.source, options.path)
        self._parameters = {"_type": ",".join(options.types)}
        if window.since is not None:
            since = window.since - timedelta(seconds=overlap_seconds)
            self._parameters["_since"] = iso_utc(since)

    def deliveries(self, parse: Parse) -> Iterator[Delivery]:
        """Each file of the export with its records; nothing before every file is stored.

        Raises:
            TransientError: rule `export_time` when the export is not ready in time, `expired`
                when it is gone before it was read, after a new one too; and what the transport
                raises.
            TerminalError: rule `status`, `outcome` (the server reports errors), `manifest`,
                `count` (a file holds fewer or more resources than the manifest says); and what
                transport and format raise.
        """
        for file, raw in self._stored():
            yield raw, self._counted(file, raw, parse)

    def _stored(self) -> list[tuple[ExportFile, RawObject]]:
        """The files of an export, stored; of a new export where the first one expired."""
        for _ in range(EXPORTS - 1):
            try:
                return self._exported()
            except GoneError:
                continue
        try:
            return self._exported()
        except GoneError as error:
            place = Place(error.source, error.file)
            raise place.transient("expired", "is gone, of a second export too") from error

    def _exported(self) -> list[tuple[ExportFile, RawObject]]:
        """The files of one export, which the server need not keep afterwards."""
        status = self._kick_off()
        try:
            export = self._wait(status)
            self._check_errors(export)
            stored = self._download(export)
        except TerminalError:
            self._remove(status)
            raise
        self._remove(status)
        return stored

    def _kick_off(self) -> str:
        """Ask for an export; the address that tells of its state."""
        request = Request(self._options.path, self._parameters)
        answer = self._server.ask("GET", request, KICK_OFF, self._place, outcome_text)
        if answer.status != ACCEPTED:
            message = f"the server answered {answer.status}{outcome_text(answer)}"
            raise self._place.terminal("outcome" if outcome_text(answer) else "status", message)
        address = answer.headers.get("content-location")
        if not address:
            raise self._place.terminal("status", "the answer names no address for the export")
        return self._server.absolute(address)

    def _wait(self, status: str) -> Export:
        """The export's manifest, asked for as often as the server wants."""
        place = Place(self._place.source, f"{self._options.path} status")
        waited = 0.0
        while True:
            answer = self._server.ask("GET", status, STATUS, place, outcome_text)
            if answer.status == READY:
                return read_manifest(answer.body, self._options.types, place, self._server.absolute)
            if answer.status in GONE:
                raise place.gone("expired", f"the server answered {answer.status}")
            if answer.status != ACCEPTED:
                message = f"the export failed: {answer.status}{outcome_text(answer)}"
                raise place.terminal("outcome", message)
            # A server that asks for no wait, or for none at all, is not asked without pause.
            asked = answer.retry_after_seconds or self._options.poll_seconds
            if waited + asked > self._options.poll_max_seconds:
                message = f"the export was not ready after {waited:.0f} seconds"
                raise place.transient("export_time", message)
            self._server.sleep(asked)
            waited += asked

    def _download(self, export: Export) -> list[tuple[ExportFile, RawObject]]:
        """Every file, several at a time; the first error of them in their order."""

        def one(file: ExportFile) -> RawObject:
            place = Place(self._place.source, file.name)
            raw = self._server.download(
                file.address, FILE, place, self._sink, token=export.needs_token
            )
            # Many files at once: none of them stays in memory.
            return replace(raw, content=None)

        with ThreadPoolExecutor(self._options.in_flight, thread_name_prefix="fhir_bulk") as pool:
            try:
                stored = list(pool.map(one, export.files))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return list(zip(export.files, stored, strict=True))

    def _check_errors(self, export: Export) -> None:
        """Refuse an export of which the server says that something is not in it."""
        for file in export.errors:
            place = Place(self._place.source, file.name)
            raw = self._server.download(
                file.address, FILE, place, self._sink, token=export.needs_token
            )
            found = outcome_errors(raw)
            if found:
                raise place.terminal("outcome", f"the export reports errors: {', '.join(found)}")

    def _counted(self, file: ExportFile, raw: RawObject, parse: Parse) -> Iterator[Parsed]:
        """The records of a file, which are as many as the manifest says."""
        if raw.size == 0 and file.count == 0:
            return
        count = 0
        for parsed in parse(raw):
            count += parsed.units
            yield parsed
        if file.count is not None and count != file.count:
            message = f"the file holds {count} resources, the manifest says {file.count}"
            raise Place(self._place.source, file.name).terminal("count", message)

    def _remove(self, status: str) -> None:
        """Let the server delete the export; one that it keeps expires by itself."""
        try:
            self._server.ask("DELETE", status, STATUS, self._place, outcome_text)
        except SourceError:
            return
