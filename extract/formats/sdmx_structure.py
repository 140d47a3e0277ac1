"""The data structure definition (DSD) of an SDMX structure message, 2.1 and 3.0.

Source: SDMX 2.1 and 3.0 technical standards, section 3 (SDMX-ML), structure messages.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from extract.content import Content
from extract.errors import Place
from extract.formats.sdmx_xml import read_xml
from extract.raw import CHUNK

_ROOT = re.compile(rb"<(?!\?|!--)\s*(?:[\w.-]+:)?(\w+)")
_URN = re.compile(r"=(?P<agency>[^:]+):(?P<id>[^(]+)\((?P<version>[^)]+)\)")
_LANGUAGE = "http://www.w3.org/XML/1998/namespace}lang"
_KINDS = {
    "Dimension": "dimension",
    "MeasureDimension": "dimension",
    "TimeDimension": "time",
    "Attribute": "attribute",
    "ReportingYearStartDay": "attribute",
    "PrimaryMeasure": "measure",
    "Measure": "measure",
}
_LISTS = {"DimensionList", "AttributeList", "MeasureList"}
# Code lists are metadata: what they hold is kept in memory, and so is bounded.
MOST_CODES = 500_000

Codes = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Component:
    """A component of a structure.

    Attributes:
        kind: `dimension`, `time`, `attribute` or `measure`.
        codelist: Its code list as `AGENCY:ID`, or None where it has none.
    """

    id: str
    kind: str
    codelist: str | None = None


@dataclass(frozen=True)
class Structure:
    """A data structure and the code lists that came with it.

    Attributes:
        id: `AGENCY:ID(VERSION)`.
        components: In their order; dimensions in the order of the key.
        codes: Code list (`AGENCY:ID`) to its codes, each with its names by language.
    """

    id: str
    components: tuple[Component, ...]
    codes: Mapping[str, Codes] = field(default_factory=dict)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions of the key without time, in their order."""
        return tuple(each.id for each in self.components if each.kind == "dimension")

    @property
    def ids(self) -> frozenset[str]:
        """Every component."""
        return frozenset(each.id for each in self.components)

    def codes_of(self, component: str) -> Codes | None:
        """The codes that a component may hold; None where any text is one, or none were sent."""
        for each in self.components:
            if each.id == component and each.codelist is not None:
                return self.codes.get(each.codelist)
        return None


def is_structure(content: Content) -> bool:
    """Whether an object is a structure message in XML."""
    head = content.open().read(CHUNK).removeprefix(b"\xef\xbb\xbf").lstrip()
    found = _ROOT.search(head) if head.startswith(b"<") else None
    return found is not None and found[1] == b"Structure"


def read_structure(content: Content) -> Structure:
    """The one data structure of a message.

    Raises:
        TerminalError: rule `empty`, `damaged`, `xml`, or `dsd` where the message holds no or
            several data structures or an unusable one.
    """
    events = _StructureEvents(content.place)
    for _ in read_xml(content, events):
        continue
    if len(events.found) != 1:
        message = f"the message holds {len(events.found)} data structures, not 1"
        raise content.place.terminal("dsd", message)
    structure = events.found[0]
    if not structure.dimensions:
        raise content.place.terminal("dsd", f"{structure.id} has no dimensions")
    return structure


class _StructureEvents:
    """Collects data structures and code lists."""

    def __init__(self, place: Place) -> None:
        self.found: list[Structure] = []
        self._place = place
        self._path: list[str] = []
        self._components: list[tuple[int, Component]] = []
        self._codes: dict[str, dict[str, dict[str, str]]] = {}
        self._count = 0
        self._structure = self._list = self._code = ""
        self._component: dict[str, str] = {}
        self._language = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        parent = self._path[-1] if self._path else ""
        self._path.append(name)
        if name == "DataStructure" and parent == "DataStructures":
            self._structure = _identifier(attributes)
            self._components = []
        elif name in _KINDS and parent in _LISTS:
            self._component = {**attributes, "kind": _KINDS[name]}
        elif name == "Codelist" and parent == "Codelists":
            self._list = f"{attributes.get('agencyID', '')}:{attributes.get('id', '')}"
            self._codes[self._list] = {}
        elif name == "Code" and parent == "Codelist":
            self._add_code(attributes.get("id", ""))
        elif name == "Name":
            self._language = attributes.get(_LANGUAGE, "en")
        elif name == "Ref" and parent in ("Enumeration", "ConceptIdentity"):
            self._refer(parent, attributes.get("agencyID", ""), attributes.get("id", ""))

    def end(self, name: str, text: str) -> None:
        self._path.pop()
        parent = self._path[-1] if self._path else ""
        if name == "Name" and parent == "Code":
            self._codes[self._list][self._code][self._language] = text
        elif name in ("Enumeration", "ConceptIdentity") and text:
            self._refer_urn(name, text)
        elif name == "URN" and parent in ("Enumeration", "ConceptIdentity"):
            self._refer_urn(parent, text)
        elif name in _KINDS and parent in _LISTS:
            self._end_component()
        elif name == "DataStructure" and parent == "DataStructures":
            ordered = sorted(self._components, key=lambda each: each[0])
            components = tuple(each for _, each in ordered)
            self.found.append(Structure(self._structure, components, self._codes))

    def _add_code(self, code: str) -> None:
        self._count += 1
        if self._count > MOST_CODES:
            raise self._place.terminal("dsd", f"more than {MOST_CODES} codes")
        self._code = code
        self._codes[self._list][code] = {}

    def _refer_urn(self, parent: str, urn: str) -> None:
        found = _URN.search(urn)
        if found:
            concept = urn.rpartition(".")[2] if parent == "ConceptIdentity" else found["id"]
            self._refer(parent, found["agency"], concept)

    def _refer(self, parent: str, agency: str, identifier: str) -> None:
        if parent == "Enumeration":
            self._component["codelist"] = f"{agency}:{identifier}"
        else:
            self._component.setdefault("concept", identifier)

    def _end_component(self) -> None:
        found, self._component = self._component, {}
        # A component without an id of its own is called as its concept.
        default = {"time": "TIME_PERIOD", "measure": "OBS_VALUE"}.get(found["kind"], "")
        identifier = found.get("id") or found.get("concept") or default
        if not identifier:
            raise self._place.terminal("dsd", "a component has neither id nor concept")
        position = int(found["position"]) if found.get("position", "").isdigit() else 0
        component = Component(identifier, found["kind"], found.get("codelist"))
        self._components.append((position if found["kind"] == "dimension" else 10**6, component))


def _identifier(attributes: Mapping[str, str]) -> str:
    agency, name = attributes.get("agencyID", ""), attributes.get("id", "")
    return f"{agency}:{name}({attributes.get('version', '1.0')})"
