# ruff: noqa: S608 - own text
"""Three years of Da Nang's marts in the serving file, and what every chart of it asks."""

import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import duckdb

from bench.chart_queries import chart_queries
from bench.line import Line
from bench.measure import Measured
from pipeline.context import open_context
from publish.report_views import FIGURES
from publish.serving import replace_serving, serving_file, write_reports
from reports.superset.contents import reports_of
from warehouse.paths import CityPaths

CITY = "danang"
FIRST_MONTH, MONTHS = "2023-01-01", 36
MOST_BYTES = 50_000_000
SECONDS_A_CHART = 0.3
MONTH = f"""
    SELECT CAST(DATE '{FIRST_MONTH}' + to_months(CAST(i AS INTEGER)) AS DATE) AS period_start
    FROM range({MONTHS}) t(i)
"""
PARTS = "SELECT * FROM dim_area WHERE area_valid_to IS NULL AND level = 'ward'"
WHOLE = "SELECT * FROM dim_area WHERE area_valid_to IS NULL AND level = 'city'"
FIGURE = """
    SELECT i.indicator_code, a.area_code, a.area_valid_from, i.service_group, i.agency_code,
        'month' AS period_kind, p.period_start, (hash(i.indicator_code, a.area_code, p.period_start)
        % 1000) / 10 AS value, 100 AS numerator, 200 AS denominator, 200 AS n, i.unit, 80 AS target,
        CASE WHEN p.period_start < DATE '2025-01-01' THEN 'A' ELSE 'P' END AS obs_status,
        CASE WHEN p.period_start < DATE '2025-12-01' THEN 1 ELSE 0.5 END AS coverage_share,
        DATE '2025-12-15' AS data_as_of{more}
    FROM dim_indicator i, ({areas}) a, ({month}) p
"""
ROWS = {
    "mart_city_indicator": FIGURE.format(areas=WHOLE, month=MONTH, more=""),
    "mart_sector_indicator": FIGURE.format(areas=WHOLE, month=MONTH, more=""),
    "mart_district_indicator": FIGURE.format(areas=PARTS, month=MONTH, more=", 70 AS city_value"),
    "mart_service_request_monthly": f"""
        SELECT strftime(p.period_start, '%Y-%m') AS requested_month, a.area_code, a.area_valid_from,
            a.name_vi AS area_name_vi, a.name_en AS area_name_en, 'service_' || s AS service_code,
            hash(a.area_code, s, p.period_start) % 500 AS requests_opened, 3 AS requests_closed,
            2 AS requests_closed_on_time, 1 AS requests_closed_late, 4 AS requests_overdue,
            'P' AS obs_status
        FROM ({PARTS}) a, ({MONTH}) p, range(12) t(s)
    """,
    "mart_dossier_district_monthly": f"""
        SELECT strftime(p.period_start, '%Y-%m') AS received_month, a.area_code, a.area_valid_from,
            a.name_vi AS area_name_vi, a.name_en AS area_name_en,
            hash(a.area_code, p.period_start) % 5000 AS dossiers_received, 'P' AS obs_status
        FROM ({PARTS}) a, ({MONTH}) p
    """,
    "mart_socio_economic_indicator": f"""
        SELECT 'DNSO:SOCIO_ECONOMIC' AS dataflow, a.area_code, a.area_valid_from,
            a.name_vi AS area_name_vi, a.name_en AS area_name_en,
            'INDICATOR_' || s AS indicator_code, 'M' AS freq,
            strftime(p.period_start, '%Y-%m') AS time_period, p.period_start,
            hash(a.area_code, s, p.period_start) % 5000 AS value, 'P' AS obs_status
        FROM ({PARTS}) a, ({MONTH}) p, range(10) t(s)
    """,
}
# What auditors read of each day's attempts, checks and quarantine.
AUDITED = """
    INSERT INTO audit_source (source, title_vi, title_en, service_group, is_late)
        SELECT 'source_' || i, 'Nguồn ' || i, 'Source ' || i, 1, true FROM range(20) t(i);
    INSERT INTO audit_quarantine SELECT source, 'reason_' || i, i FROM audit_source, range(20) t(i);
    INSERT INTO audit_check (publication, check_name, severity, status)
        SELECT publication, 'check_' || i, 'hold', 'failed' FROM publication_status, range(100) t(i)
"""


class ChartsLine(Line):
    """The slowest chart; the limit reads the rows of the same marts without a word beside them."""

    name = "charts"
    title = "the slowest chart over 3 years of Da Nang"
    ratio = 0.0
    slack_seconds = SECONDS_A_CHART

    def prepare(self) -> None:
        """Write the serving file by the pipeline's own writer, then rows of ours.

        Always anew: one of another version of the views has not the columns that charts ask for.
        """
        context = open_context(CITY)
        paths = CityPaths(self.inputs / "charts", CITY)
        paths.create()
        publications = tuple(context.registry.publications.values())
        written = replace_serving(paths, publications, context.city.marts, named=context.named)
        with duckdb.connect(str(written)) as connection:
            for mart, select in ROWS.items():
                connection.execute(f"INSERT INTO {mart} BY NAME {select}")
            connection.execute(AUDITED)
            connection.execute(
                "UPDATE publication_status SET verdict = 'publish', version = 'v', stale = false"
            )
            write_reports(connection, context.city.marts)
        written.rename(self.file)

    @property
    def file(self) -> Path:
        """The serving file."""
        return self.inputs / "charts" / "serving.duckdb"

    def limit(self, folder: Path) -> Measured:
        """Every row of the largest mart of indicators."""
        return Measured(self._seconds(f"SELECT * FROM {FIGURES['report_district_indicator']}"), 0)

    def ours(self, folder: Path) -> Measured:
        """The slowest of the charts."""
        return Measured(max(self._seconds(chart) for chart in self._charts.values()), 0)

    def differences(self, limit: Path, ours: Path) -> list[str]:
        """Charts without rows, and a file that is too large."""
        found = [f"chart {key} is empty" for key, ask in self._charts.items() if not self._ask(ask)]
        size = self.file.stat().st_size
        if size > MOST_BYTES:
            found.append(f"the serving file has {size:,} bytes, allowed {MOST_BYTES:,}")
        return found

    @cached_property
    def _charts(self) -> Mapping[str, str]:
        """What each chart of the city asks, in both languages."""
        city = open_context(CITY)
        reports = reports_of(
            CITY, city.city.title, city.registry, city.city.marts, serving_file(city.paths)
        )
        return chart_queries(reports.assets)

    def _seconds(self, query: str) -> float:
        """The least of two: what else the machine does is none of the chart's time."""
        taken = []
        for _ in range(2):
            started = time.perf_counter()
            self._ask(query)
            taken.append(time.perf_counter() - started)
        return min(taken)

    def _ask(self, query: str) -> list[tuple[object, ...]]:
        """Opened anew each time, as a chart of Superset does."""
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return connection.execute(query).fetchall()
