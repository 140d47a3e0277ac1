"""Exit codes of the command line."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a run's exit code means; the gravest of a run's outcomes wins."""

    PUBLISHED = 0
    ERROR = 1
    HELD = 3
    REJECTED = 4
    NOT_CLEARED = 5
