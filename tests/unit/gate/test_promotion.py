from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from quality.decisions import record_decisions
from quality.journal import plain
from quality.ledger import Ledger
from quality.result import CheckResult, CheckStatus
from tests.unit.gate.small_city import (
    CONTRACTS,
    DAY,
    INDICATOR,
    REQUESTS,
    A,
    B,
    C,
    city_paths,
    decision,
    groups_candidate,
    indicator_rows,
    request_rows,
    write_candidate,
)
from warehouse import promotion, retention
from warehouse.contract.model import Severity
from warehouse.duck import session
from warehouse.mart_file import attach, publication_hash, rows_sql
from warehouse.paths import CityPaths
from warehouse.promotion import Promotion, approve, promote, referenced_files
from warehouse.promotion_record import PromotionError, Record, current, held_path, latest, records
from warehouse.publication import Part, Publication
from warehouse.retention import forget_marts


@pytest.fixture
def paths(tmp_path: Path) -> CityPaths:
    return city_paths(tmp_path)


def run_day(
    paths: CityPaths, values: dict[int, object], verdicts: str, day: date = DAY, version: int = 1
) -> Promotion:
    """A run whose candidate has a value for each group and a verdict letter for a, b and c."""
    words = {"p": "publish", "h": "hold", "r": "reject"}
    decisions = [
        decision(publication, words[letter], day, version)
        for publication, letter in zip((A, B, C), verdicts, strict=True)
    ]
    return promote(paths, groups_candidate(paths, values), CONTRACTS, decisions)


def seen(paths: CityPaths, publication: Publication) -> object:
    """The value that readers see."""
    now = current(paths, publication.name)
    if now is None:
        return None
    with session() as connection:
        attach(connection, now.mart_file, "promoted")
        rows = rows_sql("promoted", INDICATOR.name, publication.parts)
        values = f"SELECT DISTINCT value::INTEGER FROM ({rows})"  # noqa: S608 - names are quoted
        return connection.execute(values).fetchall()[0][0]


def test_mixed_verdicts_day_by_day(paths: CityPaths) -> None:
    for day in range(6):
        run_day(paths, {1: day, 2: 0, 3: 0}, "ppp", DAY + timedelta(days=day), day)
    record_6 = latest(paths)
    assert record_6 is not None
    assert record_6.number == 6

    # Day 1: A is rejected, B promoted, C held.
    day_1 = run_day(paths, {1: 71, 2: 72, 3: 73}, "rph", DAY + timedelta(days=6), 6)
    assert day_1.record.number == 7
    assert (seen(paths, A), seen(paths, B), seen(paths, C)) == (5, 72, 0)
    numbers = {name: current(paths, name) for name in "abc"}
    assert {name: now.record for name, now in numbers.items() if now} == {"a": 6, "b": 7, "c": 1}
    entries = day_1.record.entries
    assert entries["a"].promoted == record_6.entries["a"].promoted
    assert entries["a"].candidate is None
    held_1 = entries["c"].candidate
    assert held_1 is not None
    assert held_path(paths, held_1.content_hash).exists()
    # The periods that day 2 computes anew start from what each publication was pinned to.
    assert {name: dict(each.promoted.pins) for name, each in entries.items() if each.promoted} == {
        "a": {"service_request": 5},
        "b": {"service_request": 6},
        "c": {"service_request": 0},
    }

    # Day 2: C has a new candidate, which is held too; A is well again.
    day_2 = run_day(paths, {1: 81, 2: 72, 3: 83}, "pph", DAY + timedelta(days=7), 7)
    assert day_2.record.number == 8
    assert (seen(paths, A), seen(paths, B), seen(paths, C)) == (81, 72, 0)
    held_2 = day_2.record.entries["c"].candidate
    assert held_2 is not None
    assert [gone.content_hash for gone in day_2.record.superseded] == [held_1.content_hash]
    assert not held_path(paths, held_1.content_hash).exists()
    with pytest.raises(PromotionError, match="superseded"):
        approve(paths, "c", held_1.content_hash, "Lan", CONTRACTS)

    approved = approve(paths, "c", held_2.content_hash, "Lan", CONTRACTS)
    assert approved.record.number == 9
    assert approved.record.kind == "approval"
    assert (seen(paths, A), seen(paths, B), seen(paths, C)) == (81, 72, 83)
    assert referenced_files(paths) == {paths.marts / str(approved.record.mart_file)}
    # Said again by the same person it is the same decision; nobody else has one to take.
    assert not approve(paths, "c", held_2.content_hash, "Lan", CONTRACTS).is_new
    with pytest.raises(PromotionError, match="no candidate"):
        approve(paths, "c", held_2.content_hash, "Minh", CONTRACTS)

    assert record_decisions(paths) == 9
    entries_before = sorted(path.name for path in paths.ledger.iterdir())
    assert record_decisions(paths) == 9
    assert sorted(path.name for path in paths.ledger.iterdir()) == entries_before
    subjects = [entry.subject for entry in Ledger(paths).entries()]
    assert "superseded:8:c" in subjects
    assert "approval:9:c" in subjects
    assert {"verdict:7:a", "verdict:7:b", "verdict:7:c", "promotion:7"} <= set(subjects)
    assert Ledger(paths).verify() is None


