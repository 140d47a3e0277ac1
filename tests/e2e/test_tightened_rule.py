"""A rule that gets stricter judges what readers see already; a person's word settles it."""

import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

from tests.e2e.conftest import HISTORY
from tests.e2e.world import Lake

DATASET = "service-request-monthly"
RULE = """
  - name: few_requests
    description: {vi: Rất ít phản ánh, en: Very few requests}
    type: custom
    engine: greatExpectations
    severity: %s
    implementation:
      type: expect_column_values_to_be_between
      kwargs: {column: requests_opened, max_value: 0}
"""


def _with_rule(lake: Lake, folder: Path, severity: str) -> Lake:
    """The lake, and its city with one more rule."""
    city = folder / severity / "danang"
    shutil.copytree(lake.city, city)
    dataset = city / "datasets" / f"{DATASET}.yaml"
    dataset.write_text(dataset.read_text("utf-8").rstrip("\n") + RULE % severity, "utf-8")
    return replace(lake, city=str(city))


def test_a_tightened_rule_is_judged_told_and_approved(lake: Lake, tmp_path: Path) -> None:
    seen = json.loads((lake.root / "releases" / DATASET / "latest.json").read_bytes())

    warned = _with_rule(lake, tmp_path, "warn")
    assert f"{DATASET}: gx" in warned.run(HISTORY)
    told = warned.call("status", "--city", warned.city)
    assert "few_requests: failed (warn)" in told
    assert "approve" not in told

    held = _with_rule(lake, tmp_path, "hold")
    printed = held.run(HISTORY, expect=3)
    status = held.call("status", "--city", held.city)
    (line,) = (each for each in status.splitlines() if "waits for a named person: " in each)
    command = line.partition("waits for a named person: ")[2]
    assert f"{DATASET} waits for a named person: {command}" in printed
    words = shlex.split(command)
    assert words[:2] == ["citylake", "approve"]
    assert words[-2:] == ["--person", "<name>"]
    assert json.loads((lake.root / "releases" / DATASET / "latest.json").read_bytes()) == seen

    held.call(*words[1:-1], "Lan")
    told = held.call("status", "--city", held.city)
    assert "waits" not in told
    held.run(HISTORY)
