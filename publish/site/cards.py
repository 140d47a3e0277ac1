"""The headline of the site: one card for each indicator that everyone may see."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from publish.report_views import INDICATORS
from publish.site.trend import Trend, Value, trend
from publish.site.view import OpenView, Row, text_of
from publish.wording import SERVICE_GROUPS, Text

CITY = "report_city_indicator"
CURRENT = "current"
NOT_DELIVERED = "O"
SHOWN_PERIODS = 24
# Of an indicator with periods of several lengths the shortest are shown.
_SERIES = "CASE period_kind WHEN 'week' THEN 0 WHEN 'month' THEN 1 WHEN 'quarter' THEN 2 ELSE 3 END"
_ORDER = f"indicator_code, agency_code, {_SERIES}, period_kind, period_start, area_valid_from"


@dataclass(frozen=True)
class Figure:
    """One value with the words beside it.

    Attributes:
        period, value: As text; where there is no value, the text says why.
        has_value: Whether there is one.
        rating: `green`, `amber`, `red`, or None where it is not rated.
        is_running: Whether its period is not over.
        is_partial: Whether of a period that is over only a part is known: it is not compared.
    """

    period: Text
    value: Text
    has_value: bool
    rating: str | None
    rating_text: Text | None
    status: Text | None
    data_as_of: Text | None
    is_running: bool
    is_partial: bool


@dataclass(frozen=True)
class Course:
    """The course of an indicator.

    Attributes:
        figures: Newest last, with the period that is not over.
        drawing: Of the complete periods, with which it is not to be compared; None where there is
            too little to draw.
        first, last, lowest, highest: Of the complete periods that have a value; None without one.
        breaks: Whether the extent of the city changed between complete periods.
    """

    figures: Sequence[Figure]
    drawing: Trend | None
    first: Figure | None
    last: Figure | None
    lowest: Figure | None
    highest: Figure | None
    breaks: bool


@dataclass(frozen=True)
class Companion:
    """Another indicator beside which one is to be read, as its formula says.

    Attributes:
        shown: Its newest complete figure, else that of the running period; None without one.
    """

    code: str
    name: Text
    shown: Figure | None


@dataclass(frozen=True)
class Card:
    """One headline indicator.

    Attributes:
        code: Of the indicator.
        stamp: Code of the stamp; `current` is the only one that needs no attention.
        latest: Its newest complete period, or None where nothing is published.
        running: The period that is not over, or None.
        target: Of the latest, as text, or None.
        before: Value of the period before the latest, as text, or None.
        course: None where nothing is published.
        companions: The indicators that its formula names.
        awaited: Periods after the latest of which nothing was delivered.
    """

    code: str
    name: Text
    formula: Text | None
    agency: Text
    group: Text
    stamp: str
    stamp_text: Text
    latest: Figure | None = None
    running: Figure | None = None
    target: Text | None = None
    before: Text | None = None
    course: Course | None = None
    companions: Sequence[Companion] = ()
    awaited: Sequence[Text] = ()

    @property
    def is_current(self) -> bool:
        """Whether what is shown is the newest that there is."""
        return self.stamp == CURRENT


@dataclass(frozen=True)
class Withheld:
    """An indicator that may not be shown yet: its name, and no value."""

    code: str
    name: Text
    group: Text


def cards(view: OpenView) -> list[Card]:
    """A card for each headline indicator, in order of service group and code.

    One of which nothing is published has a card without values, which says so.
    """
    rows = view.rows(CITY, order=_ORDER)
    found: dict[str, list[Row]] = {}
    for (code, _, _), series in groupby(
        rows, lambda row: (row["indicator_code"], row["agency_code"], row["period_kind"])
    ):
        found.setdefault(code, list(series))
    indicators = view.rows(INDICATORS, order="service_group, indicator_code")
    beside = {
        each["indicator_code"]: _companion(each, found.get(each["indicator_code"], []))
        for each in indicators
    }
    return [
        _card(each, found.get(each["indicator_code"], []), beside)
        for each in indicators
        if each["is_headline"]
    ]


def withheld(view: OpenView) -> list[Withheld]:
    """The indicators whose place says that they are not cleared for display."""
    return [
        Withheld(
            row["indicator_code"],
            Text(row["name_vi"], row["name_en"]),
            SERVICE_GROUPS[row["service_group"]],
        )
        for row in view.withheld()
    ]


def _newest(rows: Sequence[Row]) -> tuple[Row | None, Row | None]:
    """The latest complete period, and the one that runs."""
    newest = {row["recency"]: row for row in rows}
    return newest.get("latest"), newest.get("running")


def _companion(indicator: Row, rows: Sequence[Row]) -> Companion:
    latest, running = _newest(rows)
    shown = latest or running
    name = _text(indicator, "indicator_name")
    return Companion(indicator["indicator_code"], name, _figure(shown) if shown else None)


def _named_in(formula: Text | None, code: str, beside: Mapping[str, Companion]) -> list[Companion]:
    words = re.findall(r"\w+", formula.vi) if formula else []
    return [beside[word] for word in dict.fromkeys(words) if word in beside and word != code]


def _card(indicator: Row, rows: Sequence[Row], beside: Mapping[str, Companion]) -> Card:
    latest, running = _newest(rows)
    formula = text_of(indicator, "formula")
    shown = latest or running
    return Card(
        code=indicator["indicator_code"],
        name=_text(indicator, "indicator_name"),
        formula=formula,
        agency=_text(indicator, "agency_name"),
        group=SERVICE_GROUPS[indicator["service_group"]],
        stamp=indicator["stamp"],
        stamp_text=_text(indicator, "stamp_text"),
        latest=_figure(latest) if latest else None,
        running=_figure(running) if running else None,
        target=text_of(shown, "target_text") if shown else None,
        before=text_of(latest, "value_before_text") if latest else None,
        course=_course(rows[-SHOWN_PERIODS:]) if rows else None,
        companions=_named_in(formula, indicator["indicator_code"], beside),
        awaited=[
            _text(row, "period")
            for row in rows
            if row["recency"] == "running" and row["obs_status"] == NOT_DELIVERED
        ],
    )


def _course(rows: Sequence[Row]) -> Course:
    over = [row for row in rows if row["recency"] != "running"]
    complete = [row for row in over if row["value"] is not None and not row["is_partial"]]
    over = over[over.index(complete[0]) :] if complete else []
    values = [
        Value(float(row["value"]) if row in complete else None, row["area_valid_from"])
        for row in over
    ]
    target = over[-1]["target"] if over else None
    return Course(
        figures=[_figure(row) for row in rows],
        drawing=trend(values, None if target is None else float(target)),
        first=_figure(complete[0]) if complete else None,
        last=_figure(complete[-1]) if complete else None,
        lowest=_extreme(complete, highest=False),
        highest=_extreme(complete, highest=True),
        breaks=len({row["area_valid_from"] for row in over}) > 1,
    )


def _extreme(rows: Iterable[Row], *, highest: bool) -> Figure | None:
    found = sorted(rows, key=lambda row: (row["value"], row["period_start"]), reverse=highest)
    return _figure(found[0]) if found else None


def _figure(row: Row) -> Figure:
    return Figure(
        period=_text(row, "period"),
        value=text_of(row, "value_text") or Text("–", "–"),
        has_value=row["value"] is not None,
        rating=row["rating"],
        rating_text=text_of(row, "rating_text"),
        status=text_of(row, "obs_status_text"),
        data_as_of=text_of(row, "data_as_of_text"),
        is_running=row["recency"] == "running",
        is_partial=row["is_partial"],
    )


def _text(row: Row, name: str) -> Text:
    """A text that every row has; one that lacks it is told apart from an empty one."""
    return text_of(row, name) or Text("?", "?")
