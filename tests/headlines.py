"""Which indicators a city shows first, read from its files by nothing of the project."""

from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[1]


def headlines(*groups: str, is_open: bool = False) -> set[str]:
    """Codes of Da Nang's headline indicators, of some files below `indicators/` or of all.

    `is_open` asks for those alone that everyone may see.
    """
    folder = REPOSITORY / "cities" / "danang" / "indicators"
    files = [folder / f"{each}.yaml" for each in groups] or sorted(folder.glob("*.yaml"))
    listed = [
        indicator
        for file in files
        for indicator in yaml.safe_load(file.read_text(encoding="utf-8"))["indicators"]
    ]
    first = [each for each in listed if each.get("headline")]
    return {each["code"] for each in first if not is_open or each.get("display") == "open"}
