"""The static site says what everyone may read, as it stands, and nothing else."""

import re
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from publish import wording
from publish.serving import Status
from publish.site.words import WORDS
from tests.headlines import headlines
from tests.unit.publish.promoted_city import (
    DATASET,
    DAY,
    FEEDBACK,
    FIGURES,
    PromotedCity,
    figure,
    first_day,
    monthly,
    promoted_city,
)

LANGUAGES = ("vi", "en")
HEADLINES = len(headlines("feedback", is_open=True))
VOID = {"meta", "link", "line", "polyline", "circle", "path", "br"}
# Of a tag without which it says nothing to those who do not see it.
NEEDED = {"html": "lang", "th": "scope", "nav": "aria-label", "svg": ("role", "aria-hidden")}


class Page(HTMLParser):
    """A page as a strict reader takes it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.named: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.problems: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.problems += [f"{tag} is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if tag not in VOID:
            self._open.append(tag)
        if len(found) != len(attrs):
            self.problems.append(f"{tag} has an attribute twice")
        needed = NEEDED.get(tag, ())
        names = (needed,) if isinstance(needed, str) else needed
        if names and not any(found.get(name) for name in names):
            self.problems.append(f"{tag} has none of {names}")
        self.ids += [found["id"] or ""] if "id" in found else []
        self.named += (found.get("aria-labelledby") or "").split()
        self.links += [found["href"] or ""] if tag == "a" else []
        self.fetched += [str(found[name]) for name in ("src", "srcset", "data") if name in found]
        self.fetched += [str(found["href"])] if tag != "a" and "href" in found else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"{tag} ends at {self.getpos()} and is not what is open")


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PromotedCity]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYLAKE_HOME", str(tmp_path_factory.mktemp("nothing")))
        yield promoted_city()


@pytest.fixture(scope="module")
def published(nothing: PromotedCity, tmp_path_factory: pytest.TempPathFactory) -> PromotedCity:
    city = nothing.copy(tmp_path_factory.mktemp("published"))
    first_day(city)
    city.serve()
    return city


@pytest.fixture
def empty(nothing: PromotedCity, tmp_path: Path) -> PromotedCity:
    """The city before anything was promoted."""
    return nothing.copy(tmp_path)


@pytest.fixture
def city(published: PromotedCity, tmp_path: Path) -> PromotedCity:
    """The city after a first day."""
    return published.copy(tmp_path)


def shown(text: str) -> str:
    """A page's text without tags and style, spaces drawn together."""
    body = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def card(city: PromotedCity, language: str, code: str = "FB1") -> str:
    """The text of one indicator's card."""
    (found,) = re.findall(
        rf'<article class="card[^>]*"indicator-{code}">.*?</article>',
        city.page(language),
        re.DOTALL,
    )
    return shown(found)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "vi",
            "77,3% tháng 6/2025|gần đạt · Chỉ tiêu 80,0%|đã kiểm, mới nhất · Số liệu đến ngày"
            " 05/07/2025|tháng 7/2025 đến nay: 41,5%|Kỳ trước 85,5%|Trạng thái tạm tính|"
            "Chịu trách nhiệm Trung tâm Giám sát, điều hành thông minh|Xu hướng,|"
            "từ 70,0% (tháng 4/2025) đến 77,3% (tháng 6/2025); thấp nhất 70,0%",
        ),
        (
            "en",
            "77.3% June 2025|near target · Target 80.0%|checked, up to date · Data as of"
            " 5 July 2025|July 2025 to date : 41.5%|Period before 85.5%|Status provisional|"
            "Answerable Da Nang Intelligent Operations Centre|highest 85.5% (May 2025)",
        ),
    ],
    ids=LANGUAGES,
)
def test_a_card_says_all_of_its_figure(city: PromotedCity, language: str, told: str) -> None:
    text = card(city, language)
    for each in told.split("|"):
        assert " ".join(each.split()).replace(" :", ":") in text.replace(" :", ":")


