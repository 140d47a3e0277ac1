"""A city small enough to count by hand: its areas, events and sensors, from a fixed seed."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
AS_OF = date(2025, 7, 20)
REFORM = date(2025, 7, 1)
BEFORE = date(2025, 1, 1)

# code, valid_from, valid_to, level, parent
AREAS = [
    ("T", BEFORE, REFORM, "city", None),
    ("T", REFORM, None, "city", None),
    ("D1", BEFORE, REFORM, "district", "T"),
    ("D2", BEFORE, REFORM, "district", "T"),
    ("D3", BEFORE, REFORM, "district", "T"),  # no ward, no request: nothing was collected there
    ("A", BEFORE, REFORM, "ward", "D1"),
    ("B", BEFORE, REFORM, "ward", "D1"),
    ("HL", BEFORE, REFORM, "ward", "D2"),
    ("A", REFORM, None, "ward", "T"),  # the code is used again for A and B together
    ("N1", REFORM, None, "ward", "T"),
    ("N2", REFORM, None, "ward", "T"),
    ("Z", REFORM, None, "ward", "T"),  # new land without a source of feedback
]
CORRESPONDENCES = [
    ("T", BEFORE, "T", REFORM, Decimal(1)),
    ("A", BEFORE, "A", REFORM, Decimal(1)),
    ("B", BEFORE, "A", REFORM, Decimal(1)),
    ("HL", BEFORE, "N1", REFORM, Decimal("0.09")),
    ("HL", BEFORE, "N2", REFORM, Decimal("0.91")),
]
# area, its valid_from, concept, reference date, persons. D2 and D3 have none, N1 has two concepts.
POPULATIONS = [
    ("T", BEFORE, "census", date(2019, 4, 1), 4000),
    ("D1", BEFORE, "census", date(2009, 4, 1), 1500),
    ("D1", BEFORE, "census", date(2025, 4, 1), 1600),
    ("T", REFORM, "administrative", REFORM, 5000),
    ("A", REFORM, "administrative", REFORM, 1700),
    ("N1", REFORM, "administrative", REFORM, 900),
    ("N1", REFORM, "registered", REFORM, 800),
    ("N2", REFORM, "administrative", REFORM, 1100),
]
# Encounters by area and local day of the start: how many visits, and how many that were cancelled.
ENCOUNTERS = [
    ("A", date(2025, 5, 12), 30, 2),
    ("B", date(2025, 5, 31), 5, 0),
    ("HL", date(2025, 5, 20), 25, 1),
    (None, date(2025, 5, 21), 3, 0),
    ("A", date(2025, 7, 1), 12, 0),
    ("N1", date(2025, 7, 2), 40, 0),
    ("N2", date(2025, 7, 20), 21, 3),
    ("N2", date(2025, 7, 21), 7, 0),  # after the data's as-of day
]


@dataclass(frozen=True)
class Request:
    """One service request as the source knows it."""

    id: str
    service: str
    area: str | None
    requested: datetime
    expected: datetime | None
    closed: datetime | None
    within_competence: bool | None
    reopened: bool | None
    satisfaction: str | None


def local_day(moment: datetime | None) -> date | None:
    return moment.astimezone(ZONE).date() if moment else None


def requests() -> list[Request]:
    """900 requests from 12 May to 18 July 2025, and those that a generator would not hit."""
    draw = random.Random(20250701)  # noqa: S311 - test data
    start = datetime(2025, 5, 11, 17, tzinfo=UTC)  # midnight of 12 May in Vietnam
    found = [_drawn(draw, number, start) for number in range(900)]
    deadline = datetime(2025, 6, 30, 10, tzinfo=UTC)
    edge = datetime(2025, 6, 30, 17, tzinfo=UTC)  # midnight between the two tiers
    opened = datetime(2025, 6, 20, 3, tzinfo=UTC)
    hour = timedelta(hours=1)
    return [
        *found,
        # Closed in the second of its deadline is on time.
        Request("on-the-dot", "S1", "A", opened, deadline, deadline, True, False, None),
        # Late on the last evening of the old tier; due the day before the reform, closed after it.
        Request("across", "S1", "HL", opened, deadline, edge + hour, True, True, "dissatisfied"),
        # Received in the first and last hour around the reform, with a code used by both tiers.
        Request("last-old", "S2", "A", edge - hour, edge + 90 * hour, None, True, False, None),
        Request("first-new", "S2", "A", edge, edge + 90 * hour, None, True, False, None),
        # A code that is not valid on the day: unlocated, not lost.
        Request("old-code-late", "S2", "B", edge + hour, edge + 99 * hour, None, True, False, None),
        Request("new-code-early", "S2", "N1", opened, deadline, None, True, False, None),
        Request("only-the-city", "S2", "T", opened, deadline, None, True, False, None),
        # Neither deadline nor competence nor reopening known.
        Request("bare", "S3", "A", opened, None, opened + hour, None, None, None),
    ]


def _drawn(draw: random.Random, number: int, start: datetime) -> Request:
    requested = start + timedelta(minutes=draw.randrange(68 * 24 * 60))
    old = requested.astimezone(ZONE).date() < REFORM
    area = draw.choice(["A", "B", "HL"] if old else ["A", "N1", "N2"])
    expected = requested + timedelta(hours=draw.choice([24, 72, 240]))
    closed = requested + timedelta(hours=draw.randrange(1, 600))
    is_closed = draw.random() < 0.8 and closed.astimezone(ZONE).date() <= AS_OF
    return Request(
        id=f"R{number:04}",
        service=draw.choice(["S1", "S2", "S3"]),
        area=area if draw.random() > 0.03 else None,
        requested=requested,
        expected=expected if draw.random() > 0.05 else None,
        closed=closed if is_closed else None,
        within_competence=draw.choice([True, True, True, False, None]),
        reopened=draw.choice([True, False, False, None]) if is_closed else None,
        satisfaction=draw.choice([None, None, "satisfied", "neutral", "dissatisfied"])
        if is_closed
        else None,
    )


# station, area, operating_from, operating_to
STATIONS = [
    ("P1", "A", date(2025, 6, 28), None),
    ("P2", "HL", date(2025, 6, 1), date(2025, 6, 30)),
    ("P3", None, date(2025, 7, 10), None),
]


@dataclass(frozen=True)
class Observation:
    """One hourly value; None where the hour is missing."""

    station: str
    property: str
    at: datetime
    value: Decimal | None


def observations() -> list[Observation]:
    """Hourly values of two properties, with missing hours and whole missing days."""
    draw = random.Random(42)  # noqa: S311 - test data
    found = []
    for station, _, first, last in STATIONS:
        day = first
        while day <= (last or AS_OF):
            silent = draw.random() < 0.1
            for hour in range(24):
                at = datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).astimezone(UTC)
                for name in ("PM2.5", "TEMP"):
                    if silent or draw.random() < 0.05:
                        continue
                    value = Decimal(draw.randrange(-50, 3000)) / 10
                    known = draw.random() > 0.1
                    found.append(Observation(station, name, at, value if known else None))
            day += timedelta(days=1)
    # Two values of one hour are one valid hour.
    first = next(o for o in found if o.value is not None)
    found.append(
        Observation(first.station, first.property, first.at + timedelta(minutes=30), Decimal(1))
    )
    return found


@dataclass(frozen=True)
class Trip:
    """One unit's trip to an emergency call."""

    id: str
    call: str
    category: str
    area: str | None
    received: datetime
    on_scene: datetime | None
    available: datetime | None
    target: int | None


