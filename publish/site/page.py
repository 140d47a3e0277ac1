"""The site's pages: what they hold, and how they get into their place.

Each page is one file with its style inside, so that it is replaced at once and never looks for
another of its own version. The Vietnamese page, which people open, is the last.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from publish.serving import serving_file
from publish.site.cards import Card, Withheld, cards, withheld
from publish.site.released import Dataset, datasets
from publish.site.trend import HEIGHT, WIDTH
from publish.site.view import OpenView
from publish.site.words import WORDS
from publish.wording import LANGUAGES, NOT_CLEARED, RATINGS, Text, number, size
from warehouse.boundary import reached
from warehouse.contract.model import TableContract
from warehouse.duck import read_only
from warehouse.files import put_in_place, scratch
from warehouse.paths import CityPaths
from warehouse.promotion_record import Record, records
from warehouse.publication import Publication

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).resolve().parent / "templates"
# Where each language's page lies below the site's folder, and the way from it to the city's folder.
PLACES: Mapping[str, tuple[str, str]] = {
    "en": ("en/index.html", "../../../"),
    "vi": ("index.html", "../../"),
}
NAMES = {"vi": "Tiếng Việt", "en": "English"}


@dataclass(frozen=True)
class Content:
    """What the pages of all languages say.

    Attributes:
        city: Its name.
        notice: What stands above every figure, or None.
        record: Number of the promotion record in force, or None.
        changed: Names of the datasets that it changed for readers.
    """

    city: Text
    notice: Text | None
    record: int | None
    cards: Sequence[Card]
    withheld: Sequence[Withheld]
    datasets: Sequence[Dataset]
    changed: frozenset[str]


def site_index(paths: CityPaths) -> Path:
    """The page that people open first."""
    return paths.serving / "site" / PLACES["vi"][0]


def write_site(
    paths: CityPaths,
    city: Mapping[str, str],
    publications: Sequence[Publication],
    contracts: Mapping[str, TableContract],
    notice: Mapping[str, str] | None = None,
) -> Path:
    """Write the site anew from the serving file and the releases, and put it in place.

    The same serving file and releases give the same bytes.

    Args:
        paths: Folders of the city.
        city: Its name by language.
        publications: Of the city.
        contracts: Mart contracts by name.
        notice: What readers are told above every figure, by language, or None.

    Returns:
        The page that people open first.
    """
    content = _content(paths, city, publications, contracts, notice)
    folder = paths.serving / "site"
    for language, (place, _) in PLACES.items():
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = scratch(paths.work, "site")
        temporary.write_text(render(content, language), encoding="utf-8")
        reached("site.before_replace")
        put_in_place(temporary, target)
        reached("site.after_replace")
    return site_index(paths)


def render(content: Content, language: str) -> str:
    """The page of a language, as HTML; every text is escaped."""
    environment = _environment()
    words = {name: text.of(language) for name, text in WORDS.items()}
    others = [
        (other, NAMES[other], _way(language, other)) for other in LANGUAGES if other != language
    ]
    tools: Mapping[str, Callable[..., str]] = {
        "number": partial(_number, language),
        "size": partial(_size, language),
        "told": partial(_told, language),
    }
    return environment.get_template("page.html").render(
        c=content,
        lang=language,
        others=others,
        to_city=PLACES[language][1],
        w=words,
        ratings=RATINGS,
        not_cleared=NOT_CLEARED,
        drawing={"width": WIDTH, "height": HEIGHT},
        **tools,
    )


def _content(
    paths: CityPaths,
    city: Mapping[str, str],
    publications: Sequence[Publication],
    contracts: Mapping[str, TableContract],
    notice: Mapping[str, str] | None,
) -> Content:
    found = records(paths)
    with closing(read_only(serving_file(paths))) as connection:
        view = OpenView(connection)
        return Content(
            city=Text(city["vi"], city.get("en", city["vi"])),
            notice=Text(notice["vi"], notice["en"]) if notice else None,
            record=found[-1].number if found else None,
            cards=cards(view),
            withheld=withheld(view),
            datasets=datasets(view, paths, {each.name: each for each in publications}, contracts),
            changed=_changed(found[-2:]),
        )


def _changed(newest: Sequence[Record]) -> frozenset[str]:
    """Open datasets whose published rows the last of two promotion records changed."""
    hashes = [
        {
            name: entry.promoted.published_hash
            for name, entry in record.entries.items()
            if entry.promoted is not None
        }
        for record in newest
    ]
    if not hashes:
        return frozenset()
    before = hashes[0] if len(hashes) > 1 else {}
    return frozenset(
        name for name, shown in hashes[-1].items() if shown and shown != before.get(name)
    )


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _way(language: str, other: str) -> str:
    """From the page of a language to that of another."""
    up = "../" * PLACES[language][0].count("/")
    return f"{up}{PLACES[other][0]}"


def _told(language: str, text: Text | None) -> str:
    return "" if text is None else text.of(language)


def _number(language: str, value: int) -> str:
    return number(value, language)


def _size(language: str, count: int) -> str:
    return size(count, language)
