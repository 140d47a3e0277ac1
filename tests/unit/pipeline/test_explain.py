"""What `explain` says of a record, by whatever key, and what it never prints unasked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.context import Context
from pipeline.exit_codes import ExitCode
from pipeline.explain import print_explanation
from pipeline.explain_record import UnknownReferenceError, explain_record
from pipeline.ingest import ingest
from tests.e2e.small_town import FIRST, REGISTER, SECOND, Town, case, register
from tests.unit.pipeline.conftest import prepared_town
from warehouse.contract.model import Classification

KIND = "rác"
KEY = ("service_code", "service_request_id")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Two days: a good record, one never good, one that went bad later."""
    with prepared_town(tmp_path_factory.mktemp("explained")) as town:
        rows = [case(number) for number in range(1, 6)]
        rows[3] = case(4, STATE="lost")
        town.file.write_bytes(register(rows))
        town.ingest(REGISTER, FIRST)
        rows[4] = case(5, STATE="lost")
        town.file.write_bytes(register(rows))
        town.ingest(REGISTER, SECOND)
        yield town


def _printed(town: Town, capsys: pytest.CaptureFixture[str], key: str, **options: Any) -> str:
    reference = f"{REGISTER}:{key}"
    code = print_explanation(str(town.folder), reference, **{"as_json": False, **options})
    assert code is ExitCode.PUBLISHED
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        ("R-0001", "in core"),
        ("R-0004", "in quarantine alone"),
        ("R-0005", "in core by its last good version; a later one is in quarantine"),
    ],
)
def test_a_record_has_a_verdict(
    told: Town, capsys: pytest.CaptureFixture[str], key: str, verdict: str
) -> None:
    printed = _printed(told, capsys, key)
    assert f"\nverdict: {verdict}" in printed
    assert f"\n  service_request_id: {key}\n" in printed
    assert ("status:enum" in printed) == (key != "R-0001")
    assert "None" not in printed


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
@pytest.mark.parametrize("key", ["R-0001", "R-0004", "R-0005"])
def test_nothing_of_the_raw_record_is_printed_unasked(
    told: Town, capsys: pytest.CaptureFixture[str], key: str, as_json: bool
) -> None:
    printed = _printed(told, capsys, key, as_json=as_json)
    raw_names = ("CASE_ID", "KIND", "STATE", "OPENED", "CLOSED", "WARD", "NOTE", "lost")
    assert not [name for name in raw_names if name in printed]
    print_explanation(str(told.folder), f"{REGISTER}:{key}", with_raw=True, as_json=as_json)
    shown = capsys.readouterr()
    assert "personal data" in shown.err
    assert ("CASE_ID" in shown.out) == (key != "R-0004")


def _with_table(town: Town, **changes: Any) -> Context:
    """The town's context with its table declared otherwise."""
    context = town.context
    table = replace(context.city.tables["service_request"], **changes)
    return replace(context, city=replace(context.city, tables={table.name: table}))


def _reclassified(town: Town, name: str, to: Classification) -> Context:
    """The town's context in which the source has tightened a column."""
    source = town.context.city.sources[REGISTER]
    mapping = tuple(
        replace(each, classification=to) if each.column == name else each for each in source.mapping
    )
    sources = {**town.context.city.sources, REGISTER: replace(source, mapping=mapping)}
    return replace(town.context, city=replace(town.context.city, sources=sources))


def _explained(context: Context, key: str, **options: Any) -> dict[str, Any]:
    return explain_record(context, context.city.sources[REGISTER], key, **options)


def test_what_the_source_made_personal_is_left_out(told: Town) -> None:
    context = _reclassified(told, "service_code", Classification.PERSONAL)
    found = _explained(context, "R-0001", with_raw=True)
    assert "service_code" not in found["core"][0]
    assert "KIND" not in found["raw"]
    assert "service_code" in _explained(told.context, "R-0001")["core"][0]


def test_of_health_only_key_and_open_columns_are_shown(told: Town) -> None:
    plain = _explained(told.context, "R-0001")["core"][0]
    internal = {
        each.name
        for each in told.context.city.tables["service_request"].columns
        if each.classification is Classification.INTERNAL
    } - {"service_request_id"}
    shown = _explained(_with_table(told, health=True), "R-0001")["core"][0]
    assert internal
    assert internal <= set(plain)
    assert set(plain) - set(shown) == internal


def test_a_key_of_several_columns_names_one_record(town: Town) -> None:
    rows = [case(number, **({"STATE": "lost"} if number == 3 else {})) for number in range(1, 4)]
    town.file.write_bytes(register(rows))
    context = replace(_with_table(town, key=KEY), as_of=FIRST)
    assert ingest(context, REGISTER).error is None
    listed = _explained(context, KIND)
    assert [(each["service_request_id"], each["verdict"][:8]) for each in listed["records"]] == [
        ("R-0001", "in core"),
        ("R-0003", "in quara"),
    ]
    assert "<service_code>/<service_request_id>" in listed["verdict"]
    for number, verdict in (("R-0001", "in core"), ("R-0003", "in quarantine alone")):
        found = _explained(context, f"{KIND}/{number}")
        assert found["key"] == {"service_code": KIND, "service_request_id": number}
        assert found["verdict"].startswith(verdict)
        assert len(found["core"]) + len(found["quarantine"]) == 1


def test_a_record_that_is_not_there_is_said_with_the_form_of_its_key(told: Town) -> None:
    with pytest.raises(UnknownReferenceError, match=r"no record R-9999 .*<service_request_id>"):
        _explained(told.context, "R-9999")


def test_an_indicator_on_health_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CITYLAKE_HOME", str(tmp_path))
    code = print_explanation("danang", "HE1/490/2025-05", as_json=False)
    printed = capsys.readouterr()
    assert (int(code), printed.out) == (5, "")
    assert "HE1 is not cleared for display" in printed.err
    assert "encounter, a table on people's health" in printed.err
    with pytest.raises(UnknownReferenceError, match="nothing of indicators-feedback is promoted"):
        print_explanation("danang", "FB1/490/2025-05", as_json=False)