def test_the_colour_of_a_rating_is_never_alone(city: PromotedCity) -> None:
    page = city.page()
    assert re.search(r'<span class="amber"><svg [^>]*>.*?</svg>gần đạt</span>', page)
    shapes = set(re.findall(r'<li class="(\w+)"><svg [^>]*>(.*?)</svg>', page))
    assert {code for code, _ in shapes} == set(wording.RATINGS)
    assert len({drawn for _, drawn in shapes}) == len(wording.RATINGS)


def fresh(verdict: str) -> dict[str, Status]:
    return {name: Status(verdict, date(2025, 7, 5)) for name in (FEEDBACK, DATASET)}


@pytest.mark.parametrize(
    ("stamp", "verdict", "late"),
    [
        ("current", "publish", {}),
        ("late", "publish", {FEEDBACK: ["feedback.open311"], DATASET: ["feedback.open311"]}),
        ("rejected", "reject", {}),
        ("held", "hold", {}),
    ],
)
def test_the_stamp_turns(
    city: PromotedCity, stamp: str, verdict: str, late: dict[str, list[str]]
) -> None:
    city.serve(fresh(verdict), late)
    for language in LANGUAGES:
        page, word = city.page(language), wording.STAMPS[stamp].of(language)
        warned = page.partition('<h2 id="warnings">')[2].partition("</section>")[0]
        # Of this city the figures of feedback are published, and their dataset.
        assert shown(warned).count(f": {word}") == (0 if stamp == "current" else HEADLINES + 1)
        stamps = re.findall(r'<p class="stamp (\w+)">', page)
        assert stamps.count(stamp) == HEADLINES + 1
        assert set(stamps) <= {stamp, "unpublished"}
        assert word in card(city, language)
        # The number of before stays, never without the word.
        assert WORDS["data_as_of"].of(language) in card(city, language)


def test_what_was_rejected_is_told_with_the_version_that_is_still_seen(city: PromotedCity) -> None:
    (version,) = [
        path.name for path in (city.context.paths.releases / DATASET).iterdir() if path.is_dir()
    ]
    city.serve(fresh("reject"))
    changes = shown(city.page().partition('id="changes"')[2].partition("</section>")[0])
    assert f"số liệu mới bị loại; người đọc vẫn thấy phiên bản {version}" in changes


def test_a_figure_of_health_is_a_name_and_no_number(city: PromotedCity) -> None:
    for language in LANGUAGES:
        page = city.page(language)
        assert f"<b>{wording.NOT_CLEARED.of(language)}</b>" in page
        assert "HE1" in page
        for form in ("87654", "87.654", "87,654", "indicators-health", "mart_health"):
            assert form not in page


def test_what_is_internal_is_not_there(city: PromotedCity) -> None:
    named = city.names["dim_indicator"].to_pylist()
    closed = [each for each in named if not each["is_open"]]
    assert {"FB5", "FB1b"} <= {each["indicator_code"] for each in closed}
    for language in LANGUAGES:
        page = city.page(language)
        for form in ("98765", "98.765", "98,765", "63,8", "63.8", FEEDBACK):
            assert form not in page
        for each in closed:
            assert each[f"name_{language}"] not in page
            assert f">{each['indicator_code']}<" not in page


def test_an_indicator_that_is_declared_open_is_there(city: PromotedCity) -> None:
    """The twin of the test above: what hides the internal ones is the declaration alone."""
    named = city.names["dim_indicator"]
    rows = [{**row, "is_open": True} for row in named.to_pylist()]
    city.serve(named={"dim_indicator": type(named).from_pylist(rows, schema=named.schema)})
    assert "98.765 phản ánh" in city.page()


