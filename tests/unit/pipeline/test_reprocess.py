"""After a contract changed: what would move, what moves, and that it is then as if always so."""

import random
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from extract.errors import TerminalError
from extract.raw import RawStore
from pipeline.quarantine import print_list
from pipeline.reprocess import ReprocessError, kept_batches, reprocess, run_reprocess
from tests.e2e.small_town import (
    FIRST,
    HOTLINE,
    MAPPED,
    REGISTER,
    SECOND,
    THIRD,
    Row,
    Town,
    case,
    register,
    requests,
)
from warehouse.data_files import LostRowsError, Rows, write_files
from warehouse.load import load_stream
from warehouse.reprocess import Moves

ISO = "2025-06-03 08:15"
ENUM, TIME = "service_code:pattern", "requested_at:type"
# What a record may look like: by the first contract and by the second, good or not.
REFUSED_LATER: Row = {"KIND": "xx"}
GOOD_LATER: Row = {"OPENED": ISO, "STATE": "open", "CLOSED": ""}
CHANGES = {
    "KIND": (
        "transformLogic: KIND",
        'transformLogic: KIND\n        logicalTypeOptions: {pattern: "^[^x]+$"}',
    ),
    "OPENED": ('["%d/%m/%Y %H:%M"]', '["%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M"]'),
    "WARD": ("transformLogic: WARD", "transformLogic: concat(WARD, WARD)"),
    "ID": ("transformLogic: CASE_ID", "transformLogic: concat(CASE_ID, CASE_ID)"),
}

History = list[tuple[date, list[Row]]]


def _change(town: Town, *names: str, source: str = "register") -> None:
    """Change a contract, as its author would."""
    path = town.folder / "sources" / "feedback" / f"{source}.yaml"
    text = path.read_text(encoding="utf-8")
    for name in names:
        old, new = CHANGES[name]
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    town._context, town._declared = None, (*town._declared, *names)


def _load(town: Town, history: History) -> None:
    for day, rows in history:
        town.file.write_bytes(register(rows))
        assert town.ingest(REGISTER, day).error is None


def _rows(numbers: range | list[int] = range(1, 21), **changed: Row) -> list[Row]:
    return [case(number, **changed.get(f"r{number}", {})) for number in numbers]


HISTORY: History = [
    # 3 and 7 are good only by the second contract, 4 only by the first.
    (FIRST, _rows(r3=GOOD_LATER, r4=REFUSED_LATER, r7=GOOD_LATER)),
    # 7 is gone; 5 and 9 get a version that only the first contract takes, 6 one of the second.
    (
        SECOND,
        _rows(
            [number for number in range(1, 21) if number != 7],
            r3=GOOD_LATER,
            r4=REFUSED_LATER,
            r5=REFUSED_LATER,
            r6=GOOD_LATER,
            r9=REFUSED_LATER,
        ),
    ),
    # 8 is gone, 9 is good again by both.
    (
        THIRD,
        _rows(
            [number for number in range(1, 21) if number not in (7, 8)],
            r3=GOOD_LATER,
            r4=REFUSED_LATER,
            r5=REFUSED_LATER,
            r6=GOOD_LATER,
            r9={"KIND": "cây"},
        ),
    ),
]


def _counts(moves: Moves) -> dict[str, int]:
    counts = {name: value for name, value in asdict(moves).items() if isinstance(value, int)}
    return {name: value for name, value in counts.items() if value and name != "version"}


def _state(town: Town) -> dict[str, Any]:
    """Everything that a write would change: tables, cursors, content, journal."""
    state: dict[str, Any] = {"content": town.content()}
    for kind in ("core", "quarantine"):
        delta = DeltaTable(town.root / kind / "service_request")
        state[kind] = delta.version()
        state[f"{kind}/as_of"] = delta.transaction_version(f"{REGISTER}/as_of")
        state[f"{kind}/sequence"] = delta.transaction_version(f"{REGISTER}/sequence")
    state["journal"] = sorted(path.name for path in (town.root / "journal").rglob("*.*"))
    return state


