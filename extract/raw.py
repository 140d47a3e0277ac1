"""Raw objects: the bytes as a source sent them, kept before anyone reads them."""

import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, cast

import zstandard

from warehouse import boundary, files
from warehouse.paths import RESTRICTED_MODE, CityPaths

CHUNK = 1 << 20
COMPRESSION_LEVEL = 1
FILE_MODE = 0o600
# gzip, zip, Parquet, zstandard and Arrow files (whose buffers our own writer compresses) gain
# nothing from a second compression; an Arrow file stays readable in place.
COMPRESSED_MAGIC = (b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"\x28\xb5\x2f\xfd", b"ARROW1")
STORED = ".bin"
ZSTANDARD = ".zst"


@dataclass(frozen=True)
class RawReference:
    """What is known of a raw object that was stored before.

    Attributes:
        digest: SHA-256 hex digest of the bytes as they came.
        name: What it was called when it was read; None is the first name it was given.
        size: Number of bytes as they came; None is counted.
        page: Number of the page, or None.
    """

    digest: str
    name: str | None = None
    size: int | None = None
    page: int | None = None


@dataclass(frozen=True)
class RawObject:
    """One stored raw object.

    Attributes:
        digest: SHA-256 hex digest of the bytes as they came.
        path: Where it is stored; ends in `.zst` when the store compressed it.
        size: Number of bytes as they came.
        name: What it was called at its source.
        page: Number of the page, or None.
        content: The bytes as they came where the caller asked to keep them, else None.
    """

    digest: str
    path: Path
    size: int
    name: str
    page: int | None = None
    content: bytes | None = field(default=None, repr=False, compare=False)


class RawStore:
    """Content-addressed store of raw objects in the city's restricted folder.

    An object is written to the scratch folder, synced, and renamed: it is there whole or not
    at all. The same bytes are stored once, whatever they are called.

    Attributes:
        scratch: Restricted folder for files that nobody needs once the process has ended.
    """

    def __init__(self, paths: CityPaths) -> None:
        self._objects = paths.raw / "objects"
        self._names = paths.raw / "names"
        self.scratch = paths.work / "raw"
        for folder in (paths.raw, paths.work, self._objects, self._names, self.scratch):
            _create_folder(folder)

    def put(
        self,
        content: bytes | Path | BinaryIO | Iterable[bytes],
        name: str,
        *,
        page: int | None = None,
        keep_bytes: int = 0,
    ) -> RawObject:
        """Store bytes under their digest, with bounded memory.

        Args:
            content: Bytes, a file's path, an open binary stream, or chunks of bytes.
            name: What the bytes are called at their source.
            page: Number of the page, passed on.
            keep_bytes: Keep the bytes in the result when they are at most this many.

        Returns:
            The stored object. Nothing is stored when the content raises on the way.
        """
        temporary = files.scratch(self.scratch, "object")
        try:
            with _Writer(temporary, keep_bytes) as writer:
                for chunk in _chunks(content):
                    writer.write(chunk)
            target = self._target(writer.digest, writer.suffix)
            if not target.exists():
                _create_folder(target.parent)
                boundary.reached("raw.before_store")
                temporary.replace(target)
                files.sync(target.parent)
                boundary.reached("raw.after_store")
        finally:
            temporary.unlink(missing_ok=True)
        self._remember(writer.digest, name)
        return RawObject(writer.digest, target, writer.size, name, page, writer.kept)

    def find(self, digest: str) -> RawObject:
        """The stored object of a digest, under the first name it was given.

        Raises:
            FileNotFoundError: when no such object is stored.
        """
        return self.recall(RawReference(digest))

    def recall(self, known: RawReference) -> RawObject:
        """A stored object as it was read before.

        Raises:
            FileNotFoundError: when no such object is stored.
        """
        digest = known.digest
        for suffix in (STORED, ZSTANDARD):
            path = self._target(digest, suffix)
            if path.exists():
                size = self._size(digest) if known.size is None else known.size
                name = known.name or (*self.names(digest), digest)[0]
                return RawObject(digest, path, size, name, known.page)
        raise FileNotFoundError(f"no raw object {digest}")

    def _size(self, digest: str) -> int:
        """Number of bytes of a stored object as they came."""
        with self.open(digest) as stream:
            return sum(len(chunk) for chunk in _chunks(stream))

    def open(self, digest: str) -> BinaryIO:
        """A stream of the bytes as they came.

        Raises:
            FileNotFoundError: when no such object is stored.
        """
        stored = self._target(digest, STORED)
        if stored.exists():
            return stored.open("rb")
        compressed = self._target(digest, ZSTANDARD).open("rb")
        reader = zstandard.ZstdDecompressor().stream_reader(compressed, closefd=True)
        return io.BufferedReader(cast(io.RawIOBase, reader), CHUNK)

    def stored(self) -> Iterator[tuple[str, Path]]:
        """Digest and path of every stored object, in no order."""
        for path in self._objects.glob("*/*"):
            yield path.name.partition(".")[0], path

    def names(self, digest: str) -> tuple[str, ...]:
        """The names that bytes of this digest came under, in the order they were first seen."""
        path = self._names / digest[:2] / digest
        return tuple(path.read_text("utf-8").splitlines()) if path.exists() else ()

    def _target(self, digest: str, suffix: str) -> Path:
        return self._objects / digest[:2] / f"{digest}{suffix}"

    def _remember(self, digest: str, name: str) -> None:
        """Add a name to the index; one short append is atomic, so no writer loses another's."""
        line = " ".join(name.split())
        if line in self.names(digest):
            return
        path = self._names / digest[:2] / digest
        _create_folder(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE_MODE)
        try:
            os.write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)


