"""The doctor's checks of what a city runs in: Python, packages, variables, disk."""

import json
import operator
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from pipeline.finding import Finding, Health, judged
from quality.gx_environment import interpreter
from warehouse.paths import CityPaths

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(;)?", re.MULTILINE)
BOUND = re.compile(r"(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)*)$")
COMPARE: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
# What another Python prints of itself: name -> version, the names spelled as locks spell them.
INSTALLED = """
import json, re
from importlib import metadata
found = {each.metadata["Name"]: each.version for each in metadata.distributions()}
print(json.dumps({re.sub("[-_.]+", "-", name).lower(): found[name] for name in found}))
"""
MIB = 1 << 20
# A load writes its new files before it lets go of old ones, and spills what memory cannot hold.
NEEDED_BYTES = 512 * MIB
COMFORTABLE_BYTES = 2048 * MIB


def check_python(required: str, version: Sequence[int] = sys.version_info[:2]) -> Finding:
    """Whether this Python is one that the project declares.

    Args:
        required: `Requires-Python`, for example `>=3.11,<3.13`.
        version: Major and minor version.
    """
    running = ".".join(map(str, version))
    unmet = [bound for bound in required.split(",") if not _meets(tuple(version), bound.strip())]
    problems = [f"Python {running} is outside {required}"] if unmet else []
    return judged("python", problems, f"Python {running}")


def _meets(version: tuple[int, ...], bound: str) -> bool:
    found = BOUND.match(bound)
    return found is not None and COMPARE[found[1]](version, tuple(map(int, found[2].split("."))))


def check_packages(lock: Path) -> Finding:
    """Whether the installed packages are those of the lock."""
    return _compared("packages", lock, _installed)


def check_gx_packages(lock: Path) -> Finding:
    """Whether Great Expectations has its environment, with the packages of the lock.

    Raises:
        GxEnvironmentError: when there is none.
    """
    python = interpreter()
    try:
        listed = subprocess.run(  # noqa: S603 - the Python that the gate would start
            [python, "-I", "-c", INSTALLED], capture_output=True, text=True, check=True, timeout=60
        )
        found: Mapping[str, str] = json.loads(listed.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return Finding("gx packages", Health.FAIL, ("Python does not run in its environment",))
    return _compared("gx packages", lock, found.get)


def _compared(check: str, lock: Path, installed: Callable[[str], str | None]) -> Finding:
    if not lock.is_file():
        return Finding(check, Health.WARN, (f"there is no {lock.name} to compare with",))
    pins: dict[str, set[str]] = {}
    conditional: set[str] = set()
    for name, version, marker in PIN.findall(lock.read_text(encoding="utf-8")):
        pins.setdefault(name, set()).add(version)
        conditional |= {name} if marker else set()
    problems = [
        f"{name} {found or 'is missing'}, the lock has {' or '.join(sorted(versions))}"
        for name, versions in sorted(pins.items())
        if (found := installed(name)) not in versions
        and not (found is None and name in conditional and len(versions) == 1)
    ]
    return judged(check, problems, f"{len(pins)} packages are those of the lock")


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_disk(paths: CityPaths) -> Finding:
    """Whether the disk has room for a run's new files beside those of before."""
    place = paths.root
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    core = sum(each.stat().st_size for each in paths.core.rglob("*.parquet"))
    told = f"{free / MIB:,.0f} MiB free, core takes {core / MIB:,.0f} MiB"
    if free < NEEDED_BYTES:
        return Finding("disk", Health.FAIL, (f"{told}: too little for a run",))
    if free < max(COMFORTABLE_BYTES, core):
        return Finding("disk", Health.WARN, (f"{told}: too little to write core anew",))
    return Finding("disk", Health.OK, (told,))