def _fresh(town: Town, history: History, folder: Path, patch: pytest.MonkeyPatch) -> set[Any]:
    """The live rows of a lake that was loaded by the contract as it is now from the start."""
    with patch.context() as other:
        other.setenv("CITYLAKE_HOME", str(folder))
        home, town.home, town._context = town.home, folder, None
        _load(town, history)
        rows = _live(town)
        town.home, town._context = home, None
    return rows


def _live(town: Town) -> set[Any]:
    return town.rows(REGISTER, ", ".join((*MAPPED, "_as_of", "_raw_row")))


def test_the_dry_run_counts_every_record_once_and_writes_nothing(town: Town) -> None:
    _load(town, HISTORY)
    before = _state(town)
    _change(town, "KIND", "OPENED")
    moves = reprocess(town.context, REGISTER, apply=False)
    # 4 and 5 are refused, 3, 6 and 7 come good; 8 is a deletion, which counts as unchanged.
    assert _counts(moves) == {"good": 3, "refused": 2, "unchanged": 16}
    assert moves.total == 5
    assert _state(town) == before


def test_an_unchanged_contract_moves_nothing(town: Town) -> None:
    _load(town, HISTORY)
    before = _state(town)
    moves = reprocess(town.context, REGISTER, apply=True)
    assert _counts(moves) == {"still_quarantined": 3, "unchanged": 18}
    assert _state(town) == before


@pytest.mark.parametrize(
    "changes",
    [("KIND", "OPENED"), ("WARD",), ("KIND", "OPENED", "WARD"), ("ID",)],
    ids=["rules", "values", "both", "key"],
)
def test_applied_it_is_as_if_the_contract_had_always_been_so(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: tuple[str, ...]
) -> None:
    _load(town, HISTORY)
    before = _state(town)
    _change(town, *changes)
    moves = reprocess(town.context, REGISTER, apply=True)
    assert moves.total
    after = _state(town)
    assert after["core/as_of"] == before["core/as_of"] == THIRD.toordinal()
    assert after["core/sequence"] > before["core/sequence"]
    assert len(list((town.root / "journal" / "reprocessed").glob("*.json"))) == 1
    again = reprocess(town.context, REGISTER, apply=True)
    assert again.total == 0
    assert _state(town) == after
    assert _live(town) == _fresh(town, HISTORY, tmp_path / "fresh", monkeypatch)


