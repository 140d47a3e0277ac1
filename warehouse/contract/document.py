"""YAML read with the line of every value."""

import hashlib
import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from warehouse.contract.problem import ContractError, Problem

Location = tuple[str | int, ...]


class _Loader(yaml.CSafeLoader):
    """Plain scalars of the YAML 1.2 core schema.

    YAML 1.1 reads `no` as false, `012` as 10, `1:30` as 90 and `2025-07-05` as a date object; a
    code list must not change under its author's hand.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - set by PyYAML's own class method


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""]
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:0|[1-9][0-9]*)\.[0-9]+$"),
    list("-+0123456789"),
)

_TEXT = "tag:yaml.org,2002:str"


@dataclass(frozen=True)
class Document:
    """A YAML file as plain values.

    Attributes:
        data: Dicts, lists and scalars; dates stay text.
        lines: Line (from 1) of the value at each location: of the key for a dict's entry, of
            the value for a list's item.
        digest: SHA-256 hex digest of the file's bytes.
    """

    path: Path
    data: Any
    lines: dict[Location, int] = field(default_factory=dict)
    digest: str = ""

    def line(self, location: Iterable[str | int]) -> int:
        """The line of a location, or of its nearest enclosing value."""
        place = tuple(location)
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def problem(self, location: Iterable[str | int], rule: str, message: str) -> Problem:
        """A problem at a location of this file."""
        return Problem(self.path, self.line(location), rule, message)


class _Builder:
    """Turns composed nodes into values, keeping lines and problems."""

    def __init__(self, path: Path, loader: _Loader) -> None:
        self.path = path
        self.loader = loader
        self.lines: dict[Location, int] = {}
        self.problems: list[Problem] = []
        self.seen: set[int] = set()

    def build(self, node: yaml.Node, location: Location) -> Any:
        """The value of a node; a repeated node (an alias) is refused."""
        self.lines.setdefault(location, node.start_mark.line + 1)
        if id(node) in self.seen:
            self._refuse(node, "yaml.alias", "an alias hides what a file says: write the value")
            return None
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*location, i)) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[Hashable, Any]:
        values: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, "yaml.key", "a key must be plain text")
                continue
            key = key_node.value
            if key in values:
                self._refuse(key_node, "yaml.duplicate_key", f"key {key!r} stands here twice")
                continue
            self.lines[(*location, key)] = key_node.start_mark.line + 1
            values[key] = self.build(value_node, (*location, key))
        return values

    def _scalar(self, node: yaml.Node) -> Any:
        if node.tag == _TEXT:
            return node.value
        try:
            return self.loader.construct_object(node)
        except (yaml.YAMLError, ValueError):
            self._refuse(node, "yaml.value", "the value cannot be read")
            return None

    def _refuse(self, node: yaml.Node, rule: str, message: str) -> None:
        self.problems.append(Problem(self.path, node.start_mark.line + 1, rule, message))


def read_document(path: Path) -> Document:
    """Read a YAML file.

    Returns:
        Its values, the line of each and the digest of its bytes.

    Raises:
        ContractError: when the file is missing, no UTF-8, no YAML, empty, or has a key twice.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise ContractError([Problem(path, 1, "file.read", reason)]) from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ContractError([Problem(path, line, "file.encoding", "is not UTF-8")]) from error
    return _parse(path, text, hashlib.sha256(content).hexdigest())


def _parse(path: Path, text: str, digest: str) -> Document:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = Problem(path, line, "yaml.syntax", str(error.problem or "is not YAML"))
        raise ContractError([problem]) from error
    except yaml.YAMLError as error:
        raise ContractError([Problem(path, 1, "yaml.syntax", "is not YAML")]) from error
    if node is None:
        raise ContractError([Problem(path, 1, "yaml.empty", "the file is empty")])
    builder = _Builder(path, loader)
    data = builder.build(node, ())
    if builder.problems:
        raise ContractError(builder.problems)
    return Document(path, data, builder.lines, digest)
