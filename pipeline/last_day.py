"""The day that was published last, and which sources were late on it."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from warehouse.files import canonical_json, replace_content
from warehouse.paths import CityPaths


def note_last_day(paths: CityPaths, day: date, late: Sequence[str]) -> None:
    """Write down what is about to be published."""
    content = canonical_json({"day": day.isoformat(), "sources": list(late)})
    replace_content(_place(paths), content, paths.work)


def last_day(paths: CityPaths) -> date | None:
    """The day that was published last, whatever was delivered by then; None before the first."""
    told = _told(paths)
    return date.fromisoformat(told["day"]) if told else None


def late_sources(paths: CityPaths) -> list[str]:
    """The sources that were late on it."""
    told = _told(paths)
    return list(told["sources"]) if told else []


def _told(paths: CityPaths) -> dict[str, Any] | None:
    place = _place(paths)
    return dict(json.loads(place.read_bytes())) if place.is_file() else None


def _place(paths: CityPaths) -> Path:
    """Derived, replaced whole."""
    return paths.journal / "late.json"
