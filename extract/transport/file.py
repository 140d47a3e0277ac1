"""Files of a folder, by path or glob, and members of zip archives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from extract.errors import Place
from extract.raw import RawObject
from extract.transport.base import Request, Sink, zip_members

WILDCARDS = frozenset("*?[")


@dataclass(frozen=True)
class FileOptions:
    """Where the files lie; see `extract.read` for the meaning of each option."""

    path: str | tuple[str, ...] | None = None
    root: str = "."
    root_env: str | None = None
    member: str | None = None


class FileTransport:
    """Delivers local files; a stream of files has no requests with parameters."""

    def __init__(
        self, options: FileOptions, environ: Mapping[str, str], city_folder: Path, place: Place
    ) -> None:
        if not options.path:
            raise place.terminal("contract", "transport lacks option path")
        patterns = (options.path,) if isinstance(options.path, str) else options.path
        self._patterns = patterns
        self._member = options.member
        self._place = place
        given = environ.get(options.root_env) if options.root_env else None
        self._root = Path(given) if given else city_folder / options.root

    def deliver(self, request: Request, sink: Sink) -> Iterator[RawObject]:
        """The files in the order of the patterns, sorted by name within each.

        Raises:
            TerminalError: rule `missing_file`, `unreadable_file`, `zip` or `contract`.
        """
        if request != Request():
            raise self._place.terminal("contract", "a file transport takes no requests")
        for path in self._paths():
            name = path.name
            place = Place(self._place.source, name)
            try:
                if self._member:
                    yield from zip_members(path, self._member, name, place, sink)
                else:
                    yield sink(path, name)
            except (PermissionError, IsADirectoryError) as error:
                message = f"the file cannot be opened ({type(error).__name__})"
                raise place.terminal("unreadable_file", message) from error

    def close(self) -> None:
        """Nothing is held."""

    def _paths(self) -> list[Path]:
        paths: dict[Path, None] = {}
        for pattern in self._patterns:
            if WILDCARDS & set(pattern):
                found = sorted(self._root.glob(pattern))
            else:
                found = [self._root / pattern] if (self._root / pattern).exists() else []
            if not found:
                place = Place(self._place.source, pattern)
                raise place.terminal("missing_file", "no such file under the source's root")
            paths.update(dict.fromkeys(found))
        return list(paths)
