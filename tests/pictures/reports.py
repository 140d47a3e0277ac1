"""Pictures of every dashboard of Superset, as leaders see it on a wall, a laptop and a phone.

Over the serving file of the lake that `CITYLAKE_HOME` names, where there is one; else over rows
written by hand.
"""

import json
import os
import tempfile
import time
from pathlib import Path

from pipeline.settings import city_paths
from publish.serving import serving_file
from tests.pictures.chromium import FOLDER, LOOK_SECONDS, PATIENCE_SECONDS, Browser
from tests.superset.stage import Stage, stage_in

LEADER, AUDITOR = "lanh_dao_thanh_pho", "kiem_toan"
DISTRICT_LEADER = "lanh_dao_phuong_hai_chau"
WIDE, PHONE = 1440, 390
TALLEST = 6000
_LOG_IN = """(async () => {
  const token = document.querySelector("input[name=csrf_token]")?.value ?? "";
  const body = new URLSearchParams({csrf_token: token, username: %s, password: %s});
  const headers = {"Content-Type": "application/x-www-form-urlencoded"};
  return (await fetch("/login/", {method: "POST", body, headers})).url;
})()"""
BUSY = "document.querySelectorAll('[data-test=loading-indicator], .loading').length"
HOLDERS = "document.querySelectorAll('.dashboard-component').length"
# Cards, notes and texts whose panel ends before they do.
_CUT = """[...document.querySelectorAll('.cl-cards, .cl-note, .dashboard-markdown p')]
  .filter(each => each.closest('.dashboard-component-chart-holder').getBoundingClientRect().bottom
    + 1 < each.getBoundingClientRect().bottom)
  .map(each => each.textContent.slice(0, 80))"""
_HEIGHT = "Math.max(...[...document.querySelectorAll('*')].map(each => each.scrollHeight))"


def draw(browser: Browser) -> None:
    """Draw every dashboard."""
    lake = os.environ.get("CITYLAKE_HOME")
    found = serving_file(city_paths("danang")) if lake else Path()
    with tempfile.TemporaryDirectory() as folder, stage_in(Path(folder)) as stage:
        if found.is_file():
            stage.put_in_place(found)
        _draw(stage, browser)
    if lake:
        os.environ["CITYLAKE_HOME"] = lake


def _draw(stage: Stage, browser: Browser) -> None:
    drawn: set[str] = set()
    for user in (LEADER, AUDITOR):
        be(stage, browser, user)
        listed = {str(each["slug"]) for each in stage.client(user).all("dashboard")}
        for slug in sorted(listed - drawn):
            _show(stage, browser, slug, WIDE, f"{slug}.png")
            if slug.endswith("-vi"):
                _show(stage, browser, slug, PHONE, f"{slug}-phone.png")
        drawn |= listed
    be(stage, browser, DISTRICT_LEADER)
    _show(stage, browser, "danang-district-vi", WIDE, "danang-district-vi-hai-chau.png")
    shown = browser.text()
    assert "Hải Châu" in shown
    assert not [name for name in ("Liên Chiểu", "Sơn Trà", "Thanh Khê") if name in shown]


def be(stage: Stage, browser: Browser, user: str) -> None:
    browser.show(f"{stage.address}/logout/")
    browser.show(f"{stage.address}/login/")
    script = _LOG_IN % (json.dumps(user), json.dumps(stage.passwords[user]))
    until = time.monotonic() + PATIENCE_SECONDS
    # The form is there a while after its page.
    while "login" in str(browser.run(script)):
        assert time.monotonic() < until, f"{user} is not let in"
        time.sleep(LOOK_SECONDS)


def _show(stage: Stage, browser: Browser, slug: str, width: int, name: str) -> None:
    browser.resize(width, 900)
    browser.show(f"{stage.address}/superset/dashboard/{slug}/")
    until = time.monotonic() + PATIENCE_SECONDS
    time.sleep(LOOK_SECONDS)
    while not browser.run(HOLDERS) or browser.run(BUSY):
        assert time.monotonic() < until, f"{slug} still loads"
        time.sleep(LOOK_SECONDS)
    browser.resize(width, min(TALLEST, int(browser.run(_HEIGHT)) + 20))
    browser.picture(FOLDER / name)
    cut = browser.run(_CUT)
    assert not cut, f"{name}: cut off: {cut}"
    assert browser.run("document.documentElement.clientWidth") == width, f"{name}: made small"
