"""How often a server is asked: a bound that all threads of one reading share."""

import threading
from collections.abc import Callable


class Pace:
    """Lets requests start one after the other, each at least the same time after the last."""

    def __init__(
        self, per_second: float, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        """Start a pace whose first request need not wait.

        Args:
            per_second: Most requests that start in any second; infinite for no bound.
            clock: Seconds of a clock that never goes back.
            sleep: Waits so many seconds at least.
        """
        self._seconds = 1.0 / per_second
        self._clock = clock
        self._sleep = sleep
        self._due: float | None = None
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next request may start."""
        # Who waits keeps the lock: what comes after is measured from when this one did start, so
        # that a thread that wakes late brings no two requests together.
        with self._lock:
            wait = 0.0 if self._due is None else self._due - self._clock()
            if wait > 0:
                self._sleep(wait)
            self._due = self._clock() + self._seconds
