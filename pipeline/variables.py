"""The environment variables that source contracts name: which are needed, and which are not set."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from pipeline.finding import Finding, Health
from pipeline.settings import city_argument
from warehouse.city import City
from warehouse.contract.model import SourceContract

PREFIX = "CITYLAKE_"
# Without these a source cannot be asked; other ones replace what the contract says itself.
_NEEDED = {"token_env": None, "uri_env": None, "url_env": "url"}


def check_variables(city: City, environ: Mapping[str, str]) -> Finding:
    """Whether the variables that contracts name are set; their values are never shown.

    Of the demo city a missing one is a warning: `citylake demo run` sets all of them itself.
    """
    sources = city.sources.values()
    missing = missing_variables(sources, environ)
    told = [f"{name} missing ({what})" for name, what in missing.items()]
    given = {name for name, value in environ.items() if value.strip()}
    needed = {name for name, _, is_needed in _of_all(sources) if is_needed}
    told += [f"{name} set" for name in sorted(needed & given)]
    optional = {name: what for name, what, _ in _of_all(sources) if name not in needed}
    told += [
        f"{name} {'set' if name in given else 'not set, not needed'} ({what})"
        for name, what in optional.items()
    ]
    if not missing:
        return Finding("variables", Health.OK, tuple(told) or ("the contracts name none",))
    health = Health.WARN if city.is_demo else Health.FAIL
    return Finding("variables", health, (*told, how_to_set(city)))


def on_day(environ: Mapping[str, str], day: date) -> dict[str, str]:
    """The variables as a processing day sees them: in those of ours, `{day}` stands for it.

    A source that can be asked what it knew on a day of the past has such an address.
    """
    shown = day.isoformat()
    return {
        name: value.replace("{day}", shown) if name.startswith(PREFIX) else value
        for name, value in environ.items()
    }


def missing_variables(
    sources: Iterable[SourceContract], environ: Mapping[str, str]
) -> dict[str, str]:
    """The needed variables that are not set or are blank, each with what it is for."""
    return {
        name: what
        for name, what, is_needed in _of_all(sources)
        if is_needed and not environ.get(name, "").strip()
    }


def how_to_set(city: City) -> str:
    """What a person does about variables that are not set."""
    if not city.is_demo:
        return "set them to where the sources answer, and to the tokens that they ask for"
    name = city_argument(city.name, city.folder)
    return (
        f"`citylake demo run --city {name}` starts the demo city's systems, sets them and runs; "
        f"`citylake demo serve --city {name}` (or `python -m demo serve`) starts the systems alone "
        "and prints the variables to set"
    )


def _of_all(sources: Iterable[SourceContract]) -> Iterator[tuple[str, str, bool]]:
    """Name of each variable of the contracts, what it is for, and whether a source needs it."""
    for source in sources:
        for seam in (source.transport, source.format, source.protocol):
            for option, name in seam.items():
                if option.endswith("_env"):
                    instead = _NEEDED.get(option)
                    is_needed = option in _NEEDED and not (instead and seam.get(instead))
                    yield str(name), f"{source.id}, {option.removesuffix('_env')}", is_needed
