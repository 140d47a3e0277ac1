"""The city of Da Nang with some of its service groups: what a test is about, and nothing else.

A run of the whole city fails where one of its sources is away. Tests of one source take the part
of the city that it needs, so that they hold whatever other sources the city has.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

DANANG = Path(__file__).resolve().parents[2] / "cities" / "danang"
# The open datasets of each group; its indicators are published as `indicators-<group>`.
DATASETS = {
    "feedback": ("service-request-monthly",),
    "administration": ("dossier-district-monthly",),
    "health": (),
    "socioeconomic": ("socio-economic-indicators",),
}


@cache
def part_of_danang(*groups: str) -> str:
    """A folder, kept until the process ends, of the city with these groups alone."""
    place = Path(tempfile.mkdtemp(prefix="citylake-part-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    city = place / "danang"
    shutil.copytree(DANANG, city)
    datasets = {name for group in groups for name in (f"indicators-{group}", *DATASETS[group])}
    kept = {"sources": set(groups), "indicators": set(groups), "datasets": datasets}
    for folder, names in kept.items():
        found = {path.stem: path for path in (city / folder).iterdir()}
        assert names <= set(found)
        for path in (found[name] for name in set(found) - names):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return str(city)