def test_before_anything_is_published_every_place_says_so(empty: PromotedCity) -> None:
    empty.serve()
    page = empty.page()
    assert WORDS["no_record"].vi in page
    stamps = re.findall(r'<p class="stamp (\w+)">', page)
    assert len(stamps) > 3
    assert set(stamps) == {"unpublished"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_well_formed_and_asks_for_nothing(city: PromotedCity, language: str) -> None:
    text = city.page(language)
    page = Page(text)
    assert page.problems == []
    assert page.fetched == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.named) <= set(page.ids)
    assert {"header", "main", "footer", "nav", "h1"} <= set(page.tags)
    assert page.tags.count("h1") == page.tags.count("main") == 1
    assert "script" not in page.tags
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    assert f'<html lang="{language}">' in text
    assert "None" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_leads_to_something(city: PromotedCity, language: str) -> None:
    place = city.folder / {"vi": "index.html", "en": "en/index.html"}[language]
    page = Page(place.read_text(encoding="utf-8"))
    for link in page.links:
        file, _, fragment = link.partition("#")
        assert (place.parent / unquote(file)).exists() if file else fragment in page.ids, link
    released = {path.name for path in city.context.paths.releases.glob(f"{DATASET}/*/*")}
    assert {Path(link).name for link in page.links if "/releases/" in link} == released
    assert len(released) == 8


def test_both_languages_say_the_same(city: PromotedCity) -> None:
    vietnamese, english = (Page(city.page(language)) for language in LANGUAGES)
    assert vietnamese.tags == english.tags
    assert vietnamese.ids == english.ids
    words = {*WORDS.values(), *wording.STAMPS.values(), *wording.OBS_STATUSES.values()}
    # A word of one letter or two may stand inside another.
    told = [word for word in words if word.vi != word.en and len(word.vi) > 5]
    assert [word.vi for word in told if f">{word.vi}<" in city.page("en")] == []
    assert [word.en for word in told if f">{word.en}<" in city.page("vi")] == []
    assert all(text.vi and text.en for text in WORDS.values())


def test_files_have_size_checksum_and_dictionary(city: PromotedCity) -> None:
    page = city.page()
    for path in city.context.paths.releases.glob(f"{DATASET}/*/*"):
        row = re.search(
            rf"<tr[^>]*><th[^>]*><a href=[^>]*>{re.escape(path.name)}</a>.*?</tr>", page
        )
        assert row, path.name
        assert wording.size(path.stat().st_size, "vi") in row[0]
        is_sums = path.name == "SHA256SUMS"
        assert is_sums or sha256(path.read_bytes()).hexdigest() in row[0]
    contract = city.context.city.marts["mart_service_request_monthly"]
    opened = contract.column("requests_opened").description
    for language in LANGUAGES:
        text = shown(city.page(language))
        assert opened[language] in text
        assert opened[{"vi": "en", "en": "vi"}[language]] not in text
    assert "CC-BY-4.0" in page


def test_the_newest_version_says_what_it_changed(city: PromotedCity) -> None:
    assert "phiên bản đầu tiên" in shown(city.page())
    rows = [monthly("20242", 6), monthly("20194", 1), monthly("20197", 1)]
    city.promote({"mart_service_request_monthly": rows, "mart_city_indicator": FIGURES}, version=2)
    city.serve()
    text = shown(city.page())
    assert text.count("2 mới, 1 được sửa, 1 bị bỏ") == 2
    assert text.count("phiên bản đầu tiên") == 1
    assert "Bản ghi công bố số 2" in text


def test_the_same_gives_the_same_bytes(city: PromotedCity) -> None:
    before = {path: path.read_bytes() for path in city.folder.rglob("*.html")}
    city.serve()
    assert len(before) == 2
    assert {path: path.read_bytes() for path in city.folder.rglob("*") if path.is_file()} == before


def test_a_hostile_title_stays_a_text(empty: PromotedCity) -> None:
    hostile = """<script>alert("1")</script>'&<img src=x>"""
    empty.call(DATASET, title={"vi": hostile, "en": hostile}, owner_name={"vi": hostile})
    first_day(empty)
    empty.serve()
    page = empty.page()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;&#39;&amp;&lt;img src=x&gt;" in page
    assert Page(page).problems == []


