"""SDMX-JSON data messages, 1.0 and 2.0, by series or flat.

Source: SDMX-JSON data message formats 1.0 and 2.0 (github.com/sdmx-twg/sdmx-json). Values are
indices into lists of the structure; numbers keep their text.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from extract.content import Content, UndecodableError
from extract.errors import Place
from extract.formats.base import Parsed, wrong_encoding
from extract.formats.sdmx_columns import ACTIONS, Observations
from extract.schema import RawSchema

MEGABYTE = 1 << 20
MOST_MEGABYTES = 64
Node = Mapping[str, Any]


class SdmxJsonFormat:
    """Reads a data message as a whole; memory is bounded by the longest message taken."""

    def __init__(self, schema: RawSchema) -> None:
        self._schema = schema

    def read(self, content: Content) -> Iterator[Parsed]:
        """The observations in stretches of bounded length.

        Raises:
            TerminalError: rule `empty`, `encoding`, `damaged`, `page_size`, `json` (with line and
                column), `sdmx_json` or `undeclared_column`.
        """
        observations = Observations(self._schema)
        try:
            for structure, data_set in _data_sets(_message(content), content.place):
                for each in _DataSet(structure, data_set, content.place).observations(observations):
                    observations.add(each)
                    if observations.is_full:
                        yield self._take(observations, content.place)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            message = f"the message is not built as SDMX-JSON says ({type(error).__name__})"
            raise content.place.terminal("sdmx_json", message) from error
        if not observations.is_empty:
            yield self._take(observations, content.place)

    def _take(self, observations: Observations, place: Place) -> Parsed:
        parsed = observations.take()
        self._schema.check_undeclared(parsed.undeclared, place)
        return parsed


class _DataSet:
    """One data set with the lists that its indices point to."""

    def __init__(self, structure: Node, data_set: Node, place: Place) -> None:
        self._structure = structure
        self._data_set = data_set
        dimensions, attributes = structure["dimensions"], structure.get("attributes", {})
        self._dimensions = {level: _components(dimensions, level) for level in _LEVELS}
        self._attributes = {level: _components(attributes, level) for level in _LEVELS}
        if any(attributes.get("dimensionGroup", ())):
            raise place.terminal("sdmx_json", "attributes of dimension groups are not read")
        measures = structure.get("measures", {}).get("observation") or [{"id": "OBS_VALUE"}]
        self._measures = [each["id"] for each in measures]

    def observations(self, target: Observations) -> Iterator[dict[str, str]]:
        """The observations; says before to the target what they belong to."""
        target.structure_id = _structure_id(self._structure)
        target.action = ACTIONS.get(self._data_set.get("action", "Information"), "I")
        # A dimension of the data set as a whole has one value, which no index names.
        common = {each["id"]: _text(each, 0) for each in self._dimensions["dataSet"]}
        common |= self._named("dataSet", self._data_set.get("attributes", ()))
        yield from self._observed(self._data_set, common)
        for key, series in self._data_set.get("series", {}).items():
            of_series = {**common, **self._keyed("series", key)}
            of_series |= self._named("series", series.get("attributes", ()))
            yield from self._observed(series, of_series)

    def _observed(self, node: Node, common: dict[str, str]) -> Iterator[dict[str, str]]:
        count = len(self._measures)
        for key, values in node.get("observations", {}).items():
            found = {**common, **self._keyed("observation", key)}
            for name, value in zip(self._measures, values, strict=False):
                if value is not None:
                    found[name] = str(value)
            yield found | self._named("observation", values[count:])

    def _keyed(self, level: str, key: str) -> dict[str, str]:
        components = self._dimensions[level]
        indices = [int(each) for each in key.split(":")]
        return {
            each["id"]: _text(each, index) for each, index in zip(components, indices, strict=True)
        }

    def _named(self, level: str, indices: Sequence[Any]) -> dict[str, str]:
        found = {}
        for each, index in zip(self._attributes[level], indices, strict=False):
            if index is not None:
                found[each["id"]] = _text(each, index)
        return found


_LEVELS = ("dataSet", "series", "observation")


def _components(node: Node, level: str) -> list[Node]:
    return list(node.get(level, ()))


def _text(component: Node, index: Any) -> str:
    """The value at an index: its code, or the text of a component without codes."""
    if not component.get("values"):
        return str(index)
    position = int(index)
    if position < 0:
        raise IndexError
    value = component["values"][position]
    return str(value.get("id", value.get("value", value.get("name", ""))))


def _structure_id(structure: Node) -> str | None:
    """`AGENCY:ID(VERSION)` from the link to the data flow or data structure, or None."""
    for link in structure.get("links", ()):
        urn = str(link.get("urn", "")).partition("=")[2]
        if urn:
            return urn
        if link.get("rel") in ("dataflow", "datastructure") and "href" in link:
            agency, name, version = str(link["href"]).rstrip("/").split("/")[-3:]
            return f"{agency}:{name}({version})"
    return None


def _data_sets(message: Any, place: Place) -> Iterator[tuple[Node, Node]]:
    """Each data set with its structure, in either version."""
    if not isinstance(message, dict):
        raise place.terminal("sdmx_json", "the message is no object")
    data = message.get("data", message)
    if "dataSets" not in data:
        raise place.terminal("sdmx_json", "the message holds no data sets")
    structures = data.get("structures") or [data["structure"]]
    for data_set in data["dataSets"]:
        yield structures[int(data_set.get("structure", 0))], data_set


def _message(content: Content) -> Any:
    try:
        text = content.text("utf-8").read(MOST_MEGABYTES * MEGABYTE + 1)
    except UndecodableError as error:
        raise wrong_encoding(content, "utf-8", error.offset) from error
    if len(text) > MOST_MEGABYTES * MEGABYTE:
        message = f"the message is longer than {MOST_MEGABYTES} MiB"
        raise content.place.terminal("page_size", message)
    try:
        return json.loads(text, parse_float=str, parse_int=str)
    except (json.JSONDecodeError, RecursionError) as error:
        where = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        message = f"invalid JSON at line {where[0]} column {where[1]}"
        raise content.place.terminal("json", message) from None
