"""The points of a small trend picture, for figures written by hand."""

from datetime import date
from typing import Any

from reports.brief.trend import PERIODS, trend

OLD, NEW = date(2025, 1, 1), date(2025, 7, 1)


def figure(
    start: date, value: float | None, recency: str = "past", **changed: Any
) -> dict[str, Any]:
    return {
        "area_code": "48",
        "area_valid_from": OLD,
        "period_start": start,
        "value": value,
        "target": None,
        "coverage_share": 1,
        "kind": "flow",
        "recency": recency,
        "period_vi": f"tháng {start.month}",
        "value_text_vi": f"{value}%",
        **changed,
    }


def test_a_line_goes_through_whole_periods_and_a_dot_stands_for_the_one_that_runs() -> None:
    rows = [
        figure(date(2025, 4, 1), 10),
        figure(date(2025, 5, 1), 30, "latest"),
        figure(date(2025, 6, 1), 20, "running", coverage_share=0.1),
    ]
    drawn = trend(rows, "vi")
    assert drawn["lines"] == [[[0.0, 0.0], [0.5, 1.0]]]
    assert drawn["dots"] == [[1.0, 0.5]]
    assert drawn["text"] == "tháng 4: 10%; tháng 5: 30%; tháng 6: 20%"


def test_a_line_breaks_where_the_extent_changes() -> None:
    rows = [
        figure(date(2025, 5, 1), 10),
        figure(date(2025, 6, 1), 20),
        figure(date(2025, 7, 1), 30, area_valid_from=NEW),
        figure(date(2025, 8, 1), 40, area_valid_from=NEW),
    ]
    assert [len(line) for line in trend(rows, "vi")["lines"]] == [2, 2]


def test_a_part_of_a_past_period_is_left_out_but_of_a_stock() -> None:
    rows = [
        figure(date(2025, 4, 1), 10, coverage_share=0.7),
        figure(date(2025, 5, 1), 20),
        figure(date(2025, 6, 1), None),
    ]
    assert trend(rows, "vi")["text"] == "tháng 5: 20%"
    stock = [{**row, "kind": "stock"} for row in rows]
    assert trend(stock, "vi")["text"] == "tháng 4: 10%; tháng 5: 20%"


def test_the_target_is_in_the_picture() -> None:
    rows = [figure(date(2025, 5, 1), 10, target=90), figure(date(2025, 6, 1), 50, target=90)]
    drawn = trend(rows, "vi")
    assert drawn["target"] == 1.0
    assert drawn["lines"] == [[[0.0, 0.0], [1.0, 0.5]]]


def test_of_many_periods_the_newest_are_drawn() -> None:
    rows = [figure(date(2020 + month // 12, month % 12 + 1, 1), month) for month in range(40)]
    (line,) = trend(rows, "vi")["lines"]
    assert len(line) == PERIODS
    assert line[-1] == [1.0, 1.0]


def test_values_that_never_move_and_none_at_all_can_be_drawn() -> None:
    level = trend([figure(date(2025, 5, 1), 5), figure(date(2025, 6, 1), 5)], "vi")
    assert level["lines"] == [[[0.0, 0.5], [1.0, 0.5]]]
    assert trend([figure(date(2025, 5, 1), None)], "vi")["lines"] == []


def test_what_hardly_moves_is_drawn_flat() -> None:
    flat = trend([figure(date(2025, 5, 1), 100), figure(date(2025, 6, 1), 99)], "vi")
    assert flat["lines"] == [[[0.0, 0.525], [1.0, 0.475]]]
