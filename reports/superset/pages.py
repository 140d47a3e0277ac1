"""The dashboards of a city in one language, from the registry."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from publish.report_column import ReportView
from publish.report_views import ATTENTION, FIGURES, PUBLICATIONS
from publish.wording import LANGUAGES, NOT_CLEARED, SERVICE_GROUPS, Text
from reports.superset import looks, words
from reports.superset.charts import Chart, Filter, Question
from reports.superset.dashboards import Cell, Choice, Dashboard, slug
from reports.superset.datasets import ATTENTION_LINES, FIRST, LATEST, SHOWN
from reports.superset.trends import Trend, Trends
from warehouse.registry_model import Indicator

CITY_VIEW, DISTRICT_VIEW, _SECTOR_VIEW = FIGURES
# Views that have drawings of their own; any further one is listed for auditors.
KNOWN = frozenset({*FIGURES, PUBLICATIONS, ATTENTION})
_SHOWN: Filter = ("recency", "!=", "past")
_DETAIL = (
    "indicator_name",
    "service_group_name",
    "area_name",
    "area_note",
    "period",
    "value_text",
    "numerator_text",
    "denominator_text",
    "n_text",
    "target_text",
    "rating_text",
    "obs_status_text",
    "stamp_text",
    "data_as_of_text",
    "agency_name",
)
# Every figure of the newest periods of the largest cities: all indicators of a group, all areas.
_DETAIL_ROWS = 10_000
_DETAILS = (
    (CITY_VIEW, "detail-city", words.DETAIL_CITY),
    (DISTRICT_VIEW, "detail", words.DETAIL),
)
_STEP = 8  # pixels of a unit of height
_DAYS = {"vi": "%d/%m/%Y", "en": "%-d %B %Y"}
_CARDS_A_ROW, _CARD, _FRAME = 5, 250, 90
# Height of what stands below a chart over time before its style gives it that of its lines.
_NOTE = 12
# What a list for auditors begins with, where its view has it.
_FAILING = "is_failing"
# Every digit, by threes; no zeros behind the last one. Texts have no form.
_PLAIN = ",~f"
_NAME_WIDTH = 180  # pixels; a table that is wider than its place moves sideways


@dataclass(frozen=True)
class Pages:
    """The dashboards of a city in one language."""

    language: str
    views: Mapping[str, ReportView]
    served: Mapping[str, Indicator]
    withheld: Mapping[str, Indicator]
    city: str
    city_title: str
    notice: str | None = None

    def all(self) -> list[Dashboard]:
        """Those for which there is a view."""
        found = []
        if CITY_VIEW in self.views:
            found.append(self._city())
        if DISTRICT_VIEW in self.views:
            found.append(self._district())
        groups = {each.definition.service_group for each in self.served.values()}
        groups |= {each.definition.service_group for each in self.withheld.values()}
        if CITY_VIEW in self.views:
            found += [self._group(number) for number in sorted(groups)]
        found.append(self._quality())
        if self.notice is None:
            return found
        told = [Cell(f"**{self.notice}.**", 12, 6)]
        return [replace(each, rows=[told, *each.rows]) for each in found]

    def _say(self, text: Text) -> str:
        return text.of(self.language)

    def _in(self, *names: str) -> list[str]:
        """Names of columns in this language, where there is one in each."""
        known = {column.name for view in self.views.values() for column in view.columns}
        return [f"{name}_{self.language}" if f"{name}_vi" in known else name for name in names]

    @property
    def _trends(self) -> Trends:
        return Trends(self.language, self.served)

    def _named(self, name: str) -> str:
        return f"{name}-{self.language}"

    def _titled(self, title: Text) -> str:
        return f"{self._say(title)} · {self.city_title}"

    def _city(self) -> Dashboard:
        has_areas = DISTRICT_VIEW in self.views
        group = slug(self.city, self._named(f"group-{looks.show('service_group')}"))
        only: list[Filter] = [("is_headline", "IS TRUE", None)]
        address = f"/superset/dashboard/{group}/"
        headline = self._cards("city-headline", CITY_VIEW, only, address)
        rows = [
            [Cell(headline, 12, _cards_height(len(self._headline())))],
            [Cell(self._attention(), 12, 48)],
            *(
                [Cell(chart, 12, height)]
                for chart, height in zip(self._maps() if has_areas else (), (36, 100), strict=False)
            ),
            *_trend_rows(self._trends.headline("city-trend", CITY_VIEW), 36),
            [Cell(self._detail("city-detail", CITY_VIEW, [_SHOWN, *only], words.DETAIL), 12, 52)],
            *self._withheld_rows(self.withheld),
            [Cell(self._say(words.EXPLAINED), 12, 10)],
        ]
        choices = []
        if has_areas:
            maps = [each.name for each in self._maps()]
            choices = [self._indicator_choice(maps)]
        return Dashboard(self._named("city"), self._titled(words.CITY), rows, choices)

    def _headline(self) -> dict[str, Indicator]:
        return {code: each for code, each in self.served.items() if each.is_headline}

    def _cards(self, name: str, view: str, filters: Sequence[Filter], more: str = "") -> Chart:
        of_areas = view == DISTRICT_VIEW
        known = {column.name for column in self.views[view].columns}
        shown = [each for each in self._in(*SHOWN) if each in known]
        metrics = [
            "place",
            "latest_rating",
            *(f"latest_{each}" for each in self._in(*LATEST)),
            *(f"shown_{each}" for each in shown),
            f"running_text_{self.language}",
            "any_stamp",
            f"any_stamp_text_{self.language}",
        ]
        areas = ["area_name", "area_code", "area_valid_from"] if of_areas else []
        group = ("service_group", "service_group_name")
        columns = self._in("indicator_code", "indicator_name", *group, *areas)
        question = Question(
            view, columns, metrics, [_SHOWN, *filters], [("place", True)], limit=200
        )
        title = words.HEADLINE if any(each[0] == "is_headline" for each in filters) else None
        return self._drawn(
            name,
            self._say(title or words.INDICATORS),
            question,
            looks.cards(self.language, of_areas=of_areas, more=more),
        )

    def _drawn(self, name: str, title: str, question: Question, template: str) -> Chart:
        options = {"handlebarsTemplate": template, "styleTemplate": ""}
        return Chart(self._named(name), title, "handlebars", question, options)

    def _attention(self) -> Chart:
        language = self.language
        columns = self._in(
            *("severity", "reason", "reason_text", "indicator_name", "agency_name", "stamp"),
            *("stamp_text", "line"),
        )
        first = {each: f"first_{each}_{language}" for each in FIRST}
        metrics = ["line_place", *first.values(), "areas_more", "lines_more"]
        order = [("line_place", True)]
        question = Question(ATTENTION, columns, metrics, (), order, limit=ATTENTION_LINES)
        reason = looks.pill("reason", f"reason_text_{language}")
        others = f" + {looks.show('areas_more')} {self._say(words.OTHER_AREAS)}"
        note = looks.when(first["area_note"], f" ({looks.show(first['area_note'])})")
        area = looks.show(first["area_name"]) + note + looks.when("areas_more", others)
        value = f"<b>{looks.show(first['value_text'])}</b> · {looks.show(first['period'])}"
        cells = [
            (words.REASON, reason),
            (words.INDICATOR, looks.show(f"indicator_name_{language}")),
            (words.AREA, area),
            (words.VALUE, f"{value} · {looks.show(first['obs_status_text'])}"),
            (words.TARGET, looks.show(first["target_text"])),
            (words.AS_OF, f"{looks.show(first['data_as_of_text'])} {looks.stamp('', language)}"),
            (words.OWNER, looks.show(f"agency_name_{language}")),
        ]
        more = f"+ {looks.show('lines_more')} {self._say(words.MORE_LINES)}"
        template = looks.table(
            [(self._say(title), content) for title, content in cells],
            self._say(words.NOTHING),
            looks.when("lines_more", f'<p class="cl-note">{more}</p>'),
        )
        return self._drawn("attention", self._say(words.ATTENTION), question, template)

    def _maps(self) -> list[Chart]:
        columns = self._in(
            *("area_name", "value", "value_text", "rating", "rating_text", "tile_x", "tile_y"),
            *("indicator_name", "period", "target_text", "data_as_of_text", "stamp", "stamp_text"),
            *("status_note", "caution"),
        )
        made = []
        for recency, title in (("latest", words.MAP_LATEST), ("running", words.MAP_RUNNING)):
            filters: list[Filter] = [("recency", "==", recency), ("tile_x", "IS NOT NULL", None)]
            order = [("tile_y", True), ("tile_x", True)]
            question = Question(DISTRICT_VIEW, columns, (), filters, order, limit=500)
            template = looks.tiles(self.language)
            made.append(self._drawn(f"map-{recency}", self._say(title), question, template))
        return made

    def _indicator_choice(self, shown: Sequence[str]) -> Choice:
        first = next(iter(self._headline().values()), None) or next(iter(self.served.values()))
        return Choice(
            "indicator",
            self._say(words.INDICATOR_FILTER),
            DISTRICT_VIEW,
            f"indicator_name_{self.language}",
            shown,
            first.definition.name[self.language],
        )

    def _detail(self, name: str, view: str, filters: Sequence[Filter], title: Text) -> Chart:
        view_columns = {column.name: column.title for column in self.views[view].columns}
        columns = [each for each in self._in(*_DETAIL) if each in view_columns]
        if "city_value" in view_columns:
            columns[6:6] = self._in("city_value_text")
        hidden = ["period_start"]
        order = [("period_start", False), ("indicator_code", True), ("n", False)]
        question = Question(view, [*columns, *hidden], (), filters, order, limit=_DETAIL_ROWS)
        config: dict[str, dict[str, object]] = {
            each: {"customColumnName": view_columns[each].of(self.language)} for each in columns
        }
        config["period_start"] = {"visible": False}
        return Chart(self._named(name), self._say(title), "table", question, self._rows(config))

    def _rows(self, config: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
        """How a table of plain rows looks; a bar behind a number would say that it is a share."""
        return {
            "column_config": config,
            "include_search": True,
            "page_length": 25,
            "table_timestamp_format": _DAYS[self.language],
            "allow_render_html": False,
            "show_cell_bars": False,
        }

    def _district(self) -> Dashboard:
        cards = self._cards("district-cards", DISTRICT_VIEW, [])
        detail = self._detail("district-detail", DISTRICT_VIEW, [_SHOWN], words.DETAIL)
        trends = self._trends.headline("district-trend", DISTRICT_VIEW)
        rows = [
            [Cell(cards, 12, _cards_height(len(self.served)))],
            [Cell(self._say(words.NEW_AREA), 12, 10)],
            [Cell(self._attention(), 12, 36)],
            *_trend_rows(trends, 36),
            [Cell(detail, 12, 64)],
            *self._withheld_rows(self.withheld),
            [Cell(self._say(words.EXPLAINED), 12, 10)],
        ]
        (column,) = self._in("area_name")
        choice = Choice(
            "area",
            self._say(words.AREA_FILTER),
            DISTRICT_VIEW,
            column,
            [each.name for each in (cards, self._attention(), *_charts(trends), detail)],
            filters=[_SHOWN, ("value", "IS NOT NULL", None)],
        )
        return Dashboard(self._named("district"), self._titled(words.DISTRICT), rows, [choice])

    def _group(self, number: int) -> Dashboard:
        own = {c: each for c, each in self.served.items() if _group(each) == number}
        withheld = {c: each for c, each in self.withheld.items() if _group(each) == number}
        only: list[Filter] = [("service_group", "==", number)]
        name = f"group-{number}"
        rows: list[list[Cell]] = []
        if own:
            cards = self._cards(f"{name}-cards", CITY_VIEW, only)
            rows.append([Cell(cards, 12, _cards_height(len(own)))])
            trends = self._trends.by_unit(f"{name}-trend", own, CITY_VIEW)
            rows += _trend_rows(trends, 44)
            for view, ending, heading in _DETAILS:
                if view in self.views:
                    detail = self._detail(f"{name}-{ending}", view, [_SHOWN, *only], heading)
                    rows.append([Cell(detail, 12, 64)])
        rows += self._withheld_rows(withheld)
        title = self._titled(SERVICE_GROUPS[number])
        # One that has only names of what is not cleared yet is for the same readers.
        return Dashboard(self._named(name), title, rows, (), number, frozenset({CITY_VIEW}))

    def _withheld_rows(self, withheld: Mapping[str, Indicator]) -> list[list[Cell]]:
        if not withheld:
            return []
        names = [each.definition.name[self.language] for each in withheld.values()]
        text = looks.listed(names, self._say(NOT_CLEARED).capitalize())
        return [[Cell(text, 12, 8 + 3 * len(names))]]

    def _quality(self) -> Dashboard:
        rows = [[Cell(self._publications(), 12, 60)]]
        for view in self.views.values():
            if view.name not in KNOWN:
                rows.append([Cell(self._listing(view), 12, 60)])
        return Dashboard(self._named("quality"), self._titled(words.QUALITY), rows)

    def _publications(self) -> Chart:
        language = self.language
        titles = {each.name: each.title for each in self.views[PUBLICATIONS].columns}
        columns = self._in(
            *("title", "publication", "verdict", "verdict_text", "stamp", "stamp_text"),
            *("data_as_of_text", "version", "row_count_text", "failing_checks"),
            "late_sources_text",
        )
        named = f'<br><span class="cl-quiet">{looks.show("publication")}</span>'
        rows, late = self._in("row_count_text", "late_sources_text")
        shown = {
            f"title_{language}": looks.show(f"title_{language}") + named,
            f"verdict_text_{language}": looks.show(f"verdict_text_{language}"),
            f"stamp_text_{language}": looks.stamp("", language),
            f"data_as_of_text_{language}": looks.show(f"data_as_of_text_{language}"),
            "version": looks.show("version"),
            rows: f'<span class="cl-number">{looks.show(rows)}</span>',
            "failing_checks": looks.when("failing_checks", looks.show("failing_checks"), "–"),
            late: looks.when(late, looks.show(late), "–"),
        }
        template = looks.table(
            [(self._say(titles[name]), content) for name, content in shown.items()],
            self._say(words.NO_FIGURE),
        )
        question = Question(PUBLICATIONS, columns, (), (), [("publication", True)])
        return self._drawn("publications", self._say(words.PUBLICATIONS), question, template)

    def _listing(self, view: ReportView) -> Chart:
        """A view that has no drawing of its own, as a table of all its columns.

        Words of another language are left out, and codes beside which their words stand.
        """
        others = tuple(f"_{each}" for each in LANGUAGES if each != self.language)
        titles = {c.name: c.title for c in view.columns if not c.name.endswith(others)}
        coded = {name for name in titles if any(each in titles for each in self._in(*_words(name)))}
        hidden = [each for each in (_FAILING,) if each in titles]
        coded |= set(hidden)
        titles = {name: title for name, title in titles.items() if name not in coded}
        order = [*((each, False) for each in hidden), (next(iter(titles)), True)]
        question = Question(view.name, [*titles, *hidden], (), (), order, limit=_DETAIL_ROWS)
        config: dict[str, dict[str, object]] = {
            name: {"customColumnName": title.of(self.language), "d3NumberFormat": _PLAIN}
            for name, title in titles.items()
        }
        for name in titles:
            if name.endswith(f"_{self.language}") and "_text_" not in name:
                config[name]["columnWidth"] = _NAME_WIDTH
        config |= {name: {"visible": False} for name in hidden}
        name = view.name.removeprefix("report_").replace("_", "-")
        title = self._say(view.title)
        return Chart(self._named(name), title, "table", question, self._rows(config))


def _group(indicator: Indicator) -> int:
    return indicator.definition.service_group


def _charts(trends: Iterable[Trend]) -> list[Chart]:
    return [chart for each in trends for chart in (each.lines, each.note)]


def _trend_rows(trends: Iterable[Trend], height: int) -> list[list[Cell]]:
    return [
        [Cell(chart, 12, steps)]
        for each in trends
        for chart, steps in ((each.lines, height), (each.note, _NOTE))
    ]


def _words(name: str) -> tuple[str, str]:
    """Names of the columns that may hold the words of a code."""
    return f"{name}_text", f"{name}_name"


def _cards_height(cards: int) -> int:
    """Height of a chart that shows so many cards on a wide page."""
    return (_FRAME + _CARD * -(-cards // _CARDS_A_ROW)) // _STEP
