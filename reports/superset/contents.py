"""What leaders and auditors are shown, from the registry: which dashboards there are, and of what.

An indicator or service group that the registry has later appears without a change here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from publish.report_column import ReportView
from publish.report_views import report_views
from publish.serving import is_served
from publish.wording import LANGUAGES
from reports.superset import charts, dashboards
from reports.superset.assets import Asset
from reports.superset.dashboards import Dashboard
from reports.superset.datasets import database, datasets
from reports.superset.pages import KNOWN, Pages
from warehouse.contract.model import TableContract
from warehouse.registry_model import Indicator, Registry


@dataclass(frozen=True)
class Reports:
    """Everything that a city shows in Superset."""

    city: str
    views: Mapping[str, ReportView]
    assets: Sequence[Asset]
    dashboards: Sequence[Dashboard]

    def of_kind(self, kind: str) -> list[Asset]:
        """The objects of a kind."""
        return [each for each in self.assets if each.kind == kind]

    @property
    def audited(self) -> list[str]:
        """Views that are for auditors alone."""
        return [name for name in self.views if name not in KNOWN]


def reports_of(
    city: str,
    title: Mapping[str, str],
    registry: Registry,
    contracts: Mapping[str, TableContract],
    serving: Path,
) -> Reports:
    """The database, datasets, charts and dashboards of a city.

    Args:
        city: Name of the city.
        title: Its name by language.
        registry: What it measures.
        contracts: Mart contracts by name.
        serving: The serving file, as Superset finds it.
    """
    views = report_views(contracts)
    served: dict[str, Indicator] = {}
    withheld: dict[str, Indicator] = {}
    for code, indicator in registry.indicators.items():
        is_shown = is_served(registry.publications[indicator.publication], contracts)
        (served if is_shown else withheld)[code] = indicator
    notice = registry.notice or {}
    made = [
        dashboard
        for language in LANGUAGES
        for dashboard in Pages(
            language, views, served, withheld, city, title[language], notice.get(language)
        ).all()
    ]
    shown = {chart.name: chart for dashboard in made for chart in dashboard.charts}
    assets = [
        database(city, title["vi"], serving),
        *datasets(city, views, served),
        *(charts.asset_of(each, city) for each in shown.values()),
        *(dashboards.asset_of(each, city) for each in made),
    ]
    return Reports(city, views, assets, made)