def trips() -> list[Trip]:
    """Units of 150 calls from 3 June to 17 July 2025; some never arrive, some calls are missed."""
    draw = random.Random(114)  # noqa: S311 - test data
    start = datetime(2025, 6, 2, 17, tzinfo=UTC)
    found = []
    for number in range(150):
        received = start + timedelta(seconds=draw.randrange(44 * 86_400))
        old = received.astimezone(ZONE).date() < REFORM
        area = draw.choice(["A", "B", "HL"] if old else ["A", "N1", "B"])
        category = draw.choice(["fire", "medical"])
        for unit in range(draw.choice([1, 1, 2, 3])):
            wait = timedelta(seconds=draw.choice([0, 240, 300, 300, draw.randrange(1, 3000)]))
            arrives = draw.random() < 0.75
            found.append(
                Trip(
                    id=f"{number}-U{unit}",
                    call=str(number),
                    category=category,
                    area=area if number % 20 else None,
                    received=received,
                    on_scene=received + wait if arrives else None,
                    available=received + timedelta(seconds=3600 + unit) if number % 7 else None,
                    target=300 if category == "fire" else None,
                )
            )
    return found


@dataclass(frozen=True)
class Figure:
    """One figure of the labour force survey, in persons or in a multiple of them."""

    area: str
    indicator: str
    period: str
    start: date
    end: date
    value: Decimal | None
    error: Decimal | None = None
    sample: int | None = None
    freq: str = "Q"
    dimensions: str = "SEX=_T;AGE=Y_GE15"
    status: str = "A"
    confidentiality: str | None = "F"
    multiplier: int = 0


def _pair(
    area: str,
    quarter: int,
    unemployed: Decimal | int,
    force: Decimal | int,
    error: str,
    sample: int,
    multiplier: int = 0,
) -> list[Figure]:
    start = date(2025, 3 * quarter - 2, 1)
    end = [date(2025, 3, 31), date(2025, 6, 30), date(2025, 9, 30)][quarter - 1]
    period = f"2025-Q{quarter}"
    return [
        Figure(area, "LF", period, start, end, Decimal(force), multiplier=multiplier),
        Figure(
            *(area, "UNE", period, start, end, Decimal(unemployed), Decimal(error), sample),
            multiplier=multiplier,
        ),
    ]


