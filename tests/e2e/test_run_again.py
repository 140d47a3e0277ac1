"""A run that finds everything done changes nothing but the journal."""

import json
from datetime import date

import polars as pl
from deltalake import DeltaTable

from tests.e2e.conftest import HISTORY
from tests.e2e.world import Lake

KEY = "service_request_id"
DAY = date(2025, 7, 2)
KEPT = ("marts", "promotions", "releases", "ledger")


def test_a_second_run_makes_no_new_version(lake: Lake) -> None:
    lake.run(DAY)
    versions, files, hashes = lake.versions(), lake.files(*KEPT), lake.hashes()
    outcomes = lake.files("journal/outcomes")
    status = lake.call("status", "--city", lake.city, "--json")
    lake.run(DAY)
    assert lake.versions() == versions
    assert lake.files(*KEPT) == files
    assert lake.hashes() == hashes
    assert lake.call("status", "--city", lake.city, "--json") == status
    assert len(lake.files("journal/outcomes") - outcomes) == 1


def test_an_earlier_day_that_was_run_changes_nothing(lake: Lake) -> None:
    lake.run(DAY)
    versions, files, hashes = lake.versions(), lake.files(*KEPT), lake.hashes()
    lake.run(HISTORY)
    assert (lake.versions(), lake.files(*KEPT), lake.hashes()) == (versions, files, hashes)


def test_an_earlier_day_adds_only_requests_of_which_later_days_had_no_good_record(
    lake: Lake,
) -> None:
    lake.run(DAY)
    before = _core(lake)
    lake.run(date(2025, 6, 30))
    after = _core(lake)
    assert {key: after.get(key) for key in before} == before
    assert after.keys() - before.keys() <= _quarantined(lake)


def test_releases_and_ledger_verify(base: Lake) -> None:
    assert "unchanged" in base.call("verify", "--city", base.city)


def _core(lake: Lake) -> dict[str, tuple[object, ...]]:
    rows = DeltaTable(lake.root / "core" / "service_request").to_pyarrow_table()
    frame = pl.DataFrame(pl.from_arrow(rows))
    return {row[0]: row[1:] for row in frame.select(KEY, pl.exclude(KEY)).rows()}


def _quarantined(lake: Lake) -> set[str]:
    rows = DeltaTable(lake.root / "quarantine" / "service_request").to_pyarrow_table()
    return {json.loads(key).get(KEY) for key in rows["key_text"].to_pylist() if key}
