"""Pictures of the static site over the demo city, into `build/pictures`, to be looked at.

Run by `make pictures`. The demo city is run at a small scale; then the day after is published
without any of its sources, so that the stamps turn.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.pictures.chromium import Browser, chromium

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "build" / "pictures"
PAGES = {"vi": "index.html", "en": "en/index.html"}
WIDTHS = {"laptop": 1280, "phone": 360}
DAY_AFTER = "2025-07-06"


def draw(browser: Browser, site: Path, name: str) -> None:
    """Draw each page of a site at each width, and as it is printed."""
    for language, page in PAGES.items():
        for device, width in WIDTHS.items():
            browser.resize(width)
            browser.show((site / page).as_uri(), "SHA-256")
            browser.whole_picture(FOLDER / f"{name}_{language}_{device}.png")
        browser.print(FOLDER / f"{name}_{language}.pdf")


def _citylake(home: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "pipeline.cli", *arguments, "--city", "danang"]
    environment = {**os.environ, "CITYLAKE_HOME": str(home)}
    subprocess.run(command, env=environment, cwd=REPOSITORY, check=True)  # noqa: S603 - our own command


def main() -> None:
    """Draw, and say where the pictures are."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        home = Path(folder)
        site = home / "danang" / "serving" / "site"
        _citylake(home, "demo", "run", "--scale", "0.05")
        draw(browser, site, "site")
        _citylake(home, "step", "publish", "--date", DAY_AFTER)
        draw(browser, site, "site_late")
    for place in sorted(FOLDER.glob("site*")):
        sys.stdout.write(f"{place.relative_to(REPOSITORY)}\n")


if __name__ == "__main__":
    main()