# By district in the first quarter, where the city's own figure is only compared; the city alone in
# the third, whose districts are gone, in millions with an error of over a thousand persons.
# Nothing came of the second.
FIGURES = [
    *_pair("D1", 1, 300, 10_000, "45.5", 400),
    *_pair("D2", 1, 150, 6_000, "37.5", 250),
    *_pair("T", 1, 450, 16_000, "58.961", 650),
    *_pair("T", 3, Decimal("0.0048"), Decimal("0.17"), "0.001003", 700, multiplier=6),
    Figure(
        "T",
        "UNE",
        "2025-Q1",
        date(2025, 1, 1),
        date(2025, 3, 31),
        Decimal(200),
        None,
        None,
        dimensions="SEX=M;AGE=Y_GE15",
    ),
    Figure(
        "D1",
        "SECRET",
        "2025",
        date(2025, 1, 1),
        date(2025, 12, 31),
        Decimal(7),
        freq="A",
        confidentiality="C",
    ),
    Figure("D1", "GONE", "2025-Q1", date(2025, 1, 1), date(2025, 3, 31), None, status="O"),
]


@dataclass(frozen=True)
class Dossier:
    """One dossier as the source knows it."""

    id: str
    procedure: str
    area: str | None
    channel: str
    status: str
    received: datetime
    due: datetime | None
    completed: datetime | None
    updated: datetime
    digitised: bool | None


def dossiers() -> list[Dossier]:
    """500 dossiers from 12 May to 18 July 2025, and those that a generator would not hit."""
    draw = random.Random(20250508)  # noqa: S311 - test data
    start = datetime(2025, 5, 11, 17, tzinfo=UTC)
    opened, deadline = datetime(2025, 6, 20, 3, tzinfo=UTC), datetime(2025, 6, 30, 10, tzinfo=UTC)
    edge, hour = datetime(2025, 6, 30, 17, tzinfo=UTC), timedelta(hours=1)
    late = edge + 30 * hour
    return [
        *(_drawn_dossier(draw, number, start) for number in range(500)),
        # Settled in the second of its deadline is on time.
        Dossier(
            "dot", "P1", "A", "online", "completed", opened, deadline, deadline, deadline, True
        ),
        # In the stock of June in an area that is split, completed in July where its heirs are.
        Dossier("across", "P1", "HL", "counter", "completed", opened, deadline, late, late, False),
        # Overdue in June; withdrawn in July at a time that the source does not give otherwise.
        Dossier("gone", "P2", "HL", "post", "withdrawn", opened, deadline, None, late, None),
        # Withdrawn in the last hour of June: in UTC and here the same day, and out of the stock.
        Dossier(
            "in-time", "P2", "A", "post", "withdrawn", opened, deadline, None, edge - hour, None
        ),
        # Rejected on the first day of July here, which is still June in UTC.
        Dossier("first", "P2", "A", "post", "rejected", opened, deadline, None, edge, None),
        # Without a deadline it is completed, and neither on time nor overdue.
        Dossier("bare", "P3", "A", "post", "completed", opened, None, opened, opened, None),
        Dossier("open", "P3", "A", "online", "in_progress", opened, None, None, opened, None),
        # A procedure that was filed once, and in an area that is not valid on the day.
        Dossier("only", "P9", "B", "online", "received", late, late, None, late, None),
    ]


def _drawn_dossier(draw: random.Random, number: int, start: datetime) -> Dossier:
    received = start + timedelta(minutes=draw.randrange(68 * 24 * 60))
    old = received.astimezone(ZONE).date() < REFORM
    area = draw.choice(["A", "B", "HL"] if old else ["A", "N1", "N2"])
    due = received + timedelta(hours=draw.choice([24, 120, 360]))
    ended = received + timedelta(hours=draw.randrange(1, 500))
    status = "in_progress"
    if draw.random() < 0.8 and ended.astimezone(ZONE).date() <= AS_OF:
        status = draw.choice(["completed"] * 8 + ["rejected", "withdrawn"])
    has_end = status == "completed" or (status == "rejected" and draw.random() < 0.5)
    return Dossier(
        id=f"D{number:04}",
        procedure=draw.choice(["P1", "P2", "P3"]),
        area=area if draw.random() > 0.03 else None,
        channel=draw.choice(["online", "online", "counter", "post"]),
        status=status,
        received=received,
        due=due,
        completed=ended if has_end else None,
        updated=received if status == "in_progress" else ended,
        digitised=draw.random() < 0.7 if status == "completed" else None,
    )
