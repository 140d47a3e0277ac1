"""Pictures of what people see, into `build/pictures`, to be looked at.

Run by `make pictures`: Airflow with something held, and every dashboard of Superset in Vietnamese,
in English and as wide as a phone. `python -m tests.pictures reports` draws the dashboards alone.
"""

import sys
from collections.abc import Callable

from tests.pictures import orchestra, reports
from tests.pictures.chromium import FOLDER, REPOSITORY, Browser, chromium

DRAWN: dict[str, Callable[[Browser], None]] = {
    "airflow": orchestra.draw,
    "reports": reports.draw,
}


def main(wanted: list[str]) -> None:
    """Draw, and say where the pictures are."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in wanted or DRAWN:
        with chromium() as browser:
            DRAWN[name](browser)
    for place in sorted(FOLDER.glob("*.png")):
        sys.stdout.write(f"{place.relative_to(REPOSITORY)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
