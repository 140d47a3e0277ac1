"""Structure messages in SDMX-ML: data structure, data flow, code lists, concepts."""

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from demo.statistics.codes import (
    AGENCY,
    CODELISTS,
    FLOW,
    FLOW_NAME,
    VERSION,
    Codelist,
    Component,
    Definition,
)

CONCEPTS = "CS_SOCIO_ECONOMIC"
TIME = Component("TIME_PERIOD", ("Kỳ", "Time period"))
MEASURE = Component("OBS_VALUE", ("Trị quan sát", "Observation value"))
_URN = "urn:sdmx:org.sdmx.infomodel"


class StructureWriter:
    """Writes structures in one version of the standard.

    Args:
        version: `2.1` or `3.0`.
    """

    def __init__(self, version: str, definition: Definition) -> None:
        self._new = version == "3.0"
        self._definition = definition
        name = "v3_0" if self._new else "v2_1"
        self._base = f"http://www.sdmx.org/resources/sdmxml/schemas/{name}"
        self._version = f"{VERSION}.0" if self._new else VERSION

    def message(self, kinds: Iterable[str]) -> str:
        """A message with the structures of these kinds.

        Args:
            kinds: Some of `dataflow`, `codelist`, `conceptscheme`, `datastructure`.
        """
        parts = {
            "dataflow": self._dataflows,
            "codelist": self._codelists,
            "conceptscheme": self._concepts,
            "datastructure": self._structures,
        }
        wanted = set(kinds)
        body = "".join(write() for kind, write in parts.items() if kind in wanted)
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<mes:Structure xmlns:mes="{self._base}/message" xmlns:str="{self._base}/structure" '
            f'xmlns:com="{self._base}/common">\n'
            "<mes:Header><mes:ID>STRUCTURE</mes:ID><mes:Test>true</mes:Test>"
            "<mes:Prepared>2025-01-01T00:00:00Z</mes:Prepared>"
            f'<mes:Sender id="{AGENCY}"/></mes:Header>\n'
            f"<mes:Structures>{body}</mes:Structures>\n</mes:Structure>\n"
        )

    def _maintained(self, identifier: str) -> str:
        final = "" if self._new else ' isFinal="true"'
        return f'id="{identifier}" agencyID="{AGENCY}" version="{self._version}"{final}'

    def _names(self, names: tuple[str, str]) -> str:
        return "".join(
            f'<com:Name xml:lang="{language}">{escape(name)}</com:Name>'
            for language, name in zip(("vi", "en"), names, strict=True)
        )

    def _reference(self, package: str, kind: str, identifier: str, item: str = "") -> str:
        """A reference to another structure: elements before 3.0, its URN since."""
        if self._new:
            end = f".{item}" if item else ""
            return f"{_URN}.{package}.{kind}={AGENCY}:{identifier}({self._version}){end}"
        if item:
            return (
                f'<Ref id="{item}" maintainableParentID="{identifier}" agencyID="{AGENCY}" '
                f'maintainableParentVersion="{self._version}" package="{package}" class="{kind}"/>'
            )
        return (
            f'<Ref id="{identifier}" agencyID="{AGENCY}" version="{self._version}" '
            f'package="{package}" class="{kind}"/>'
        )

    def _dataflows(self) -> str:
        structure = self._reference("datastructure", "DataStructure", FLOW)
        return (
            f"<str:Dataflows><str:Dataflow {self._maintained(FLOW)}>{self._names(FLOW_NAME)}"
            f"<str:Structure>{structure}</str:Structure></str:Dataflow></str:Dataflows>\n"
        )

    def _codelists(self) -> str:
        return f"<str:Codelists>{''.join(map(self._codelist, CODELISTS))}</str:Codelists>\n"

    def _codelist(self, codelist: Codelist) -> str:
        codes = "".join(
            f"<str:Code id={quoteattr(code)}>{self._names((vi, en))}</str:Code>\n"
            for code, vi, en in codelist.codes
        )
        start = f"<str:Codelist {self._maintained(codelist.id)}>{self._names(codelist.names)}\n"
        return f"{start}{codes}</str:Codelist>\n"

    def _concepts(self) -> str:
        definition = self._definition
        found = "".join(
            f'<str:Concept id="{each.id}">{self._names(each.names)}</str:Concept>\n'
            for each in (*definition.dimensions, TIME, MEASURE, *definition.attributes)
        )
        names = self._names(("Khái niệm", "Concepts"))
        scheme = f"<str:ConceptScheme {self._maintained(CONCEPTS)}>{names}\n{found}"
        # The element's name is another one before version 3.0.
        outer = "ConceptSchemes" if self._new else "Concepts"
        return f"<str:{outer}>{scheme}</str:ConceptScheme></str:{outer}>\n"

    def _structures(self) -> str:
        definition = self._definition
        dimensions = "".join(
            self._component("Dimension", each, f' position="{position}"')
            for position, each in enumerate(definition.dimensions, 1)
        )
        position = "" if self._new else f' position="{len(definition.dimensions) + 1}"'
        time = self._component("TimeDimension", TIME, position)
        attributes = "".join(map(self._attribute, definition.attributes))
        measure = self._component("Measure" if self._new else "PrimaryMeasure", MEASURE)
        return (
            f"<str:DataStructures><str:DataStructure {self._maintained(FLOW)}>"
            f"{self._names(FLOW_NAME)}<str:DataStructureComponents>\n"
            f'<str:DimensionList id="DimensionDescriptor">{dimensions}{time}</str:DimensionList>\n'
            f'<str:AttributeList id="AttributeDescriptor">{attributes}</str:AttributeList>\n'
            f'<str:MeasureList id="MeasureDescriptor">{measure}</str:MeasureList>\n'
            "</str:DataStructureComponents></str:DataStructure></str:DataStructures>\n"
        )

    def _attribute(self, component: Component) -> str:
        if self._new:
            return self._component("Attribute", component, after="<str:Observation/>")
        reference = '<str:PrimaryMeasure><Ref id="OBS_VALUE"/></str:PrimaryMeasure>'
        return self._component(
            "Attribute", component, ' assignmentStatus="Conditional"', after=reference
        )

    def _component(
        self, element: str, component: Component, further: str = "", after: str = ""
    ) -> str:
        concept = self._reference("conceptscheme", "Concept", CONCEPTS, component.id)
        identity = f"<str:ConceptIdentity>{concept}</str:ConceptIdentity>"
        if component.codelist:
            codes = self._reference("codelist", "Codelist", component.codelist)
            local = f"<str:Enumeration>{codes}</str:Enumeration>"
        else:
            kind = "ObservationalTimePeriod" if element == "TimeDimension" else "String"
            local = f'<str:TextFormat textType="{kind}"/>'
        held = f"<str:LocalRepresentation>{local}</str:LocalRepresentation>"
        relation = f"<str:AttributeRelationship>{after}</str:AttributeRelationship>"
        return (
            f'<str:{element} id="{component.id}"{further}>{identity}{held}'
            f"{relation if after else ''}</str:{element}>\n"
        )
