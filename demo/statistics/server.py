"""The statistics office's HTTP server: SDMX REST on loopback.

Addresses start with `/as-of/<day>/sdmx/v1` (SDMX 2.1) or `/as-of/<day>/sdmx/v2` (SDMX 3.0).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from http import HTTPStatus

from demo.http_server import HTML, DemoHandler, DemoServer
from demo.statistics import codes
from demo.statistics.address import Address, read_address
from demo.statistics.codes import Definition
from demo.statistics.data_message import WRITERS
from demo.statistics.feed import Feed, Shown
from demo.statistics.structure_message import StructureWriter
from demo.systems import Settings
from demo.trouble import Trouble, scheduled

PLAIN = "text/plain; charset=utf-8"
CUT_AFTER = 20  # characters of its last record that data which is cut still has
# With a structure: what `references` brings beside it.
_REFERENCES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("datastructure", "children"): ("codelist", "conceptscheme"),
    ("datastructure", "descendants"): ("codelist", "conceptscheme"),
    ("datastructure", "all"): ("codelist", "conceptscheme", "dataflow"),
    ("dataflow", "children"): ("datastructure",),
    ("dataflow", "descendants"): ("codelist", "conceptscheme", "datastructure"),
    ("dataflow", "all"): ("codelist", "conceptscheme", "datastructure"),
}
_USUAL = {
    "2.1": "application/vnd.sdmx.structurespecificdata+xml",
    "3.0": "application/vnd.sdmx.data+xml",
}
_ANY = ("*/*", "application/xml", "application/*", "text/xml", "")


class Breakage(StrEnum):
    """What is wrong from a day on and stays so."""

    DIMENSION_ADDED = "dimension_added"
    DIMENSION_RENAMED = "dimension_renamed"
    ATTRIBUTE_ADDED = "attribute_added"
    CUT_DATA = "cut_data"  # the data ends in the middle of a record; its length says nothing of it
    HTML = "html"  # a web page with status 200 in place of the data
    NO_STRUCTURE = "no_structure"  # the structure is not known any more
    ALWAYS_ERROR = "always_error"


_STRUCTURAL: Mapping[Breakage, Callable[[Definition], Definition]] = {
    Breakage.DIMENSION_ADDED: codes.with_dimension_added,
    Breakage.DIMENSION_RENAMED: codes.with_dimension_renamed,
    Breakage.ATTRIBUTE_ADDED: codes.with_attribute_added,
}


@dataclass(frozen=True)
class Broken:
    """A breakage and the first day that shows it."""

    kind: Breakage
    first: date


def broken(text: str) -> Broken:
    """Reads `KIND:DAY`, for example `dimension_added:2025-07-04`.

    Raises:
        ValueError: when the text is not of that form.
    """
    kind, _, day = text.partition(":")
    return Broken(Breakage(kind), date.fromisoformat(day))


class StatisticsServer(DemoServer):
    """A statistics office that answers on a port of the loopback interface.

    Args:
        settings: How it is started.
        feed: What it shows.
        breakages: What fails for good.
    """

    def __init__(self, settings: Settings, feed: Feed, breakages: tuple[Broken, ...]) -> None:
        super().__init__(settings, Handler)
        self.feed = feed
        self._breakages = breakages

    def breaks(self, kind: Breakage, as_of: date) -> bool:
        """Whether something is broken on a day."""
        return any(each.kind is kind and as_of >= each.first for each in self._breakages)

    def definition(self, as_of: date) -> Definition:
        """The data structure as it is on a day."""
        definition = codes.DEFINITION
        for kind, change in _STRUCTURAL.items():
            if self.breaks(kind, as_of):
                definition = change(definition)
        return definition

    def shown(self, address: Address) -> list[Shown]:
        """What the address asks for, in the structure of its day."""
        after = None if address.updated_after is None else int(address.updated_after)
        definition = self.definition(address.as_of)
        found = []
        for each in self.feed.shown(address.as_of, after):
            record = dict(each.record)
            if self.breaks(Breakage.DIMENSION_RENAMED, address.as_of):
                record["AGE_GROUP"] = record.pop("AGE")
            if self.breaks(Breakage.DIMENSION_ADDED, address.as_of):
                record["EDUCATION"] = "_T"
            if self.breaks(Breakage.ATTRIBUTE_ADDED, address.as_of):
                record["COMMENT_OBS"] = "ok"
            if _matches(address.key, [record[part.id] for part in definition.dimensions]):
                found.append(replace(each, record=record))
        return found


def _matches(key: tuple[frozenset[str], ...], codes_of_record: list[str]) -> bool:
    return all(
        not wanted or code in wanted for wanted, code in zip(key, codes_of_record, strict=False)
    )


class Handler(DemoHandler):
    """Answers one connection."""

    server: StatisticsServer
    server_version = "DemoStatistics/1"
    usual_kind = PLAIN

    def _answer(self) -> None:
        address = read_address(self.path)
        if address is None:
            self.fail(HTTPStatus.NOT_FOUND, "no such address")
        elif not self.is_authorised():
            self.fail(HTTPStatus.UNAUTHORIZED, "a valid bearer token is required")
        elif not self.server.feed.knows(address.as_of):
            self.fail(HTTPStatus.NOT_FOUND, f"no data as of {address.as_of}")
        elif not address.is_known:
            self.fail(HTTPStatus.NOT_FOUND, "no such structure or data flow")
        elif self.server.breaks(Breakage.ALWAYS_ERROR, address.as_of):
            self.fail(HTTPStatus.INTERNAL_SERVER_ERROR, "failure")
        elif address.resource == "data":
            self._answer_data(address)
        else:
            self._answer_structure(address)

    def _answer_structure(self, address: Address) -> None:
        if self.server.breaks(Breakage.NO_STRUCTURE, address.as_of):
            self.fail(HTTPStatus.NOT_FOUND, "no such structure")
            return
        kinds = (
            address.resource,
            *_REFERENCES.get((address.resource, address.references), ()),
        )
        writer = StructureWriter(address.version, self.server.definition(address.as_of))
        number = "2.1" if address.version == "2.1" else "3.0.0"
        kind = f"application/vnd.sdmx.structure+xml;version={number}"
        self.send(HTTPStatus.OK, writer.message(kinds), kind)

    def _answer_data(self, address: Address) -> None:
        trouble = self.server.met(address.target, scheduled(address.as_of, 1))
        if self.fails(trouble):
            return
        kind = self._accepted(address.version)
        if kind is None:
            self.fail(HTTPStatus.NOT_ACCEPTABLE, "no such format")
            return
        shown = self.server.shown(address)
        if not shown:
            self.fail(HTTPStatus.NOT_FOUND, "no data")
            return
        if self.server.breaks(Breakage.HTML, address.as_of):
            self.send(HTTPStatus.OK, "<!doctype html><title>Bảo trì</title>", HTML)
            return
        text = WRITERS[kind, address.version](self.server.definition(address.as_of), shown)
        if self.server.breaks(Breakage.CUT_DATA, address.as_of):
            text = text[: text.index("\n", len(text) // 2) + CUT_AFTER]
        self.send(HTTPStatus.OK, text, kind, cut=trouble is Trouble.CUT_CONNECTION)

    def _accepted(self, version: str) -> str | None:
        """The first format of the Accept header that the service writes in this version."""
        for part in self.headers.get("Accept", "").split(","):
            kind = part.partition(";")[0].strip()
            if (kind, version) in WRITERS:
                return kind
            if kind in _ANY:
                return _USUAL[version]
        return None

    def failure(self, status: HTTPStatus, description: str) -> str:
        """The description alone."""
        return description + "\n"
