"""SDMX REST, of SDMX 2.1 and of SDMX 3.0: first the data structure, then the data.

Source: SDMX RESTful API 1.5 (for 2.1) and 2.1 (for 3.0), github.com/sdmx-twg/sdmx-rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from extract.errors import Place
from extract.formats.base import Parsed
from extract.protocols.base import Delivery, Parse
from extract.raw import RawObject
from extract.transport.base import Request, Sink, Transport
from extract.window import Window, iso_utc
from warehouse.contract.model import SourceContract

# Media types by version of the standard and format.
_ACCEPT = {
    ("2.1", "structure"): "application/vnd.sdmx.structure+xml;version=2.1",
    ("2.1", "sdmx-csv"): "application/vnd.sdmx.data+csv;version=1.0.0",
    ("2.1", "sdmx-json"): "application/vnd.sdmx.data+json;version=1.0.0",
    ("2.1", "sdmx-ml"): "application/vnd.sdmx.structurespecificdata+xml;version=2.1",
    ("3.0", "structure"): "application/vnd.sdmx.structure+xml;version=3.0.0",
    ("3.0", "sdmx-csv"): "application/vnd.sdmx.data+csv;version=2.0.0",
    ("3.0", "sdmx-json"): "application/vnd.sdmx.data+json;version=2.0.0",
    ("3.0", "sdmx-ml"): "application/vnd.sdmx.data+xml;version=3.0.0",
}
_LATEST = {"2.1": "latest", "3.0": "~"}
_EVERYTHING = {"2.1": "all", "3.0": "*"}


@dataclass(frozen=True)
class SdmxRestOptions:
    """What is asked for; see `extract.read` for the meaning of each option."""

    agency: str
    flow: str
    version: str = "3.0"
    flow_version: str = ""
    datastructure: str = ""
    datastructure_version: str = ""
    key: str = ""
    updated_after: bool = False


class SdmxRestProtocol:
    """Asks for the structure of a data flow and then for its observations, once each."""

    def __init__(
        self,
        options: SdmxRestOptions,
        transport: Transport,
        sink: Sink,
        window: Window,
        source: SourceContract,
        place: Place,
    ) -> None:
        if (options.version, source.format.get("kind")) not in _ACCEPT:
            message = "protocol sdmx needs version 2.1 or 3.0, and an sdmx format"
            raise place.terminal("contract", message)
        if options.updated_after != (source.cursor == "window"):
            message = "protocol sdmx: updated_after and cursor: window need each other"
            raise place.terminal("contract", message)
        self._transport = transport
        self._sink = sink
        self._place = place
        self._structure = _structure_request(options)
        self._data = _data_request(
            options, str(source.format["kind"]), window, source.overlap_seconds
        )

    def deliveries(self, parse: Parse) -> Iterator[Delivery]:
        """The structure message, then the data message where there is one.

        Raises:
            TerminalError: rule `dsd` where something else comes in place of the structure;
                whatever transport and format raise.
        """
        for raw in self._transport.deliver(self._structure, self._sink):
            yield raw, self._described(raw, parse)
        for raw in self._transport.deliver(self._data, self._sink):
            yield raw, parse(raw)

    def _described(self, raw: RawObject, parse: Parse) -> Iterator[Parsed]:
        for parsed in parse(raw):
            if not parsed.is_metadata:
                place = Place(self._place.source, raw.name)
                raise place.terminal("dsd", "the answer is no structure message")
            yield parsed


def _structure_request(options: SdmxRestOptions) -> Request:
    name = options.datastructure or options.flow
    version = options.datastructure_version or _LATEST[options.version]
    place = f"datastructure/{options.agency}/{name}/{version}"
    return Request(
        path=place if options.version == "2.1" else f"structure/{place}",
        parameters={"references": "children"},
        headers={"accept": _ACCEPT[options.version, "structure"]},
        name=f"{name} structure",
    )


def _data_request(
    options: SdmxRestOptions, kind: str, window: Window, overlap_seconds: int
) -> Request:
    version = options.flow_version or _LATEST[options.version]
    key = options.key or _EVERYTHING[options.version]
    if options.version == "2.1":
        path = f"data/{options.agency},{options.flow},{version}/{key}"
    else:
        path = f"data/dataflow/{options.agency}/{options.flow}/{version}/{key}"
    parameters = {}
    if options.updated_after and window.since is not None:
        since = window.since - timedelta(seconds=overlap_seconds)
        parameters["updatedAfter"] = iso_utc(since)
    # The standard answers 404 where nothing was updated; a snapshot without data is an error.
    return Request(
        path=path,
        parameters=parameters,
        headers={"accept": _ACCEPT[options.version, kind]},
        name=f"{options.flow} data",
        may_be_absent=bool(parameters),
    )
