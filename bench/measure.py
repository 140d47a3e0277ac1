"""Runs a command and reads its wall time, CPU time and the peak memory of its process tree."""

import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil

POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Measured:
    """What one run of a command took.

    Attributes:
        seconds: Wall time of the whole process.
        peak_mib: Largest resident set of the process and its children together, in MiB.
    """

    seconds: float
    peak_mib: float


class BenchError(Exception):
    """A command of the benchmark failed."""


def run(module: str, *arguments: str, environment: Mapping[str, str]) -> Measured:
    """Run `python -m module arguments...` once.

    Raises:
        BenchError: when it fails, with what it said.
    """
    command = [sys.executable, "-m", module, *arguments]
    start = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own modules
        command, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    peak = _PeakMemory(process.pid)
    output, _ = process.communicate()
    seconds = time.perf_counter() - start
    mib = peak.stop()
    if process.returncode:
        raise BenchError(f"{module} {' '.join(arguments)}: {output[-2000:]}")
    return Measured(seconds, mib)


def best(runs: Sequence[Measured]) -> Measured:
    """Least time and greatest memory of several runs: what else a machine does only adds time."""
    return Measured(min(each.seconds for each in runs), max(each.peak_mib for each in runs))


class _PeakMemory:
    """Watches the resident set of a process tree."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._ended = threading.Event()
        self._peak = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """End watching; the peak in MiB."""
        self._ended.set()
        self._thread.join()
        return self._peak / 2**20

    def _watch(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            self._peak = max(self._peak, self._resident())

    def _resident(self) -> int:
        try:
            tree = [self._process, *self._process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return 0
        total = 0
        for each in tree:
            try:
                total += each.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total
