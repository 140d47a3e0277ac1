"""A serving file of Da Nang with figures of every area, written by hand, and its briefs."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pypdf import PdfReader
from pypdf.generic import ContentStream

from pipeline.context import open_context
from publish.serving import replace_serving, write_reports
from reports.brief.document import pdf
from reports.brief.facts import Facts, read_facts
from reports.brief.subject import subject
from warehouse.access import Access, Role
from warehouse.city import load_city
from warehouse.geography import Geography
from warehouse.geography_model import Area

MARTS = load_city(Path(__file__).resolve().parents[3] / "cities" / "danang").marts
DAY = date(2025, 7, 5)
OLD, NEW = date(2025, 1, 1), date(2025, 7, 1)
LEADER, HAI_CHAU, OPEN = "lanh_dao_thanh_pho", "lanh_dao_phuong_hai_chau", "cong_khai"
ADMINISTRATION = "trung_tam_hanh_chinh_cong"
# April, May and June of the old extents are whole, July of the new ones has just begun. Each figure
# is another one: its indicator's place, its area's place, its month.
_FIGURES = """
    INSERT INTO {mart} (indicator_code, area_code, area_valid_from, service_group, agency_code,
        period_kind, period_start, value, n, unit, target, obs_status, coverage_share, data_as_of
        {city_column})
    SELECT i.indicator_code, a.area_code, a.area_valid_from, i.service_group, i.agency_code,
        'month', m.start, 50 + i.place + (hash(a.area_code) % 37) / 2.0 + month(m.start) / 10.0, 99,
        i.unit, CASE WHEN i.unit = '%' THEN 71 END, 'P', m.share, DATE '2025-07-05' {city_value}
    FROM (SELECT *, row_number() OVER (ORDER BY indicator_code) AS place FROM dim_indicator) i
    CROSS JOIN dim_area a
    JOIN (VALUES (DATE '2025-04-01', 1.0), (DATE '2025-05-01', 1.0), (DATE '2025-06-01', 1.0),
        (DATE '2025-07-01', 0.16)) m(start, share)
        ON m.start >= a.area_valid_from AND (a.area_valid_to IS NULL OR m.start < a.area_valid_to)
    WHERE {areas}
"""
# How the sources delivered; without it nothing is known of them.
SOURCES = """
    INSERT INTO audit_source (source, title_vi, title_en, agency_code, service_group, core_table,
        as_of, expected_by, is_late, attempt_day, attempt_status)
    SELECT source, vi, en, agency, service_group, 'core_' || service_group, DATE '2025-07-05',
        DATE '2025-07-06', false, DATE '2025-07-05', 'ok'
    FROM (VALUES
        ('administration.one_stop_shop', 'Cơ sở dữ liệu một cửa', 'One-stop-shop database',
            'trung_tam_hanh_chinh_cong', 2),
        ('feedback.open311', 'Cổng góp ý 1022', 'Feedback portal 1022', 'trung_tam_1022', 1),
        ('health.hospitals', 'Bệnh viện của thành phố', 'Hospitals of the city', 'so_y_te', 10),
        ('socioeconomic.statistics_office', 'Điều tra lao động việc làm', 'Labour force survey',
            'thong_ke_thanh_pho', 5)) v(source, vi, en, agency, service_group)
"""


def fill(file: Path) -> None:
    """Write a figure of every indicator for every area and month, and publish everything."""
    with duckdb.connect(str(file)) as connection:
        for mart, areas, column, value in (
            ("mart_city_indicator", "a.level = 'city'", "", ""),
            # The marts speak of districts before the reform and of wards after it.
            (
                "mart_district_indicator",
                "a.level = CASE WHEN a.area_valid_from < DATE '2025-07-01' THEN 'district' "
                "ELSE 'ward' END",
                ", city_value",
                ", 12.5",
            ),
        ):
            connection.execute(
                _FIGURES.format(mart=mart, areas=areas, city_column=column, city_value=value)
            )
        connection.execute(
            "UPDATE publication_status SET verdict = 'publish', version = '2025-07-05-abc', "
            "stale = false, data_as_of = DATE '2025-07-05', delivered_as_of = DATE '2025-07-05'"
        )
        write_reports(connection, MARTS)


def _tagged(element: Any) -> Iterator[Any]:
    """The elements of a file's structure, from the first to the last."""
    yield element
    below = element.get("/K", [])
    for each in below if isinstance(below, list) else [below]:
        if not isinstance(each, int) and "/K" in (found := each.get_object()):
            yield from _tagged(found)


def _polylines(stream: ContentStream) -> Iterator[int]:
    """How many parts each open line of several parts has; rules have one, shapes are filled."""
    parts = 0
    for _, operator in stream.operations:
        if operator == b"m":
            parts = 0
        elif operator == b"l":
            parts += 1
        elif operator == b"S" and parts > 1:
            yield parts


@dataclass(frozen=True)
class Pages:
    """A brief as it can be read back."""

    content: bytes
    texts: list[str] = field(default_factory=list)

    @property
    def headings(self) -> list[str]:
        """Names of its sections, as a reader of the file lists them."""
        (title, *below) = PdfReader(io.BytesIO(self.content)).outline
        assert not isinstance(title, list)
        (sections,) = below
        assert isinstance(sections, list)
        return [str(each["/Title"]) for each in sections if not isinstance(each, list)]

    @property
    def alternatives(self) -> list[str]:
        """What each drawing says to those who do not see it."""
        root: Any = PdfReader(io.BytesIO(self.content)).trailer["/Root"]
        return [str(each["/Alt"]) for each in _tagged(root["/StructTreeRoot"]) if "/Alt" in each]

    @property
    def polylines(self) -> list[int]:
        """How many parts each line over time has."""
        reader = PdfReader(io.BytesIO(self.content))
        streams = [ContentStream(page.get_contents(), reader) for page in reader.pages]
        return [parts for stream in streams for parts in _polylines(stream)]

    @property
    def text(self) -> str:
        """All of its words, with single spaces: lines break where the page is full."""
        return " ".join(" ".join(self.texts).split())


def read_back(content: bytes) -> Pages:
    return Pages(content, [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages])


@dataclass(frozen=True)
class Desk:
    """A serving file that a test may change, and what briefs of it say."""

    file: Path
    geography: Geography
    access: Access

    def change(self, sql: str) -> None:
        with duckdb.connect(str(self.file)) as connection:
            connection.execute(sql)
            write_reports(connection, MARTS)

    def area(self, code: str, valid_from: date = NEW) -> Area:
        (found,) = [each for each in self.geography.areas if each.key == (code, valid_from)]
        return found

    def facts(self, area: Area, role: str | Role = LEADER, language: str = "vi") -> Facts:
        who = self.access.roles[role] if isinstance(role, str) else role
        return read_facts(self.file, subject(self.geography, area, who), who, DAY, language)

    def brief(self, area: Area, role: str | Role = LEADER, language: str = "vi") -> Pages:
        return read_back(pdf(self.facts(area, role, language)))


def desk_in(home: Path) -> Desk:
    """A lake of Da Nang whose serving file has figures of every area."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYLAKE_HOME", str(home))
        context = open_context("danang")
        publications = tuple(context.registry.publications.values())
        file = replace_serving(context.paths, publications, context.city.marts, named=context.named)
    fill(file)
    return Desk(file, context.geography, context.access)
