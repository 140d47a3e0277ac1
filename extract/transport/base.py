"""What every transport gives: raw objects, stored before anyone reads them."""

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, Protocol

from extract.errors import Place
from extract.raw import CHUNK, RawObject

ENCRYPTED = 0x1


@dataclass(frozen=True)
class Request:
    """What a protocol asks a transport for.

    Attributes:
        path: Joined to the transport's address; empty asks for the address itself.
        parameters: Query parameters.
        page: Number of the page, for names and errors, or None.
        headers: Further headers, never a secret.
        name: What the answer is called; where empty, the last part of the address.
        may_be_absent: Whether a server that has nothing to send may answer 404: no object then.
    """

    path: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    page: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    may_be_absent: bool = False


@dataclass(frozen=True)
class Answer:
    """What a server said beside its data.

    Attributes:
        headers: By name in lower case.
        body: Its first bytes; whole where it is no larger than an answer may be.
        retry_after_seconds: How long the server asks to wait, or None.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    retry_after_seconds: float | None = None


class Sink(Protocol):
    """Stores a raw object."""

    def __call__(
        self, content: Path | BinaryIO | Iterable[bytes], name: str, page: int | None = None
    ) -> RawObject:
        """The stored object."""


class Transport(Protocol):
    """Reaches a source; any thread may call `deliver`."""

    def deliver(self, request: Request, sink: Sink) -> Iterator[RawObject]:
        """The raw objects that answer a request, each stored through the sink.

        Raises:
            TransientError: when the same request may succeed later.
            TerminalError: when it will not.
        """

    def close(self) -> None:
        """Let go of connections."""


def zip_members(
    archive: Path, pattern: str, name: str, place: Place, sink: Sink
) -> Iterator[RawObject]:
    """Each matching member of a zip archive as a raw object, sorted by name.

    Raises:
        TerminalError: rule `zip`, when the file is no readable archive or nothing matches.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = sorted(
                (each for each in opened.infolist() if fnmatchcase(each.filename, pattern)),
                key=lambda each: each.filename,
            )
            if not members:
                raise place.terminal("zip", f"no member matches {pattern}")
            for member in members:
                if member.flag_bits & ENCRYPTED:
                    raise place.terminal("zip", f"member {member.filename} is encrypted")
                with opened.open(member) as stream:
                    chunks = iter(lambda: stream.read(CHUNK), b"")
                    yield sink(chunks, f"{name}/{member.filename}")
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        message = f"the archive is cut or damaged ({type(error).__name__})"
        raise place.terminal("zip", message) from error