class _Writer:
    """Writes chunks to a new file while it counts and digests them.

    Leaving the context syncs the file; `digest`, `size`, `suffix` and `kept` hold from then.
    """

    def __init__(self, path: Path, keep_bytes: int) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        self._keep_bytes = keep_bytes
        self._kept: list[bytes] | None = [] if keep_bytes else None
        self._sink: IO[bytes] | None = None
        self.size = 0
        self.suffix = ZSTANDARD

    def __enter__(self) -> "_Writer":
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        self._file = os.fdopen(descriptor, "wb")
        return self

    def __exit__(self, error: type[BaseException] | None, *rest: object) -> None:
        try:
            if error is None:
                if self._sink is None:
                    self._start(b"")
                if self._sink is not None and self._sink is not self._file:
                    self._sink.close()
                self._file.flush()
                os.fsync(self._file.fileno())
        finally:
            self._file.close()

    @property
    def digest(self) -> str:
        """SHA-256 hex digest of what was written."""
        return self._hash.hexdigest()

    @property
    def kept(self) -> bytes | None:
        """All bytes, or None when they were too many or not asked for."""
        return None if self._kept is None else b"".join(self._kept)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes; the first ones decide whether the file is compressed."""
        if self._sink is None:
            self._start(chunk)
        if self._sink is not None:
            self._sink.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)
        if self._kept is not None:
            self._kept.append(chunk)
            if self.size > self._keep_bytes:
                self._kept = None

    def _start(self, first: bytes) -> None:
        if first.startswith(COMPRESSED_MAGIC):
            self.suffix = STORED
            self._sink = self._file
        else:
            compressor = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL)
            self._sink = compressor.stream_writer(self._file, closefd=False)


def _chunks(content: bytes | Path | BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    """The content in non-empty chunks; the first one holds at least 4 bytes if there are any."""
    pieces = _pieces(content)
    first = b""
    for piece in pieces:
        first += piece
        if len(first) >= 4:
            break
    if first:
        yield first
    yield from (piece for piece in pieces if piece)


def _pieces(content: bytes | Path | BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
    elif isinstance(content, Path):
        with content.open("rb") as stream:
            yield from _pieces(stream)
    elif hasattr(content, "read"):
        while chunk := content.read(CHUNK):
            yield chunk
    else:
        yield from content


def _create_folder(folder: Path) -> None:
    """Create a folder that only its owner may enter."""
    if not folder.is_dir():
        folder.mkdir(mode=RESTRICTED_MODE, parents=True, exist_ok=True)
        folder.chmod(RESTRICTED_MODE)
