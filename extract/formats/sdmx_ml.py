"""SDMX-ML data messages: generic and structure-specific, by series or flat, 2.1 and 3.0.

Source: SDMX 2.1 and 3.0 technical standards, section 3 (SDMX-ML).
"""

import re
from collections.abc import Iterator

from extract.content import Content
from extract.errors import Place
from extract.formats.base import Parsed
from extract.formats.sdmx_columns import ACTIONS, Observations
from extract.formats.sdmx_xml import read_xml
from extract.schema import RawSchema, listed

_GENERIC = frozenset({"GenericData", "GenericTimeSeriesData"})
_SPECIFIC = frozenset({"StructureSpecificData", "StructureSpecificTimeSeriesData"})
_URN = re.compile(r"=([^:=]+:[^(:]+\([^)]+\))")
# What a data set says of itself; its other attributes are components.
_OF_DATA_SET = frozenset(
    {
        "action",
        "dataScope",
        "publicationPeriod",
        "publicationYear",
        "reportingBeginDate",
        "reportingEndDate",
        "setID",
        "structureRef",
        "validFromDate",
        "validToDate",
    }
)
MOST_GROUPS = 200_000
Values = dict[str, str]


class SdmxMlFormat:
    """Reads the observations of a data message as they come."""

    def __init__(self, dimensions: tuple[str, ...], schema: RawSchema) -> None:
        self._dimensions = dimensions
        self._schema = schema

    def read(self, content: Content) -> Iterator[Parsed]:
        """The observations in stretches of bounded length.

        Raises:
            TerminalError: rule `empty`, `damaged`, `xml`, `sdmx_ml`, `dsd_changed` or
                `undeclared_column`.
        """
        observations = Observations(self._schema)
        events = _DataEvents(observations, self._dimensions, content.place)
        for _ in read_xml(content, events):
            if observations.is_full:
                yield self._take(observations, content.place)
        if not observations.is_empty:
            yield self._take(observations, content.place)

    def _take(self, observations: Observations, place: Place) -> Parsed:
        parsed = observations.take()
        self._schema.check_undeclared(parsed.undeclared, place)
        return parsed