def test_the_same_again_writes_nothing(paths: CityPaths) -> None:
    run_day(paths, {1: 1, 2: 2, 3: 3}, "prh")
    before = _written(paths)
    again = run_day(paths, {1: 1, 2: 2, 3: 3}, "prh", version=9)
    assert not again.is_new
    assert _written(paths) == before


def _written(paths: CityPaths) -> dict[Path, int]:
    """When each file was written, but for scratch."""
    files = (path for path in paths.root.rglob("*") if path.is_file())
    return {path: path.stat().st_mtime_ns for path in files if paths.work not in path.parents}


def test_rejecting_everything_shows_nothing(paths: CityPaths) -> None:
    first = run_day(paths, {1: 1, 2: 2, 3: 3}, "rrr")
    assert first.record.mart_file is None
    assert current(paths, "a") is None
    assert list(paths.marts.rglob("*.duckdb")) == []
    assert not run_day(paths, {1: 9, 2: 9, 3: 9}, "rrr").is_new


def test_without_a_candidate_every_verdict_is_reject(paths: CityPaths) -> None:
    run_day(paths, {1: 1, 2: 2, 3: 3}, "ppp")
    decisions = [decision(each, "publish", version=2) for each in (A, B, C)]
    result = promote(paths, None, CONTRACTS, decisions)
    assert {entry.verdict for entry in result.record.entries.values()} == {"reject"}
    assert seen(paths, A) == 1


def test_an_unreadable_candidate_is_rejected(paths: CityPaths) -> None:
    broken = paths.work / "broken.duckdb"
    broken.write_bytes(b"no database")
    result = promote(paths, broken, CONTRACTS, [decision(A, "publish")])
    assert result.record.entries["a"].verdict == "reject"


def test_an_unknown_verdict_is_reject(paths: CityPaths) -> None:
    candidate = groups_candidate(paths, {1: 1})
    result = promote(paths, candidate, CONTRACTS, [decision(A, "perhaps")])
    assert result.record.entries["a"].verdict == "reject"


def test_a_held_candidate_that_readers_see_already_is_no_hold(paths: CityPaths) -> None:
    run_day(paths, {1: 1, 2: 2, 3: 3}, "ppp")
    assert not run_day(paths, {1: 1, 2: 2, 3: 3}, "hpp", version=2).is_new


def _tightened(paths: CityPaths, verdict: str, **severities: Severity) -> Promotion:
    """A run on content that readers see already, in which checks of these severities fail."""
    failed = [
        plain(CheckResult("a", name, "contract", severity, CheckStatus.FAILED, 2, 1))
        for name, severity in severities.items()
    ]
    judged = replace(decision(A, verdict), checks=failed, reasons=tuple(severities))
    candidate = groups_candidate(paths, {1: 1})
    return promote(paths, candidate, CONTRACTS, [judged])


