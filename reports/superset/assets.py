"""What stands in Superset, as files: their form, their names and how they are told from others'."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import yaml

from reports.superset.errors import ReportsError

VERSION = "1.0.0"
DATABASES, DATASETS, CHARTS, DASHBOARDS = "databases", "datasets", "charts", "dashboards"
# In the order in which one needs the other.
KINDS = (DATABASES, DATASETS, CHARTS, DASHBOARDS)
MAKER = "citylake"

Content = Mapping[str, Any]


@dataclass(frozen=True)
class Asset:
    """One object of Superset.

    Attributes:
        kind: One of `KINDS`.
        key: Its name among those of its kind, `<city>/<name>`; never changes.
        content: As Superset imports and exports it, without its uuid.
    """

    kind: str
    key: str
    content: Content

    @property
    def uuid(self) -> str:
        """What Superset knows it by; the same wherever it is made."""
        return str(uuid_of(self.kind, self.key))

    @property
    def path(self) -> str:
        """Its file in a folder or bundle."""
        return f"{self.kind}/{self.key.replace('/', '.')}.yaml"

    @property
    def text(self) -> str:
        """Its file's text."""
        return yaml.safe_dump(
            {**self.content, "uuid": self.uuid, "version": VERSION},
            allow_unicode=True,
            sort_keys=True,
            width=100,
        )


def uuid_of(kind: str, key: str) -> UUID:
    """The uuid of an object of a kind."""
    return uuid5(NAMESPACE_URL, f"citylake:{kind}:{key}")


def mark(key: str) -> dict[str, Any]:
    """What says in Superset that an object was made here, and by which key."""
    return {"certified_by": MAKER, "certification_details": key}


def is_ours(kind: str, uuid: str, content: Content, city: str) -> bool:
    """Whether an object of a server was made here for a city.

    A copy that somebody made by hand carries the mark too, but has another uuid.

    Args:
        kind: One of `KINDS`.
        uuid: Its uuid on the server.
        content: As the server exports it.
        city: Name of the city.
    """
    if kind == DATABASES:
        key = str((content.get("extra") or {}).get("metadata_params", {}).get(MAKER, ""))
    elif kind == DATASETS:
        key = str(((content.get("extra") or {}).get("certification") or {}).get("details", ""))
    else:
        key = str(content.get("certification_details") or "")
    return key.startswith(f"{city}/") and str(uuid_of(kind, key)) == uuid


def write_assets(assets: Iterable[Asset], folder: Path) -> list[Path]:
    """Write the files into a folder; files of earlier ones that are no more go.

    Returns:
        What was written.
    """
    written = []
    for asset in assets:
        place = folder / asset.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(asset.text, encoding="utf-8")
        written.append(place)
    for kind in KINDS:
        for place in (folder / kind).glob("*.yaml"):
            if place not in written:
                place.unlink()
    return written


def read_assets(folder: Path) -> list[Asset]:
    """The objects that `write_assets` wrote, in the order of `KINDS`.

    Returns:
        One for each file; the key is told from the file's name.

    Raises:
        ReportsError: when there is no file, or for all that cannot be read: file, line and why.
    """
    found, faults = [], []
    for kind in KINDS:
        for place in sorted((folder / kind).glob("*.yaml")):
            try:
                found.append(_read_asset(kind, place))
            except ReportsError as error:
                faults.append(str(error))
    if faults:
        raise ReportsError("; ".join(faults))
    if not found:
        raise ReportsError(f"{folder} holds no file of reports; `citylake reports render` writes")
    return found


def _read_asset(kind: str, place: Path) -> Asset:
    try:
        content = yaml.safe_load(place.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ReportsError(f"{place}:{line}: {error.problem or 'is not YAML'}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ReportsError(f"{place}:1: is not YAML in UTF-8") from error
    except OSError as error:
        raise ReportsError(f"{place} cannot be read: {error.strerror}") from error
    if not isinstance(content, dict):
        raise ReportsError(f"{place}:1: holds no keys with values")
    kept = {name: each for name, each in content.items() if name not in ("uuid", "version")}
    return Asset(kind, place.stem.replace(".", "/", 1), kept)
