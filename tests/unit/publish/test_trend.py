"""Where the values of a series stand in the drawing."""

import pytest

from publish.site.trend import HEIGHT, MARGIN, WIDTH, Dot, Value, trend

BOTTOM, TOP = HEIGHT - MARGIN, MARGIN


def value(number: float | None, extent: str = "city") -> Value:
    return Value(number, extent)


def test_the_lowest_stands_at_the_bottom_and_the_target_counts() -> None:
    drawn = trend([value(10), value(20), value(15)], target=30)
    assert drawn is not None
    middle = (BOTTOM + TOP) / 2
    assert drawn.lines == [[Dot(6, BOTTOM), Dot(150, middle), Dot(294, 51)]]
    assert drawn.target == TOP
    assert drawn.last == Dot(WIDTH - MARGIN, 51)


def test_another_extent_and_a_gap_are_not_joined() -> None:
    drawn = trend([value(1), value(2), value(None), value(3), value(4, "other")])
    assert drawn is not None
    assert [len(line) for line in drawn.lines] == [2]
    assert len(drawn.dots) == 2
    assert drawn.last == drawn.dots[-1]


def test_equal_values_stand_in_the_middle() -> None:
    drawn = trend([value(5), value(5)])
    assert drawn is not None
    assert {dot.y for dot in drawn.lines[0]} == {HEIGHT / 2}


def test_one_value_is_no_course() -> None:
    assert trend([value(5), value(None)]) is None


@pytest.mark.parametrize(
    ("numbers", "heights"),
    [
        # A tenth of a point of some thirty is a flat line, not a climb.
        ([31.7, 31.8], [36.5, 35.5]),
        ([90, 100], [51.0, 21.0]),
        ([80, 100], [66.0, 6.0]),
        ([-100, 100], [66.0, 6.0]),
        ([0, 0], [36.0, 36.0]),
    ],
)
def test_what_hardly_moves_is_drawn_flat(numbers: list[float], heights: list[float]) -> None:
    drawn = trend([value(each) for each in numbers])
    assert drawn is not None
    assert [dot.y for dot in drawn.lines[0]] == heights