def test_a_tightened_rule_holds_what_readers_see_until_a_person_has_decided(
    paths: CityPaths,
) -> None:
    first = _tightened(paths, "publish")
    held = _tightened(paths, "hold", too_high=Severity.HOLD)
    entry = held.record.entries["a"]
    assert (held.is_new, entry.verdict, entry.reasons) == (True, "hold", ("too_high",))
    assert entry.promoted == first.record.entries["a"].promoted
    assert entry.candidate is not None
    assert held_path(paths, entry.candidate.content_hash).exists()
    assert not _tightened(paths, "hold", too_high=Severity.HOLD).is_new
    approve(paths, "a", entry.candidate.content_hash, "Lan", CONTRACTS)
    # The person knew of it; what is found beside it is new, but a warning holds nothing.
    again = _tightened(paths, "hold", too_high=Severity.HOLD, old=Severity.WARN)
    assert again.record.entries["a"].verdict == "publish"
    assert again.record.entries["a"].candidate is None
    more = _tightened(paths, "hold", too_high=Severity.HOLD, too_low=Severity.HOLD)
    assert more.record.entries["a"].verdict == "hold"
    loosened = _tightened(paths, "publish")
    assert loosened.record.entries["a"].verdict == "publish"
    assert not list((paths.marts / "held").glob("*.duckdb"))


def test_a_new_warning_on_unchanged_content_is_recorded_once(paths: CityPaths) -> None:
    _tightened(paths, "publish")
    warned = _tightened(paths, "publish", late=Severity.WARN)
    assert warned.is_new
    assert warned.record.entries["a"].reasons == ("late",)
    assert warned.record.mart_file == records(paths)[0].mart_file
    assert not _tightened(paths, "publish", late=Severity.WARN).is_new
    assert record_decisions(paths) == 2
    told = [entry.body for entry in Ledger(paths).entries() if entry.kind == "verdict"]
    assert [each["reasons"] for each in told] == [[], ["late"]]


def test_a_rejected_candidate_supersedes_a_held_one(paths: CityPaths) -> None:
    held = run_day(paths, {1: 1, 2: 2, 3: 3}, "pph").record.entries["c"].candidate
    run_day(paths, {1: 1, 2: 2, 3: 4}, "ppr", version=2)
    assert held is not None
    with pytest.raises(PromotionError, match="no candidate"):
        approve(paths, "c", held.content_hash, "Lan", CONTRACTS)


@pytest.mark.parametrize(
    ("day", "version"),
    [pytest.param(DAY - timedelta(days=1), 9, id="day"), pytest.param(DAY, 4, id="lake-version")],
)
def test_a_candidate_of_an_older_lake_changes_nothing(
    paths: CityPaths, day: date, version: int
) -> None:
    run_day(paths, {1: 1, 2: 2, 3: 3}, "ppp", version=5)
    late = run_day(paths, {1: 7, 2: 7, 3: 7}, "ppp", day, version)
    assert not late.is_new
    assert late.outdated == ("a", "b", "c")
    assert seen(paths, A) == 1


def test_an_approval_needs_a_person_and_an_unchanged_file(paths: CityPaths) -> None:
    held = run_day(paths, {1: 1, 2: 2, 3: 3}, "pph").record.entries["c"].candidate
    assert held is not None
    with pytest.raises(PromotionError, match="names the person"):
        approve(paths, "c", held.content_hash, " ", CONTRACTS)
    with pytest.raises(PromotionError, match="never held"):
        approve(paths, "c", "0" * 64, "Lan", CONTRACTS)
    file = held_path(paths, held.content_hash)
    write_candidate(file, {INDICATOR.name: indicator_rows(3, 99)})
    with pytest.raises(PromotionError, match="does not hold"):
        approve(paths, "c", held.content_hash, "Lan", CONTRACTS)
    file.unlink()
    with pytest.raises(PromotionError, match="gone"):
        approve(paths, "c", held.content_hash, "Lan", CONTRACTS)


