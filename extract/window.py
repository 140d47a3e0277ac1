"""The stretch of time that one run asks a source for."""

from dataclasses import dataclass
from datetime import UTC, date, datetime


@dataclass(frozen=True)
class Window:
    """What the run of processing day `as_of` asks for.

    Attributes:
        as_of: The processing day D.
        since: Instant up to which the source is already known, with zone; None asks for all.
        until: Instant at which day D ends in the source's zone; nothing later is asked for.
    """

    as_of: date
    since: datetime | None
    until: datetime

    def __post_init__(self) -> None:
        for instant in (self.since, self.until):
            if instant is not None and instant.tzinfo is None:
                raise ValueError("a window's instants carry a time zone")


def iso_utc(instant: datetime) -> str:
    """The instant in UTC as ISO 8601 with seconds, for example `2025-07-02T17:00:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