class _DataEvents:
    """Puts data set, group, series and observation together."""

    def __init__(
        self, observations: Observations, dimensions: tuple[str, ...], place: Place
    ) -> None:
        self._observations = observations
        self._dimensions = dimensions
        self._place = place
        self._path: list[str] = []
        self._is_generic = False
        self._structures: dict[str, str] = {}
        self._structure = ""
        self._time_at = "TIME_PERIOD"
        self._groups: dict[tuple[str, ...], dict[tuple[str | None, ...], Values]] = {}
        self._group_count = 0
        self._of_set: Values = {}
        self._key: Values = {}
        self._attributes: Values = {}
        self._of_series: Values = {}
        self._observation: Values = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._path:
            self._check_root(name)
        self._path.append(name)
        if name == "Value":
            self._value(attributes)
        elif name == "Obs":
            self._observation = {} if self._is_generic else _plain(attributes)
        elif name in ("Series", "Group", "DataSet"):
            self._begin(name, attributes)
        elif self._is_generic and name in ("ObsDimension", "ObsValue"):
            identifier = self._time_at if name == "ObsDimension" else "OBS_VALUE"
            self._put(self._observation, attributes, identifier)
        elif name == "Comp":
            message = "values of several parts (Comp) are not read"
            raise self._place.terminal("sdmx_ml", message)
        elif name in ("Structure", "Ref", "DataSetAction"):
            self._header(name, attributes)

    def end(self, name: str, text: str) -> None:
        self._path.pop()
        if name == "Obs":
            self._end_observation()
        elif name == "Group" and self._is_generic:
            self._add_group(self._key, self._attributes)
        elif name == "Series":
            self._of_series = {}
        elif name == "SeriesKey":
            self._check_key()
        elif name in ("URN", "StructureUsage", "Structure") and text and self._in_header:
            found = _URN.search(text)
            if found:
                self._structures[self._structure] = found[1]
        elif name == "DataSetAction":
            self._observations.action = self._action(text)

    @property
    def _in_header(self) -> bool:
        return len(self._path) > 1 and self._path[1] == "Header"

    def _check_root(self, name: str) -> None:
        if name not in _GENERIC | _SPECIFIC:
            raise self._place.terminal("sdmx_ml", f"{name} is no SDMX data message")
        self._is_generic = name in _GENERIC

    def _header(self, name: str, attributes: Values) -> None:
        if not self._in_header:
            return
        if name == "Structure" and "structureID" in attributes:
            self._structure = attributes["structureID"]
            self._time_at = attributes.get("dimensionAtObservation", self._time_at)
        elif name == "Ref" and "id" in attributes:
            version = attributes.get("version", "1.0")
            identifier = f"{attributes.get('agencyID', '')}:{attributes['id']}({version})"
            self._structures[self._structure] = identifier

    def _begin(self, name: str, attributes: Values) -> None:
        if name == "DataSet":
            own = {each.rpartition("}")[2]: value for each, value in attributes.items()}
            reference = own.get("structureRef", self._structure)
            self._observations.structure_id = self._structures.get(reference)
            if "action" in own:
                self._observations.action = self._action(own["action"])
            self._of_set = {} if self._is_generic else _components(attributes)
            self._groups, self._group_count = {}, 0
        elif self._is_generic:
            self._key, self._attributes = {}, {}
            self._of_series = {}
        elif name == "Series":
            self._of_series = self._with_groups(_plain(attributes))
        else:
            values = _plain(attributes)
            key = {each: values.pop(each) for each in self._dimensions if each in values}
            self._add_group(key, values)

    def _value(self, attributes: Values) -> None:
        """A value of a generic message, put where its parents say it belongs."""
        parent, owner = self._path[-2], self._path[-3] if len(self._path) > 2 else ""
        if owner == "Obs" or parent == "ObsKey":
            self._put(self._observation, attributes)
        elif parent in ("SeriesKey", "GroupKey"):
            self._put(self._key, attributes)
        elif owner == "DataSet":
            self._put(self._of_set, attributes)
        elif owner in ("Series", "Group"):
            self._put(self._attributes, attributes)
            if owner == "Series":
                self._put(self._of_series, attributes)

    def _put(self, target: Values, attributes: Values, default: str = "") -> None:
        identifier = attributes.get("id", default)
        if identifier and "value" in attributes:
            target[identifier] = attributes["value"]

    def _check_key(self) -> None:
        """A series key names the dimensions, also where no structure was sent."""
        expected = {*self._dimensions, "TIME_PERIOD"} - {self._time_at}
        if set(self._key) != expected:
            added = sorted(set(self._key) - expected)
            missing = sorted(expected - set(self._key))
            parts = [f"further dimensions {listed(added)}"] if added else []
            parts += [f"missing dimensions {listed(missing)}"] if missing else []
            message = f"a series key has {' and '.join(parts)}"
            raise self._place.terminal("dsd_changed", message)
        self._of_series = {**self._with_groups(self._key), **self._of_series}

    def _with_groups(self, values: Values) -> Values:
        """The values with the attributes of every group that they belong to before them."""
        found: Values = {}
        for names, members in self._groups.items():
            found.update(members.get(tuple(values.get(name) for name in names), {}))
        return {**found, **values}

    def _add_group(self, key: Values, attributes: Values) -> None:
        self._group_count += 1
        if self._group_count > MOST_GROUPS:
            raise self._place.terminal("sdmx_ml", f"more than {MOST_GROUPS} groups")
        names = tuple(sorted(key))
        members = self._groups.setdefault(names, {})
        members.setdefault(tuple(key[name] for name in names), {}).update(attributes)

    def _end_observation(self) -> None:
        values = {**self._of_series, **self._observation}
        if not self._of_series:
            values = self._with_groups(values)
        self._observations.add({**self._of_set, **values})

    def _action(self, text: str) -> str:
        letter = ACTIONS.get(text)
        if letter is None:
            raise self._place.terminal("sdmx_ml", "a data set has an unknown action")
        return letter


def _plain(attributes: Values) -> Values:
    """The attributes without a namespace: components of a structure-specific message."""
    return {name: value for name, value in attributes.items() if "}" not in name}


def _components(attributes: Values) -> Values:
    return {name: value for name, value in _plain(attributes).items() if name not in _OF_DATA_SET}
