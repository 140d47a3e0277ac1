"""Indicators and publications of a city, after reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from warehouse.publication import Publication


@dataclass(frozen=True)
class Framework:
    """Where an indicator stands in a published framework.

    Attributes:
        code: Code of the framework's indicator, or of the framework where it has none.
        match: `exact`, `close` or `related`.
        difference: What differs, by language; empty for an exact match.
    """

    code: str
    match: str
    difference: Mapping[str, str]


@dataclass(frozen=True)
class Definition:
    """What an indicator is, in every city.

    Attributes:
        event: Event model whose columns the expressions use (`warehouse.event_model`).
        anchor: Which date puts an event in a period (`warehouse.event_model.ANCHORS`); or
            `period_end` for stocks.
        kind: `flow`; `stock` at the period's last day; or `flow_and_stock`, whose denominator has
            the period's flow and a stock at its last day: its periods add up to no longer one.
        measure: `ratio` (scale * numerator / denominator), `count`, `distinct` (how many different
            values the numerator has), `maximum`, `quantile` (the smallest amount that at least
            `percentile` in 100 events do not exceed; events whose amount is null are left out), or
            `rate` (scale * numerator / persons of the area).
        aggregation: `count`: expressions are conditions and events are counted; `sum`: they are
            amounts and are added up.
        enters, leaves: Dates between which an event is in the stock (half-open); None for flows.
        stock_denominator: Condition on which an event of the stock adds to the denominator of a
            `flow_and_stock`; None for the others.
        scale: 100 for a percentage.
        divisor: How many units of the numerator make one of the value (60 for seconds to
            minutes); 1 for all but quantiles.
        percentile: 1 to 99 (50 for the median); None for all but quantiles.
        censored: Amount up to which an event without a numerator was followed; None where that is
            not known. Quantiles do not use it; the histogram keeps it.
        rounding: Decimals of the published value; halves are rounded away from zero.
        before_periods, after_periods: How far from its anchor an event moves values; None: all.
        variance, sample_size: Of a sample survey: the numerator's variance and the sample units
            behind an event, independent of those behind another; None where all are counted.
        unreliable_cv_percent: Coefficient of variation above which a value is unreliable.
        better: `higher` or `lower`; None where no value is better than another.
    """

    code: str
    service_group: int
    event: str
    name: Mapping[str, str]
    formula: Mapping[str, str]
    anchor: str
    kind: str
    measure: str
    aggregation: str
    numerator: str
    denominator: str | None
    enters: str | None
    leaves: str | None
    stock_denominator: str | None
    scale: int
    unit: str
    rounding: int
    before_periods: int
    after_periods: int | None
    framework: Framework | None
    divisor: int = 1
    percentile: int | None = None
    censored: str | None = None
    variance: str | None = None
    sample_size: str | None = None
    unreliable_cv_percent: int | None = None
    better: str | None = None

    @property
    def passes(self) -> tuple["Pass", ...]:
        """What is counted of it: one pass by its anchor, one more for a stock beside a flow."""
        kept = (self.enters, self.leaves) if self.kind == "stock" else (None, None)
        first = Pass(self.anchor, self.numerator, self.denominator, *kept)
        if self.stock_denominator is None:
            return (first,)
        stock = Pass("period_end", "false", self.stock_denominator, self.enters, self.leaves)
        return (first, stock)


@dataclass(frozen=True)
class Pass:
    """One counting over the events: by an anchor's day, or of those in a stock at period end."""

    anchor: str
    numerator: str
    denominator: str | None
    enters: str | None
    leaves: str | None


@dataclass(frozen=True)
class Target:
    """A target and the days it holds (half-open)."""

    value: Decimal
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Indicator:
    """An indicator that a city answers for.

    Attributes:
        agency: Code of the agency that answers.
        condition: SQL condition on the events that count in this city, or None.
        publication: Name of the publication that its rows belong to.
        revision_window_days: How long after a period its value may still be revised.
        amber_within: Off target by at most so much (in the value's unit) is amber, not red.
        is_headline: Whether it stands among the few figures that leaders read first.
        is_open: Whether it may stand on the public site.
    """

    definition: Definition
    agency: str
    publication: str
    revision_window_days: int
    condition: str | None = None
    targets: tuple[Target, ...] = ()
    amber_within: Decimal | None = None
    is_headline: bool = False
    is_open: bool = False


@dataclass(frozen=True)
class Registry:
    """What a city measures and publishes.

    Attributes:
        indicators: By code, in order of code.
        publications: By name, in order of name.
        digest: SHA-256 over the bytes of every file that was read.
        notice: What readers are told above every figure, by language, or None.
    """

    indicators: Mapping[str, Indicator]
    publications: Mapping[str, Publication]
    digest: str = ""
    notice: Mapping[str, str] | None = None
