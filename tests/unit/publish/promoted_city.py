"""Da Nang as its files declare it, with a few rows promoted, released, served and shown."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.context import Context, open_context
from publish.release import repair
from publish.serving import Status, replace_serving
from publish.site.page import write_site
from tests.unit.gate.small_city import decision
from warehouse.duck import session
from warehouse.files import scratch
from warehouse.paths import CityPaths
from warehouse.promotion import promote
from warehouse.publication import Publication

DAY = date(2025, 7, 5)
DATASET, FEEDBACK, HEALTH = "service-request-monthly", "indicators-feedback", "indicators-health"
Row = Mapping[str, object]


def figure(code: str, month: int, value: object, **changed: object) -> Row:
    """The city's value of an indicator of feedback in a month of 2025."""
    return {
        "indicator_code": code,
        "area_code": "48",
        "area_valid_from": date(2025, 7, 1) if month > 6 else date(2025, 1, 1),
        "service_group": 1,
        "agency_code": "trung_tam_1022",
        "period_kind": "month",
        "period_start": date(2025, month, 1),
        "value": value,
        "n": 30,
        "unit": "%",
        "target": 80,
        "obs_status": "P",
        "coverage_share": 0.1 if month > 6 else 1,
        "data_as_of": DAY,
        **changed,
    }


def monthly(ward: str, opened: int) -> Row:
    """A row of the open dataset."""
    return {
        "requested_month": "2025-06",
        "area_code": ward,
        "area_valid_from": date(2025, 7, 1),
        "area_name_vi": "Phường",
        "area_name_en": "Ward",
        "service_code": "road",
        "requests_opened": opened,
        "obs_status": "P",
    }


# What may be shown, what is internal, and what tells of health: each with a value of its own.
FIGURES = (
    figure("FB1", 4, 70),
    figure("FB1", 5, 85.5),
    figure("FB1", 6, 77.25),
    figure("FB1", 7, 41.5),
    figure("FB5", 6, 98765, unit="requests", target=None),
    figure("FB1b", 6, 63.75),
)
SICK = {
    name: value
    for name, value in figure(
        "HE1", 6, 87654.3, service_group=10, agency_code="so_y_te", unit="1000"
    ).items()
    if name != "target"
}


@dataclass
class PromotedCity:
    """A lake of its own of Da Nang."""

    context: Context
    publications: tuple[Publication, ...]
    names: Mapping[str, Any]

    def copy(self, home: Path) -> "PromotedCity":
        """The same in another lake."""
        shutil.copytree(self.context.paths.home, home, dirs_exist_ok=True)
        paths = CityPaths(home, self.context.paths.city)
        return PromotedCity(replace(self.context, paths=paths), self.publications, self.names)

    def promote(
        self, rows: Mapping[str, Sequence[Row]], verdict: str = "publish", version: int = 1
    ) -> None:
        """Promote rows by mart, with one verdict on every publication that has some."""
        marts = self.context.city.marts
        file = scratch(self.context.paths.work, "candidate")
        with session() as connection:
            connection.execute(f"ATTACH '{file}' AS made")
            for name, contract in marts.items():
                columns = ", ".join(f"{each.name} {each.sql_type}" for each in contract.columns)
                connection.execute(f"CREATE TABLE made.main.{name} ({columns})")
                for row in rows.get(name, ()):
                    marks = ", ".join("?" for _ in row)
                    insert = f"INSERT INTO made.main.{name} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - own text
                    connection.execute(insert, list(row.values()))
        decisions = [decision(each, verdict, DAY, version) for each in self._with(rows)]
        promote(self.context.paths, file, marts, decisions)
        repair(self.context.paths, self.publications, marts)

    def _with(self, rows: Mapping[str, Sequence[Row]]) -> list[Publication]:
        return [each for each in self.publications if set(each.marts) & rows.keys()]

    def serve(
        self,
        fresh: Mapping[str, Status] | None = None,
        late: Mapping[str, Sequence[str]] | None = None,
        named: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the serving file and the site."""
        marts, paths = self.context.city.marts, self.context.paths
        tables = {**self.names, **(named or {})}
        replace_serving(paths, self.publications, marts, fresh, late, tables)
        city = self.context.city
        write_site(paths, city.title, self.publications, marts, city.notice)

    def call(self, name: str, **changed: Any) -> None:
        """Declare a publication otherwise."""
        self.publications = tuple(
            replace(each, **changed) if each.name == name else each for each in self.publications
        )

    def page(self, language: str = "vi") -> str:
        """The page of a language."""
        place = {"vi": "index.html", "en": "en/index.html"}[language]
        return (self.folder / place).read_text(encoding="utf-8")

    @property
    def folder(self) -> Path:
        """The site's."""
        return self.context.paths.serving / "site"


def promoted_city() -> PromotedCity:
    """The city in the lake of `CITYLAKE_HOME`, nothing promoted yet."""
    context = open_context("danang")
    kept = (DATASET, FEEDBACK, HEALTH)
    found = tuple(each for each in context.registry.publications.values() if each.name in kept)
    return PromotedCity(context, found, context.named)


def first_day(city: PromotedCity) -> None:
    """Promote a first day of everything."""
    city.promote(
        {
            "mart_city_indicator": FIGURES,
            "mart_health_indicator": [SICK],
            "mart_service_request_monthly": [monthly("20242", 5), monthly("20209", 7)],
        }
    )
