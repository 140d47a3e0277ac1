"""Whatever a source delivers: one clear line says what is wrong, and the good of before is kept."""

import gzip
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.ingest import Ingested
from tests.e2e.small_town import (
    FIRST,
    HEADER,
    HOTLINE,
    PERSONAL,
    REGISTER,
    SECOND,
    THIRD,
    TOKEN,
    TOKEN_VARIABLE,
    URL_VARIABLE,
    Town,
    case,
    cases,
    json_answer,
    register,
    requests,
    small_town,
)
from tests.unit.extract.server import Answer

HTML = b"<!doctype html><html><body>" + PERSONAL.encode() + b"</body></html>"
WRONG_TOKEN = "tok-of-someone-else"  # noqa: S105 - no server takes it
PRIVATE = (TOKEN, WRONG_TOKEN, PERSONAL, "0905 111", "Trần")


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with small_town(tmp_path) as town:
        monkeypatch.setenv("CITYLAKE_HOME", str(town.home))
        monkeypatch.setenv(URL_VARIABLE, town.server.url)
        monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
        yield town


@dataclass(frozen=True)
class Bad:
    """A delivery with one fault: how to make it, and what must be said of it."""

    deliver: Callable[[Town], None]
    rule: str
    says: tuple[str, ...]
    source: str = REGISTER


def _writes(content: bytes) -> Callable[[Town], None]:
    def deliver(town: Town) -> None:
        town.file.write_bytes(content)

    return deliver


def _answers(page: int, answer: Answer) -> Callable[[Town], None]:
    return lambda town: town.broken.__setitem__(page, answer)


def _header(**renamed: str | None) -> bytes:
    """The good register with columns renamed, or left out where the name is None."""
    kept = [name for name in HEADER if renamed.get(name, name) is not None]
    rows = [{name: row[name] for name in kept} for row in cases()]
    return register(rows, [renamed.get(name) or name for name in kept])


def _wider(rows: list[dict[str, str]]) -> bytes:
    return register([row | {"EXTRA": "1"} for row in rows], [*HEADER, "EXTRA"])


def _cut_gzip() -> bytes:
    noise = random.Random(1)  # noqa: S311 - text that does not compress
    rows = [case(1 + n % 20, NOTE=f"{noise.random()}") for n in range(5000)]
    return gzip.compress(register(rows))[:-4000]


def _requests(**changes: Any) -> Callable[[Town], None]:
    """Every record of the hotline changed; None takes the key away."""

    def deliver(town: Town) -> None:
        for record in town.requests:
            for name, value in changes.items():
                record.pop(name) if value is None else record.__setitem__(name, value)

    return deliver


LATIN = register(cases()).replace(b"R-0004,", b"R-0004,r\xe1c")
NO_HEADER = register(cases()).split(b"\n", 1)[1]
GOOD_PAGE_7 = json.dumps(requests()[12:], ensure_ascii=False).encode()

REFUSED = {
    "missing file": Bad(lambda town: town.file.unlink(), "missing_file", ("file register.csv",)),
    "empty file": Bad(_writes(b""), "empty", ("file register.csv",)),
    "blank file": Bad(_writes(b"\n\n"), "missing_column", ("file register.csv", "'CASE_ID'")),
    "renamed column": Bad(
        _writes(_header(OPENED="OPENED_ON")),
        "missing_column",
        ("file register.csv", "missing columns: 'OPENED'", "undeclared columns: 'OPENED_ON'"),
    ),
    "missing column": Bad(
        _writes(_header(WARD=None)),
        "missing_column",
        ("file register.csv", "missing columns: 'WARD'"),
    ),
    "no header": Bad(_writes(NO_HEADER), "missing_column", ("file register.csv", "'CASE_ID'")),
    "extra column, frozen": Bad(
        _writes(_wider(cases())),
        "undeclared_column",
        ("file register.csv", "undeclared columns: 'EXTRA'"),
    ),
    "wrong encoding": Bad(_writes(LATIN), "encoding", ("file register.csv", "line 5", "utf-8")),
    "truncated gzip": Bad(_writes(_cut_gzip()), "damaged", ("file register.csv", "cut")),
    "invalid JSON on page 7": Bad(
        _answers(7, Answer(GOOD_PAGE_7[:-9])), "json", ("page 7", "line 1 column"), HOTLINE
    ),
    "HTML with status 200": Bad(
        _answers(3, Answer(HTML, headers={"Content-Type": "text/html"})),
        "html",
        ("file requests.json", "page 3", "200"),
        HOTLINE,
    ),
    "HTML that says it is JSON": Bad(
        _answers(3, Answer(HTML, headers={"Content-Type": "application/json"})),
        "html",
        ("file requests.json", "page 3", "200"),
        HOTLINE,
    ),
    "empty page": Bad(_answers(2, Answer(b"")), "empty", ("file requests.json", "page 2"), HOTLINE),
    "no such page": Bad(
        _answers(2, Answer(HTML, status=404)), "status", ("page 2", "answered 404"), HOTLINE
    ),
    "renamed key": Bad(
        _requests(requested_datetime=None, requested="2025-06-01"),
        "undeclared_column",
        ("page 1", "undeclared columns: 'requested'"),
        HOTLINE,
    ),
    "missing key": Bad(
        _requests(requested_datetime=None),
        "missing_column",
        ("page 1", "missing columns: 'requested_datetime'"),
        HOTLINE,
    ),
    "extra key, frozen": Bad(
        _requests(extra=1), "undeclared_column", ("page 1", "'extra'"), HOTLINE
    ),
    "failing server": Bad(
        _answers(2, Answer(HTML, status=503)),
        "status",
        ("page 2", "answered 503", "attempt 2 of 2"),
        HOTLINE,
    ),
}


