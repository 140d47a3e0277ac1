"""What the permits must show, from the publisher's file alone: none of the project's code."""

import csv
import gzip
from dataclasses import dataclass
from datetime import date
from pathlib import Path

PERMITS = "b_permits_licences/burlington_on_building_permits.csv.gz"


@dataclass(frozen=True)
class Permit:
    """One row of the file: a permit or a revision of it, at one address."""

    row: dict[str, str]

    @property
    def applied(self) -> date:
        """Day of application."""
        return _day(self.row["INDATE"])

    @property
    def issued(self) -> date:
        """Day of issue."""
        return _day(self.row["ISSUEDATE"])

    @property
    def key(self) -> str:
        """What makes the row a dossier of its own."""
        names = ("FILENO", "INDATE", "ISSUEDATE", "WORKDESC", "PROPINFOVALUE_WARD")
        return "/".join(self.row[name].removesuffix(" 00:00:00+00") for name in names)

    @property
    def told(self) -> tuple[str, ...]:
        """Everything but the address, its position and the number of the row in the export."""
        left_out = ("X", "Y", "OBJECTID", "ADDRESS")
        return tuple(value for name, value in self.row.items() if name not in left_out)


def _day(text: str) -> date:
    day, _, clock = text.partition(" ")
    assert clock == "00:00:00+00"
    return date.fromisoformat(day.replace("/", "-"))


def read_permits(data: Path) -> list[Permit]:
    """Every row of the file."""
    with gzip.open(data / PERMITS, "rt", encoding="utf-8-sig", newline="") as stream:
        return [Permit(row) for row in csv.DictReader(stream)]
