"""Where the command line finds cities and the lake."""

import os
from pathlib import Path

from warehouse.errors import CitylakeError
from warehouse.paths import CityPaths, lake_home

CITIES_VARIABLE = "CITYLAKE_CITIES"
REPOSITORY = Path(__file__).resolve().parent.parent


class UnknownCityError(CitylakeError):
    """No folder holds a city of that name."""


def city_folder(city: str) -> Path:
    """The folder of a city.

    Args:
        city: The name of a folder under `CITYLAKE_CITIES` (default: the project's `cities/`),
            else of one here; or a path to a folder that holds a `city.yaml`: what begins with a dot
            or has a separator in it is none but a path from here.

    Raises:
        UnknownCityError: when there is no such folder; the message lists the cities there are.
    """
    cities = _cities()
    places = (Path(city),) if _is_path(city) else (cities / city, Path(city))
    for folder in places:
        if (folder / "city.yaml").is_file():
            return folder.resolve()
    known = ", ".join(sorted(path.parent.name for path in cities.glob("*/city.yaml"))) or "none"
    message = f"city {city!r}: no city.yaml in {places[0].absolute()}; known cities: {known}"
    raise UnknownCityError(message)


def city_argument(name: str, folder: Path) -> str:
    """What `--city` is given for a city, wherever: a name that finds its folder, else the folder.

    Args:
        name: Of the city, or what `--city` was given.
        folder: As `city_folder` gives it.
    """
    for each in (name, folder.name):
        if not _is_path(each) and (_cities() / each).resolve() == folder.resolve():
            return each
    return str(folder)


def _is_path(city: str) -> bool:
    return city.startswith(".") or os.sep in city


def _cities() -> Path:
    return Path(os.environ.get(CITIES_VARIABLE) or REPOSITORY / "cities")


def city_paths(city: str) -> CityPaths:
    """The lake folders of a city, under `CITYLAKE_HOME`."""
    return CityPaths(lake_home(), city)
