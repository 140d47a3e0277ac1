"""Charts over time, and below each what stands beside its figures: stamp, status, data-as-of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from publish.wording import UNITS, Text
from reports.superset import looks, words
from reports.superset.charts import Chart, Filter, Question
from reports.superset.datasets import LINE, NAMES
from warehouse.registry_model import Indicator

_MONTHS = {"vi": "%m/%Y", "en": "%b %Y"}
_HOW = {
    "markerEnabled": True,
    "markerSize": 6,
    "rich_tooltip": True,
    "show_legend": True,
    "legendOrientation": "top",
    "legendType": "plain",
    "truncateYAxis": False,
    "color_scheme": "supersetColors",
    "seriesType": "line",
}


@dataclass(frozen=True)
class Trend:
    """Indicators over time.

    Attributes:
        lines: The chart.
        note: What is known of the figures that the chart draws, from the same rows.
    """

    lines: Chart
    note: Chart


@dataclass(frozen=True)
class Trends:
    """The charts over time of a city in one language.

    Attributes:
        served: Indicators that may be shown, by code.
    """

    language: str
    served: Mapping[str, Indicator]

    def headline(self, name: str, view: str) -> list[Trend]:
        """Headlines: percentages that are to rise, those that are to fall, then other units.

        What is to rise is mostly near 100, what is to fall near 0: on one axis both are flat.
        """
        shown = {code: each for code, each in self.served.items() if each.is_headline}
        percent = {code: each for code, each in shown.items() if _unit(each) == "%"}
        others = {code: each for code, each in shown.items() if code not in percent}
        made = []
        for better, title in (("higher", words.TO_RISE), ("lower", words.TO_FALL)):
            codes = [code for code, each in percent.items() if each.definition.better == better]
            if codes:
                suffix = f": {title.of(self.language)}"
                made.append(self._trend(f"{name}-{better}", codes, "%", view, suffix))
        return [*made, *self.by_unit(name, others, view)]

    def by_unit(self, name: str, indicators: Mapping[str, Indicator], view: str) -> list[Trend]:
        """Indicators over time, those of one unit on one axis."""
        units: dict[str, list[str]] = {}
        for code, each in indicators.items():
            units.setdefault(_unit(each), []).append(code)
        return [
            self._trend(f"{name}-{number}", codes, unit, view)
            for number, (unit, codes) in enumerate(units.items(), 1)
        ]

    def _trend(
        self, name: str, codes: Iterable[str], unit: str, view: str, suffix: str = ""
    ) -> Trend:
        shown = list(codes)
        only: list[Filter] = [("indicator_code", "IN", shown), ("value", "IS NOT NULL", None)]
        # What still runs, or is known in part, would fall off at the end of a line.
        only += [("is_partial", "IS FALSE", None), ("recency", "!=", "running")]
        named = UNITS.get(unit, Text(unit, unit)).of(self.language)
        title = f"{words.TREND.of(self.language)} ({named}){suffix}"
        decimals = max((self.served[code].definition.rounding for code in shown), default=0)
        lines = self._lines(
            name,
            title,
            Question(view, self._in("line_name"), [LINE], only, (), "period_start"),
            decimals,
        )
        return Trend(lines, self._note(name, title, view, only))

    def _lines(self, name: str, title: str, question: Question, decimals: int) -> Chart:
        options = {
            **_HOW,
            "y_axis_format": f",.{decimals}~f",
            "x_axis_time_format": _MONTHS[self.language],
            "tooltipTimeFormat": _MONTHS[self.language],
        }
        return Chart(self._named(name), title, "echarts_timeseries_line", question, options)

    def _note(self, name: str, title: str, view: str, only: Sequence[Filter]) -> Chart:
        status, day = self._in("obs_status_text", "data_as_of_text")
        columns = ["stamp", *self._in("stamp_text"), status, day]
        metrics = ["place", *self._in(NAMES)]
        order = [("place", True), (status, True)]
        question = Question(view, columns, metrics, only, order)
        options = {"handlebarsTemplate": looks.notes(self.language), "styleTemplate": ""}
        told = f"{title} – {words.NOTED.of(self.language)}"
        return Chart(self._named(f"{name}-note"), told, "handlebars", question, options)

    def _in(self, *names: str) -> list[str]:
        return [f"{name}_{self.language}" for name in names]

    def _named(self, name: str) -> str:
        return f"{name}-{self.language}"


def _unit(indicator: Indicator) -> str:
    return indicator.definition.unit
