"""XML read as it comes: no document type, no entities, memory bounded by a chunk and a tag."""

from collections.abc import Iterator
from typing import Protocol
from xml.parsers import expat  # noqa: S407 - document types are refused before any entity exists

from extract.content import Content
from extract.errors import Place
from extract.raw import CHUNK

# A tag, text or comment that has not ended after this many bytes is refused.
LONGEST_PART = 4 << 20
DEEPEST = 64


class Events(Protocol):
    """What is told of a document; names come without their namespace."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; attributes of a namespace are named `{uri}name`."""

    def end(self, name: str, text: str) -> None:
        """An element ends; `text` is what stood in it after its last inner element."""


class _Refused(Exception):
    """The document holds what is not read."""


def read_xml(content: Content, events: Events) -> Iterator[None]:
    """Tell the events of a document, with a pause after each chunk.

    Raises:
        TerminalError: rule `empty`, `damaged` or `xml` (with line and column), and whatever the
            events raise.
    """
    place = content.place
    reader = _Reader(events)
    stream = content.open()
    fed = 0
    try:
        while chunk := stream.read(CHUNK):
            reader.parser.Parse(chunk, False)
            fed += len(chunk)
            if fed - max(reader.parser.CurrentByteIndex, 0) > LONGEST_PART:
                raise _Refused(f"one tag or text is longer than {LONGEST_PART >> 20} MiB")
            yield
        if fed == 0:
            raise place.terminal("empty", "the object holds no data")
        reader.parser.Parse(b"", True)
        yield
    except expat.ExpatError as error:
        raise place.terminal("xml", _told(error, place)) from error
    except _Refused as error:
        line = reader.parser.CurrentLineNumber
        raise place.terminal("xml", f"{error} (line {line})") from error


class _Reader:
    """Hands what the parser finds to the events."""

    def __init__(self, events: Events) -> None:
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self._events = events
        self._text: list[str] = []
        self._held = 0
        self._depth = 0

    def _doctype(self, *_: object) -> None:
        raise _Refused("a document type with its entities is not read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _Refused(f"elements lie more than {DEEPEST} deep")
        self._clear()
        self._events.start(name.rpartition("}")[2], attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        text = "".join(self._text).strip()
        self._clear()
        self._events.end(name.rpartition("}")[2], text)

    def _characters(self, text: str) -> None:
        self._held += len(text)
        if self._held > LONGEST_PART:
            raise _Refused(f"one text is longer than {LONGEST_PART >> 20} MiB")
        self._text.append(text)

    def _clear(self) -> None:
        self._text.clear()
        self._held = 0


def _told(error: expat.ExpatError, place: Place) -> str:
    what = expat.errors.messages.get(error.code, "the document is not well formed")
    return f"no well-formed XML at line {error.lineno} column {error.offset + 1}: {what}"
