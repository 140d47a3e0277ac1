"""Where a city's data lives on disk."""

import os
from dataclasses import dataclass
from pathlib import Path

HOME_VARIABLE = "CITYLAKE_HOME"
RESTRICTED_MODE = 0o700


@dataclass(frozen=True)
class CityPaths:
    """The folders of one city under the lake home.

    `raw`, `core` and `quarantine` may hold personal data, `marts` figures that are not published;
    they are kept at mode 0700.
    """

    home: Path
    city: str

    @property
    def root(self) -> Path:
        """The folder that holds everything of the city."""
        return self.home / self.city

    @property
    def raw(self) -> Path:
        """Content-addressed bytes as they came."""
        return self.root / "raw"

    @property
    def core(self) -> Path:
        """Typed Delta tables, one folder a table."""
        return self.root / "core"

    @property
    def quarantine(self) -> Path:
        """Records that broke a rule, one Delta table a core table."""
        return self.root / "quarantine"

    @property
    def journal(self) -> Path:
        """Outcomes of every attempt; the only place that knows the clock."""
        return self.root / "journal"

    @property
    def marts(self) -> Path:
        """Immutable promoted mart files named by content hash."""
        return self.root / "marts"

    @property
    def serving(self) -> Path:
        """What reports read: derived, replaced whole, repaired by any run."""
        return self.root / "serving"

    @property
    def briefs(self) -> Path:
        """Briefs that somebody asked for; each can be made again."""
        return self.root / "briefs"

    @property
    def releases(self) -> Path:
        """Immutable releases of open datasets."""
        return self.root / "releases"

    @property
    def promotions(self) -> Path:
        """Numbered promotion records, the commit points of publication."""
        return self.root / "promotions"

    @property
    def ledger(self) -> Path:
        """Numbered, hash-chained entries."""
        return self.root / "ledger"

    @property
    def work(self) -> Path:
        """Scratch of runs in progress; anything in it may be deleted when no run is on."""
        return self.root / "work"

    @property
    def lock(self) -> Path:
        """The advisory run lock; it saves work, correctness does not depend on it."""
        return self.root / "run.lock"

    def create(self) -> None:
        """Create the folders, the restricted ones at mode 0700."""
        for folder in (self.raw, self.core, self.quarantine, self.marts, self.work):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(RESTRICTED_MODE)
        for folder in (
            self.journal,
            self.serving,
            self.releases,
            self.promotions,
            self.ledger,
        ):
            folder.mkdir(parents=True, exist_ok=True)


def lake_home() -> Path:
    """The lake home: `CITYLAKE_HOME`, else `./.citylake`."""
    return Path(os.environ.get(HOME_VARIABLE) or ".citylake").resolve()
