"""What stands beside a figure: words, rating, recency and stamp, for rows written by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from pipeline.context import open_context
from publish.report_views import ATTENTION, PUBLICATIONS, report_views
from publish.serving import replace_serving, write_reports
from warehouse.contract.model import TableContract

OLD, NEW = "DATE '2025-01-01'", "DATE '2025-07-01'"
HAI_CHAU_DISTRICT, HAI_CHAU_WARD = ("492", OLD), ("20242", NEW)


@dataclass(frozen=True)
class Serving:
    """A serving file of Da Nang into which rows are written."""

    file: Path
    contracts: Mapping[str, TableContract]

    def figure(self, period: str, value: str, **changed: str) -> None:
        """One value of FB1 (target 80, near it within 5) of the city before the reform."""
        row = {
            "indicator_code": "'FB1'",
            "area_code": "'48'",
            "area_valid_from": OLD,
            "service_group": "1",
            "agency_code": "'trung_tam_1022'",
            "period_kind": "'month'",
            "period_start": f"DATE '{period}'",
            "value": value,
            "n": "30",
            "unit": "'%'",
            "target": "80",
            "obs_status": "'P'",
            "coverage_share": "1",
            "data_as_of": "DATE '2025-07-05'",
            **changed,
        }
        mart = row.pop("mart", "mart_city_indicator")
        names, values = ", ".join(row), ", ".join(row.values())
        self.change(f"INSERT INTO {mart} ({names}) VALUES ({values})")  # noqa: S608 - own text

    def change(self, sql: str) -> None:
        with duckdb.connect(str(self.file)) as connection:
            connection.execute(sql)
            write_reports(connection, self.contracts)

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def city(self, columns: str) -> list[tuple[object, ...]]:
        """Columns of the city's figures by period."""
        return self.ask(f"SELECT {columns} FROM report_city_indicator ORDER BY period_start")  # noqa: S608 - own text


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serving:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    context = open_context("danang")
    publications = tuple(context.registry.publications.values())
    file = replace_serving(context.paths, publications, context.city.marts, named=context.named)
    made = Serving(file, context.city.marts)
    made.change(
        "UPDATE publication_status SET verdict = 'publish', version = 'v1', stale = false,"
        " data_as_of = DATE '2025-07-05'"
    )
    return made


@pytest.mark.parametrize(
    ("changed", "rating"),
    [
        pytest.param({"value": "80"}, "green", id="on-target"),
        pytest.param({"value": "75"}, "amber", id="near"),
        pytest.param({"value": "74.9"}, "red", id="off"),
        pytest.param({"value": "74.9", "coverage_share": "0.5"}, None, id="still-running"),
        pytest.param({"value": "NULL", "obs_status": "'O'"}, None, id="missing"),
        pytest.param({"value": "10", "target": "NULL"}, None, id="no-target"),
        pytest.param({"indicator_code": "'FB4'", "value": "5", "target": "5"}, "green", id="low"),
        pytest.param({"indicator_code": "'FB4'", "value": "6", "target": "5"}, "amber", id="more"),
        pytest.param({"indicator_code": "'FB4'", "value": "6.1", "target": "5"}, "red", id="high"),
        pytest.param(
            {"indicator_code": "'FB5'", "value": "9", "target": "5", "coverage_share": "0.1"},
            "red",
            id="a-stock-is-judged-on-any-day",
        ),
    ],
)
def test_a_figure_is_rated_against_its_target(
    serving: Serving, changed: Mapping[str, str], rating: str | None
) -> None:
    serving.figure("2025-06-01", **changed)
    assert serving.city("rating") == [(rating,)]


def test_figures_are_written_as_each_language_does(serving: Serving) -> None:
    serving.figure(
        "2025-06-01",
        "12345",
        indicator_code="'FB5'",
        unit="'requests'",
        target="NULL",
        data_as_of="DATE '2025-07-05'",
    )
    serving.figure("2025-07-01", "82.25")
    columns = (
        "value_text_{0}, target_text_{0}, period_{0}, data_as_of_text_{0}, obs_status_text_{0}"
    )
    assert serving.city(columns.format("vi")) == [
        ("12.345 phản ánh", None, "tháng 6/2025", "05/07/2025", "tạm tính"),
        ("82,3%", "80,0%", "tháng 7/2025", "05/07/2025", "tạm tính"),
    ]
    assert serving.city(columns.format("en")) == [
        ("12,345 requests", None, "June 2025", "5 July 2025", "provisional"),
        ("82.3%", "80.0%", "July 2025", "5 July 2025", "provisional"),
    ]


def test_a_missing_value_says_why(serving: Serving) -> None:
    serving.figure("2025-06-01", "NULL", obs_status="'O'")
    assert serving.city("value_text_vi, value_text_en") == [("chưa có số liệu", "not delivered")]


