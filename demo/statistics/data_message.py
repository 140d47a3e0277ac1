"""Data messages: SDMX-CSV 1.0 and 2.0, SDMX-ML structure-specific 2.1 and 3.0, generic 2.1."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from xml.sax.saxutils import quoteattr

from demo.statistics.codes import AGENCY, FLOW, VERSION, Definition
from demo.statistics.feed import Shown

Writer = Callable[[Definition, list[Shown]], str]
_V21 = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1"
_V30 = "http://www.sdmx.org/resources/sdmxml/schemas/v3_0"
_ACTIONS = {"I": "Replace", "D": "Delete"}


def csv_1(definition: Definition, shown: list[Shown]) -> str:
    """SDMX-CSV 1.0; it has no actions: what was withdrawn is left out."""
    flow = f"{AGENCY}:{FLOW}({VERSION})"
    kept = [[flow, *_values(definition, each)] for each in shown if each.action == "I"]
    return _csv(["DATAFLOW", *definition.columns], kept)


def csv_2(definition: Definition, shown: list[Shown]) -> str:
    """SDMX-CSV 2.0."""
    flow = f"{AGENCY}:{FLOW}({VERSION}.0)"
    rows = [["dataflow", flow, each.action, *_values(definition, each)] for each in shown]
    return _csv(["STRUCTURE", "STRUCTURE_ID", "ACTION", *definition.columns], rows)


def specific_21(definition: Definition, shown: list[Shown]) -> str:
    """SDMX-ML 2.1, structure-specific, flat."""
    urn = f"urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure={AGENCY}:{FLOW}({VERSION})"
    space = f"{urn}:ObsLevelDim:AllDimensions"
    reference = f'<com:Structure><Ref agencyID="{AGENCY}" id="{FLOW}" version="{VERSION}"/>'
    return _specific(
        definition,
        shown,
        _V21,
        f"{reference}</com:Structure>",
        space,
        f' xmlns:ns1="{space}" ss:dataScope="DataStructure" xsi:type="ns1:DataSetType"',
    )


def specific_30(definition: Definition, shown: list[Shown]) -> str:
    """SDMX-ML 3.0, structure-specific, flat."""
    urn = f"urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow={AGENCY}:{FLOW}({VERSION}.0)"
    reference = f"<com:StructureUsage>{urn}</com:StructureUsage>"
    return _specific(definition, shown, _V30, reference, f"{urn}:ObsLevelDim:AllDimensions", "")


def generic_21(definition: Definition, shown: list[Shown]) -> str:
    """SDMX-ML 2.1, generic, by series."""
    dimensions = [each.id for each in definition.dimensions]
    attributes = [each.id for each in definition.attributes]
    sets = []
    for action, members in groupby(sorted(shown, key=_action), key=_action):
        series = []
        ordered = sorted(members, key=lambda each: _key(dimensions, each))
        for key, observations in groupby(ordered, key=lambda each: _key(dimensions, each)):
            found = "".join(
                f"<gen:Obs><gen:ObsDimension value={quoteattr(each.record['TIME_PERIOD'])}/>"
                f"{_generic_value(each)}<gen:Attributes>"
                f"{_pairs(attributes, each.record)}</gen:Attributes></gen:Obs>\n"
                for each in observations
            )
            named = _pairs(dimensions, dict(zip(dimensions, key, strict=True)))
            series.append(
                f"<gen:Series><gen:SeriesKey>{named}</gen:SeriesKey>{found}</gen:Series>\n"
            )
        sets.append(
            f'<mes:DataSet structureRef="S1" action="{_ACTIONS[action]}">'
            f"{''.join(series)}</mes:DataSet>\n"
        )
    reference = f'<com:Structure><Ref agencyID="{AGENCY}" id="{FLOW}" version="{VERSION}"/>'
    header = _header(f"{reference}</com:Structure>", 'dimensionAtObservation="TIME_PERIOD"')
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<mes:GenericData xmlns:mes="{_V21}/message" xmlns:com="{_V21}/common" '
        f'xmlns:gen="{_V21}/data/generic">\n{header}{"".join(sets)}</mes:GenericData>\n'
    )


# Media type without its version, then the version of the standard: how to write it.
WRITERS: Mapping[tuple[str, str], Writer] = {
    ("application/vnd.sdmx.data+csv", "2.1"): csv_1,
    ("application/vnd.sdmx.data+csv", "3.0"): csv_2,
    ("application/vnd.sdmx.structurespecificdata+xml", "2.1"): specific_21,
    ("application/vnd.sdmx.genericdata+xml", "2.1"): generic_21,
    ("application/vnd.sdmx.data+xml", "3.0"): specific_30,
}


def _values(definition: Definition, shown: Shown) -> list[str]:
    return [shown.record.get(name, "") for name in definition.columns]


def _csv(header: list[str], rows: Iterable[list[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _specific(
    definition: Definition,
    shown: list[Shown],
    base: str,
    reference: str,
    namespace: str,
    of_set: str,
) -> str:
    sets = []
    for action, members in groupby(sorted(shown, key=_action), key=_action):
        observations = "".join(
            f"<Obs {_attributes(definition.columns, each.record)}/>\n" for each in members
        )
        sets.append(
            f'<mes:DataSet ss:structureRef="S1" ss:action="{_ACTIONS[action]}"{of_set}>\n'
            f"{observations}</mes:DataSet>\n"
        )
    at = f'namespace="{namespace}" dimensionAtObservation="AllDimensions"'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<mes:StructureSpecificData xmlns:mes="{base}/message" xmlns:com="{base}/common" '
        f'xmlns:ss="{base}/data/structurespecific" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
        f"{_header(reference, at)}{''.join(sets)}</mes:StructureSpecificData>\n"
    )


def _header(reference: str, at: str) -> str:
    return (
        "<mes:Header><mes:ID>DATA</mes:ID><mes:Test>true</mes:Test>"
        "<mes:Prepared>2025-01-01T00:00:00Z</mes:Prepared>"
        f'<mes:Sender id="{AGENCY}"/>'
        f'<mes:Structure structureID="S1" {at}>{reference}</mes:Structure></mes:Header>\n'
    )


def _attributes(names: list[str], record: Mapping[str, str]) -> str:
    return " ".join(f"{name}={quoteattr(record[name])}" for name in names if record.get(name))


def _pairs(names: list[str], record: Mapping[str, str]) -> str:
    return "".join(
        f'<gen:Value id="{name}" value={quoteattr(record[name])}/>'
        for name in names
        if record.get(name)
    )


def _generic_value(shown: Shown) -> str:
    value = shown.record.get("OBS_VALUE")
    return f"<gen:ObsValue value={quoteattr(value)}/>" if value else ""


def _key(dimensions: list[str], shown: Shown) -> tuple[str, ...]:
    return tuple(shown.record.get(name, "") for name in dimensions)


def _action(shown: Shown) -> str:
    return shown.action
