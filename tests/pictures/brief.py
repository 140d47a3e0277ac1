"""Pictures of briefs over a hand-written serving file, into `build/pictures`, to be looked at.

Run by `make pictures`. What pdftoppm draws is what printers print.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from publish.wording import LANGUAGES
from tests.unit.reports.briefs import HAI_CHAU, LEADER, NEW, OLD, SOURCES, Desk, desk_in

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "build" / "pictures"
DOTS_PER_INCH = "110"
LATE = (
    "UPDATE publication_status SET stale = true, data_as_of = DATE '2025-07-03', "
    "late_sources = ['feedback.open311'] WHERE publication = 'indicators-feedback'"
)
HELD = (
    "UPDATE publication_status SET stale = true, verdict = 'hold', "
    "failing_checks = ['magnitude'] WHERE publication = 'indicators-administration'"
)


def draw(desk: Desk, folder: Path) -> None:
    """Draw city, ward, a ward of two districts and a district of before; the city in trouble."""
    desk.change(SOURCES)
    for name, key, role in (
        ("city", ("48", NEW), LEADER),
        ("ward", ("20242", NEW), HAI_CHAU),
        ("ward-of-two", ("20194", NEW), LEADER),
        ("district", ("493", OLD), LEADER),
    ):
        for language in LANGUAGES:
            brief = desk.brief(desk.area(*key), role, language)
            _draw(f"{name}-{language}", brief.content, folder)
    desk.change(LATE)
    desk.change(HELD)
    _draw("city-in-trouble-vi", desk.brief(desk.area("48")).content, folder)


def _draw(name: str, content: bytes, folder: Path) -> None:
    file = folder / f"{name}.pdf"
    file.write_bytes(content)
    subprocess.run(  # noqa: S603 - a program of the system
        ["pdftoppm", "-r", DOTS_PER_INCH, "-png", file, FOLDER / f"brief-{name}"],  # noqa: S607 - found by PATH
        check=True,
        stderr=subprocess.DEVNULL,
    )


def main() -> None:
    """Draw, and say where the pictures are."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        draw(desk_in(Path(folder)), Path(folder))
    for place in sorted(FOLDER.glob("brief-*.png")):
        sys.stdout.write(f"{place.relative_to(REPOSITORY)}\n")


if __name__ == "__main__":
    main()