@pytest.mark.parametrize(
    ("value", "status", "told"),
    [
        pytest.param("80", "P", (None, None), id="usual"),
        pytest.param("80", "E", ("ước tính", "estimated"), id="estimated"),
        pytest.param("80", "A", ("chính thức", "final"), id="final"),
        pytest.param("NULL", "Q", (None, None), id="the-value-says-it"),
    ],
)
def test_an_unusual_status_is_told_beside_a_value(
    serving: Serving, value: str, status: str, told: tuple[str | None, str | None]
) -> None:
    serving.figure("2025-06-01", value, obs_status=f"'{status}'")
    assert serving.city("status_note_vi, status_note_en") == [told]


def test_quarters_have_names(serving: Serving) -> None:
    serving.figure("2025-04-01", "80", period_kind="'quarter'")
    assert serving.city("period_vi, period_en") == [("quý II/2025", "Q2 2025")]


def test_the_newest_complete_period_is_latest_and_what_follows_it_runs(serving: Serving) -> None:
    serving.figure("2025-05-01", "80")
    serving.figure("2025-06-01", "81")
    serving.figure("2025-07-01", "60", area_valid_from=NEW, coverage_share="0.1")
    assert serving.city("recency, value_before") == [
        ("past", None),
        ("latest", 80),
        # another extent: what was before is no measure of it
        ("running", None),
    ]


@pytest.mark.parametrize(
    ("indicator", "values", "told"),
    [
        pytest.param(
            "FB1", ("80", "82.3"), ("+2,3 điểm %", "+2.3 points", "better"), id="higher-is-better"
        ),
        pytest.param(
            "FB4", ("4", "5.5"), ("+1,5 điểm %", "+1.5 points", "worse"), id="lower-is-better"
        ),
        pytest.param(
            "FB1", ("82.3", "80"), ("−2,3 điểm %", "−2.3 points", "worse"), id="lower-than-before"
        ),
        pytest.param(
            "FB1", ("80", "80.04"), ("0,0 điểm %", "0.0 points", "same"), id="less-than-is-shown"
        ),
        pytest.param("FB1", ("NULL", "80"), (None, None, None), id="nothing-before"),
    ],
)
def test_a_change_has_a_sign_and_a_direction(
    serving: Serving, indicator: str, values: tuple[str, str], told: tuple[str | None, ...]
) -> None:
    for period, value in zip(("2025-05-01", "2025-06-01"), values, strict=True):
        serving.figure(period, value, indicator_code=f"'{indicator}'")
    assert serving.city("change_text_vi, change_text_en, tendency")[1] == told


def test_a_part_of_a_period_is_no_measure_for_the_next(serving: Serving) -> None:
    serving.figure("2025-05-01", "80", coverage_share="0.7")
    serving.figure("2025-06-01", "82")
    columns = "is_partial, value_before, value_before_text_vi, change_text_vi, tendency"
    assert serving.city(columns) == [(True, *[None] * 4), (False, *[None] * 4)]


def test_a_period_that_runs_has_no_direction(serving: Serving) -> None:
    serving.figure("2025-06-01", "80")
    serving.figure("2025-07-01", "40", coverage_share="0.1")
    assert serving.city("tendency, tendency_text_vi")[1] == (None, None)


@pytest.mark.parametrize(
    ("status", "stamp"),
    [
        ("stale = false", "current"),
        ("stale = true, late_sources = ['feedback.open311']", "late"),
        ("verdict = 'hold', stale = true", "held"),
        ("verdict = 'reject', stale = true", "rejected"),
        ("version = NULL, verdict = NULL", "unpublished"),
    ],
)
def test_a_stamp_says_how_new_the_figures_are(serving: Serving, status: str, stamp: str) -> None:
    serving.figure("2025-06-01", "82")
    serving.change(
        f"UPDATE publication_status SET {status} WHERE publication = 'indicators-feedback'"  # noqa: S608 - own text
    )
    assert [row[0] for row in serving.city("stamp")] == [stamp]
    assert all(text for text in serving.city("stamp_text_vi, stamp_text_en")[0])
    told = serving.ask(
        f"SELECT publication, stamp FROM {PUBLICATIONS} WHERE stamp <> 'current'"  # noqa: S608 - own text
    )
    assert told == ([] if stamp == "current" else [("indicators-feedback", stamp)])


