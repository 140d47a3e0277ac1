"""Ends processes with signal 9, and is sure that they were at work when they were ended."""

import signal
import subprocess
import time
from collections.abc import Callable

TRIES = 4


def kill_at_an_instant(
    start: Callable[[], "subprocess.Popen[str]"],
    share: float,
    seconds: float,
    begun: Callable[["subprocess.Popen[str]"], None] = lambda _: None,
    *,
    code: int = 0,
) -> None:
    """Start a process and end it at a share of the time that it takes.

    A process that was quicker than the one that was measured has ended by itself: that is no kill.
    Another is started and ended at the same share of what this one took, so `start` must begin from
    the same state every time.

    Args:
        start: Starts the process, on what it had before.
        share: Of its time, 0 to 1.
        seconds: What it took when it was measured.
        begun: Returns when the time begins to run.
        code: Its exit code where it ends by itself.
    """
    for _ in range(TRIES):
        process = start()
        begun(process)
        began = time.monotonic()
        try:
            process.wait(share * seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        output, _ = process.communicate()
        if process.returncode == -signal.SIGKILL:
            return
        assert process.returncode == code, output
        seconds = min(seconds, time.monotonic() - began)
    raise AssertionError(f"{TRIES} processes ended by themselves before they could be killed")
