"""The encounters of the FHIR files, from the files alone: plain Python, none of the project."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

BULK = "c_health/fhir_bulk_10_patients"
BUNDLES = "c_health/fhir_r4_bundles"
ZONE = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Encounter:
    """One encounter of the files; times as instants."""

    identifier: str
    status: str
    class_code: str
    type_code: str
    facility: str | None
    started: datetime
    ended: datetime

    def is_after(self, day: date) -> bool:
        """Whether it began or ended on a later local day."""
        return max(self.started, self.ended).astimezone(ZONE).date() > day


def _encounter(resource: dict[str, Any]) -> Encounter:
    provider = resource.get("serviceProvider", {}).get("reference")
    return Encounter(
        resource["id"],
        resource["status"],
        resource["class"]["code"],
        resource["type"][0]["coding"][0]["code"],
        provider[-36:] if provider else None,
        datetime.fromisoformat(resource["period"]["start"]),
        datetime.fromisoformat(resource["period"]["end"]),
    )


def bulk_encounters(data: Path) -> list[Encounter]:
    """Every line of the bulk export's encounters."""
    found = []
    for path in sorted((data / BULK).glob("Encounter.*.ndjson.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found += [_encounter(json.loads(line)) for line in lines]
    return found


def _resources(data: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((data / BUNDLES).glob("*.json.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as text:
            yield from (entry["resource"] for entry in json.load(text)["entry"])


def bundle_encounters(data: Path) -> tuple[list[Encounter], int]:
    """The encounters of all bundles, and how many other resources stand in them."""
    encounters, others = [], 0
    for resource in _resources(data):
        if resource["resourceType"] == "Encounter":
            encounters.append(_encounter(resource))
        else:
            others += 1
    return encounters, others