def test_what_is_off_target_or_old_needs_attention(serving: Serving) -> None:
    serving.figure("2025-05-01", "10")
    serving.figure("2025-06-01", "60")
    for (code, valid_from), value in ((HAI_CHAU_DISTRICT, "90"), (HAI_CHAU_WARD, "76")):
        serving.figure(
            "2025-06-01",
            value,
            mart="mart_district_indicator",
            area_code=f"'{code}'",
            area_valid_from=valid_from,
        )
    serving.figure("2025-06-01", "60", indicator_code="'FB4'")
    ask = f"SELECT area_code, reason, period_en FROM {ATTENTION} ORDER BY ALL"  # noqa: S608 - own text
    assert serving.ask(ask) == [("20242", "amber", "June 2025"), ("48", "red", "June 2025")]
    serving.change("UPDATE publication_status SET verdict = 'reject', stale = true")
    assert ("20242", "rejected", "June 2025") in serving.ask(ask)


def test_a_change_is_against_the_period_before_of_the_same_extent(serving: Serving) -> None:
    serving.figure("2025-05-01", "81.25")
    serving.figure("2025-06-01", "81.25")
    serving.figure("2025-07-01", "1060", area_valid_from=NEW)
    serving.figure("2025-08-01", "10", area_valid_from=NEW)
    assert serving.city("change_text_vi, change_text_en") == [
        (None, None),
        ("0,0 điểm %", "0.0 points"),
        (None, None),
        ("−1.050,0 điểm %", "−1,050.0 points"),
    ]


def test_a_figure_that_needs_attention_has_its_stamp_status_and_date(serving: Serving) -> None:
    serving.figure("2025-06-01", "60")
    asked = "stamp, stamp_text_vi, obs_status_text_en, data_as_of_text_vi, is_whole_city"
    assert serving.ask(f"SELECT {asked} FROM {ATTENTION}") == [  # noqa: S608 - own text
        ("current", "đã kiểm, mới nhất", "provisional", "05/07/2025", True)
    ]


@pytest.mark.parametrize(
    ("code", "valid_from", "as_of", "note"),
    [
        pytest.param("492", OLD, "2025-07-05", "giải thể 01/07/2025", id="dissolved"),
        pytest.param("492", OLD, "2025-06-20", None, id="before-it-was"),
        pytest.param("48", OLD, "2025-07-05", "địa giới trước 01/07/2025", id="another-extent"),
        pytest.param("20242", NEW, "2025-07-05", None, id="in-force"),
    ],
)
def test_an_area_that_is_no_more_says_so(
    serving: Serving, code: str, valid_from: str, as_of: str, note: str | None
) -> None:
    serving.figure(
        "2025-06-01",
        "60",
        mart="mart_district_indicator",
        area_code=f"'{code}'",
        area_valid_from=valid_from,
        data_as_of=f"DATE '{as_of}'",
    )
    assert serving.ask(f"SELECT area_note_vi FROM {ATTENTION}") == [(note,)]  # noqa: S608 - own text


def test_areas_have_their_place_in_the_schematic(serving: Serving) -> None:
    for code, valid_from in (HAI_CHAU_DISTRICT, HAI_CHAU_WARD):
        serving.figure(
            "2025-06-01",
            "90",
            mart="mart_district_indicator",
            area_code=f"'{code}'",
            area_valid_from=valid_from,
        )
    asked = "SELECT area_code, tile_x, tile_y FROM report_district_indicator ORDER BY ALL"
    assert serving.ask(asked) == [("20242", 9, 2), ("492", 4, 1)]


def test_counts_are_written_whole_where_they_are(serving: Serving) -> None:
    serving.figure("2025-05-01", "80", numerator="4788", denominator="5985", n="5985")
    serving.figure("2025-06-01", "80", numerator="640.73", denominator="1860.5", n="1861")
    columns = "numerator_text_{0}, denominator_text_{0}, n_text_{0}"
    assert serving.city(columns.format("vi")) == [
        ("4.788", "5.985", "5.985"),
        ("640,73", "1.860,50", "1.861"),
    ]
    assert serving.city(columns.format("en"))[1] == ("640.73", "1,860.50", "1,861")


def test_titles_are_short(serving: Serving) -> None:
    titles = [
        title
        for view in report_views(serving.contracts).values()
        for column in view.columns
        for title in (column.title.vi, column.title.en)
    ]
    assert [title for title in titles if len(title) > 50 or ";" in title] == []
    assert {"Tử số", "Numerator"} <= set(titles)


def test_every_column_has_a_title_and_is_in_its_view(serving: Serving) -> None:
    views = report_views(open_context("danang").city.marts)
    assert len(views) == 9
    for view in views.values():
        found = serving.ask(f"SELECT column_name FROM (DESCRIBE {view.name})")  # noqa: S608 - own text
        assert [name for (name,) in found] == [column.name for column in view.columns]
        assert all(column.title.vi and column.title.en for column in view.columns)
