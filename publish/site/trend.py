"""A line of values as points of a drawing; where they stand, not how they look."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, MARGIN = 300, 72, 6
LEAST_SHARE = 0.2


@dataclass(frozen=True)
class Value:
    """One value of a series.

    Attributes:
        number: None where there is none.
        extent: Values of different extents are not joined.
    """

    number: float | None
    extent: object


@dataclass(frozen=True)
class Dot:
    """A value's place, in units of the drawing; y goes down."""

    x: float
    y: float


@dataclass(frozen=True)
class Trend:
    """What is drawn of a series.

    Attributes:
        lines: Each a run of dots that are joined.
        dots: Values that no line joins to another.
        last: The newest value.
        target: Height of the target, or None.
    """

    lines: Sequence[Sequence[Dot]]
    dots: Sequence[Dot]
    last: Dot
    target: float | None


def bounds(numbers: Sequence[float]) -> tuple[float, float]:
    """The lowest and highest number of a drawing, at least a fifth of the largest apart.

    Without that a tenth of a point would climb from the bottom to the top.
    """
    low, high = min(numbers), max(numbers)
    least = LEAST_SHARE * max(abs(low), abs(high)) or 1.0
    missing = max(least - (high - low), 0.0)
    return low - missing / 2, high + missing / 2


def trend(values: Sequence[Value], target: float | None = None) -> Trend | None:
    """The drawing of a series, or None where fewer than two values could be shown.

    The axis does not begin at zero, so the drawing shows the course and not the size; see `bounds`.
    """
    numbers = [value.number for value in values if value.number is not None]
    if len(numbers) < 2:
        return None
    scale = [*numbers, *([] if target is None else [target])]
    low, high = bounds(scale)

    def height(number: float) -> float:
        share = (number - low) / (high - low)
        return round(HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN), 1)

    step = (WIDTH - 2 * MARGIN) / (len(values) - 1)
    runs: list[list[Dot]] = []
    before: Value | None = None
    for place, value in enumerate(values):
        if value.number is None:
            before = None
            continue
        dot = Dot(round(MARGIN + place * step, 1), height(value.number))
        if before is None or before.extent != value.extent:
            runs.append([])
        runs[-1].append(dot)
        before = value
    return Trend(
        lines=[run for run in runs if len(run) > 1],
        dots=[run[0] for run in runs if len(run) == 1],
        last=runs[-1][-1],
        target=None if target is None else height(target),
    )
