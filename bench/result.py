"""What a line came to: figures of both sides and the verdict."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.line import Line
from bench.measure import Measured, best
from bench.reference import Calibration

MEMORY_RATIO = 1.2
PASS, FAIL, INVALID = "pass", "FAIL", "invalid"


@dataclass(frozen=True)
class Result:
    """One line of the table.

    Attributes:
        limit, ours: Middle time and greatest memory of each side.
        allowed_seconds: What ours may take.
        allowed_mib: What ours may hold, or None where the line says nothing of memory.
        problems: What the two results differ in.
        is_valid: Whether the bare side was as fast as it should be.
    """

    title: str
    limit: Measured
    ours: Measured
    allowed_seconds: float
    allowed_mib: float | None
    problems: tuple[str, ...]
    is_valid: bool = True

    @property
    def failures(self) -> tuple[str, ...]:
        """Every reason for which the line fails, whether its times are valid or not."""
        found = list(self.problems)
        if self.allowed_mib is not None and self.ours.peak_mib > self.allowed_mib:
            found.append(f"{self.ours.peak_mib:.0f} MiB, allowed {self.allowed_mib:.0f}")
        if self.is_valid and self.ours.seconds > self.allowed_seconds:
            found.append(f"{self.ours.seconds:.2f} s, allowed {self.allowed_seconds:.2f} s")
        return tuple(found)

    @property
    def verdict(self) -> str:
        """`pass`, `FAIL`, or `invalid`: other results fail a line whatever its times."""
        if self.failures:
            return FAIL
        return PASS if self.is_valid else INVALID


def measure(line: Line, work: Path, calibration: Calibration, allowed_mib: float | None) -> Result:
    """Run both sides of a line in turns and compare what they left.

    Args:
        line: The line, prepared.
        work: Scratch folder; what a run leaves there is removed.
        calibration: Scanned before and after every run of the bare side.
        allowed_mib: What ours may hold, or None.

    Raises:
        BenchError: when a side fails.
    """
    limits, ours, problems = [], [], []
    with line.standing():
        slack = line.measure_slack(work / "slack")
        for number in range(line.repeats):
            left, right = work / f"limit-{number}", work / f"ours-{number}"
            for folder in (left, right):
                folder.mkdir(parents=True)
            calibration.scan()
            limits.append(line.limit(left))
            calibration.scan()
            ours.append(line.ours(right))
            problems += line.differences(left, right)
            for folder in (left, right):
                shutil.rmtree(folder)
    limit = best(limits)
    return Result(
        title=line.title,
        limit=limit,
        ours=best(ours),
        allowed_seconds=line.ratio * limit.seconds + slack,
        allowed_mib=allowed_mib,
        problems=tuple(dict.fromkeys(problems)),
    )
