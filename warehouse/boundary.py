"""Named points before and after each commit to disk, where a test can end the process."""

import os
import signal
from collections import Counter
from pathlib import Path

KILL_VARIABLE = "CITYLAKE_KILL_AT"
LOG_VARIABLE = "CITYLAKE_BOUNDARY_LOG"

_passed: Counter[str] = Counter()


def reached(name: str) -> None:
    """Say that the process stands at the boundary `name`.

    Does nothing unless the environment asks for it: `CITYLAKE_BOUNDARY_LOG` names a file to
    which the name is added, one a line; `CITYLAKE_KILL_AT` (`name`, or `name:N` for the Nth
    time in this process) ends the process with signal 9, as a power cut would.
    """
    log = os.environ.get(LOG_VARIABLE)
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
    target = os.environ.get(KILL_VARIABLE)
    if not target:
        return
    _passed[name] += 1
    wanted, _, turn = target.partition(":")
    if wanted == name and _passed[name] == int(turn or 1):
        os.kill(os.getpid(), signal.SIGKILL)