def test_overlapping_publications_are_refused(paths: CityPaths) -> None:
    everything = replace(A, name="all", parts=(Part(INDICATOR.name),))
    candidate = groups_candidate(paths, {1: 1})
    decisions = [decision(A, "publish"), decision(everything, "publish")]
    with pytest.raises(PromotionError, match="same rows"):
        promote(paths, candidate, CONTRACTS, decisions)


def test_a_publication_that_is_left_out_is_no_longer_served(paths: CityPaths) -> None:
    run_day(paths, {1: 1, 2: 2, 3: 3}, "ppp")
    promote(paths, groups_candidate(paths, {1: 1}), CONTRACTS, [decision(A, "publish")])
    assert current(paths, "b") is None
    assert seen(paths, A) == 1


def test_a_rejected_publication_keeps_rows_over_a_new_column(paths: CityPaths) -> None:
    run_day(paths, {1: 1, 2: 2, 3: 3}, "ppp")
    wider = replace(
        INDICATOR, columns=(*INDICATOR.columns, replace(INDICATOR.columns[0], name="extra"))
    )
    candidate = groups_candidate(paths, {1: 1, 2: 5, 3: 3})
    with session() as connection:
        connection.execute(f"ATTACH '{candidate}' AS made")
        connection.execute(f"ALTER TABLE made.main.{INDICATOR.name} ADD COLUMN extra VARCHAR")
    contracts = {**CONTRACTS, INDICATOR.name: wider}
    promote(
        paths,
        candidate,
        contracts,
        [decision(A, "reject"), decision(B, "publish"), decision(C, "reject")],
    )
    assert (seen(paths, A), seen(paths, B), seen(paths, C)) == (1, 5, 3)


def hash_of(folder: Path, name: str, rows: list[tuple[object, ...]]) -> str:
    file = write_candidate(folder / f"{name}.duckdb", {REQUESTS.marts[0]: rows})
    with session() as connection:
        attach(connection, file, "made")
        return publication_hash(connection, "made", REQUESTS.parts, CONTRACTS)


def test_content_hash_knows_values_alone(tmp_path: Path) -> None:
    rows = request_rows([1, 2, 3])
    same = hash_of(tmp_path, "one", rows)
    assert hash_of(tmp_path, "two", rows[::-1]) == same
    assert hash_of(tmp_path, "three", request_rows([1, 2, 3], DAY + timedelta(days=1))) == same
    others = [
        request_rows([1, 2]),
        request_rows([1, 2, 4]),
        [*rows, rows[0]],
        [(*rows[0][:4], None, *rows[0][5:]), *rows[1:]],
        [(*rows[0][:4], "", *rows[0][5:]), *rows[1:]],
    ]
    hashes = {hash_of(tmp_path, f"other{number}", each) for number, each in enumerate(others)}
    assert len(hashes | {same}) == len(others) + 1


def test_records_have_no_gap_and_no_clock(paths: CityPaths, tmp_path: Path) -> None:
    other = city_paths(tmp_path / "again")
    for each in (paths, other):
        run_day(each, {1: 1, 2: 2, 3: 3}, "pph")
        run_day(each, {1: 2, 2: 2, 3: 4}, "prh", version=2)
    assert [record.number for record in records(paths)] == [1, 2]
    for record in paths.promotions.rglob("*.json"):
        twin = other.promotions / record.relative_to(paths.promotions)
        assert twin.read_bytes() == record.read_bytes()


