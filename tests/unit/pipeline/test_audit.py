"""What auditors read of a town whose sources deliver well, badly and not at all."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date

import pytest

from extract.outcomes import Outcome, write_outcome
from pipeline.audit import audited
from tests.e2e.small_town import FIRST, HOTLINE, REGISTER, SECOND, Town, case, cases, register
from warehouse.contract.model import SourceContract

COUNTS = ("records", "new", "changed", "unchanged", "quarantined", "deleted")


def _rows(town: Town, table: str, behind: Collection[str] = ()) -> list[dict[str, object]]:
    found = audited(town.context, {}, behind)
    rows: list[dict[str, object]] = found[f"audit_{table}"].to_pylist()
    return rows


def test_a_delivery_is_that_of_the_last_batch(town: Town) -> None:
    town.ingest(REGISTER, FIRST)
    rows = cases(21)
    rows[0] = case(1, STATE="lost")
    rows[1] = case(2, KIND="khác")
    town.file.write_bytes(register(rows))
    town.ingest(REGISTER, SECOND)
    hotline, told = _rows(town, "source", {HOTLINE})
    assert [told[name] for name in COUNTS] == [21, 1, 1, 18, 1, 0]
    assert (told["as_of"], told["attempt_day"], told["attempt_status"]) == (SECOND, SECOND, "ok")
    assert (hotline["is_late"], told["is_late"]) == (True, False)
    assert [hotline[name] for name in ("as_of", "attempt_day", *COUNTS)] == [None] * 8
    # The same file again is no batch, and changes nothing of this.
    town.ingest(REGISTER, SECOND)
    assert _rows(town, "source", {HOTLINE}) == [hotline, told]


def test_a_failed_attempt_is_told_beside_the_last_good_batch(town: Town) -> None:
    town.ingest(REGISTER, FIRST)
    failed = Outcome.start(REGISTER, SECOND).end(None, ValueError("cut"))
    write_outcome(failed, town.context.paths.journal, town.context.paths.work)
    _, told = _rows(town, "source")
    assert (told["as_of"], told["attempt_day"]) == (FIRST, SECOND)
    assert (told["attempt_status"], told["records"]) == ("failed", 20)


def test_quarantine_is_counted_by_reason_until_it_is_resolved(town: Town) -> None:
    bad = [case(4, OPENED="?"), case(5, OPENED="?"), case(6, STATE="lost")]
    town.file.write_bytes(register([*cases(3), *bad]))
    town.ingest(REGISTER, FIRST)
    assert _rows(town, "quarantine") == [
        {"source": REGISTER, "reason": "requested_at:type", "open_records": 2},
        {"source": REGISTER, "reason": "status:enum", "open_records": 1},
    ]
    town.file.write_bytes(register([*cases(4), *bad[1:]]))
    town.ingest(REGISTER, SECOND)
    assert _rows(town, "quarantine")[0]["open_records"] == 1


@pytest.mark.parametrize(
    ("hours", "day"),
    [(24, date(2025, 7, 3)), (25, date(2025, 7, 4)), (24 * 31, date(2025, 8, 2)), (None, None)],
)
def test_the_next_delivery_is_due_by_the_sla(
    town: Town, hours: float | None, day: date | None
) -> None:
    town.ingest(REGISTER, FIRST)
    sources = dict(town.context.city.sources)
    sources[REGISTER] = replace(_source(town), freshness_hours=hours)
    town._context = replace(town.context, city=replace(town.context.city, sources=sources))
    assert _rows(town, "source")[1]["expected_by"] == day


def test_of_health_nothing_is_counted(town: Town) -> None:
    town.file.write_bytes(register([*cases(3), case(4, OPENED="?")]))
    town.ingest(REGISTER, FIRST)
    tables = dict(town.context.city.tables)
    tables["service_request"] = replace(tables["service_request"], health=True)
    secret = replace(town.context, city=replace(town.context.city, tables=tables))
    # With such a table the town's open dataset would be refused before anything is audited.
    secret.__dict__["registry"] = town.context.registry
    town._context = secret
    assert _rows(town, "quarantine") == []
    _, told = _rows(town, "source")
    assert [told[name] for name in COUNTS] == [None] * len(COUNTS)
    assert told["attempt_status"] == "ok"


def _source(town: Town) -> SourceContract:
    return town.context.city.sources[REGISTER]
