"""Files of a folder, by path or glob, and members of zip archives."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import translate
from pathlib import Path

from extract.errors import Place
from extract.raw import RawObject
from extract.transport.base import Request, Sink, zip_members

WILDCARDS = frozenset("*?[")
# Stands for the day of a vintage, as ISO 8601 writes it.
VINTAGE = "{as_of}"
ANY_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"


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
        self,
        options: FileOptions,
        environ: Mapping[str, str],
        city_folder: Path,
        place: Place,
        as_of: date = date.max,
    ) -> None:
        if not options.path:
            raise place.terminal("contract", "transport lacks option path")
        patterns = (options.path,) if isinstance(options.path, str) else options.path
        self._patterns = patterns
        self._member = options.member
        self._place = place
        self._as_of = as_of
        given = environ.get(options.root_env) if options.root_env else None
        self._root = Path(given) if given else city_folder / options.root

    def deliver(self, request: Request, sink: Sink) -> Iterator[RawObject]:
        """The files in the order of the patterns, sorted by name within each.

        Of a pattern with `{as_of}` it is the newest vintage that is not after the processing day;
        nothing, where all are after it.

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
            searched = pattern.replace(VINTAGE, ANY_DAY)
            if WILDCARDS & set(searched):
                found = sorted(self._root.glob(searched))
            else:
                found = [self._root / pattern] if (self._root / pattern).exists() else []
            if not found:
                place = Place(self._place.source, pattern)
                raise place.terminal("missing_file", "no such file under the source's root")
            if VINTAGE in pattern:
                found = self._newest(found, pattern)
            paths.update(dict.fromkeys(found))
        return list(paths)

    def _newest(self, found: Iterable[Path], pattern: str) -> list[Path]:
        """The newest vintages that are not after the processing day."""
        before, after = pattern.split(VINTAGE, 1)
        day = re.compile(f"{translate(before)[:-2]}(?P<day>.{{10}}){translate(after)}")
        days: dict[Path, date] = {}
        for path in found:
            matched = day.match(str(path.relative_to(self._root)))
            try:
                days[path] = date.fromisoformat(matched["day"] if matched else "")
            except ValueError:
                continue
        known = [each for each in days.values() if each <= self._as_of]
        return [path for path, each in days.items() if known and each == max(known)]