@pytest.mark.parametrize("number", range(2))
def test_any_history_ends_as_if_always_so(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, number: int
) -> None:
    drawn = random.Random(f"{seed}/{number}")  # noqa: S311 - a drawn history, not a secret
    history: History = []
    here = list(range(1, 21))
    for day in range(5):
        rows = {}
        for each in here:
            kind = drawn.choice(["same", "same", "same", "refused", "good", "changed"])
            rows[each] = {
                "same": case(each),
                "refused": case(each, **REFUSED_LATER),
                "good": case(each, **GOOD_LATER),
                "changed": case(each, KIND=f"k{drawn.randrange(3)}"),
            }[kind]
        history.append((FIRST + timedelta(days=day // 2), list(rows.values())))
        here.remove(drawn.choice(here))
        if drawn.random() < 0.5:
            here.append(drawn.choice([each for each in range(1, 21) if each not in here]))
    _load(town, history)
    _change(town, "KIND", "OPENED", "WARD")
    reprocess(town.context, REGISTER, apply=True)
    assert reprocess(town.context, REGISTER, apply=False).total == 0
    columns = ", ".join(MAPPED)
    expected = {row[: len(MAPPED)] for row in _fresh(town, history, tmp_path / "x", monkeypatch)}
    assert town.rows(REGISTER, columns) == expected


def test_what_a_snapshot_in_between_lacked_stays_deleted(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = _rows([number for number in range(1, 21) if number != 5])
    history = [(FIRST, _rows()), (SECOND, gone), (THIRD, _rows(r5=REFUSED_LATER))]
    _load(town, history)
    _change(town, "KIND")
    reprocess(town.context, REGISTER, apply=True)
    live = _live(town)
    assert {row[0] for row in live} == {f"R-{n:04}" for n in range(1, 21) if n != 5}
    assert live == _fresh(town, history, tmp_path / "fresh", monkeypatch)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_an_interrupted_one_is_finished_by_the_next(
    town: Town,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    batch: int,
) -> None:
    _load(town, HISTORY)
    # Only refusals: once their rows have left, nothing that core holds would move.
    _change(town, "KIND")
    loaded = 0

    def interrupted(*given: Any, **named: Any) -> Any:
        nonlocal loaded
        loaded += 1
        if loaded == batch:
            raise InterruptedError
        return load_stream(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.reprocess.load_stream", interrupted)
        with pytest.raises(InterruptedError):
            reprocess(town.context, REGISTER, apply=True)
    run_reprocess(str(town.folder), REGISTER, apply=False, as_json=False)
    assert "was interrupted: call it again" in capsys.readouterr().out
    reprocess(town.context, REGISTER, apply=True)
    after = _state(town)
    run_reprocess(str(town.folder), REGISTER, apply=True, as_json=False)
    assert "interrupted" not in capsys.readouterr().out
    assert _state(town) == after
    assert _live(town) == _fresh(town, HISTORY, tmp_path / "fresh", monkeypatch)


def test_rows_that_would_be_lost_beside_those_that_leave_keep_core_as_it_is(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    _load(town, HISTORY)
    _change(town, "KIND")
    before = _live(town)
    monkeypatch.setattr(
        "warehouse.reprocess.write_files",
        lambda con, rows, *rest: write_files(con, [Rows(f"{rows[0].select} LIMIT 1")], *rest),
    )
    with pytest.raises(LostRowsError, match="the rows do not add up"):
        reprocess(town.context, REGISTER, apply=True)
    assert _live(town) == before


def test_an_object_of_which_nothing_came_is_looked_at_before_anything_moves(town: Town) -> None:
    header = ("CASE_ID", "KIND", "STATE", "OPENED", "CLOSED", "WARD")
    shorter = [{name: row[name] for name in header} for row in _rows()]
    # The same records twice, the second time without a column that will be asked for.
    _load(town, [(FIRST, _rows(r3=GOOD_LATER, r4=REFUSED_LATER))])
    town.file.write_bytes(register(shorter, header))
    path = town.folder / "sources" / "feedback" / "register.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("      - {name: NOTE, logicalType: string}\n", ""), "utf-8")
    town._context, town._declared = None, ("shorter",)
    shorter[3]["KIND"] = "xx"
    shorter[2] |= GOOD_LATER
    town.file.write_bytes(register(shorter, header))
    assert town.ingest(REGISTER, SECOND).error is None
    path.write_text(text, "utf-8")
    _change(town, "KIND")
    before = _state(town)
    with pytest.raises(TerminalError, match="NOTE"):
        reprocess(town.context, REGISTER, apply=True)
    assert _state(town) == before


def test_quarantine_keeps_its_evidence_and_says_what_is_settled(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    _load(town, HISTORY)
    held = len(town.quarantined())
    _change(town, "KIND", "OPENED")
    reprocess(town.context, REGISTER, apply=True)
    reasons = Counter(reason for _, reasons, _, _ in town.quarantined() for reason in reasons)
    assert reasons == {TIME: held, ENUM: 3}
    print_list(str(town.folder), REGISTER, None, as_json=False)
    told = capsys.readouterr().out
    assert f"{TIME}  3 records (0 open, 3 resolved)" in told
    # Of the refused ones only 9 has a later good version.
    assert f"{ENUM}  3 records (2 open, 1 resolved)" in told


def test_a_source_with_a_window_is_read_again_page_by_page(town: Town) -> None:
    town.requests = requests()
    town.ingest(HOTLINE, FIRST)
    town.requests = [requests()[0] | {"ward": "W2"}]
    town.ingest(HOTLINE, SECOND)
    path = town.folder / "sources" / "feedback" / "hotline.yaml"
    path.write_text(path.read_text("utf-8").replace("Logic: ward", "Logic: lower(ward)"), "utf-8")
    town._context, town._declared = None, ("hotline",)
    town.server.asked.clear()
    moves = reprocess(town.context, HOTLINE, apply=True)
    assert _counts(moves) == {"changed": 13}
    assert town.server.asked == []
    found = town.rows(HOTLINE, "service_request_id, area_code, _as_of")
    expected = {(f"H-{number}", "w1", FIRST) for number in range(2, 14)}
    assert found == expected | {("H-1", "w2", SECOND)}


def test_what_has_no_raw_object_any_more_stays(town: Town) -> None:
    _load(town, HISTORY)
    context = town.context
    lists = kept_batches(context, REGISTER, THIRD, _stored(town))
    assert [each.as_of for each in lists] == [FIRST, SECOND, THIRD]
    assert all(each.is_whole for each in lists)
    for digest, path in RawStore(context.paths).stored():
        if digest in lists[0].digests:
            path.unlink()
    assert [each.as_of for each in kept_batches(context, REGISTER, THIRD, _stored(town))] == [
        SECOND,
        THIRD,
    ]
    _change(town, "KIND", "OPENED")
    moves = reprocess(town.context, REGISTER, apply=True)
    assert (moves.good, moves.refused) == (1, 1)
    assert (moves.rows_without_raw, moves.quarantined_without_raw) == (15, 2)
    # The row of which nothing better is known stays, by the contract that let it in.
    assert ("R-0004", "xx") in town.rows(REGISTER, "service_request_id, service_code")


def _stored(town: Town) -> set[str]:
    return {digest for digest, _ in RawStore(town.context.paths).stored()}


def test_what_was_never_committed_is_not_read_again(town: Town) -> None:
    _load(town, HISTORY)
    assert kept_batches(town.context, REGISTER, SECOND, _stored(town))[-1].as_of == SECOND


def test_two_batches_of_a_day_keep_their_order(town: Town) -> None:
    _load(town, [(FIRST, _rows(r1={"KIND": kind})) for kind in "dbeac"])
    order = [each["digests"][0] for each in town.outcomes()]
    kept = kept_batches(town.context, REGISTER, FIRST, _stored(town))
    assert [each.digests[0] for each in kept] == order


@dataclass(frozen=True)
class Refused:
    source: str
    told: str


@pytest.mark.parametrize(
    "refused",
    [
        Refused("feedback.nothing", f"no source feedback.nothing .*{REGISTER}"),
        Refused(HOTLINE, f"nothing of {HOTLINE} was loaded"),
    ],
    ids=lambda each: each.source,
)
def test_what_cannot_be_read_again_is_said(town: Town, refused: Refused) -> None:
    _load(town, HISTORY[:1])
    with pytest.raises(ReprocessError, match=refused.told):
        reprocess(town.context, refused.source, apply=True)


def test_an_object_that_the_contract_does_not_take_changes_nothing(town: Town) -> None:
    _load(town, HISTORY[:1])
    before = _state(town)
    path = town.folder / "sources" / "feedback" / "register.yaml"
    path.write_text(path.read_text("utf-8").replace("WARD", "QUARTER"), "utf-8")
    for option in ((), ("--apply",)):
        done = town.call("reprocess", "--source", REGISTER, *option)
        assert done.returncode == 1
        assert "file register.csv" in done.stderr
        assert "QUARTER" in done.stderr
        assert done.stderr.count("\n") == 1
    assert _state(town) == before


def test_what_is_printed(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    _load(town, HISTORY)
    _change(town, "KIND", "OPENED")
    assert run_reprocess(str(town.folder), REGISTER, apply=False, as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["quarantined to good: 3", "good to quarantined: 2"]
    assert lines[-1] == "5 rows would move"
    run_reprocess(str(town.folder), REGISTER, apply=True, as_json=False)
    assert capsys.readouterr().out.splitlines()[-1] == "5 rows moved"
    run_reprocess(str(town.folder), REGISTER, apply=False, as_json=True)
    told = capsys.readouterr().out
    assert '"quarantined_to_good": 0' in told
    assert '"applied": false' in told