def test_a_value_that_is_missing_says_why(empty: PromotedCity) -> None:
    rows = [figure("FB1", 5, 70), figure("FB1", 6, None, obs_status="O")]
    empty.promote({"mart_city_indicator": rows})
    empty.serve()
    assert "chưa có số liệu tháng 6/2025 chưa đánh giá" in card(empty, "vi")


def test_an_incomplete_period_is_told_and_not_compared(empty: PromotedCity) -> None:
    rows = [
        figure("FB1", 3, 99, coverage_share=0.7),
        *(figure("FB1", month, value) for month, value in ((4, 70), (5, 80), (6, 75))),
    ]
    empty.promote({"mart_city_indicator": rows})
    empty.serve()
    vietnamese, english = (card(empty, language) for language in LANGUAGES)
    assert "từ 70,0% (tháng 4/2025)" in vietnamese
    assert "highest 80.0% (May 2025)" in english
    assert "99,0% chưa đánh giá tạm tính, số liệu chưa trọn kỳ, không so sánh" in vietnamese
    assert "incomplete period" in english.partition("99.0%")[2]
    assert english.count("99.0%") == english.count("incomplete period") == 1


def test_an_indicator_stands_beside_what_its_formula_names(empty: PromotedCity) -> None:
    rows = [figure("FB2", 6, 70), figure("FB2r", 6, 12.5, target=None)]
    empty.promote({"mart_city_indicator": rows})
    empty.serve()
    told = card(empty, "vi", "FB2")
    assert "Xem cùng Tỷ lệ trả lời khảo sát hài lòng (FB2r): 12,5% , tháng 6/2025" in told
    assert "Read beside Response rate of the satisfaction question (FB2r)" in card(
        empty, "en", "FB2"
    )
    assert WORDS["beside"].vi not in card(empty, "vi", "FB1")


def test_the_notice_of_the_city_stands_above_its_figures(city: PromotedCity) -> None:
    notice = city.context.city.notice
    assert notice
    for language in LANGUAGES:
        head = shown(city.page(language).partition('<main id="main">')[0])
        assert notice[language] in head


def test_the_head_names_what_was_not_delivered(empty: PromotedCity) -> None:
    late = {"obs_status": "O", "coverage_share": 0, "n": 0}
    rows = [figure("FB1", 6, 70), *(figure("FB1", month, None, **late) for month in (7, 8))]
    empty.promote({"mart_city_indicator": rows})
    empty.serve()
    assert (
        "Chưa nhận được số liệu: Tỷ lệ phản ánh xử lý đúng hạn (tháng 7/2025, tháng 8/2025)."
        in shown(empty.page()).replace(" :", ":").replace("( ", "(").replace(" )", ")")
    )
    empty.promote({"mart_city_indicator": [figure("FB1", 6, 70)]}, version=2)
    empty.serve()
    assert WORDS["awaited"].vi not in empty.page()


@pytest.mark.parametrize("name", [f"{DATASET}.csv", "quality-report.json", "changes.parquet"])
def test_a_damaged_release_is_told_and_stops_nothing(city: PromotedCity, name: str) -> None:
    (damaged,) = city.context.paths.releases.glob(f"{DATASET}/*/{name}")
    damaged.unlink()
    city.serve({FEEDBACK: Status("reject", DAY)})
    for language in LANGUAGES:
        page = city.page(language)
        assert f"</svg>{WORDS['damaged'].of(language)}</p>" in page
        assert "SHA256SUMS</a>" not in page
        assert wording.STAMPS["rejected"].of(language) in card(city, language)


def test_the_strict_reader_sees_what_is_wrong() -> None:
    page = Page('<html><th>x</th><p id="a"><b></p></b><img src="y">')
    assert "html has none of ('lang',)" in page.problems
    assert "th has none of ('scope',)" in page.problems
    assert any(problem.startswith("p ends") for problem in page.problems)
    assert page.fetched == ["y"]
