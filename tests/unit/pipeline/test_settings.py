"""Where a city is looked for: a name among the cities, a path from here."""

from pathlib import Path

import pytest

from pipeline.settings import REPOSITORY, UnknownCityError, city_argument, city_folder

DANANG = REPOSITORY / "cities" / "danang"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a city `danang` of its own below `cities/`, and one in it beside that."""
    for name in ("cities/danang", "desk/danang", "desk/town"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "city.yaml").write_text("city: x\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "desk")
    return tmp_path


@pytest.mark.parametrize(
    ("city", "found"),
    [
        pytest.param("danang", None, id="name"),
        pytest.param("town", "desk/town", id="name-here"),
        pytest.param("./danang", "desk/danang", id="here"),
        pytest.param("danang/", "desk/danang", id="separator"),
        pytest.param("../cities/danang", "cities/danang", id="above"),
        pytest.param("../desk/../cities/danang", "cities/danang", id="round-about"),
    ],
)
def test_a_city_is_found(here: Path, city: str, found: str | None) -> None:
    assert city_folder(city) == (here / found if found else DANANG)


def test_a_path_is_never_looked_for_among_the_cities(here: Path) -> None:
    (here / "cities" / "danang" / "city.yaml").unlink()
    with pytest.raises(UnknownCityError, match=r"no city\.yaml in .*/desk/\.\./cities/danang;"):
        city_folder("../cities/danang")


def test_what_is_handed_on_holds_in_any_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [city_argument(each, city_folder(each)) for each in ("danang", "../cities/danang")]
    assert told == ["danang", str(here / "cities" / "danang")]
    monkeypatch.chdir(DANANG.parent)
    assert city_argument("./danang", city_folder("./danang")) == "danang"
