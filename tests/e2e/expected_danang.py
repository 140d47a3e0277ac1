"""What Da Nang's cells must show, from the records of its sources alone: plain Python."""

import csv
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

from tests.e2e.cities import DANANG

REFORM = date(2025, 7, 1)
ZONE = timezone(timedelta(hours=7))

Row = Mapping[str, Any]
# A record and the share of it that counts in the cell.
Shares = Sequence[tuple[Row, Fraction]]


def moment(value: Any) -> datetime | None:
    """The time that a source gives, as text or as it is."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def day(value: Any) -> date | None:
    """The local day of a time."""
    found = moment(value)
    return found.astimezone(ZONE).date() if found else None


def month_end(month: date, known: date) -> date:
    """The last day of a month, or the last known one."""
    return min((month + timedelta(days=31)).replace(day=1) - timedelta(days=1), known)


def feedback_row(record: Row) -> Row:
    """A request with what the indicators ask of it."""
    more = record["extended_attributes"]
    opened, expected = moment(record["requested_datetime"]), moment(record["expected_datetime"])
    closed = moment(more.get("closed_datetime"))
    return {
        "ward": more["area_code"],
        "service": record["service_code"],
        "opened": opened,
        "due": expected,
        "closed": closed,
        "on_time": bool(closed and expected and closed <= expected),
        "late": bool(closed and expected and closed > expected),
        "competent": more.get("within_competence") is not False,
        "reopened": more.get("reopened") is True,
        "answer": more.get("satisfaction"),
    }


def dossier_row(record: Row) -> Row:
    """A dossier with what the indicators ask of it."""
    is_done = record["status"] == "completed"
    finished = record["finished_at"]
    if record["status"] == "withdrawn":  # the source gives no other time of its end
        finished = record["updated_at"]
    return {
        "ward": record["ward_code"],
        "opened": record["received_at"],
        "due": record["due_at"],
        "closed": finished,
        "done": is_done,
        "on_time": is_done and finished <= record["due_at"],
        "late": is_done and finished > record["due_at"],
        "online": record["channel"] == "online",
        "procedure": record["procedure_code"],
        "digital": bool(record["is_result_digital"]),
    }


def feedback_cell(
    code: str, shares: Shares, month: date, known: date
) -> tuple[Fraction | int, Fraction | None]:
    """Numerator and denominator of an indicator of feedback from the records that it names."""

    def total(name: str) -> Fraction:
        return sum((share for row, share in shares if row[name]), Fraction(0))

    whole = sum((share for _, share in shares), Fraction(0))
    if code == "FB1":
        assert all(row["competent"] for row, _ in shares)
        return total("on_time"), whole
    if code == "FB1b":
        assert all(day(row["due"]).replace(day=1) == month for row, _ in shares)  # type: ignore[union-attr]
        return total("on_time"), whole
    if code in ("FB2", "FB2r", "FB4"):
        assert all(day(row["closed"]).replace(day=1) == month for row, _ in shares)  # type: ignore[union-attr]
        bad = [s for row, s in shares if row["answer"] == "dissatisfied" or row["late"]]
        above = {"FB2": whole - sum(bad), "FB2r": total("answer"), "FB4": total("reopened")}
        return above[code], whole
    end = month_end(month, known)
    assert all(day(row["due"]) <= end for row, _ in shares)  # type: ignore[operator]
    assert all(row["closed"] is None or day(row["closed"]) > end for row, _ in shares)  # type: ignore[operator]
    if code == "FB5":
        return whole, None
    assert code == "FB5a"
    return max((end - day(row["opened"])).days for row, _ in shares), None  # type: ignore[operator]


def dossier_cell(code: str, shares: Shares, month: date) -> tuple[Fraction | int, Fraction | None]:
    """Numerator and denominator of AD1 to AD4 from the dossiers that the cell names."""

    def total(name: str) -> Fraction:
        return sum((share for row, share in shares if row[name]), Fraction(0))

    whole = sum((share for _, share in shares), Fraction(0))
    if code == "AD1":
        ended = [(row, s) for row, s in shares if row["on_time"] and _is_in(row["closed"], month)]
        return sum((share for _, share in ended), Fraction(0)), whole
    if code == "AD2":
        assert all(row["online"] and _is_in(row["opened"], month) for row, _ in shares)
        return len({row["procedure"] for row, _ in shares}), None
    if code == "AD3":
        assert all(_is_in(row["opened"], month) for row, _ in shares)
        return total("online"), whole
    assert code == "AD4"
    assert all(row["done"] and _is_in(row["closed"], month) for row, _ in shares)
    return total("digital"), whole


def _is_in(time: Any, month: date) -> bool:
    found = day(time)
    return found is not None and found.replace(day=1) == month


def districts() -> dict[str, str]:
    """District of each ward before the reform."""
    with (DANANG / "geography" / "area.csv").open(encoding="utf-8") as areas:
        return {
            row["code"]: row["parent_code"]
            for row in csv.DictReader(areas)
            if row["level"] != "district" and row["valid_to"] == REFORM.isoformat()
        }


def weights() -> dict[tuple[str, str], Fraction]:
    """Share of each ward before the reform that a unit after it has taken over."""
    with (DANANG / "geography" / "area_correspondence.csv").open(encoding="utf-8") as rows:
        return {
            (row["from_code"], row["to_code"]): Fraction(row["weight"])
            for row in csv.DictReader(rows)
        }
