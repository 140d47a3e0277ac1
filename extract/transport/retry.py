"""Trying again: how long to wait between the tries, and when to give up."""

from collections.abc import Callable
from dataclasses import dataclass

from extract.errors import Place


class RetryLaterError(Exception):
    """One try failed in a way that another may not.

    Attributes:
        wait_seconds: What the server asked to wait, or None.
    """

    def __init__(self, rule: str, message: str, wait_seconds: float | None = None) -> None:
        super().__init__(message)
        self.rule = rule
        self.wait_seconds = wait_seconds


@dataclass
class Tries:
    """The tries of one thing that is asked for.

    Attributes:
        most: Tries in all.
        backoff_seconds: Wait before the second try, doubled each time.
        backoff_max_seconds: Longest such wait.
        asked_max_seconds: Longest wait that a server may ask for; a longer one ends the tries.
        sleep: Waits.
        number: The try that is under way, from 1.
    """

    most: int
    backoff_seconds: float
    backoff_max_seconds: float
    asked_max_seconds: float
    sleep: Callable[[float], None]
    number: int = 1

    def wait_after(self, error: RetryLaterError, place: Place) -> None:
        """Wait until the next try is due.

        Raises:
            TransientError: with the failed try's rule, when there is no next one.
        """
        wait = self._wait(error.wait_seconds)
        if wait is None or self.number >= self.most:
            message = f"{error} (attempt {self.number} of {self.most})"
            raise place.transient(error.rule, message) from error
        self.sleep(wait)
        self.number += 1

    def start_over(self) -> None:
        """Count anew: something was received since the last failure."""
        self.number = 1

    def _wait(self, asked: float | None) -> float | None:
        """Seconds until the next try; None when the server asks for more than is allowed."""
        if asked is not None:
            return asked if asked <= self.asked_max_seconds else None
        doubled: float = self.backoff_seconds * 2.0 ** (self.number - 1)
        return min(doubled, self.backoff_max_seconds)