@pytest.mark.parametrize(
    ("value", "number"),
    [pytest.param(2, 2, id="same-content-finds-nothing-to-do"), pytest.param(3, 3, id="next")],
)
def test_a_promoter_that_loses_the_number_reads_again(
    paths: CityPaths, monkeypatch: pytest.MonkeyPatch, value: int, number: int
) -> None:
    run_day(paths, {1: 1, 2: 1, 3: 1}, "ppp")
    created = promotion.create_record
    others = [{1: 2, 2: 1, 3: 1}]

    def create_after_another(paths: CityPaths, record: Record) -> bool:
        if others:
            build = city_paths(paths.home / "other-build")
            candidate = groups_candidate(build, others.pop())
            promote(paths, candidate, CONTRACTS, [decision(each, "publish") for each in (A, B, C)])
        return created(paths, record)

    monkeypatch.setattr(promotion, "create_record", create_after_another)
    result = run_day(paths, {1: value, 2: 1, 3: 1}, "ppp")
    assert result.record.number == number
    assert result.is_new is (number == 3)
    assert [record.number for record in records(paths)] == list(range(1, number + 1))
    assert seen(paths, A) == value


def _days(paths: CityPaths, count: int) -> list[Path]:
    """One promotion a day, each with a file of its own."""
    found = []
    for day in range(count):
        run = run_day(paths, {1: day, 2: 0, 3: 0}, "ppp", DAY + timedelta(days=day), day)
        found.append(paths.marts / str(run.record.mart_file))
    return found


def test_old_mart_files_go_and_those_of_the_window_stay(paths: CityPaths) -> None:
    files = _days(paths, 6)
    held = run_day(paths, {1: 5, 2: 0, 3: 9}, "pph", DAY + timedelta(days=5), 6)
    candidate = held.record.entries["c"].candidate
    assert candidate is not None
    left_over = paths.marts / f"{'0' * 64}.duckdb"
    left_over.write_bytes(b"of a killed promotion")
    today = DAY + timedelta(days=5)
    assert forget_marts(paths, as_of=today, days=2) > 0
    # Days 4 and 5 began after the floor; the file of day 3 was in force until day 4.
    assert sorted(paths.marts.glob("*.duckdb")) == sorted(files[3:])
    assert held_path(paths, candidate.content_hash).exists()
    assert forget_marts(paths, as_of=today, days=2) == 0
    assert forget_marts(paths, as_of=today + timedelta(days=400), days=2) > 0
    assert list(paths.marts.glob("*.duckdb")) == files[-1:]
    assert seen(paths, A) == 5
    assert approve(paths, "c", candidate.content_hash, "Lan", CONTRACTS).is_new
    assert seen(paths, C) == 9


def test_content_that_comes_back_is_written_again(paths: CityPaths) -> None:
    first, *_ = _days(paths, 4)
    forget_marts(paths, as_of=DAY + timedelta(days=9), days=1)
    assert not first.exists()
    back = run_day(paths, {1: 0, 2: 0, 3: 0}, "ppp", DAY + timedelta(days=9), 9)
    assert (back.record.mart_file, seen(paths, A)) == (first.name, 0)


def test_a_file_that_is_named_while_it_is_removed_stays(
    paths: CityPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = _days(paths, 4)
    real = retention.scratch

    def named_meanwhile(work: Path, name: str) -> Path:
        # What is old is known by now; another run promotes the old content again.
        monkeypatch.setattr(retention, "scratch", real)
        run_day(paths, {1: 0, 2: 0, 3: 0}, "ppp", DAY + timedelta(days=9), 9)
        return real(work, name)

    monkeypatch.setattr(retention, "scratch", named_meanwhile)
    forget_marts(paths, as_of=DAY + timedelta(days=9), days=1)
    assert first.exists()
    assert seen(paths, A) == 0


def test_a_promotion_whose_file_is_removed_before_its_record_writes_it_again(
    paths: CityPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = _days(paths, 4)
    real = promotion.create_record

    def after_retention(where: CityPaths, record: Record) -> bool:
        forget_marts(where, as_of=DAY + timedelta(days=9), days=1)
        assert not first.exists()
        return real(where, record)

    monkeypatch.setattr(promotion, "create_record", after_retention)
    run_day(paths, {1: 0, 2: 0, 3: 0}, "ppp", DAY + timedelta(days=9), 9)
    assert first.exists()
    assert seen(paths, A) == 0
