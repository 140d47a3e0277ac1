"""SDMX messages written by hand, as the standard's examples show them."""

MESSAGE = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"
COMMON = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common"
GENERIC = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic"
SPECIFIC = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/structurespecific"
STRUCTURE = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/structure"

NAMESPACES = (
    f'xmlns:mes="{MESSAGE}" xmlns:com="{COMMON}" xmlns:gen="{GENERIC}" '
    f'xmlns:ss="{SPECIFIC}" xmlns:str="{STRUCTURE}"'
)
HEADER = (
    "<mes:Header><mes:ID>1</mes:ID><mes:Sender id='X'/>"
    "<mes:Structure structureID='S1' dimensionAtObservation='TIME_PERIOD'>"
    "<com:Structure><Ref agencyID='X' id='LFS' version='1.0'/></com:Structure>"
    "</mes:Structure></mes:Header>"
)
SERIES = """
<gen:Series><gen:SeriesKey><gen:Value id="FREQ" value="M"/><gen:Value id="REF_AREA" value="490"/>
</gen:SeriesKey><gen:Attributes><gen:Value id="UNIT" value="PS"/></gen:Attributes>
<gen:Obs><gen:ObsDimension value="2025-01"/><gen:ObsValue value="12.5"/>
<gen:Attributes><gen:Value id="OBS_STATUS" value="A"/></gen:Attributes></gen:Obs>
<gen:Obs><gen:ObsDimension value="2025-02"/></gen:Obs></gen:Series>
"""


def generic(body: str = SERIES, action: str = "Replace") -> bytes:
    """A generic data message."""
    return (
        f'<?xml version="1.0"?><mes:GenericData {NAMESPACES}>{HEADER}'
        f'<mes:DataSet action="{action}" structureRef="S1">{body}</mes:DataSet></mes:GenericData>'
    ).encode()


def specific(body: str) -> bytes:
    """A structure-specific data message."""
    return (
        f'<?xml version="1.0"?><mes:StructureSpecificData {NAMESPACES}>{HEADER}'
        f'<mes:DataSet ss:action="Replace" ss:structureRef="S1" SOURCE="census">{body}'
        "</mes:DataSet></mes:StructureSpecificData>"
    ).encode()


def structure(
    dimensions: tuple[str, ...] = ("FREQ", "REF_AREA"),
    attributes: tuple[str, ...] = ("UNIT", "OBS_STATUS"),
) -> bytes:
    """A structure message in which REF_AREA has a code list of 490 and 491."""
    enumeration = (
        '<str:LocalRepresentation><str:Enumeration><Ref agencyID="X" id="CL_AREA"/>'
        "</str:Enumeration></str:LocalRepresentation>"
    )
    listed = "".join(
        f'<str:Dimension id="{name}" position="{position}">'
        f"{enumeration if name == 'REF_AREA' else ''}</str:Dimension>"
        for position, name in enumerate(dimensions, 1)
    )
    further = "".join(f'<str:Attribute id="{name}"/>' for name in attributes)
    return (
        f'<?xml version="1.0"?><mes:Structure {NAMESPACES}><mes:Structures>'
        '<str:Codelists><str:Codelist id="CL_AREA" agencyID="X">'
        '<str:Code id="490"><com:Name xml:lang="vi">Liên Chiểu</com:Name></str:Code>'
        '<str:Code id="491"><com:Name xml:lang="vi">Thanh Khê</com:Name></str:Code>'
        "</str:Codelist></str:Codelists>"
        '<str:DataStructures><str:DataStructure agencyID="X" id="LFS" version="1.0">'
        "<str:DataStructureComponents>"
        f'<str:DimensionList>{listed}<str:TimeDimension id="TIME_PERIOD"/></str:DimensionList>'
        f"<str:AttributeList>{further}</str:AttributeList>"
        '<str:MeasureList><str:PrimaryMeasure id="OBS_VALUE"/></str:MeasureList>'
        "</str:DataStructureComponents></str:DataStructure></str:DataStructures>"
        "</mes:Structures></mes:Structure>"
    ).encode()
