"""How long people wait for Superset, over three years of Da Nang: `make bench-dashboards`.

Each dashboard in a Chromium that never saw it and again, each chart by the interface, and the
whole bundle into a server that has none of it. A quiet machine is needed: the figures are seconds.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.charts_line import ChartsLine
from bench.line import Size
from pipeline.context import open_context
from reports.superset.assets import CHARTS, DASHBOARDS, DATASETS
from reports.superset.contents import reports_of
from tests.pictures.chromium import PATIENCE_SECONDS, Browser, chromium
from tests.pictures.reports import AUDITOR, BUSY, HOLDERS, LEADER, WIDE, be
from tests.superset.stage import Stage, stage_in

DASHBOARD_SECONDS, CHART_SECONDS, BUNDLE_SECONDS = 5.0, 0.3, 3.0
AGAIN = 3
HEIGHT = 900
TICK_SECONDS = 0.02
# Drawn is what has been at rest for this long; the time counts to where the rest begins.
REST_SECONDS = 1.0

Row = tuple[str, float, float | None, float]


def main() -> int:
    """Measure and tell; 1 where something takes longer than is aimed at."""
    with tempfile.TemporaryDirectory() as folder:
        line = ChartsLine(Path(folder) / "bench", Size())
        line.inputs.mkdir()
        line.prepare()
        with stage_in(Path(folder) / "home") as stage:
            stage.put_in_place(line.file)
            rows = [*_dashboards(stage), *_charts(stage), _bundle(stage)]
    table = Table("what", "first s", "again s", "aimed at s", "")
    for what, first, again, allowed in rows:
        told = "pass" if first <= allowed else "FAIL"
        table.add_row(what, f"{first:.2f}", f"{again:.2f}" if again else "", f"{allowed}", told)
    Console(width=100).print(table)
    return int(any(first > allowed for _, first, _, allowed in rows))


def _dashboards(stage: Stage) -> Iterator[Row]:
    seen: set[str] = set()
    for user in (LEADER, AUDITOR):
        slugs = {str(each["slug"]) for each in stage.client(user).all("dashboard")}
        for slug in sorted(slugs - seen):
            with chromium() as browser:
                be(stage, browser, user)
                browser.resize(WIDE, HEIGHT)
                first, *further = (_drawn(browser, stage, slug) for _ in range(1 + AGAIN))
            yield slug, first, min(further), DASHBOARD_SECONDS
        seen |= slugs


def _drawn(browser: Browser, stage: Stage, slug: str) -> float:
    """Seconds from asking for a dashboard to when its last chart is there."""
    browser.show("about:blank")
    begin = time.monotonic()
    browser.show(f"{stage.address}/superset/dashboard/{slug}/")
    moved = begin
    while (now := time.monotonic()) - moved < REST_SECONDS:
        assert now - begin < PATIENCE_SECONDS, f"{slug} still loads"
        if not browser.run(HOLDERS) or browser.run(BUSY):
            moved = time.monotonic()
        time.sleep(TICK_SECONDS)
    return moved - begin


def _charts(stage: Stage) -> Iterator[Row]:
    waits: list[tuple[float, float]] = []
    for user in (LEADER, AUDITOR):
        client = stage.client(user)
        for chart in client.all("chart"):
            ask = partial(client.raw, "GET", f"/api/v1/chart/{chart['id']}/data/")
            first, *further = (_seconds(ask) for _ in range(1 + AGAIN))
            waits.append((first, min(further)))
    firsts = [first for first, _ in waits]
    again = [each for _, each in waits]
    yield (
        f"a chart, the median of {len(waits)}",
        statistics.median(firsts),
        statistics.median(again),
        CHART_SECONDS,
    )
    yield "the slowest chart", max(firsts), max(again), CHART_SECONDS


def _bundle(stage: Stage) -> Row:
    context = open_context("danang")
    reports = reports_of(
        "danang",
        context.city.title,
        context.registry,
        context.city.marts,
        stage.serving,
    )
    client = stage.client("admin")
    for kind in (DASHBOARDS, CHARTS, DATASETS):
        resource = kind.removesuffix("s")
        numbers = [int(each["id"]) for each in client.all(resource)]
        client.ask("DELETE", f"/api/v1/{resource}/", params={"q": json.dumps(numbers)})
    seconds = _seconds(lambda: client.import_assets(reports.assets))
    return f"the bundle of {len(reports.assets)} objects", seconds, None, BUNDLE_SECONDS


def _seconds(act: Callable[[], object]) -> float:
    begin = time.monotonic()
    act()
    return time.monotonic() - begin


if __name__ == "__main__":
    sys.exit(main())
