"""Whether the releases that lie on disk are those that the ledger records."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from publish.checksums import SUMS
from publish.release import LATEST
from quality.ledger import Ledger
from warehouse.files import file_digest
from warehouse.paths import CityPaths


def release_problems(paths: CityPaths, ledger: Ledger) -> Iterator[str]:
    """One line for each release or `latest.json` that is not as the ledger records it.

    A release's own SHA256SUMS shows a changed file only until someone rewrites it too; the
    ledger holds its digest.
    """
    recorded = {
        entry.subject.removeprefix("release:").replace(":", "/"): str(entry.body["sha256sums"])
        for entry in ledger.entries()
        if entry.kind == "release"
    }
    present = {
        f"{path.parent.name}/{path.name}" for path in paths.releases.glob("*/*") if path.is_dir()
    }
    for name in sorted(recorded.keys() | present):
        if name not in recorded:
            yield f"release {name} is not in the ledger"
        elif name not in present:
            yield f"release {name} is in the ledger, but not here"
        elif _sums(paths.releases / name) not in (recorded[name], None):
            yield f"release {name}: {SUMS} is not the one that the ledger records"
    for path in sorted(paths.releases.glob(f"*/{LATEST}")):
        if not _names_a_release(path, recorded):
            yield f"{path.parent.name}: {LATEST} does not name a release of the ledger"


def _sums(folder: Path) -> str | None:
    """Digest of a release's SHA256SUMS; None where it is missing, which is told elsewhere."""
    path = folder / SUMS
    return file_digest(path) if path.is_file() else None


def _names_a_release(path: Path, recorded: Mapping[str, str]) -> bool:
    try:
        pointer = json.loads(path.read_bytes())
        named = recorded.get(f"{path.parent.name}/{pointer['version']}")
        return named is not None and bool(named == pointer["sha256"])
    except (ValueError, TypeError, KeyError):
        return False
