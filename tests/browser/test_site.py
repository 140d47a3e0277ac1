"""The static site in Chromium: no rule of axe-core is broken, it fits a phone, it fetches nothing.

Run by `make test-browser`. axe-core (https://github.com/dequelabs/axe-core) checks what of WCAG 2
a program can check: contrast, landmarks, names, headings, tables.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from publish.serving import Status
from tests.pictures.chromium import Browser, chromium
from tests.unit.publish.promoted_city import (
    DATASET,
    DAY,
    FEEDBACK,
    PromotedCity,
    first_day,
    promoted_city,
)

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parents[2] / ".venv/axe/node_modules/axe-core/axe.min.js"
PAGES = ("index.html", "en/index.html")
BROKEN_RULES = """
axe.run().then(found => JSON.stringify(found.violations.map(
    each => each.id + ": " + each.nodes.map(node => node.html).join(" | "))))
"""
OPEN_ALL = "document.querySelectorAll('details').forEach(each => { each.open = true; })"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        browser.prepare(AXE.read_text(encoding="utf-8"))
        yield browser


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> PromotedCity:
    """A city in which one publication is late, one rejected, and others not published."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYLAKE_HOME", str(tmp_path_factory.mktemp("site")))
        city = promoted_city()
    first_day(city)
    city.serve({DATASET: Status("reject", DAY)}, {FEEDBACK: ["feedback.open311"]})
    return city


def broken_rules(browser: Browser) -> list[str]:
    found: list[str] = json.loads(str(browser.evaluate(BROKEN_RULES)))
    return found


@pytest.mark.parametrize("width", [1280, 360], ids=["laptop", "phone"])
@pytest.mark.parametrize("page", PAGES, ids=["vi", "en"])
def test_the_site_is_accessible_and_stands_alone(
    city: PromotedCity, browser: Browser, page: str, width: int
) -> None:
    browser.resize(width)
    browser.show((city.folder / page).as_uri(), "SHA-256")
    browser.evaluate(OPEN_ALL)
    assert broken_rules(browser) == []
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate("performance.getEntriesByType('resource').length") == 0


def test_the_rules_see_what_is_wrong(city: PromotedCity, browser: Browser, tmp_path: Path) -> None:
    text = (
        city.page().replace('<html lang="vi">', "<html>").replace("--ink: #1b1f24", "--ink: #bbb")
    )
    page = tmp_path / "index.html"
    page.write_text(text, encoding="utf-8")
    browser.show(page.as_uri(), "SHA-256")
    assert {rule.partition(":")[0] for rule in broken_rules(browser)} == {
        "color-contrast",
        "html-has-lang",
    }
