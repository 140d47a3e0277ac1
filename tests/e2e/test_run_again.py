"""A run that finds everything done changes nothing but the journal."""

from datetime import date

from tests.e2e.world import Lake

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


def test_an_earlier_day_changes_nothing(lake: Lake) -> None:
    lake.run(DAY)
    versions, files, hashes = lake.versions(), lake.files(*KEPT), lake.hashes()
    lake.run(date(2025, 6, 30))
    assert (lake.versions(), lake.files(*KEPT), lake.hashes()) == (versions, files, hashes)


def test_releases_and_ledger_verify(base: Lake) -> None:
    assert "unchanged" in base.call("verify", "--city", base.city)
