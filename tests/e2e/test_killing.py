"""What is counted as a kill in the kill tests."""

import signal
import subprocess
import sys

import pytest

from tests.e2e.killing import TRIES, kill_at_an_instant

ENDS, SLEEPS, BREAKS = "", "import time; time.sleep(60)", "raise SystemExit(5)"


class Starter:
    """Starts one script after the other, the last of them again and again."""

    def __init__(self, *scripts: str) -> None:
        self.scripts = scripts
        self.started: list[subprocess.Popen[str]] = []

    def __call__(self) -> "subprocess.Popen[str]":
        script = self.scripts[min(len(self.started), len(self.scripts) - 1)]
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
        )
        self.started.append(process)
        return process

    def begun(self, process: "subprocess.Popen[str]") -> None:
        """Wait for a process that ends by itself."""
        if process.args[-1] != SLEEPS:  # type: ignore[index]
            process.wait()


@pytest.mark.parametrize("scripts", [(SLEEPS,), (ENDS, SLEEPS)], ids=["at once", "the second"])
def test_a_process_is_killed_at_work(scripts: tuple[str, ...]) -> None:
    start = Starter(*scripts)
    kill_at_an_instant(start, 0.5, 0.1, start.begun)
    assert [process.returncode for process in start.started] == [
        *(0 for _ in scripts[1:]),
        -signal.SIGKILL,
    ]


def test_a_process_that_ended_by_itself_was_not_killed() -> None:
    start = Starter(ENDS)
    with pytest.raises(AssertionError, match="ended by themselves"):
        kill_at_an_instant(start, 0.5, 0.1, start.begun)
    assert [process.returncode for process in start.started] == [0] * TRIES


def test_a_process_that_broke_is_no_kill_either() -> None:
    start = Starter(BREAKS)
    with pytest.raises(AssertionError):
        kill_at_an_instant(start, 0.5, 0.1, start.begun)
    kill_at_an_instant(Starter(BREAKS, SLEEPS), 0.5, 0.1, start.begun, code=5)