def _load(town: Town, source: str, day: date = FIRST) -> None:
    loaded = town.ingest(source, day)
    assert loaded.error is None
    assert loaded.outcome.notes == ()


def _deliver_good(town: Town, source: str) -> None:
    """A good delivery with one record more."""
    town.broken.clear()
    if source == REGISTER:
        town.file.write_bytes(register(cases(21)))
    else:
        town.requests = requests(14)


def _assert_private(town: Town, told: Ingested, *printed: str) -> None:
    journal = [path.read_text("utf-8") for path in town.root.glob("journal/outcomes/*")]
    for text in (*printed, *journal, repr(told)):
        for private in PRIVATE:
            assert private not in text


def _assert_recovers(town: Town, source: str, before: set[tuple[Any, ...]]) -> None:
    _deliver_good(town, source)
    recovered = town.ingest(source, THIRD)
    assert recovered.error is None
    assert recovered.outcome.notes == ()
    assert town.rows(source) >= before
    assert len(town.rows(source)) == len(before) + 1


@pytest.mark.parametrize("bad", REFUSED.values(), ids=REFUSED.keys())
def test_a_delivery_that_cannot_be_read_changes_nothing(
    town: Town,
    bad: Bad,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    _load(town, bad.source)
    rows, content, journal = town.rows(bad.source), town.content(), town.outcomes()
    bad.deliver(town)
    told = town.ingest(bad.source, SECOND)
    assert told.result is None
    _assert_message(told.error, bad)
    assert town.content() == content
    assert town.rows(bad.source) == rows
    outcome = town.outcomes()[-1]
    assert len(town.outcomes()) == len(journal) + 1
    assert outcome["status"] == (
        "transient" if bad.rule == "status" and _is_5xx(told) else "terminal"
    )
    assert (outcome["source"], outcome["as_of"]) == (bad.source, SECOND.isoformat())
    assert (outcome["error"], outcome["rule"], outcome["notes"]) == (told.error, bad.rule, [])
    _assert_private(town, told, caplog.text, *capfd.readouterr())
    _assert_recovers(town, bad.source, rows)


def _is_5xx(told: Ingested) -> bool:
    return "answered 5" in (told.error or "")


def _assert_message(message: str | None, bad: Bad) -> None:
    """One line with the source first, the rule last, and every part between."""
    assert message is not None
    assert "\n" not in message
    assert message.startswith(f"source {bad.source}")
    assert message.endswith(f"[{bad.rule}]")
    assert re.findall(r"\[(\w+)\]", message) == [bad.rule]
    for part in bad.says:
        assert part in message


@pytest.mark.parametrize("token", [WRONG_TOKEN, "", None], ids=["wrong", "blank", "unset"])
def test_a_wrong_token_is_told_without_its_value(
    town: Town,
    token: str | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    _load(town, HOTLINE)
    rows, content = town.rows(HOTLINE), town.content()
    with monkeypatch.context() as changed:
        changed.setenv(TOKEN_VARIABLE, token) if token is not None else changed.delenv(
            TOKEN_VARIABLE
        )
        told = town.ingest(HOTLINE, SECOND)
    says = ("page 1", "401", "token is not accepted") if token else (TOKEN_VARIABLE, "no token")
    _assert_message(told.error, Bad(lambda _: None, "token", says, HOTLINE))
    assert town.content() == content
    assert (town.outcomes()[-1]["status"], town.outcomes()[-1]["rule"]) == ("terminal", "token")
    _assert_private(town, told, caplog.text)
    _assert_recovers(town, HOTLINE, rows)


def _replaced(*changed: dict[str, str]) -> bytes:
    by_id = {row["CASE_ID"]: row for row in (*cases(), *changed)}
    return register(list(by_id.values()))


NOTED = {
    "header only": Bad(_writes(register([])), "absence", ("no good record", "nothing was deleted")),
    "everything gone": Bad(
        _writes(register([case(n) for n in range(101, 121)])),
        "absence",
        ("nothing was deleted", "20 of 20 rows", "0.2"),
    ),
    "more gone than the share": Bad(
        _writes(register(cases(15))), "absence", ("nothing was deleted", "5 of 20 rows", "0.2")
    ),
    "31/02": Bad(
        _writes(_replaced(case(3, OPENED="31/02/2025 08:15"), case(21))),
        "type",
        ("row 2", "column requested_at", "1 record went to quarantine"),
    ),
    "31/02 on page 4": Bad(
        lambda town: town.requests[7].__setitem__("requested_datetime", "2025-02-31T09:00:00Z"),
        "type",
        ("file requests.json page 4", "row 1", "column requested_at"),
        HOTLINE,
    ),
    "a field too many": Bad(
        _writes(register(cases()).replace(b"R-0003,", b"R-0003,,")),
        "row:field_count",
        ("row 2", "1 record"),
    ),
}


@pytest.mark.parametrize("bad", NOTED.values(), ids=NOTED.keys())
def test_a_delivery_with_bad_records_keeps_the_good_of_before(
    town: Town, bad: Bad, caplog: pytest.LogCaptureFixture
) -> None:
    _load(town, bad.source)
    rows = town.rows(bad.source)
    bad.deliver(town)
    told = town.ingest(bad.source, SECOND)
    assert told.error is None
    assert told.result is not None
    assert told.result.deleted == 0
    assert town.rows(bad.source) >= rows
    notes = [note for note in told.outcome.notes if f"[{bad.rule}]" in note]
    assert len(notes) == 1
    assert notes[0].startswith(f"source {bad.source}, file re")
    assert all(part in notes[0] for part in bad.says)
    outcome = town.outcomes()[-1]
    assert (outcome["status"], outcome["notes"]) == ("ok", list(told.outcome.notes))
    _assert_private(town, told, caplog.text)


EXPECTED_QUARANTINE = {
    "31/02": ('{"service_request_id":"R-0003"}', ["requested_at:type"], "register.csv", 2),
    "31/02 on page 4": (
        '{"service_request_id":"H-8"}',
        ["requested_at:type"],
        "requests.json page 4",
        1,
    ),
    "a field too many": (None, ["row:field_count"], "register.csv", 2),
}


@pytest.mark.parametrize("name", EXPECTED_QUARANTINE)
def test_a_bad_record_alone_goes_to_quarantine(town: Town, name: str) -> None:
    bad = NOTED[name]
    _load(town, bad.source)
    rows = town.rows(bad.source)
    bad.deliver(town)
    for _ in range(2):
        assert town.ingest(bad.source, SECOND).error is None
        assert town.quarantined() == [EXPECTED_QUARANTINE[name]]
    _assert_recovers(town, bad.source, rows)


@pytest.mark.parametrize("name", ["header only", "everything gone", "more gone than the share"])
def test_a_refused_snapshot_leaves_the_next_one_in_order(town: Town, name: str) -> None:
    _load(town, REGISTER)
    rows = town.rows(REGISTER)
    NOTED[name].deliver(town)
    town.ingest(REGISTER, SECOND)
    town.file.write_bytes(register(cases()[1:]))
    told = town.ingest(REGISTER, THIRD)
    kept = {row for row in rows if row[0] != "R-0001"}
    if name == "everything gone":
        # The twenty strangers of the refused snapshot are half of all: too many to take away.
        assert "21 of 40" in told.outcome.notes[0]
        assert town.rows(REGISTER) >= rows
    else:
        assert (told.outcome.notes, told.result and told.result.deleted) == ((), 1)
        assert town.rows(REGISTER) == kept


def test_a_snapshot_within_the_share_deletes(town: Town) -> None:
    _load(town, REGISTER)
    town.file.write_bytes(register(cases(16)))
    told = town.ingest(REGISTER, SECOND)
    assert (told.result and told.result.deleted, told.outcome.notes) == (4, ())
    assert {row[0] for row in town.rows(REGISTER)} == {row["CASE_ID"] for row in cases(16)}


def test_a_first_delivery_without_records_is_told(town: Town) -> None:
    town.file.write_bytes(register([]))
    told = town.ingest(REGISTER, FIRST)
    assert told.outcome.notes == (
        "source feedback.register, file register.csv: the delivery holds no record [no_records]",
    ) or told.outcome.notes[0].endswith("[absence]")
    town.file.write_bytes(register(cases()))
    _load(town, REGISTER, SECOND)


@pytest.mark.parametrize(
    ("drift", "notes"),
    [
        (
            "evolve",
            (
                "source {source}, file {file}: taken without its undeclared columns: "
                "'{name}' [undeclared_column]",
            ),
        ),
        ("discard", ()),
    ],
    ids=["evolve", "discard"],
)
@pytest.mark.parametrize("source", [REGISTER, HOTLINE])
def test_an_extra_column_that_the_drift_mode_accepts(
    town: Town, source: str, drift: str, notes: tuple[str, ...]
) -> None:
    _load(town, source)
    rows = town.rows(source)
    town.declare(drift=drift)
    town.file.write_bytes(_wider(cases(21)))
    town.requests = [record | {"EXTRA": PERSONAL} for record in requests(14)]
    told = town.ingest(source, SECOND)
    first = "register.csv" if source == REGISTER else "requests.json page 1 and 7 more"
    assert told.outcome.notes == tuple(
        note.format(source=source, file=first, name="EXTRA") for note in notes
    )
    assert (told.error, town.outcomes()[-1]["undeclared"]) == (None, ["EXTRA"])
    assert town.rows(source) > rows
    _assert_private(town, told)


def test_an_unexpected_failure_leaves_its_outcome(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any, **__: Any) -> Any:
        raise OSError(28, f"no space for {PERSONAL}")

    _load(town, REGISTER)
    content = town.content()
    with monkeypatch.context() as changed:
        changed.setattr("pipeline.ingest.load_stream", failing)
        with pytest.raises(OSError, match="no space"):
            town.ingest(REGISTER, SECOND)
    outcome = town.outcomes()[-1]
    assert (outcome["status"], outcome["error"], outcome["as_of"]) == (
        "failed",
        "OSError",
        SECOND.isoformat(),
    )
    assert town.content() == content


def test_an_unknown_zone_is_refused_before_any_data(town: Town) -> None:
    assert town.call("contract", "check").returncode == 0
    town.declare(timezone="Asia/Da_Nang")
    checked = town.call("contract", "check")
    assert checked.returncode == 1
    files = [town.folder / f"sources/feedback/{name}.yaml" for name in ("hotline", "register")]
    lines = [line for line in checked.stdout.splitlines() if ".yaml:" in line]
    assert [line.split(":")[0] for line in lines] == [str(path) for path in files]
    for line, path in zip(lines, files, strict=True):
        number = int(line.split(":")[1])
        assert "timezone" in path.read_text("utf-8").splitlines()[number - 1]
        assert ": citylake.timezone: " in line
    ran = town.call("run")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.splitlines() == [f"citylake: {lines[0]}", lines[1]]
    assert not (town.root / "journal").exists()


def test_the_command_line_goes_on_with_the_sources_that_are_good(town: Town) -> None:
    good = town.call("run", "--date", FIRST.isoformat())
    assert good.returncode == 0, good.stdout + good.stderr
    content = town.content()
    town.file.unlink()
    town.requests = [json.loads(json.dumps(each)) for each in requests()]
    town.broken[7] = json_answer([{**requests()[12], "requested_datetime": "31/02/2025"}])
    bad = town.call("run", "--date", FIRST.isoformat())
    assert bad.returncode == 1
    told = [line for line in bad.stdout.splitlines() if line.startswith(("error: ", "note: "))]
    assert told == [
        "note: source feedback.hotline, file requests.json page 7, row 0, column requested_at: "
        "1 record went to quarantine [type]",
        "error: source feedback.register, file register.csv: no such file under the source's "
        "root [missing_file]",
    ]
    assert "Traceback" not in bad.stdout + bad.stderr
    after = town.content()
    status = "serving/publication_status"
    assert after.pop(status) != content.pop(status)
    assert after.pop("quarantine/service_request")
    assert after == content
    with duckdb.connect(str(town.root / "serving/marts.duckdb"), read_only=True) as serving:
        told_late = serving.execute(
            "SELECT verdict, stale, late_sources FROM publication_status"
        ).fetchall()
    assert told_late == [("publish", True, [REGISTER])]
    for text in (good.stdout, good.stderr, bad.stdout, bad.stderr):
        assert not any(private in text for private in PRIVATE)
