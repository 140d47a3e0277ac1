"""Schedules, retries and pools in contracts: what is taken, and what is refused."""

from pathlib import Path

import pytest

from tests.unit.contract.samples import CITY, SOURCE, broken, line_of, write_city
from warehouse.city import load_city
from warehouse.contract.check import check_city
from warehouse.contract.model import Orchestration
from warehouse.contract.orchestration import cron_error, gap_error
from warehouse.contract.problem import ContractError
from warehouse.contract.read_source import read_source

SAID = """\
  - {property: retries, value: {attempts: 5, delaySeconds: 10, maxDelaySeconds: 40}}
  - {property: pool, value: {name: office, slots: 2}}
slaProperties:
  - {property: freshness, value: 24, unit: h, scheduler: cron, schedule: 5 4 * * *}
  - {property: latency, value: 1.5, unit: d}
servers:
"""


@pytest.mark.parametrize("text", ["0 0 * * *", "05 4 * * *", "30 12 * * *", "59 23 * * *"])
def test_cron_expressions_are_taken(text: str) -> None:
    assert cron_error(text) is None


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("0 1 * *", "5 fields, this one has 4", id="four_fields"),
        pytest.param("0 0 1 * * *", "5 fields, this one has 6", id="six_fields"),
        pytest.param("@daily", "5 fields", id="word"),
        pytest.param("60 1 * * *", "'60' is no minute (0 to 59)", id="minute"),
        pytest.param("0 24 * * *", "'24' is no hour", id="hour"),
        pytest.param("* 1 * * *", "'*' is no minute", id="every_minute"),
        pytest.param("0 1,13 * * *", "'1,13' is no hour", id="twice_a_day"),
        pytest.param("0 9-17 * * *", "'9-17' is no hour", id="range"),
        pytest.param("*/5 1 * * *", "'*/5' is no minute", id="step"),
        pytest.param("\u0665 1 * * *", "is no minute", id="digit_of_another_script"),
        pytest.param("0 ONE * * *", "'ONE' is no hour", id="name"),
        pytest.param("0 1 * * 1-5", "asked on every day", id="working_days"),
        pytest.param("0 1 1 * *", "asked on every day", id="monthly"),
        pytest.param("0 1 * 2 *", "asked on every day", id="one_month"),
    ],
)
def test_what_is_no_time_of_every_day_is_refused(text: str, part: str) -> None:
    assert part in (cron_error(text) or "")


def test_a_time_that_clocks_leave_out_is_refused(tmp_path: Path) -> None:
    assert gap_error("30 2 * * *", "Europe/Berlin") == (
        "in Europe/Berlin, 2025-03-30 has no 02:30: clocks are put forward"
    )
    for text, zone in [
        ("30 3 * * *", "Europe/Berlin"),
        ("59 1 * * *", "Europe/Berlin"),
        ("30 2 * * *", "Asia/Ho_Chi_Minh"),
        ("30 2 * * *", "UTC"),
    ]:
        assert gap_error(text, zone) is None
    said = broken(SOURCE, "servers:\n", SAID.replace("5 4 * * *", "5 2 * * *"))
    path = write_city(tmp_path, said.replace("Asia/Ho_Chi_Minh", "Europe/Berlin", 1))
    (problem,) = check_city(tmp_path)
    assert (problem.path, problem.rule) == (path, "citylake.schedule")
    assert "has no 02:05" in str(problem)


def test_what_a_contract_says_is_read(tmp_path: Path) -> None:
    path = write_city(tmp_path, broken(SOURCE, "servers:\n", SAID))
    assert check_city(tmp_path) == []
    assert read_source(path, "air.stations").orchestration == Orchestration(
        "5 4 * * *", 5, 10, 40, "office", 2, 36
    )


def test_what_it_leaves_out_is_usual(tmp_path: Path) -> None:
    assert read_source(write_city(tmp_path), "air.stations").orchestration == Orchestration()


def test_a_pool_has_one_number_of_slots(tmp_path: Path) -> None:
    first = write_city(tmp_path, broken(SOURCE, "servers:\n", SAID))
    text = first.read_text(encoding="utf-8").replace("id: air.stations", "id: air.masts")
    other = text.replace("slots: 2", "slots: 3")
    first.with_name("masts.yaml").write_text(other, encoding="utf-8")
    (problem,) = check_city(tmp_path)
    assert (problem.path, problem.rule) == (first, "citylake.pool")
    assert problem.line == line_of(first.read_text(encoding="utf-8"), "property: pool")
    first.with_name("masts.yaml").write_text(text, encoding="utf-8")
    assert check_city(tmp_path) == []


def test_the_deadline_of_a_city_is_a_cron_expression(tmp_path: Path) -> None:
    write_city(tmp_path)
    place = tmp_path / "city.yaml"
    place.write_text(CITY + "orchestration: {deadline: 0 4 * * *, approval_hours: 12}\n")
    city = load_city(tmp_path)
    assert (city.deadline, city.approval_hours) == ("0 4 * * *", 12)
    place.write_text(CITY + "orchestration: {deadline: 4 o'clock}\n")
    with pytest.raises(ContractError) as refused:
        load_city(tmp_path)
    (problem,) = refused.value.problems
    assert (problem.line, problem.rule) == (5, "citylake.schedule")
