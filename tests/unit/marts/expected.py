"""The tiny city in plain Python, counted from the same events. Shares no code with dbt."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from tests.unit.marts.tiny_city import (
    AREAS,
    AS_OF,
    CORRESPONDENCES,
    STATIONS,
    Dossier,
    Request,
    dossiers,
    local_day,
    observations,
    requests,
)

Area = tuple[str, date]
MONTHS = [date(2025, 5, 1), date(2025, 6, 1), date(2025, 7, 1)]
COUNTED = 20


@dataclass
class Cell:
    """What is counted in one cell."""

    numerator: Fraction = Fraction(0)
    denominator: Fraction = Fraction(0)
    n: int = 0
    estimated: bool = False


def area_on(code: str | None, day: date) -> Area | None:
    found = [a for a in AREAS if a[0] == code and a[1] <= day and (a[2] is None or day < a[2])]
    assert len(found) <= 1
    return (found[0][0], found[0][1]) if found else None


def unit_of(area: Area, day: date) -> Area | None:
    """The reporting unit of an area on a day on which it is valid."""
    row = next(a for a in AREAS if (a[0], a[1]) == area)
    if row[3] == "city":
        return None
    parent = area_on(row[4], day)
    level = next(a[3] for a in AREAS if parent and (a[0], a[1]) == parent)
    return parent if level == "district" else area


def parts(code: str | None, happened: date, anchor: date) -> list[tuple[Area | None, Fraction]]:
    """Units in which an event counts on its anchor day; None is unlocated."""
    origin = area_on(code, happened)
    if origin is None or unit_of(origin, happened) is None:
        return [(None, Fraction(1))]
    if area_on(origin[0], anchor) == origin:
        return [(unit_of(origin, anchor), Fraction(1))]
    heirs = [(to, since, w) for c, f, to, since, w in CORRESPONDENCES if (c, f) == origin]
    return [(unit_of((to, since), anchor), Fraction(w)) for to, since, w in heirs] or [
        (None, Fraction(1))
    ]


def month_of(day: date) -> date:
    return day.replace(day=1)


def month_end(start: date) -> date:
    return (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def on_time(r: Request) -> bool:
    return r.closed is not None and r.expected is not None and r.closed <= r.expected


def late(r: Request) -> bool:
    return r.closed is not None and r.expected is not None and r.closed > r.expected


Rule = tuple[Callable[[Request], date | None], Callable[[Request], bool], Callable[[Request], bool]]
FLOWS: dict[str, Rule] = {
    "FB1": (
        lambda r: local_day(r.requested),
        lambda r: on_time(r) and r.within_competence is not False,
        lambda r: r.within_competence is not False,
    ),
    "FB1b": (lambda r: local_day(r.expected), on_time, lambda r: True),
    "FB2": (
        lambda r: local_day(r.closed),
        lambda r: not late(r) and r.satisfaction != "dissatisfied",
        lambda r: True,
    ),
    "FB2r": (
        lambda r: local_day(r.closed),
        lambda r: r.satisfaction is not None,
        lambda r: True,
    ),
    "FB4": (lambda r: local_day(r.closed), lambda r: r.reopened is True, lambda r: True),
}
Cells = dict[tuple[str, Area | None | str, date], Cell]


def flow_cells() -> Cells:
    cells: Cells = defaultdict(Cell)
    for code, (anchor_of, above, below) in FLOWS.items():
        for r in requests():
            anchor = anchor_of(r)
            happened = local_day(r.requested)
            assert happened
            if anchor is None or anchor > AS_OF or not below(r):
                continue
            places = [("city", Fraction(1)), *parts(r.area, happened, anchor)]
            for place, weight in places:
                cell = cells[code, place, month_of(anchor)]
                cell.numerator += weight * above(r)
                cell.denominator += weight
                cell.n += 1
                cell.estimated |= weight < 1
    return cells


def overdue_on(day: date) -> Iterator[Request]:
    for r in requests():
        due, closed = local_day(r.expected), local_day(r.closed)
        if due is not None and due <= day and (closed is None or closed > day):
            yield r


def stock_cells() -> Cells:
    cells: Cells = defaultdict(Cell)
    for month in MONTHS:
        day = min(month_end(month), AS_OF)
        for r in overdue_on(day):
            happened = local_day(r.requested)
            assert happened
            for place, weight in [("city", Fraction(1)), *parts(r.area, happened, day)]:
                count, age = cells["FB5", place, month], cells["FB5a", place, month]
                count.numerator += weight
                age.numerator = max(age.numerator, Fraction((day - happened).days))
                for cell in (count, age):
                    cell.n += 1
                    cell.estimated |= weight < 1
    return cells


def capture_cells() -> Cells:
    hours: dict[tuple[str, date], set[object]] = defaultdict(set)
    for o in observations():
        if o.property == "PM2.5" and o.value is not None:
            day = local_day(o.at)
            assert day
            hours[o.station, day].add(o.at.replace(minute=0))
    cells: Cells = defaultdict(Cell)
    for station, code, first, last in STATIONS:
        day = first
        while day <= min(last or AS_OF, AS_OF):
            for place, _ in [("city", Fraction(1)), *parts(code, day, day)]:
                cell = cells["AQ3", place, month_of(day)]
                cell.numerator += len(hours[station, day])
                cell.denominator += 24
                cell.n += 1
            day += timedelta(days=1)
    return cells


def ended(d: Dossier) -> date | None:
    """The day from which a dossier is no longer open."""
    if d.completed is None and d.status in ("rejected", "withdrawn"):
        return local_day(d.updated)
    return local_day(d.completed)


def dossier_cells() -> Cells:
    cells: Cells = defaultdict(Cell)

    def count(code: str, d: Dossier, anchor: date, above: bool) -> None:
        received = local_day(d.received)
        assert received
        for place, weight in [("city", Fraction(1)), *parts(d.area, received, anchor)]:
            cell = cells[code, place, month_of(anchor)]
            cell.numerator += weight * above
            cell.denominator += weight
            cell.n += 1
            cell.estimated |= weight < 1

    for d in dossiers():
        received = local_day(d.received)
        assert received
        count("AD3", d, received, d.channel == "online")
        day = local_day(d.completed)
        if d.status == "completed" and day:
            on_time = d.due is not None and d.completed is not None and d.completed <= d.due
            count("AD1", d, day, on_time)
            count("AD4", d, day, d.digitised is True)
        for end in (min(month_end(month), AS_OF) for month in MONTHS):
            due, left = local_day(d.due), ended(d)
            if due is not None and due <= end and (left is None or left > end):
                count("AD1", d, end, False)
    return {**cells, **procedure_cells()}


def procedure_cells() -> Cells:
    """Different procedures filed online: on its own day each dossier lies in one place whole."""
    filed: dict[tuple[Area | None | str, date], list[str]] = defaultdict(list)
    for d in dossiers():
        received = local_day(d.received)
        assert received
        if d.channel == "online":
            for place in ("city", parts(d.area, received, received)[0][0]):
                filed[place, month_of(received)].append(d.procedure)
    return {
        ("AD2", place, month): Cell(Fraction(len(set(names))), Fraction(0), len(names))
        for (place, month), names in filed.items()
    }


def all_cells() -> Cells:
    return {**flow_cells(), **stock_cells(), **capture_cells(), **dossier_cells()}


def rounded(value: Fraction, digits: int) -> Decimal:
    """Half away from zero, exactly."""
    scaled = value * 10**digits * 10
    tenths = Decimal(scaled.numerator // scaled.denominator)
    return (tenths / 10).quantize(Decimal(1), ROUND_HALF_UP) / 10**digits


def value_of(code: str, cell: Cell) -> Decimal | None:
    if code in ("FB5", "AD2"):
        return rounded(cell.numerator, 0)
    if code == "FB5a":
        return rounded(cell.numerator, 0) if cell.n else None
    return rounded(100 * cell.numerator / cell.denominator, 1) if cell.denominator else None
