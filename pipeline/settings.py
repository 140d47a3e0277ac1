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
            or a path to a folder that holds a `city.yaml`.

    Raises:
        UnknownCityError: when there is no such folder; the message lists the cities there are.
    """
    cities = _cities()
    for folder in (cities / city, Path(city)):
        if (folder / "city.yaml").is_file():
            return folder.resolve()
    known = ", ".join(sorted(path.parent.name for path in cities.glob("*/city.yaml"))) or "none"
    message = f"city {city!r}: no city.yaml in {cities / city}; known cities: {known}"
    raise UnknownCityError(message)


def city_argument(name: str, folder: Path) -> str:
    """What `--city` is given for a city: its name where that finds its folder, else the folder."""
    return name if (_cities() / name).resolve() == folder.resolve() else str(folder)


def _cities() -> Path:
    return Path(os.environ.get(CITIES_VARIABLE) or REPOSITORY / "cities")


def city_paths(city: str) -> CityPaths:
    """The lake folders of a city, under `CITYLAKE_HOME`."""
    return CityPaths(lake_home(), city)
