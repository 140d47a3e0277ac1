"""The content of a raw object: unpacked and, for text formats, as checked UTF-8."""

import codecs
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa
import zstandard
from isal import igzip, isal_zlib

from extract.errors import Place
from extract.raw import CHUNK, STORED, RawObject, RawStore

GZIP_MAGIC = b"\x1f\x8b"
UTF8_NAMES = frozenset({"utf-8", "utf-8-sig"})
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ISAL_ERROR: type[Exception] = vars(isal_zlib)["error"]
_gunzip: Callable[[BinaryIO], "Readable"] = igzip.open
UNPACK_ERRORS: tuple[type[Exception], ...] = (
    EOFError,
    OSError,
    zlib.error,
    ISAL_ERROR,
    zstandard.ZstdError,
)


class Readable(Protocol):
    """Anything with a binary `read`."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, empty at the end."""


class Content:
    """A raw object's bytes without their gzip wrapping.

    Attributes:
        place: Names source and raw object in errors.
        raw: The raw object.
    """

    def __init__(self, store: RawStore, raw: RawObject, source: str) -> None:
        self.raw = raw
        self.place = Place(source, raw.name, raw.page)
        self._store = store

    @property
    def scratch(self) -> Path:
        """Folder for temporary files of restricted content."""
        return self._store.scratch

    @property
    def stored_as_came(self) -> bool:
        """Whether the stored file itself is the unpacked content."""
        with self.raw.path.open("rb") as stream:
            return self.raw.path.suffix == STORED and not _starts_with(stream, GZIP_MAGIC)

    def open(self) -> "UnpackedStream":
        """A new stream from the first byte."""
        return UnpackedStream(self._bytes(), self.place)

    def text(self, encoding: str) -> "TextStream":
        """A new stream of the content as UTF-8 without a byte-order mark.

        Raises:
            TerminalError: rule `empty`, when the raw object holds no byte.
        """
        return TextStream(self.open(), encoding, self.place)

    def line_of(self, encoding: str, offset: int) -> int:
        """Number, from 1, of the line of text that holds a byte, counted from the start."""
        newline = "\n".encode(encoding if encoding != "utf-16" else "utf-16-le")
        stream, line, left = self.open(), 1, offset
        while left > 0 and (chunk := stream.read(min(CHUNK, left))):
            line += chunk.count(newline)
            left -= len(chunk)
        return line

    def _bytes(self) -> BinaryIO:
        if self.raw.content is not None:
            return io.BytesIO(self.raw.content)
        return self._store.open(self.raw.digest)


class UnpackedStream:
    """Bytes of a raw object, unzipped when they start with the gzip magic."""

    def __init__(self, stream: BinaryIO, place: Place) -> None:
        self._place = place
        zipped = _starts_with(stream, GZIP_MAGIC)
        self._stream: Readable = _gunzip(stream) if zipped else stream

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, empty at the end.

        Raises:
            TerminalError: rule `damaged`, when a compressed object is cut or broken.
        """
        try:
            return self._stream.read(size)
        except UNPACK_ERRORS as error:
            message = f"the compressed content is cut or damaged ({type(error).__name__})"
            raise self._place.terminal("damaged", message) from error


class UndecodableError(Exception):
    """Bytes that are no text in the declared encoding; `offset` is counted from the start."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class TextStream:
    """A content stream as UTF-8 bytes, checked or recoded on the way.

    Attributes:
        encoding: The encoding in use, after detection.
    """

    closed = False

    def __init__(self, stream: Readable, encoding: str, place: Place) -> None:
        self._stream = stream
        self._place = place
        self._offset = 0
        self._ended = False
        head = _fill(stream, 4)
        if not head:
            raise place.terminal("empty", "the object holds no data")
        self.encoding = _detected(encoding, head, place)
        self._decode = self._decoder()
        self._buffer = self._decode(head)

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes of UTF-8 (all without a size), empty at the end.

        Raises:
            UndecodableError: when the bytes are no text in the declared encoding.
        """
        parts, held = [self._buffer], len(self._buffer)
        while not self._ended and (size < 0 or held < size):
            part = self._next()
            parts.append(part)
            held += len(part)
        joined = b"".join(parts)
        end = held if size < 0 else size
        self._buffer = joined[end:]
        return joined[:end]

    def readline(self) -> bytes:
        r"""The next line with its `\n`, empty at the end."""
        while (end := self._buffer.find(b"\n")) < 0 and not self._ended:
            self._buffer += self._next()
        cut = end + 1 if end >= 0 else len(self._buffer)
        line, self._buffer = self._buffer[:cut], self._buffer[cut:]
        return line

    def at_end(self) -> bool:
        """Whether nothing but blank lines is left."""
        while not self._ended and not self._buffer.strip(b"\r\n"):
            self._buffer = self._next()
        return not self._buffer.strip(b"\r\n")

    def _next(self) -> bytes:
        chunk = self._stream.read(CHUNK)
        self._ended = not chunk
        return self._decode(chunk)

    def _decoder(self) -> Callable[[bytes], bytes]:
        if self.encoding in UTF8_NAMES:
            return _Utf8(self.encoding == "utf-8-sig").check
        decoder = codecs.getincrementaldecoder(self.encoding)()

        def recode(chunk: bytes) -> bytes:
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                raise UndecodableError(self._offset - pending + error.start) from error
            self._offset += len(chunk)
            return text.encode("utf-8", "replace")

        return recode


class _Utf8:
    """Checks UTF-8 chunk by chunk without decoding it, and drops a byte-order mark."""

    def __init__(self, mark: bool) -> None:
        self._mark = mark
        self._offset = 0
        self._carry = b""

    def check(self, chunk: bytes) -> bytes:
        data = self._carry + chunk
        cut = _incomplete_from(data) if chunk else len(data)
        self._carry = data[cut:]
        whole = data[:cut] if cut < len(data) else data
        if not _is_utf8(whole):
            try:
                whole.decode("utf-8")
            except UnicodeDecodeError as error:
                raise UndecodableError(self._offset + error.start) from error
        if self._mark and self._offset == 0 and whole:
            self._offset = len(whole)
            return whole.removeprefix(codecs.BOM_UTF8)
        self._offset += len(whole)
        return whole


def _is_utf8(data: bytes) -> bool:
    """Whether bytes are valid UTF-8, by Arrow's vectorised check."""
    offsets = pa.array([0, len(data)], pa.int64()).buffers()[1]
    text = pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(data))
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _incomplete_from(data: bytes) -> int:
    """Index at which a cut-off last character starts; the length when none is cut off."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return len(data) - back if length > back else len(data)
    return len(data)


def _starts_with(stream: BinaryIO, magic: bytes) -> bool:
    """Whether a stream starts with some bytes; it stays at its start."""
    if isinstance(stream, io.BufferedReader):
        return stream.peek(len(magic)).startswith(magic)
    head = stream.read(len(magic))
    stream.seek(0)
    return head == magic


def _fill(stream: Readable, size: int) -> bytes:
    """The first `size` bytes of a stream, fewer only where it ends."""
    head = b""
    while len(head) < size and (more := stream.read(size - len(head))):
        head += more
    return head


def _detected(declared: str, head: bytes, place: Place) -> str:
    """The encoding to use: the declared one, refined by a byte-order mark."""
    try:
        name = declared if declared == "auto" else codecs.lookup(declared).name
    except LookupError as error:
        raise place.terminal("contract", f"unknown encoding {declared}") from error
    if name not in {"auto", *UTF8_NAMES}:
        return name
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark) and (name == "auto" or encoding == "utf-8-sig"):
            return encoding
    return "utf-8"
