"""A source that is away becomes a status: what was published stays, and says that it is stale."""

import json
from datetime import date
from pathlib import Path

import duckdb
from pypdf import PdfReader

from publish.wording import STAMPS
from tests.e2e.conftest import HISTORY
from tests.e2e.one_stop import URI_VARIABLE
from tests.e2e.world import URL_VARIABLE, DemoServer, Lake
from tests.headlines import headlines

DAY = date(2025, 7, 2)
NOWHERE = "http://127.0.0.1:9/georeport/v2"


def _status(lake: Lake) -> dict[str, tuple[bool, list[str]]]:
    with duckdb.connect(str(lake.root / "serving" / "marts.duckdb"), read_only=True) as serving:
        rows = serving.execute(
            "SELECT publication, stale, late_sources FROM publication_status"
        ).fetchall()
    return {name: (stale, late) for name, stale, late in rows}


def _stamps(lake: Lake) -> set[str]:
    """The stamps at the figures of the city and its districts."""
    with duckdb.connect(str(lake.root / "serving" / "marts.duckdb"), read_only=True) as serving:
        rows = serving.execute(
            "SELECT stamp FROM report_city_indicator UNION SELECT stamp FROM "
            "report_district_indicator"
        ).fetchall()
    return {stamp for (stamp,) in rows}


def _page(lake: Lake) -> str:
    return (lake.root / "serving" / "site" / "index.html").read_text(encoding="utf-8")


def _deliveries(lake: Lake) -> list[tuple[object, ...]]:
    with duckdb.connect(str(lake.root / "serving" / "marts.duckdb"), read_only=True) as serving:
        return serving.execute(
            "SELECT source, is_late, attempt_status_text_vi, as_of FROM report_source"
        ).fetchall()


def _brief(lake: Lake, day: date = DAY) -> str:
    """What the brief of the city says on a day that was run."""
    place = lake.home / "brief.pdf"
    named = ("--city", lake.city, "--date", day.isoformat(), "--area", "48")
    lake.call("brief", *named, "--output", str(place))
    return " ".join(" ".join(page.extract_text() for page in PdfReader(place).pages).split())


def test_a_source_that_is_away_makes_its_publications_stale(lake: Lake) -> None:
    assert _status(lake) == {
        "indicators-feedback": (False, []),
        "service-request-monthly": (False, []),
    }
    assert "số liệu đã kiểm, mới nhất" in _brief(lake, HISTORY)
    before = lake.hashes()
    assert STAMPS["late"].vi not in _page(lake)
    output = lake.run(DAY, expect=1, **{URL_VARIABLE: NOWHERE})
    assert "feedback.open311" in output
    assert "stale" in output
    assert lake.server.token not in output
    assert _status(lake) == {
        "indicators-feedback": (True, ["feedback.open311"]),
        "service-request-monthly": (True, ["feedback.open311"]),
    }
    # At each headline figure that everyone may see, and at the dataset.
    shown = len(headlines("feedback", is_open=True))
    assert _page(lake).count(f"{STAMPS['late'].vi} · Số liệu đến ngày 01/07/2025") == shown + 1
    assert _deliveries(lake) == [("feedback.open311", True, "lỗi tạm thời", date(2025, 7, 1))]
    brief, briefed = _brief(lake), len(headlines("feedback"))
    assert f"{briefed}/{briefed} chỉ số có số liệu chưa mới nhất" in brief
    assert "nguồn chậm: Phản ánh, kiến nghị của người dân Đà Nẵng" in brief
    found = json.loads(lake.call("status", "--city", lake.city, "--json"))
    assert {
        name: (each["stale"], each["late_sources"]) for name, each in found["publications"].items()
    } == _status(lake)
    said = lake.call("status", "--city", lake.city)
    assert said.count(", marked as late: feedback.open311\n") == len(_status(lake))
    told = found["sources"]
    assert told["feedback.open311"]["last_attempt"] == "transient"
    assert "source feedback.open311" in told["feedback.open311"]["error"]
    after = lake.hashes()
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed == {"serving/publication_status"}
    assert _stamps(lake) == {"late"}
    output = lake.run(DAY)
    assert not any(stale for stale, _ in _status(lake).values())
    assert _stamps(lake) == {"current"}
    assert "marked as" not in lake.call("status", "--city", lake.city)
    assert STAMPS["late"].vi not in _page(lake)
    assert _deliveries(lake) == [("feedback.open311", False, "đã nhận", DAY)]
    (told,) = (line for line in output.splitlines() if line.startswith("open first: "))
    assert told.endswith("danang/serving/site/index.html")
    assert "nguồn chậm" not in _brief(lake)


def test_a_source_without_an_address_leaves_the_others_alone(
    server: DemoServer, tmp_path: Path
) -> None:
    lake = Lake(tmp_path / "home", server, city="danang")
    output = lake.run(HISTORY, expect=1, **{URI_VARIABLE: ""})
    assert f"environment variable {URI_VARIABLE} holds no address" in output
    (told,) = (line for line in output.splitlines() if line.startswith("not set: "))
    assert URI_VARIABLE in told
    assert "`citylake demo run --city danang`" in told
    told = json.loads(lake.call("status", "--city", "danang", "--json"))["publications"]
    wanted = {
        "dossier-district-monthly": "reject",
        "indicators-administration": "reject",
        "indicators-feedback": "publish",
        "service-request-monthly": "publish",
    }
    assert {name: told[name]["verdict"] for name in wanted} == wanted
