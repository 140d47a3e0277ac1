"""The requests of the demo city: the same from the same seed, and shaped like a city's."""

from datetime import date, timedelta

import polars as pl
import pytest

from demo import days
from demo.draw import mixed
from demo.feedback.generator import generate
from demo.feedback.services import SERVICES
from demo.places import AREAS, NEW_AREAS, OLD_AREAS
from demo.window import Window

TET_2026 = date(2026, 2, 17)


@pytest.fixture(scope="module")
def history() -> pl.DataFrame:
    return generate(Window(7, days.FIRST_DAY, 120, 0.2))


@pytest.fixture(scope="module")
def around_tet() -> dict[date, int]:
    frame = generate(Window(7, date(2026, 1, 1), 120, 0.3))
    counted = frame.group_by("day").len()
    return {date.fromordinal(day): count for day, count in counted.iter_rows()}


def _mean(counts: dict[date, int], first: int, last: int) -> float:
    """Mean requests a day between two distances from Tết, weekdays evened out."""
    chosen = [
        counts[day] / days.WEEKDAY_FACTORS[day.weekday()]
        for day in (TET_2026 + timedelta(days=shift) for shift in range(first, last + 1))
    ]
    return sum(chosen) / len(chosen)


def test_same_seed_gives_the_same_requests() -> None:
    window = Window(3, days.FIRST_DAY, 5, 0.05)
    assert generate(window).equals(generate(window))


def test_another_seed_gives_other_requests() -> None:
    one, other = (generate(Window(seed, days.FIRST_DAY, 5, 0.05)) for seed in (3, 4))
    assert one["requested"].to_list() != other["requested"].to_list()


def test_a_longer_window_begins_with_the_shorter() -> None:
    short = generate(Window(3, days.FIRST_DAY, 4, 0.05))
    long = generate(Window(3, days.FIRST_DAY, 9, 0.05))
    assert long.head(short.height).equals(short)


def test_draws_follow_the_published_mixing_function() -> None:
    # the first number of SplitMix64 from state 0, as its reference implementation gives it
    state = pl.lit(0x9E3779B97F4A7C15, dtype=pl.UInt64)
    assert pl.select(mixed(state)).item() == 0xE220A8397B1DCDAF


@pytest.mark.parametrize("scale", [0.1, 1.0], ids=["tenth", "whole"])
def test_scale_is_the_share_of_three_thousand_a_day(scale: float) -> None:
    counts = [days.requests_on(7, day, scale) for day in days.days_from(days.FIRST_DAY, 119)]
    assert sum(counts) / len(counts) == pytest.approx(3_000 * scale, rel=0.03)


def test_week_has_its_rhythm(history: pl.DataFrame) -> None:
    counted = history.group_by("day").len()
    weekday = {0: 0, 6: 0}
    for day, count in counted.iter_rows():
        number = date.fromordinal(day).weekday()
        if number in weekday:
            weekday[number] += count
    assert 0.55 < weekday[6] / weekday[0] < 0.75


def test_day_has_its_rhythm(history: pl.DataFrame) -> None:
    hour = (history["requested"] + days.OFFSET_SECONDS) % days.DAY_SECONDS // 3600
    share = {row[0]: row[1] / hour.len() for row in hour.value_counts().iter_rows()}
    assert share[9] > 5 * share[3]
    assert sum(share[number] for number in range(7, 21)) > 0.8


def test_requests_dip_at_tet_and_rebound_after(around_tet: dict[date, int]) -> None:
    usual = _mean(around_tet, -40, -15)
    assert _mean(around_tet, 0, 3) < 0.4 * usual
    assert _mean(around_tet, -3, -1) < 0.8 * usual
    assert 1.15 * usual < _mean(around_tet, 7, 16) < 1.45 * usual
    assert _mean(around_tet, 20, 60) == pytest.approx(usual, rel=0.06)


def test_area_is_valid_on_the_day(history: pl.DataFrame) -> None:
    before = history.filter(pl.col("day") < days.REFORM_DAY.toordinal())["area"]
    since = history.filter(pl.col("day") >= days.REFORM_DAY.toordinal())["area"]
    assert set(before) == set(range(len(OLD_AREAS)))
    assert set(since) == set(range(len(OLD_AREAS), len(AREAS)))
    assert (len(OLD_AREAS), len(NEW_AREAS)) == (47, 15)  # Hoàng Sa has no residents


def test_areas_are_weighted_by_population(history: pl.DataFrame) -> None:
    before = history.filter(pl.col("day") < days.REFORM_DAY.toordinal())
    total = sum(area.weight for area in OLD_AREAS)
    assert total == pytest.approx(1_134_310, abs=1)
    for place, area in enumerate(OLD_AREAS):
        share = (before["area"] == place).mean()
        assert share == pytest.approx(area.weight / total, rel=0.15)


def test_most_are_closed_in_time_and_services_differ(history: pl.DataFrame) -> None:
    closed = history.filter(pl.col("closed") < days.NEVER)
    in_time = closed.group_by("service").agg(
        (pl.col("closed") <= pl.col("expected")).mean().alias("share")
    )["share"]
    assert 0.8 < (closed["closed"] <= closed["expected"]).mean() < 0.9
    assert len(in_time) == len(SERVICES)
    assert in_time.max() - in_time.min() > 0.06


def test_events_follow_each_other(history: pl.DataFrame) -> None:
    order = ["requested", "taken_over", "closed", "reopened"]
    for earlier, later in zip(order, order[1:], strict=False):
        assert (history[earlier] <= history[later]).all()
    again = history.filter(pl.col("reopened") < days.NEVER)
    assert 0.02 < again.height / history.height < 0.05
    assert (again["reopened"] < again["closed_again"]).all()
    answered = history.filter(pl.col("answered") < days.NEVER)
    assert 0.25 < answered.height / history.height < 0.4
    assert (answered["closed"] < answered["answered"]).all()
