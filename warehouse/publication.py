"""A publication: the unit of gate and promotion."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from warehouse.contract.model import Severity

OPEN = "open"
INTERNAL = "internal"

Value = str | int


@dataclass(frozen=True)
class Part:
    """Rows of one mart that belong to a publication.

    Attributes:
        mart: Name of the mart.
        where: Column -> value; a row belongs when all are equal. Empty means every row.
    """

    mart: str
    where: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """Thresholds of the publication-level checks. None switches a threshold off.

    Attributes:
        max_lost_share: Largest share of the last promoted keys that may be gone from the
            candidate (0 to 1); more holds it.
        magnitude_columns: Numeric columns whose total is compared with the last promoted one.
        max_magnitude_change: Largest relative change of such a total over the keys that both
            have (0.5 means by half); more holds the candidate.
        max_row_count_change: Largest relative change of a mart's number of rows against the last
            promoted one; more holds the candidate. Unlike the two above it is off by default.
        max_age_days: How many days the data-as-of may lie behind the processing day.
        freshness_severity: What data older than that does: `warn` or `hold`.
    """

    max_lost_share: float | None = 0.0
    magnitude_columns: tuple[str, ...] = ()
    max_magnitude_change: float | None = 0.5
    max_row_count_change: float | None = None
    max_age_days: int | None = None
    freshness_severity: Severity = Severity.WARN


@dataclass(frozen=True)
class Expectation:
    """What a publication expects of its rows beyond what the mart's contract says.

    Attributes:
        name: Unique in its publication.
        mart: Whose rows it is about.
        kind: Type of the expectation as Great Expectations names it.
        arguments: Of the expectation, as the declaration gives them.
        severity: What a failure does.
    """

    name: str
    mart: str
    kind: str
    arguments: Mapping[str, Any]
    severity: Severity = Severity.BLOCK


@dataclass(frozen=True)
class Publication:
    """An open dataset, or one service group's rows of the indicator marts.

    Attributes:
        name: Unique in its city; the name of the folder under `releases/`.
        dataset_class: `open` (released) or `internal` (served only).
        title, description: Texts by language, `vi` and `en`.
        parts: Which rows of which marts. The parts of an open dataset name one mart.
        columns: Columns that the release of an open dataset shows, opt-in; empty for internal.
        key: Published columns that identify a row of the release; empty for internal.
        licence: SPDX name (or another name that the Data Package standard takes), or None
            for internal.
        owner: Agency code.
        owner_name: Name of the agency by language.
        update_frequency: Term of the EU frequency list, for example `DAILY` or `MONTHLY`.
        revision_window_days: How long after its period a value may still be revised.
        policy: Thresholds of the checks against the last promoted version.
        expectations: What it expects of its rows by itself.
    """

    name: str
    dataset_class: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    parts: tuple[Part, ...]
    columns: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    licence: str | None = None
    owner: str = ""
    owner_name: Mapping[str, str] = field(default_factory=dict)
    update_frequency: str = "DAILY"
    revision_window_days: int = 0
    policy: Policy = field(default_factory=Policy)
    expectations: tuple[Expectation, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the publication is released to everyone."""
        return self.dataset_class == OPEN

    @property
    def marts(self) -> tuple[str, ...]:
        """Names of the marts it takes rows from, each once, in order of the parts."""
        return tuple(dict.fromkeys(part.mart for part in self.parts))

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise ValueError(f"publication {self.name}: {problem}")

    def _problem(self) -> str | None:
        """The first thing that makes the publication unusable, or None."""
        if self.dataset_class not in (OPEN, INTERNAL):
            return f"class is {self.dataset_class!r}, not open or internal"
        if not self.parts:
            return "has no parts"
        if self.is_open and len(self.marts) > 1:
            return "an open dataset takes rows of one mart only"
        if self.is_open and not self.columns:
            return "an open dataset names the columns it publishes"
        if self.is_open and not (self.key and set(self.key) <= set(self.columns)):
            return "an open dataset publishes the columns of its key"
        if self.is_open and not self.licence:
            return "an open dataset has a licence"
        return None


def overlaps(publications: Iterable[Publication]) -> list[str]:
    """Pairs of publications that may take the same row of a mart, one line each.

    A row belongs to one publication at most: it cannot be promoted by one verdict and kept back
    by another. Two parts are apart when a column has different values in both.
    """
    owned = [(publication.name, part) for publication in publications for part in publication.parts]
    return [
        f"{one} and {other} may take the same rows of {part.mart}"
        for (one, part), (other, second) in combinations(owned, 2)
        if part.mart == second.mart and not _apart(part, second)
    ]


def _apart(one: Part, other: Part) -> bool:
    """Whether no row can belong to both parts of a mart."""
    shared = one.where.keys() & other.where.keys()
    return any(one.where[name] != other.where[name] for name in shared)
