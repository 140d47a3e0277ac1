"""What an operator sees of the records that broke a rule, and what stays restricted."""

import csv
import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.quarantine import QuarantineError, export, print_list, print_record
from tests.e2e.small_town import (
    FIRST,
    HOTLINE,
    PERSONAL,
    REGISTER,
    SECOND,
    Town,
    case,
    cases,
    register,
)
from tests.unit.lake.streams import (
    DAY_1,
    DAY_2,
    DAY_3,
    PlainStream,
    batch,
    load,
    new_lake,
    record,
    request_source,
    request_table,
)
from tests.unit.pipeline.conftest import prepared_town
from warehouse.contract.model import Classification, TableContract
from warehouse.duck import session
from warehouse.lake import Lake
from warehouse.quarantined import quarantined_sql

TIME = "requested_at:type"
ENUM = "status:enum"


@pytest.fixture(scope="module")
def bad_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Two days: four bad records on the first, of which one came good on the second."""
    with prepared_town(tmp_path_factory.mktemp("bad")) as town:
        _fill(town)
        yield town


def _fill(town: Town) -> None:
    bad = {4: {"OPENED": "31/02/2025 08:15"}, 5: {"OPENED": "?"}, 6: {"STATE": "lost"}}
    rows = [case(number, **bad.get(number, {})) for number in range(1, 21)]
    town.file.write_bytes(register(rows))
    town.ingest(REGISTER, FIRST)
    town.requests[1]["requested_datetime"] = "soon"
    town.ingest(HOTLINE, FIRST)
    rows[3] = case(4)
    town.file.write_bytes(register(rows))
    town.ingest(REGISTER, SECOND)


def _listed(
    town: Town, capsys: pytest.CaptureFixture[str], source: str | None, reason: str | None
) -> list[dict[str, Any]]:
    assert print_list(str(town.folder), source, reason, as_json=True) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_the_list_counts_by_source_and_reason(
    bad_town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _listed(bad_town, capsys, None, None)
    counted = [
        (each["source"], each["reason"], each["records"], each["open"], each["resolved"])
        for each in found
    ]
    assert counted == [
        (HOTLINE, TIME, 1, 1, 0),
        (REGISTER, TIME, 2, 1, 1),
        (REGISTER, ENUM, 1, 1, 0),
    ]
    days = {(each["table"], each["first_day"], each["last_day"]) for each in found}
    assert days == {("service_request", FIRST.isoformat(), FIRST.isoformat())}


@pytest.mark.parametrize(
    ("source", "reason", "records"),
    [(HOTLINE, None, 1), (None, ENUM, 1), (REGISTER, TIME, 2), (HOTLINE, ENUM, 0)],
)
def test_the_list_is_filtered(
    bad_town: Town,
    capsys: pytest.CaptureFixture[str],
    source: str | None,
    reason: str | None,
    records: int,
) -> None:
    found = _listed(bad_town, capsys, source, reason)
    assert sum(each["records"] for each in found) == records


def test_the_list_is_printed_for_people(bad_town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    print_list(str(bad_town.folder), REGISTER, ENUM, as_json=False)
    line = f"service_request  {REGISTER}  {ENUM}  1 record (1 open, 0 resolved), {FIRST} to {FIRST}"
    assert capsys.readouterr().out == line + "\n"


def test_an_empty_quarantine_is_said(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_list(str(town.folder), None, None, as_json=False) == 0
    assert capsys.readouterr().out == "no record in quarantine\n"


def test_an_unknown_source_is_refused(town: Town) -> None:
    with pytest.raises(QuarantineError, match=f"no source feedback.nothing .*{REGISTER}"):
        print_list(str(town.folder), "feedback.nothing", None, as_json=False)


def test_a_record_is_shown_by_place_and_by_hash(
    bad_town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"{REGISTER}:register.csv:4"
    assert print_record(str(bad_town.folder), place, with_raw=False, as_json=True) == 0
    by_place = json.loads(capsys.readouterr().out)
    assert by_place["reasons"] == [TIME]
    assert by_place["state"] == "open"
    assert by_place["as_of"] == FIRST.isoformat()
    assert json.loads(by_place["key"]) == {"service_request_id": "R-0005"}
    assert len(by_place["raw_digest"]) == 64
    print_record(str(bad_town.folder), by_place["record_hash"], with_raw=False, as_json=True)
    assert json.loads(capsys.readouterr().out) == by_place


def test_the_raw_record_is_shown_only_when_asked_for(
    bad_town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"{HOTLINE}:requests.json page 1:1"
    print_record(str(bad_town.folder), place, with_raw=False, as_json=False)
    without = capsys.readouterr()
    assert "soon" not in without.out
    assert without.err == ""
    print_record(str(bad_town.folder), place, with_raw=True, as_json=False)
    shown = capsys.readouterr()
    assert '"requested_datetime":"soon"' in shown.out
    assert "personal data" in shown.err


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        (f"{REGISTER}:register.csv:0", "no quarantined record"),
        ("0" * 32, "no quarantined record"),
        ("R-0005", "neither a record hash nor"),
    ],
    ids=["good-row", "hash", "key"],
)
def test_a_record_that_is_not_there_is_said(bad_town: Town, reference: str, told: str) -> None:
    with pytest.raises(QuarantineError, match=told):
        print_record(str(bad_town.folder), reference, with_raw=False, as_json=False)


def test_a_place_of_two_deliveries_is_ambiguous(town: Town) -> None:
    for day, opened in ((FIRST, "?"), (SECOND, "??")):
        town.file.write_bytes(register([case(1, OPENED=opened), *cases()[1:]]))
        town.ingest(REGISTER, day)
    with pytest.raises(QuarantineError, match="names 2 records"):
        print_record(str(town.folder), f"{REGISTER}:register.csv:0", with_raw=False, as_json=True)


def test_a_personal_key_stays_hidden(
    bad_town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = bad_town.context
    table = context.city.tables["service_request"]
    columns = tuple(
        replace(each, classification=Classification.PERSONAL) if each.name in table.key else each
        for each in table.columns
    )
    tables = {**context.city.tables, table.name: replace(table, columns=columns)}
    personal = replace(context, city=replace(context.city, tables=tables))
    monkeypatch.setattr("pipeline.quarantine.open_context", lambda city: personal)
    place = f"{REGISTER}:register.csv:4"
    print_record(str(bad_town.folder), place, with_raw=False, as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert shown["reasons"] == [TIME]
    assert "key" not in shown
    assert "R-0005" not in json.dumps(shown)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("with_raw", [False, True], ids=["plain", "raw"])
def test_the_export_is_restricted(
    bad_town: Town, tmp_path: Path, ending: str, with_raw: bool
) -> None:
    target = tmp_path / f"bad.{ending}"
    target.write_text("older", encoding="utf-8")
    target.chmod(0o644)
    assert export(str(bad_town.folder), target, REGISTER, None, with_raw=with_raw) == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("*bad*")] == [target.name]
    if ending == "csv":
        with target.open(encoding="utf-8", newline="") as stream:
            rows: list[dict[str, Any]] = list(csv.DictReader(stream))
    else:
        with duckdb.connect() as connection:
            rows = connection.read_parquet(str(target)).to_arrow_table().to_pylist()
    told = [(int(each["raw_row"]), each["reasons"], each["state"]) for each in rows]
    reasons = [[TIME], [TIME], [ENUM]] if ending == "parquet" else [TIME, TIME, ENUM]
    states = ["resolved", "open", "open"]
    assert told == list(zip([3, 4, 5], reasons, states, strict=True))
    assert ("raw_record" in rows[0]) == with_raw
    assert PERSONAL not in target.read_bytes().decode("utf-8", "replace")


@pytest.mark.parametrize("folder", ["releases", "serving", "marts", "journal", "."])
def test_the_export_is_refused_in_the_lake(bad_town: Town, tmp_path: Path, folder: str) -> None:
    link = tmp_path / "link"
    link.symlink_to(bad_town.root / folder, target_is_directory=True)
    for place in (bad_town.root / folder, link):
        with pytest.raises(QuarantineError, match="would lie in the lake"):
            export(str(bad_town.folder), place / "bad.csv", None, None, with_raw=False)
    assert not list(bad_town.root.rglob("bad.csv"))


def test_the_export_is_refused_in_the_repository(bad_town: Town) -> None:
    target = Path(__file__).with_name("bad.csv")
    with pytest.raises(QuarantineError, match="would lie in the repository"):
        export(str(bad_town.folder), target, None, None, with_raw=False)
    assert not target.exists()


def test_the_export_of_another_ending_is_refused(bad_town: Town, tmp_path: Path) -> None:
    with pytest.raises(QuarantineError, match=r"neither in \.parquet nor in \.csv"):
        export(str(bad_town.folder), tmp_path / "bad.xlsx", None, None, with_raw=False)


def _states(lake: Lake, table: TableContract | None) -> list[tuple[str, str | None]]:
    with session() as connection:
        select = quarantined_sql(connection, lake, "request", table)
        return connection.execute(
            f"SELECT key->>'request_id', state FROM ({select}) ORDER BY ALL"  # noqa: S608 - own text
        ).fetchall()


@pytest.mark.parametrize(
    ("versions", "bad", "expected"),
    [
        ([(DAY_1, "2025-03-01")], (DAY_2, "2025-03-02"), "open"),
        ([(DAY_3, "2025-03-03")], (DAY_2, "2025-03-02"), "resolved"),
        # A later day does not make an older version later.
        ([(DAY_3, "2025-03-01")], (DAY_2, "2025-03-02"), "open"),
        ([(DAY_1, "2025-03-03")], (DAY_2, "2025-03-02"), "resolved"),
        # The same version: the day decides, and a row seen again counts from its last day.
        ([(DAY_3, "2025-03-02")], (DAY_2, "2025-03-02"), "resolved"),
        ([(DAY_1, "2025-03-02")], (DAY_2, "2025-03-02"), "open"),
        ([(DAY_1, "2025-03-02"), (DAY_3, "2025-03-02")], (DAY_2, "2025-03-02"), "resolved"),
        # Without an updated time of its own only the day tells.
        ([(DAY_1, "2025-03-02")], (DAY_2, None), "open"),
        ([(DAY_3, None)], (DAY_2, None), "resolved"),
        # The same day and version: core cannot tell which came last.
        ([(DAY_2, "2025-03-02")], (DAY_2, "2025-03-02"), None),
        ([], (DAY_2, "2025-03-02"), "open"),
    ],
)
def test_the_state_follows_the_law_of_versions(
    tmp_path: Path, versions: list[Any], bad: Any, expected: str | None
) -> None:
    lake = new_lake(tmp_path)
    day, updated = bad
    loads = [(DAY_1, [record("other")]), (day, [record("k", "broken", updated=updated)])]
    loads += [(day, [record("k", updated=updated)]) for day, updated in versions]
    for number, (day, records) in enumerate(sorted(loads, key=lambda each: each[0])):
        load(lake, [batch(records, f"{number:02}")], day)
    assert _states(lake, request_table()) == [("k", expected)]


def test_a_record_that_core_holds_itself_is_resolved(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    load(lake, [record("k", "broken")], DAY_1)
    assert _states(lake, request_table()) == [("k", "open")]
    # The same place in the same object: what another contract would have made of it.
    load(lake, [record("k", "open")], DAY_1)
    assert _states(lake, request_table()) == [("k", "resolved")]


def test_another_stream_resolves_nothing(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    other = PlainStream(request_source("feedback.other"), request_table())
    for stream in (None, other):
        load(lake, [record("k")], DAY_1, stream=stream)
    load(lake, [record("k", "broken")], DAY_2)
    # The other stream says the very same, later, and has a bad record of its own.
    load(lake, [record("l", "broken")], DAY_2, stream=other)
    load(lake, [record("k")], DAY_3, stream=other)
    assert _states(lake, request_table()) == [("k", "open"), ("l", "open")]


def test_a_record_without_a_key_or_a_contract_has_no_state(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    load(lake, [batch([record(None), record("k", "broken")])], DAY_1)
    assert _states(lake, request_table()) == [("k", "open"), (None, None)]
    assert _states(lake, None) == [("k", None), (None, None)]


def test_the_real_commands_answer(bad_town: Town, tmp_path: Path) -> None:
    assert ENUM in bad_town.call("quarantine", "list").stdout
    shown = bad_town.call("quarantine", "show", f"{REGISTER}:register.csv:5")
    assert (shown.returncode, ENUM in shown.stdout) == (0, True)
    refused = bad_town.call("quarantine", "export", "--output", str(bad_town.root / "x.csv"))
    assert refused.returncode == 1
    assert refused.stderr.startswith("citylake: x.csv would lie in the lake")
