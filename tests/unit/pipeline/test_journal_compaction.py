"""A journal that was put together answers as before: explain, quarantine, reprocess, replay."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.explain_record import explain_record
from pipeline.maintain import compact
from pipeline.quarantine import print_list
from pipeline.reprocess import reprocess
from tests.e2e.small_town import FIRST, REGISTER, Row, Town, case, register

DAYS = [FIRST + timedelta(days=number) for number in range(12)]
LOST = {"STATE": "lost"}
# What only the changed contract takes.
ISO = {"OPENED": "2025-06-03 08:15"}
CONTRACT = "sources/feedback/register.yaml"


def delivered(number: int) -> bytes:
    """Case 5 is broken on the second day alone, 6 from then on, 7 by its time on every day."""
    changes: dict[int, Row] = {7: ISO}
    if number == 1:
        changes[5] = LOST
    if number > 0:
        changes[6] = LOST
    return register([case(each, **changes.get(each, {})) for each in range(1, 21)])


def journal_of(town: Town) -> list[str]:
    return [path.name for path in (town.root / "journal" / "records").iterdir()]


def answers(town: Town, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What people are told, and what a changed contract and a replay make of it."""
    found: dict[str, Any] = {}
    print_list(str(town.folder), REGISTER, None, as_json=True)
    found["quarantine"] = json.loads(capsys.readouterr().out)
    source = town.context.city.sources[REGISTER]
    for number in (1, 5, 6, 7):
        found[f"case {number}"] = explain_record(town.context, source, f"R-{number:04}")
    replayed = delivered(3).replace(b"R-0008,\xc4\x91\xc6\xb0\xe1\xbb\x9dng", b"R-0008,other")
    town.file.write_bytes(replayed)
    replay = town.ingest(REGISTER, DAYS[3]).result
    assert replay is not None
    found["replay"] = dict(replay.counts)
    path = town.folder / CONTRACT
    old = path.read_text("utf-8")
    path.write_text(old.replace("%d/%m/%Y %H:%M", '%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M'), "utf-8")
    town._context, town._declared = None, (*town._declared, "iso")
    moves = reprocess(town.context, REGISTER, apply=True)
    found["moves"] = (moves.good, moves.settled, moves.still_quarantined, moves.changed)
    found["content"] = town.content()
    path.write_text(old, "utf-8")
    town._context, town._declared = None, town._declared[:-1]
    return found


def test_a_journal_that_was_put_together_answers_as_before(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, day in enumerate(DAYS):
        town.file.write_bytes(delivered(number))
        assert town.ingest(REGISTER, day).error is None
    other = tmp_path / "other"
    shutil.copytree(town.home, other)
    plain = answers(town, capsys)
    assert plain["case 5"]["quarantine"][0]["state"] == "resolved"
    assert plain["case 6"]["quarantine"][0]["state"] == "open"
    # Said again as it was on every day since: another version of an earlier day is no news.
    assert plain["replay"]["superseded"] == 1
    assert plain["moves"][0] == 1
    monkeypatch.setenv("CITYLAKE_HOME", str(other))
    town.home, town._context = other, None
    context = replace(town.context, as_of=DAYS[-1])
    assert len(journal_of(town)) == len(DAYS)
    assert compact(context).records == len(DAYS)
    assert compact(context).records == 0
    assert len(journal_of(town)) == 1
    assert answers(town, capsys) == plain
