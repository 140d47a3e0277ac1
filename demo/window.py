"""Which days of the demo city exist."""

from dataclasses import dataclass
from datetime import date, timedelta

from demo import days


@dataclass(frozen=True)
class Window:
    """Consecutive days of a seed on a scale (1 is the whole city)."""

    seed: int
    first: date
    count: int
    scale: float = 1.0

    @property
    def days(self) -> list[date]:
        """The days of the window in order."""
        return days.days_from(self.first, self.count)

    @property
    def last(self) -> date:
        """The last day of the window."""
        return self.first + timedelta(days=self.count - 1)
