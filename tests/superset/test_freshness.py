"""What is shown is what the serving file holds now: stamps turn, a replacement breaks no answer."""

import shutil
import threading
from datetime import date
from pathlib import Path

from tests.e2e.world import URL_VARIABLE, Lake, demo_server
from tests.superset.stage import Stage, change

VIEW = "report_city_indicator"
HISTORY, NEXT = date(2025, 7, 1), date(2025, 7, 2)
NOWHERE = "http://127.0.0.1:9/georeport/v2"


def _replace(stage: Stage, sql: str, scratch: Path) -> None:
    """Put a changed copy of the serving file in its place, at once."""
    copy = scratch / "changed.duckdb"
    shutil.copy(stage.serving, copy)
    change(copy, sql)
    stage.put_in_place(copy)


def _stamps(stage: Stage) -> set[tuple[str, str]]:
    rows = stage.rows("lanh_dao_thanh_pho", VIEW, "indicator_code", "stamp")
    return {(row["indicator_code"], row["stamp"]) for row in rows}


def test_a_late_source_turns_the_stamp_at_once(stage: Stage, tmp_path: Path) -> None:
    before = _stamps(stage)
    assert {stamp for _, stamp in before} == {"current"}
    turn = "UPDATE publication_status SET stale = {} WHERE publication = 'indicators-feedback'"
    _replace(stage, turn.format("true"), tmp_path)
    try:
        assert ("FB1", "late") in _stamps(stage)
        assert ("AD1", "current") in _stamps(stage)
        reasons = stage.rows("lanh_dao_thanh_pho", "report_attention", "reason", "indicator_code")
        assert {"reason": "late", "indicator_code": "FB5"} in reasons
    finally:
        _replace(stage, turn.format("false"), tmp_path)
    assert _stamps(stage) == before


def test_a_broken_source_turns_the_stamps_in_the_next_run(
    stage: Stage, seed: int, tmp_path: Path
) -> None:
    before = shutil.copy(stage.serving, tmp_path / "before.duckdb")
    with demo_server(seed, 0.02, 121) as server:
        lake = Lake(tmp_path / "home", server)
        served = lake.root / "serving" / "marts.duckdb"
        try:
            lake.run(HISTORY)
            stage.put_in_place(served)
            good = _stamps(stage)
            assert ("FB1", "current") in good
            lake.run(NEXT, expect=1, **{URL_VARIABLE: NOWHERE})
            stage.put_in_place(served)
            assert _stamps(stage) == {(code, "late") for code, _ in good}
            lake.run(NEXT)
            stage.put_in_place(served)
            assert _stamps(stage) == good
        finally:
            stage.put_in_place(before)


def test_charts_load_while_the_file_is_being_replaced(stage: Stage, tmp_path: Path) -> None:
    ended = threading.Event()
    replaced = 0

    def replace() -> None:
        nonlocal replaced
        while not ended.is_set():
            _replace(stage, "UPDATE publication_status SET version = 'v2'", tmp_path)
            replaced += 1

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        expected = _stamps(stage)
        asked = 0
        while asked < 15 or (replaced <= 3 and asked < 1_000):
            assert _stamps(stage) == expected
            asked += 1
    finally:
        ended.set()
        thread.join()
    assert replaced > 3
